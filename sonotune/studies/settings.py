"""Settings of the jobs of a study, by the names that the workflow's rules give them."""

from collections.abc import Callable, Iterable
from functools import reduce
from operator import getitem
from typing import Any

from sonotune.config.cells import cell_with_features
from sonotune.config.jobs import resampling_settings, sort_keys_deep
from sonotune.config.networks import PRETRAINED, network_of, networks_of, start_of
from sonotune.networks.settings import architecture
from sonotune.studies.base import BaseStudy
from sonotune.studies.files import StudyFiles

# What a page offers for download, with all below these folders.
DOWNLOADS = ("cells.csv", "averages.csv", "tables/", "figures/", "statistics/")


def _titles(study: BaseStudy, names: Iterable[str]) -> list[tuple[str, str]]:
    return [(name, study.config["datasets"][name]["label"]) for name in names]


def _baselines(study: BaseStudy) -> list[str]:
    """The first strategy that trains all from random weights, and the unchanged network."""
    scratch = [name for name, strategy in study.strategies.items() if strategy["init"] == "random"]
    unchanged = [name for name, strategy in study.strategies.items() if not strategy["tune"]]
    return [*scratch[:1], *unchanged[:1]]


def _strategies_by_network(study: BaseStudy) -> list[tuple[dict[str, Any], list[tuple[Any, ...]]]]:
    """Every network with name, title, start and tuned stages of its strategies."""
    networks = [sort_keys_deep(architecture(network)) for network in networks_of(study.design)]
    rows: list[list[tuple[Any, ...]]] = [[] for _ in networks]
    for name, strategy in study.strategies.items():
        mine = networks.index(sort_keys_deep(architecture(network_of(study.design, name))))
        start = strategy["init"]
        if start == "pretrained" and start_of(study.design, name) != PRETRAINED:
            start = "encoder"
        rows[mine].append((name, strategy["label"], start, strategy["tune"]))
    return [(network, row) for network, row in zip(networks, rows, strict=True) if row]


def _margins(study: BaseStudy) -> dict[str, float]:
    """By data set, a difference in Dice that counts as none."""
    how = study.design["decision"]
    return {dataset: how["margins"].get(dataset, how["margin"]) for dataset in study.datasets}


def _examples(study: BaseStudy) -> dict[str, Any]:
    return {
        "asked": study.design["figures"]["examples"],
        "baselines": _baselines(study),
        "fold": study.design["resampling"]["run_folds"][0],
        "fraction": min(study.design["fractions"]),
    }


def _features_of(study: BaseStudy) -> dict[str, Any]:
    cell = cell_with_features(study.config, study.name, study.datasets[0])
    title = study.labels[cell.strategy]
    return {"strategy": title, "fraction": cell.fraction, "fold": cell.fold}


def _arms(study: BaseStudy) -> dict[str, str]:
    """What each strategy of the study of leakage leaves out of training."""
    leakage = study.config["studies"][study.design["protocols"]["leakage"]]
    return {name: how.get("exclude", "all") for name, how in leakage["strategies"].items()}


def _downloads(study: StudyFiles) -> list[str]:
    files = [file.removeprefix(f"{study.home}/") for file in study.result_files()]
    return sorted(file for file in files if file.startswith(DOWNLOADS))


def _of(*path: str) -> Callable[[BaseStudy], Any]:
    """A part of the study's design as it is."""
    return lambda study: reduce(getitem, path, study.design)


# Settings of jobs by name; None where a study has no such setting.
SETTINGS: dict[str, Callable[[StudyFiles], Any]] = {
    **{name: _of(name) for name in ("seed", "image_size", "fractions", "decision")},
    **{name: _of("averages", name) for name in ("exclude_runs", "ddof")},
    **{name: _of("figures", name) for name in ("pairs", "training_time")},
    "epochs": _of("protocols", "epochs"),
    "cost": _of("decision", "cost"),
    "own_claims": _of("claims", "own"),
    "strategies": lambda study: list(study.labels.items()),
    "strategy_names": lambda study: list(study.strategies),
    "dataset_names": lambda study: study.datasets,
    "first_dataset": lambda study: study.datasets[0],
    "datasets": lambda study: _titles(study, study.datasets),
    "titles": lambda study: _titles(study, study.all_datasets),
    "pretraining": lambda study: _titles(
        study, filter(None, [study.design.get("pretraining", {}).get("dataset")])
    ),
    "margins": _margins,
    "raced": lambda study: True if "race" in study.design else None,
    "networks": _strategies_by_network,
    "network_titles": lambda study: list(study.network_titles.items()),
    "examples": _examples,
    "features_of": _features_of,
    "recipe": lambda study: {
        "image_size": study.design["image_size"],
        "learning_rate": study.design["training"]["learning_rate"],
    },
    "arms": _arms,
    "simulated": lambda study: (
        {study.config["datasets"][name]["reader"] for name in study.datasets} == {"simulate"}
    ),
    "downloads": _downloads,
    "resampling": lambda study: resampling_settings(study.design["resampling"]),
    # What strategies leave out of training.
    "excludes": lambda study: (
        sorted({how["exclude"] for how in study.strategies.values() if "exclude" in how}) or None
    ),
    # Strategies that draw splits of their own.
    "own_splits": lambda study: (
        sorted(study.strategies)
        if study.design["resampling"].get("resample_test_set") == "by_strategy"
        else None
    ),
}
