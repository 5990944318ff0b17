"""What each job takes from a complete configuration.

A job's settings are one dict with sorted keys and plain values that holds all that its results
depend on, and nothing else: it is what decides whether the job's results are stale.
"""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from sonotune.config.cells import cell_with_features, race_rounds
from sonotune.config.code import code_of, training_code
from sonotune.config.networks import network_of
from sonotune.config.priorities import image_cost
from sonotune.data.tables import read_lists
from sonotune.layout import CELL_KEYS, Cell
from sonotune.networks.settings import architecture


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
            **{key: getattr(cell, key) for key in CELL_KEYS},
            **{key: strategy[key] for key in ("init", "tune")},
            **{key: study[key] for key in ("seed", "device", "precision", "threads")},
            "augmentation": study["augmentation"],
            "network": network,
            "resampling": resampling_settings(study["resampling"]),
            "training": training_settings(study["training"], study["device"]),
            "code": training_code(
                "finetune",
                network,
                study["device"],
                augment=bool(study["augmentation"]),
                monitor=bool(study.get("log_test_metrics")),
            ),
        }
    )


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
    return {"settings": settings, "code": code_of("sonotune.jobs.features")}


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
            "code": code_of("sonotune.statistics.rounds"),
        }
    )


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
