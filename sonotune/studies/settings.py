"""Settings of the jobs of a study, by the names that the workflow's rules give them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sonotune.config.cells import cell_with_features
from sonotune.config.jobs import resampling_settings, sort_keys_deep
from sonotune.config.networks import PRETRAINED, network_of, networks_of, start_of
from sonotune.networks.settings import architecture
from sonotune.studies.base import BaseStudy
from sonotune.studies.files import StudyFiles

# What a page offers for download, with all below these folders.
DOWNLOADS = ("cells.csv", "averages.csv", "tables/", "figures/", "statistics/")


class StudySettings(StudyFiles):
    """A study with what its jobs are set to.

    Parameters
    ----------
    config, name, raced, is_remote
        See `sonotune.studies.base.BaseStudy`.
    """

    def settings(self, *names: str, strategies: Sequence[str] = ()) -> dict[str, Any]:
        """Settings by name, with sorted keys, since Snakemake compares texts.

        Titles are lists of pairs, since their order counts. A setting that few studies have is
        left out where there is none.

        Parameters
        ----------
        *names
            Names of settings, as `sonotune.report.registry` and the workflow's rules use them.
        strategies
            Those that are shown, in their order; by default all.

        Raises
        ------
        ValueError
            If there is no setting of a name.
        """
        values = {name: self._setting(name, strategies) for name in names}
        return sort_keys_deep({name: value for name, value in values.items() if value is not None})

    def _setting(self, name: str, strategies: Sequence[str]) -> Any:
        design, figures = self.design, self.design["figures"]
        leakage = self.config["studies"].get(design.get("protocols", {}).get("leakage"), {})
        match name:
            case "strategies":
                return [(strategy, self.labels[strategy]) for strategy in strategies or self.labels]
            case "datasets":
                return _titles(self, self.datasets)
            case "exclude_runs" | "ddof":
                return design["averages"][name]
            case "pairs" | "training_time":
                return figures[name]
            case "seed" | "image_size" | "fractions" | "decision":
                return design[name]
            case "epochs":
                return design["protocols"]["epochs"]
            case "cost":
                return design["decision"]["cost"]
            case "margins":  # by data set, a difference in Dice that counts as none
                how = design["decision"]
                return {
                    dataset: how["margins"].get(dataset, how["margin"]) for dataset in self.datasets
                }
            case "own_claims":
                return design["claims"]["own"]
            case "raced":
                return True if "race" in design else None
            case "networks":
                return _strategies_by_network(self)
            case "network_titles":
                return list(self.network_titles.items())
            case "pretraining":
                return _titles(self, filter(None, [design.get("pretraining", {}).get("dataset")]))
            case "examples":
                return {
                    "asked": figures["examples"],
                    "baselines": _baselines(self),
                    "fold": design["resampling"]["run_folds"][0],
                    "fraction": min(design["fractions"]),
                }
            case "features_of":
                cell = cell_with_features(self.config, self.name, self.datasets[0])
                title = self.labels[cell.strategy]
                return {"strategy": title, "fraction": cell.fraction, "fold": cell.fold}
            case "recipe":
                return {
                    "image_size": design["image_size"],
                    "learning_rate": design["training"]["learning_rate"],
                }
            case "arms":
                return {
                    strategy: how.get("exclude", "all")
                    for strategy, how in leakage["strategies"].items()
                }
            case "first_dataset":
                return self.datasets[0]
            case "simulated":
                readers = {self.config["datasets"][dataset]["reader"] for dataset in self.datasets}
                return readers == {"simulate"}
            case "titles":
                return _titles(self, self.all_datasets)
            case "downloads":
                files = [file.removeprefix(f"{self.home}/") for file in self.result_files()]
                return sorted(file for file in files if file.startswith(DOWNLOADS))
            case "strategy_names":
                return list(self.strategies)
            case "dataset_names":
                return self.datasets
            case "resampling":
                return resampling_settings(design["resampling"])
            case "excludes":  # what strategies leave out of training
                every = {how["exclude"] for how in self.strategies.values() if "exclude" in how}
                return sorted(every) or None
            case "own_splits":  # strategies that draw splits of their own
                own = design["resampling"].get("resample_test_set") == "by_strategy"
                return sorted(self.strategies) if own else None
        raise ValueError(f"no setting is called {name}")


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
