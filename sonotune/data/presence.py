"""What can be refused before the first job: files that are missing, splits that are not possible.

Everything here follows from the names of files, from tables and from the configuration; no pixel
is read.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

from sonotune.config.jobs import resampling_settings
from sonotune.config.resampling import HOLDOUTS
from sonotune.data.catalogue import CatalogueEntry
from sonotune.data.fetch import locate
from sonotune.data.grouping import DUPLICATES, groups_for
from sonotune.data.readers import MADE_HERE, find_samples
from sonotune.data.readers.sample import Sample
from sonotune.data.sources import RESOURCES, describe_missing, used_datasets
from sonotune.errors import SonotuneError, printable

# What Snakemake replaces in the name of an input.
PATH_VARIABLE = re.compile(r"<[a-z][a-z0-9_]*>|[{}]")
# Ends of lines, and bytes that are not UTF-8.
UNPORTABLE = re.compile(r"[\n\r\ud800-\udfff]")


def check_files(
    config: Mapping[str, Any], published: Mapping[str, CatalogueEntry], mirror: str | None
) -> None:
    """Refuse to start what cannot end well: files are not there, or images too few for a split.

    Parameters
    ----------
    config
        A complete configuration.
    published
        What its studies take from the catalogue, by the data sets' names.
    mirror
        The data mirror, or None.

    Raises
    ------
    SonotuneError
        Naming everything that is missing at once, and where it is looked for; or every split
        that is not possible, and what would be.
    """
    lines = describe_missing(published, mirror)
    # Names and groups of images; what is not here yet is looked at once it was fetched.
    known: dict[str, list[tuple[str, str]]] = {}
    for name in sorted(used_datasets(config)):
        settings = config["datasets"][name]
        if settings["reader"] in MADE_HERE:  # images of nobody, so each is a group of its own
            known[name] = [(str(number), str(number)) for number in range(settings["images"])]
            continue
        is_published = "catalogue" in settings
        folder = locate(published[name], RESOURCES, mirror) if is_published else Path()
        if folder is None:
            continue
        try:
            samples = find_samples(settings, folder)
        except SonotuneError as error:
            lines.append(f"datasets: {name}: {error}")
            continue
        known[name] = [(sample.name, sample.group) for sample in samples]
        if settings["reader"] == "folder":
            lines += [f"datasets: {name}: {line}" for line in unusable_names(samples)]
    if lines:
        raise SonotuneError(
            "These data sets cannot be used:\n  "
            + "\n  ".join(lines)
            + "\nPut the files where they are looked for (paths are relative to "
            f"{Path.cwd()}), or correct the configuration."
        )
    mistakes = [
        f"studies: {study}: {name}: {line}"
        for study, design in config["studies"].items()
        for name in design["datasets"]
        if name in known
        for line in _impossible_splits(design, name, config["datasets"][name], known[name])
    ]
    if mistakes:
        raise SonotuneError("These studies cannot be run:\n  " + "\n  ".join(mistakes))


def unusable_names(samples: Sequence[Sample]) -> Iterator[str]:
    """Files of a user's own that the workflow cannot carry for their names, one line each.

    Parameters
    ----------
    samples
        Images of the data set.
    """
    for file in dict.fromkeys(path for sample in samples for path in (sample.image, *sample.masks)):
        if match := PATH_VARIABLE.search(str(file)):
            yield (
                f"{printable(file)}: Snakemake gives {match[0]} in a file's name a meaning of its "
                "own; rename the file"
            )
        elif UNPORTABLE.search(str(file)):
            yield (
                f"{printable(file)}: its name contains a line break or is not UTF-8, which "
                "Snakemake cannot handle; rename it, for instance by: convmv -f cp1252 -t utf-8 "
                "--notest"
            )


def _impossible_splits(
    study: Mapping[str, Any],
    name: str,
    settings: Mapping[str, Any],
    images: Sequence[tuple[str, str]],
) -> Iterator[str]:
    """Why splits of a data set are not possible, one line each.

    Splits need NumPy. Where a workflow is only linted or planned there may be none; then this is
    left to the jobs.
    """
    count = len(images)
    if _surely_possible(count, study):
        return
    try:
        from sonotune.data.holdout import rows_from_lists
        from sonotune.data.splits import Resampling, split, split_seed
    except ImportError:
        return
    resampling = Resampling(**resampling_settings(study["resampling"]))
    try:
        groups = _groups(resampling.grouped, settings, images)
        if resampling.lists is not None:
            if settings["reader"] not in MADE_HERE:
                rows_from_lists(resampling.lists, [image for image, _ in images])
            return
    except SonotuneError as error:
        yield str(error)
        return
    seed = split_seed(study["seed"], name, resampling)
    excludes = sorted({how.get("exclude") for how in study["strategies"].values()}, key=str)

    def refused(fraction: float) -> str:
        """Why a fraction cannot be drawn in some fold, or an empty text."""
        try:
            for fold, exclude in product(study["resampling"]["run_folds"], excludes):
                split(count, resampling, seed, fraction, fold, groups, exclude=exclude)
        except SonotuneError as error:
            return str(error)
        return ""

    for reason in filter(None, map(refused, study["fractions"])):
        hundredths = (number / 100 for number in range(1, 100))
        smallest = next((fraction for fraction in hundredths if not refused(fraction)), None)
        yield reason + (f" (here fractions from {smallest} on are possible)" if smallest else "")


def _groups(
    grouped: bool | str, settings: Mapping[str, Any], images: Sequence[tuple[str, str]]
) -> list[str]:
    """The group of each image, as far as it is known before an audit."""
    names, groups = ([image[part] for image in images] for part in (0, 1))
    if grouped is True and len(set(groups)) == len(groups):
        raise SonotuneError(
            "resampling: grouped: is true, but no two images share a group; name groups by a "
            "column group of a table or by the key group, or write grouped: false"
        )
    has_table = "duplicates" in settings and settings["reader"] not in MADE_HERE
    if isinstance(grouped, str) and has_table:
        return groups_for(grouped, names, groups, settings["duplicates"])
    return names if grouped == DUPLICATES else groups


def _surely_possible(images: int, study: Mapping[str, Any]) -> bool:
    """Whether the number of images alone shows that the smallest fraction can be drawn."""
    given = study["resampling"]
    excludes = any("exclude" in strategy for strategy in study["strategies"].values())
    if given["grouped"] or excludes or {*HOLDOUTS} & set(given) or images < given["folds"]:
        return False
    drawn: float = images * min(study["fractions"])
    validation: float = given["validation_fraction"]
    return drawn >= 2 and drawn * validation >= 1 and drawn * (1 - validation) >= 1
