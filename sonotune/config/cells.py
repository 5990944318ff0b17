"""Which cells and pre-trainings a study has."""

from collections.abc import Iterator, Mapping
from typing import Any

from sonotune.config.networks import PRETRAINED, start_of
from sonotune.errors import SonotuneError
from sonotune.layout import Cell, fold_numbers, fold_text, fraction_text


def cells_of(config: Mapping[str, Any], study: str, dataset: str) -> Iterator[Cell]:
    """The cells of a study on one of its data sets, in the order of the tables.

    Parameters
    ----------
    config
        A complete configuration.
    study
        Name of a study.
    dataset
        Name of a data set.
    """
    design = config["studies"][study]
    for strategy, how in design["strategies"].items():
        for fraction in design["fractions"] if how["tune"] else [0]:
            for fold in design["resampling"]["run_folds"]:
                for seed, pretraining in runs_of_fold(design, strategy):
                    yield Cell(study, dataset, strategy, fraction, fold, seed, pretraining)


def runs_of_fold(study: Mapping[str, Any], strategy: str) -> list[tuple[int, int]]:
    """Seed and pre-training of each run that a strategy has in a fold, both counted from 1.

    Only what starts from the study's own pre-trained network has a run for each of these networks.
    Such a network that is evaluated unchanged has nothing that a seed could change.

    Parameters
    ----------
    study
        A study of a complete configuration.
    strategy
        Name of a strategy.
    """
    how = study["strategies"][strategy]
    pretrained = how["init"] == "pretrained" and start_of(study, strategy) == PRETRAINED
    fixed = pretrained and not how["tune"]
    seeds = 1 if fixed else study["resampling"]["seeds"]
    return [
        (seed, pretraining)
        for pretraining in (pretrainings_of(study) if pretrained else [1])
        for seed in range(1, seeds + 1)
    ]


def pretrainings_of(study: Mapping[str, Any]) -> range:
    """Numbers of a study's pre-trained networks, from 1; none without a pre-training.

    Parameters
    ----------
    study
        A study of a complete configuration.
    """
    return range(1, study["pretraining"]["repeats"] + 1 if "pretraining" in study else 1)


def find_cell(
    config: Mapping[str, Any], study: str, dataset: str, strategy: str, fraction: str, fold: str
) -> Cell:
    """The cell that the wildcards of a path mean.

    Parameters
    ----------
    config
        A complete configuration.
    study
        Name of a study.
    dataset
        Name of a data set.
    strategy
        Name of a strategy.
    fraction
        Share of the data set as in paths, such as ``0.8``.
    fold
        Training of a fold as in paths, such as ``0`` or ``0-s2``.

    Raises
    ------
    SonotuneError
        If the study has no such cell.
    """
    design = config["studies"][study]
    if dataset in design["datasets"] and strategy in design["strategies"]:
        fractions = design["fractions"] if design["strategies"][strategy]["tune"] else [0]
        asked = {fraction_text(fraction): fraction for fraction in fractions}
        number, *run = fold_numbers(fold)
        if (
            fraction in asked
            and number < design["resampling"]["folds"]
            and tuple(run) in runs_of_fold(design, strategy)
            and fold == fold_text(number, *run)
        ):
            return Cell(study, dataset, strategy, asked[fraction], number, *run)
    raise SonotuneError(
        f"{study} has no cell {dataset}/{strategy}/{fraction}/{fold}; its strategies, fractions "
        "and folds are in the configuration"
    )


def keeps_weights(study: Mapping[str, Any], strategy: str) -> bool:
    """Whether a strategy's cells keep their weights.

    Parameters
    ----------
    study
        A study of a complete configuration.
    strategy
        Name of a strategy.
    """
    kept = study["keep_weights"]
    return kept == "all" or (kept != "none" and strategy in kept)


def cell_with_features(config: Mapping[str, Any], study: str, dataset: str) -> Cell:
    """The cell that Fig. S2 shows: of the largest fraction, in the first fold run.

    Parameters
    ----------
    config
        A complete configuration.
    study
        Name of a study.
    dataset
        Name of a data set.
    """
    design = config["studies"][study]
    fraction, fold = max(design["fractions"]), design["resampling"]["run_folds"][0]
    return Cell(study, dataset, design["figures"]["features"], fraction, fold)


def has_features(config: Mapping[str, Any], study: str) -> bool:
    """Whether Fig. S2 has a strategy to show: one that tunes a pre-trained network.

    Parameters
    ----------
    config
        A complete configuration.
    study
        Name of a study.
    """
    design = config["studies"][study]
    strategy = design["strategies"].get(design["figures"]["features"])
    return bool(strategy and strategy["tune"] and strategy["init"] == "pretrained")


def race_rounds(study: Mapping[str, Any]) -> list[list[int]]:
    """Fold and seed of each round that a race can have: fold after fold, then further seeds.

    Parameters
    ----------
    study
        A study of a complete configuration.
    """
    resampling = study["resampling"]
    return [
        [fold, seed]
        for seed in range(1, resampling["seeds"] + 1)
        for fold in resampling["run_folds"]
    ]
