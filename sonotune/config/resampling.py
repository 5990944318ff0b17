"""What the keys ``resampling``, ``fractions`` and ``training`` of a study mean for each other."""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

from sonotune.data.limits import check_fraction
from sonotune.data.readers.own_folder import has_groups
from sonotune.data.tables import read_lists
from sonotune.errors import SonotuneError

HOLDOUTS = ("test_images", "test_fraction", "lists")


def complete_resampling(
    where: str, study: dict[str, Any], datasets: Mapping[str, Any]
) -> Iterator[str]:
    """Fill in which folds are run and what is grouped; give a line for each mistake.

    Parameters
    ----------
    where
        How a mistake names the study.
    study
        A study that the schema accepts; changed in place.
    datasets
        All data sets by name.
    """
    resampling = study["resampling"]
    # Own images with groups are grouped unless the configuration says otherwise.
    known = [datasets[name] for name in study["datasets"] if name in datasets]
    own = [dataset.get("folder", {}) for dataset in known if dataset["reader"] == "folder"]
    grouped = "lists" not in resampling and any(has_groups(Path(), **folder) for folder in own)
    resampling.setdefault("grouped", grouped)
    folds = resampling["folds"]
    run_folds = resampling.setdefault("run_folds", list(range(folds)))
    for fold in (fold for fold in run_folds if fold >= folds):
        yield (
            f"{where}: resampling: run_folds: must be below {folds}, the number of folds; "
            f"found {fold}"
        )
    given = [key for key in HOLDOUTS if key in resampling]
    if len(given) > 1:
        yield f"{where}: resampling: {' and '.join(given)} exclude each other; keep one"
    elif "lists" in given:
        if resampling["grouped"]:
            what = "has no use with lists, which fix the split; remove it"
            yield f"{where}: resampling: grouped: {what}"
        try:
            read_lists(resampling["lists"])
        except SonotuneError as error:
            yield f"{where}: {error}"
    for fraction in study["fractions"]:
        try:
            if not given:
                check_fraction(fraction, folds)
        except SonotuneError as error:
            yield f"{where}: {error}"
        held = Fraction(str(resampling.get("test_fraction", 0)))
        if "test_fraction" in given and Fraction(str(fraction)) + held > 1:
            yield (
                f"{where}: fractions: {fraction:g} is not possible: the hold-out leaves at most "
                f"{float(1 - held):g} of the images for training"
            )
    recipe = study["training"]
    fixed = recipe["patience"] is False and recipe.get("select_weights") == "last"
    if not resampling["validation_fraction"] and not fixed:
        yield (
            f"{where}: resampling: validation_fraction: 0 leaves nothing to stop or to choose "
            "weights by; add patience: false and select_weights: last to training, or give a share"
        )
