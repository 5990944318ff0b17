"""The splits of a study as a file that people can read and reuse."""

from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

from sonotune.data.dataset import load_set
from sonotune.data.grouping import count_with_duplicate, read_clusters
from sonotune.data.holdout import Exclude
from sonotune.data.image_set import ImageSet
from sonotune.data.splits import BY_STRATEGY, Resampling, Split, split, split_seed
from sonotune.runtime.files import read_json, write_json


def write_splits(
    datasets: Mapping[str, str | Path],
    fractions: Sequence[float],
    resampling: Resampling,
    seed: int,
    path: str | Path,
    excludes: Sequence[Exclude] = (),
    strategies: Sequence[str] = (),
) -> None:
    """Write the rows of every data set, fraction and fold as JSON.

    No training reads this file: splits are computed again where they are needed.

    Parameters
    ----------
    datasets
        Folder of the prepared arrays of each data set.
    fractions
        Shares of the whole data set, in (0,1].
    resampling
        How every data set is cut.
    seed
        The study's.
    path
        JSON file to write.
    excludes
        What strategies of the study leave out of training (see `sonotune.data.splits.split`); a
        split that leaves out something has a key ``exclude``.
    strategies
        Those of the study, if each draws splits of its own; a split then has a key ``strategy``.
    """
    content = {}
    own = strategies if resampling.resample_test_set == BY_STRATEGY else [""]
    for name, folder in datasets.items():
        data = load_set(folder)
        parts = []
        for fraction in fractions:
            for fold, strategy, exclude in product(range(resampling.folds), own, (None, *excludes)):
                own_seed = split_seed(seed, name, resampling, strategy)
                rows = split_of(data, resampling, own_seed, fraction, fold, exclude)
                parts.append(
                    {
                        "fraction": fraction,
                        "fold": fold,
                        **({"strategy": strategy} if strategy else {}),
                        **({"exclude": exclude} if exclude else {}),
                        "training": rows.train.tolist(),
                        "validation": rows.validation.tolist(),
                        "test": rows.test.tolist(),
                    }
                )
        content[name] = {
            "source": data.about["source"],
            "names": data.names,
            "groups": data.groups_for(resampling.grouped),
            "splits": parts,
        }
    write_json(path, content)


def split_of(
    data: ImageSet,
    resampling: Resampling,
    seed: int,
    fraction: float,
    fold: int,
    exclude: Exclude | None = None,
) -> Split:
    """The split of a prepared data set, with its own groups and names.

    Parameters
    ----------
    data
        The data set.
    resampling, seed, fraction, fold, exclude
        As of `sonotune.data.splits.split`.
    """
    images, groups = len(data.images), data.groups_for(resampling.grouped)
    return split(images, resampling, seed, fraction, fold, groups, data.names, exclude)


def count_near_duplicates(
    path: str | Path, clusters: Mapping[str, str | Path]
) -> dict[str, tuple[int, int]]:
    """Test images that have a near-duplicate among the images trained on, at the largest fraction.

    Parameters
    ----------
    path
        A file of `write_splits`.
    clusters
        By data set, its file of near-duplicates (see `sonotune.data.grouping.read_clusters`).

    Returns
    -------
    dict
        By data set, how many of how many test images of all folds.
    """
    counts = {}
    for name, content in read_json(path).items():
        cluster_of = read_clusters(clusters[name], content["names"])
        rows = {image: row for row, image in enumerate(content["names"])}
        by_row = {rows[image]: cluster for image, cluster in cluster_of.items()}
        parts = [part for part in content["splits"] if "exclude" not in part]
        largest = max(part["fraction"] for part in parts)
        twins = tested = 0
        for part in parts:
            if part["fraction"] == largest:
                trained = [*part["training"], *part["validation"]]
                twins += count_with_duplicate(part["test"], trained, by_row)
                tested += len(part["test"])
        counts[name] = twins, tested
    return counts


def read_counts(path: str | Path) -> list[dict[str, Any]]:
    """Sizes of every split in a file of `write_splits` that leaves nothing out: Table I's.

    Where strategies draw splits of their own, those of the first: all have the same sizes.

    Parameters
    ----------
    path
        JSON file of `write_splits`.

    Returns
    -------
    list of dict
        dataset, source, size, fraction, fold, training, validation, test.
    """
    return [
        {
            "dataset": name,
            "source": content["source"],
            "size": len(content["names"]),
            "fraction": part["fraction"],
            "fold": part["fold"],
            **{key: len(part[key]) for key in ("training", "validation", "test")},
        }
        for name, content in read_json(path).items()
        for part in content["splits"]
        if "exclude" not in part and part.get("strategy") == content["splits"][0].get("strategy")
    ]
