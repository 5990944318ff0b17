"""What can be refused before the first job: files that are missing, splits that are not possible.

Everything here follows from the names of files, from tables and from the configuration; no pixel
is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sonotune.data.catalogue import CatalogueEntry
from sonotune.data.fetch import locate
from sonotune.data.grouping import DUPLICATES, groups_for
from sonotune.data.names import is_portable
from sonotune.data.readers import MADE_HERE, find_samples
from sonotune.data.readers.sample import Sample
from sonotune.data.sources import RESOURCES, describe_missing
from sonotune.errors import SonotuneError, printable

if TYPE_CHECKING:
    from sonotune.data.splits import Resampling

# What Snakemake replaces in the name of an input.
PATH_VARIABLE = re.compile(r"<[a-z][a-z0-9_]*>|[{}]")


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
    used = {name for study in config["studies"].values() for name in study["datasets"]}
    used |= {s["pretraining"]["dataset"] for s in config["studies"].values() if "pretraining" in s}
    lines = describe_missing(published, mirror)
    listed: dict[str, list[Sample]] = {}
    for name in sorted(used):
        settings = config["datasets"][name]
        folder: Path | None = Path()
        if settings["reader"] in MADE_HERE:
            continue
        if "catalogue" in settings:
            # What is not here yet is looked at once it was fetched.
            folder = locate(published[name], RESOURCES, mirror)
            if folder is None:
                continue
        try:
            listed[name] = find_samples(settings, folder or Path())
        except SonotuneError as error:
            lines.append(f"datasets: {name}: {error}")
            continue
        if settings["reader"] == "folder":
            lines += [f"datasets: {name}: {line}" for line in unusable_names(listed[name])]
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
        for line in _impossible_splits(design, name, config["datasets"][name], listed.get(name))
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
        elif not is_portable(file):
            yield (
                f"{printable(file)}: its name contains a line break or is not UTF-8, which "
                "Snakemake cannot handle; rename it, for instance by: convmv -f cp1252 -t utf-8 "
                "--notest"
            )


def _impossible_splits(
    study: Mapping[str, Any],
    name: str,
    settings: Mapping[str, Any],
    samples: Sequence[Sample] | None,
) -> Iterator[str]:
    """Why splits of a data set are not possible, one line each.

    Splits need NumPy. Where a workflow is only linted or planned there may be none; then this is
    left to the jobs.
    """
    given = study["resampling"]
    if samples is None and settings["reader"] not in MADE_HERE:
        return
    count = settings["images"] if samples is None else len(samples)
    by_number = samples is None or _is_drawn_one_by_one(study)
    if by_number and not given["grouped"] and _surely_possible(count, study):
        return
    try:
        from sonotune.data.splits import Resampling
    except ImportError:
        return
    keys = (
        "folds",
        "validation_fraction",
        "grouped",
        "test_images",
        "test_fraction",
        "resample_test_set",
    )
    resampling = Resampling(**{key: given[key] for key in keys if key in given})
    # Images that are made here are of nobody, so each is a group of its own.
    count = settings["images"] if samples is None else len(samples)
    names = [e.name for e in samples] if samples is not None else list(map(str, range(count)))
    groups = [e.group for e in samples] if samples is not None else names
    if resampling.grouped is True and len(set(groups)) == count:
        yield (
            "resampling: grouped: is true, but no two images share a group; name groups by a "
            "column group of a table or by the key group, or write grouped: false"
        )
        return
    if isinstance(resampling.grouped, str):
        # Without a table of one's own, duplicates are known only after an audit.
        file = settings.get("duplicates") if samples is not None else None
        try:
            if file is not None:
                groups = groups_for(resampling.grouped, names, groups, file)
            elif resampling.grouped == DUPLICATES:
                groups = names
        except SonotuneError as error:
            yield str(error)
            return
    if "lists" in given:
        if samples is None:
            return
        from sonotune.data.holdout import rows_from_lists
        from sonotune.data.split_lists import read_lists

        try:
            rows_from_lists(read_lists(given["lists"]), names)
        except SonotuneError as error:
            yield str(error)
        return
    for fraction in study["fractions"]:
        if reason := _refused(count, resampling, study, name, fraction, groups):
            yield f"{reason}{_instead(count, resampling, study, name, groups)}"


def _is_drawn_one_by_one(study: Mapping[str, Any]) -> bool:
    """Whether the number of images alone decides which splits are possible."""
    given = study["resampling"]
    excludes = any("exclude" in strategy for strategy in study["strategies"].values())
    other = {"lists", "test_images", "test_fraction"} & set(given)
    return not (given["grouped"] or excludes or other)


def _surely_possible(images: int, study: Mapping[str, Any]) -> bool:
    """Whether the smallest fraction leaves images to train and to validate on, without a split."""
    if images < study["resampling"]["folds"]:
        return False
    drawn: float = images * min(study["fractions"])
    validation: float = study["resampling"]["validation_fraction"]
    return drawn >= 2 and drawn * validation >= 1 and drawn * (1 - validation) >= 1


def _refused(
    images: int,
    resampling: Resampling,
    study: Mapping[str, Any],
    name: str,
    fraction: float,
    groups: Sequence[str] | None,
) -> str:
    """Why a fraction cannot be drawn in some fold, or an empty text."""
    from sonotune.data.splits import split, split_seed

    excludes = {strategy.get("exclude") for strategy in study["strategies"].values()}
    try:
        for fold in study["resampling"]["run_folds"]:
            for exclude in sorted(excludes, key=str):
                seed = split_seed(study["seed"], name, resampling)
                split(images, resampling, seed, fraction, fold, groups, exclude=exclude)
    except SonotuneError as error:
        return str(error)
    return ""


def _instead(
    images: int,
    resampling: Resampling,
    study: Mapping[str, Any],
    name: str,
    groups: Sequence[str] | None,
) -> str:
    """What would work: the smallest fraction."""
    for fraction in (hundredths / 100 for hundredths in range(1, 100)):
        if not _refused(images, resampling, study, name, fraction, groups):
            return f" (here fractions from {fraction} on are possible)"
    return ""
