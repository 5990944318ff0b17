"""What each job takes from a complete configuration.

A job's settings are one dict with sorted keys and plain values that holds all that its results
depend on, and nothing else: it is what decides whether the job's results are stale.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from sonotune.config.code import code_of_modules, training_code
from sonotune.config.networks import PRETRAINED, network_of, start_of
from sonotune.config.priorities import image_cost
from sonotune.data.split_lists import read_lists
from sonotune.errors import SonotuneError
from sonotune.layout import Cell, fold_numbers, fold_text, fraction_text
from sonotune.networks.settings import architecture
from sonotune.runtime.fingerprint import fingerprint


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


def cell_settings(config: Mapping[str, Any], cell: Cell) -> dict[str, Any]:
    """All that a cell's results depend on, but for its arrays and start weights.

    Parameters
    ----------
    config
        A complete configuration.
    cell
        The training.
    """
    study = config["studies"][cell.study]
    strategy = study["strategies"][cell.strategy]
    network = architecture(network_of(study, cell.strategy))
    # Keys that few studies have are in the settings of none that has not.
    rare = {
        "exclude": strategy.get("exclude"),
        "log_test_metrics": study.get("log_test_metrics"),
        "seed_number": cell.seed if cell.seed > 1 else None,
        "pretraining_number": cell.pretraining if cell.pretraining > 1 else None,
    }
    return sort_keys_deep(
        {
            **{key: value for key, value in rare.items() if value},
            "study": cell.study,
            "dataset": cell.dataset,
            "strategy": cell.strategy,
            "fraction": cell.fraction,
            "fold": cell.fold,
            "init": strategy["init"],
            "tune": strategy["tune"],
            "seed": study["seed"],
            "network": network,
            "resampling": resampling_settings(study["resampling"]),
            "training": training_settings(study["training"], study["device"]),
            "augmentation": study["augmentation"],
            "device": study["device"],
            "precision": study["precision"],
            "threads": study["threads"],
            "code": training_code(
                "finetune",
                network,
                study["device"],
                augment=bool(study["augmentation"]),
                monitor=bool(study.get("log_test_metrics")),
            ),
        }
    )


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


def feature_settings(config: Mapping[str, Any], study: str, dataset: str) -> dict[str, Any]:
    """All that feature maps depend on, but for arrays and start weights.

    Parameters
    ----------
    config
        A complete configuration.
    study
        Name of a study.
    dataset
        Name of a data set.
    """
    settings = cell_settings(config, cell_with_features(config, study, dataset))
    return {"settings": settings, "code": fingerprint("sonotune.jobs.features")}


def training_settings(training: Mapping[str, Any], device: str) -> dict[str, Any]:
    """A recipe without its key ``graph``, unless a GPU job sets it to other than the default.

    Parameters
    ----------
    training
        A complete ``training`` key.
    device
        The study's key ``device``.
    """
    ordinary = device == "cpu" or training["graph"] == "auto"
    return {key: value for key, value in training.items() if key != "graph" or not ordinary}


# Keys of ``resampling`` that say which runs there are, not how data are cut.
WHICH_RUNS = ("run_folds", "seeds")


def resampling_settings(resampling: Mapping[str, Any]) -> dict[str, Any]:
    """How data are cut, with the names that published lists hold instead of their paths.

    Parameters
    ----------
    resampling
        A complete ``resampling`` key.
    """
    kept = {key: value for key, value in resampling.items() if key not in WHICH_RUNS}
    if "lists" in kept:
        lists = kept["lists"]
        kept["lists"] = _lists(lists["train"], lists["test"])
    return kept


@cache
def _lists(train: str, test: str) -> dict[str, list[str]]:
    return read_lists({"train": train, "test": test})


def pretraining_settings(
    config: Mapping[str, Any], study: str, pretraining: int = 1
) -> dict[str, Any]:
    """All that pre-trained weights depend on, but for the arrays; pre-trainings count from 1.

    Parameters
    ----------
    config
        A complete configuration.
    study
        Name of a study.
    pretraining
        Number of the pre-trained network, from 1.
    """
    design = config["studies"][study]
    return sort_keys_deep(
        {
            **({"pretraining_number": pretraining} if pretraining > 1 else {}),
            **{k: design["pretraining"][k] for k in ("dataset", "validation_fraction")},
            "training": training_settings(design["pretraining"]["training"], design["device"]),
            "threads": design["pretraining"]["threads"],
            **{k: design[k] for k in ("seed", "device", "precision")},
            "network": architecture(design["network"]),
            "code": training_code("pretrain", design["network"], design["device"]),
        }
    )


def race_settings(
    config: Mapping[str, Any], study: str, dataset: str, fraction: float
) -> dict[str, Any]:
    """All that a race depends on, but for its runs.

    Parameters
    ----------
    config
        A complete configuration.
    study
        Name of a study.
    dataset
        Name of a data set.
    fraction
        Share of the whole data set that is drawn for training and validation, in (0,1].
    """
    design = config["studies"][study]
    strategies = [name for name, how in design["strategies"].items() if how["tune"]]
    return sort_keys_deep(
        {
            **design["race"],
            "study": study,
            "dataset": dataset,
            "fraction": fraction,
            "strategies": strategies,
            # Epochs weigh as much as their steps cost; seconds would differ from run to run.
            "efforts": [round(image_cost(design, name), 6) for name in strategies],
            "rounds": race_rounds(design),
            "code": code_of_modules("statistics.rounds"),
        }
    )


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


def dataset_settings(config: Mapping[str, Any], dataset: str) -> dict[str, Any]:
    """All that a data set's arrays depend on, but for files and code.

    Parameters
    ----------
    config
        A complete configuration.
    dataset
        Name of a data set.
    """
    kept = config["datasets"][dataset].items()
    # The title is shown, and the file of near-duplicates is an input of cells.
    return sort_keys_deep({key: value for key, value in kept if key not in ("label", "duplicates")})


def sort_keys_deep(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Sort the keys of dicts at every depth, so that equal settings have one ``repr``.

    Parameters
    ----------
    settings
        Settings as JSON can hold them.
    """
    ordered: dict[str, Any] = json.loads(json.dumps(settings, sort_keys=True))
    return ordered
