"""What the jobs of a study read, are set to and make: paths and settings by their names.

The workflow's rules name files and settings (``needs("cells", "scores")``); this module says what
they are for a study. It is read while the workflow is parsed.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from sonotune.config.jobs import (
    NETWORKS,
    cell_with_features,
    cells_of,
    dataset_settings,
    has_features,
    in_order,
    pretrainings_of,
    race_rounds,
    resampling_settings,
)
from sonotune.config.networks import (
    PRETRAINED,
    encoder_weights_of,
    network_of,
    network_titles,
    networks_of,
    start_of,
)
from sonotune.data.readers import MADE_HERE, files_of
from sonotune.layout import (
    CELL_FILES,
    ENCODER,
    RESULTS,
    WEIGHTS,
    Cell,
    arrays,
    dataset_folder,
    digest_of,
    fold_numbers,
    pretrained_folder,
    race_file,
)
from sonotune.networks.settings import built_from
from sonotune.report.registry import FIGURES, TABLES, View
from sonotune.runtime.fingerprint import PACKAGE, fingerprint

STATISTICS = (
    *("decisions", "strategies", "comparisons", "tukey"),
    *("variance", "low_scores", "calibration", "friedman", "nemenyi"),
)
# Files of a study by the names that its rules give them.
FILES = {
    "cells": "cells.csv",
    "splits": "splits.json",
    "claims": "statistics/claims.csv",
    **{name: f"statistics/{name}.csv" for name in ("comparisons", "low_scores", "tukey")},
    **{name: f"tables/{name}.csv" for name in ("provenance", "protocols", "losses")},
    "against_paper": "tables/against_paper.csv",
}
DECISIONS = [f"statistics/{name}.csv" for name in ("decisions", "strategies", "comparisons")]
# What a page offers for download, with all below these folders.
DOWNLOADS = ("cells.csv", "tables/", "figures/", "statistics/")


def weights_path(name: str | None) -> str | list[str]:
    """Of an encoder's weights (`sonotune.config.networks.encoder_weights_of`); an empty list where
    there are none."""
    return f"{ENCODER}/{WEIGHTS}".format(weights=name) if name else []


def originals_of(config: Mapping[str, Any], dataset: str, digest: str) -> str | list[str]:
    """What a data set is prepared from: its made originals, or its files."""
    settings = config["datasets"][dataset]
    if settings["reader"] in MADE_HERE:
        return arrays(dataset, digest, "original")
    if "catalogue" in settings:
        return f"{dataset_folder(dataset, digest)}/source.json"
    return [str(file) for file in files_of(settings)]


def listed_source(config: Mapping[str, Any], dataset: str, digest: str, listed: str) -> str:
    """What a table beside a data set is made from.

    Near-duplicates are taken as the user corrected them, or as they were found; circumferences are
    those that came with the data set.
    """
    folder = dataset_folder(dataset, digest)
    if listed == "circumferences":
        return f"{folder}/source.json"
    return config["datasets"][dataset].get("duplicates", f"{folder}/audit_duplicates.csv")


def code_of(*modules: str, data: Sequence[str] = ()) -> str:
    """Fingerprint of what modules compute, and of the library's files that they read.

    Parameters
    ----------
    data
        Patterns of these files, below ``sonotune/report``; what they say counts, not when.
    """
    code = fingerprint(*modules)
    files = sorted(file for pattern in data for file in (PACKAGE / "report").glob(pattern))
    if not files:
        return code
    content = b"\0".join([code.encode(), *(file.read_bytes() for file in files)])
    return hashlib.sha256(content).hexdigest()[:16]


def view_of(kind: str, name: str) -> View:
    """The entry of a ``figure`` or a ``table``."""
    return (FIGURES if kind == "figure" else TABLES)[name]


@dataclass(frozen=True)
class Study:
    """A study of a complete configuration.

    Attributes
    ----------
    raced
        Gives the cells that a race has asked for once a round is over, by data set, fraction and
        number of the round; may raise what its caller raises until that is known.
    """

    config: Mapping[str, Any]
    name: str
    raced: Callable[[Study, str, float, int], list[Cell]]

    @property
    def home(self) -> str:
        """The study's folder."""
        return f"{RESULTS}/{self.name}"

    @cached_property
    def design(self) -> Mapping[str, Any]:
        """Its part of the configuration."""
        return self.config["studies"][self.name]

    @property
    def datasets(self) -> list[str]:
        """Names of the data sets that it tests on."""
        return self.design["datasets"]

    @property
    def strategies(self) -> Mapping[str, Mapping[str, Any]]:
        """Its strategies by name."""
        return self.design["strategies"]

    @cached_property
    def labels(self) -> dict[str, str]:
        """Titles of its strategies."""
        return {name: one["label"] for name, one in self.strategies.items()}

    @property
    def network_titles(self) -> dict[str, str]:
        """Title of each strategy's network."""
        return network_titles(self.design)

    @property
    def gpus(self) -> int:
        """GPUs that each of its trainings asks for."""
        return int(self.design["device"] != "cpu")

    @property
    def threads(self) -> int:
        """Threads of each of its trainings."""
        return self.design["threads"]

    @property
    def pretraining_threads(self) -> int:
        """Threads of its pre-training."""
        return self.design["pretraining"]["threads"]

    @property
    def has_features(self) -> bool:
        """Whether it has feature maps to show."""
        return has_features(self.config, self.name)

    @cached_property
    def all_datasets(self) -> list[str]:
        """Those that it tests on, and that of the pre-training."""
        pretraining = self.design.get("pretraining", {}).get("dataset")
        return list(dict.fromkeys([*self.datasets, *filter(None, [pretraining])]))

    def views(self, kind: str) -> dict[str, View]:
        """Its figures, or its tables."""
        every = FIGURES if kind == "figure" else TABLES
        return {name: view for name, view in every.items() if view.is_of(self)}

    # Paths

    @cached_property
    def digests(self) -> dict[str, str]:
        """Digest of the settings of each data set."""
        return {n: digest_of(dataset_settings(self.config, n)) for n in self.all_datasets}

    def folder_of(self, dataset: str) -> str:
        """Folder of a data set."""
        return dataset_folder(dataset, self.digests[dataset])

    def arrays_of(self, dataset: str) -> list[str]:
        """Files of a data set's prepared arrays."""
        return arrays(dataset, self.digests[dataset], self.design["image_size"])

    def cells_shown(self, dataset: str) -> list[Cell]:
        """The cells that results are made of: all of them, or those that its races asked for."""
        cells = list(cells_of(self.config, self.name, dataset))
        if "race" not in self.design:
            return cells
        last = len(race_rounds(self.design))
        raced = {
            cell
            for fraction in self.design["fractions"]
            for cell in self.raced(self, dataset, fraction, last)
        }
        return [cell for cell in cells if not cell.fraction or cell in raced]

    def cell_files(self, datasets: Iterable[str], *names: str) -> list[str]:
        """Files of the cells that are shown."""
        return [
            f"{RESULTS}/{cell.folder}/{name}"
            for dataset in datasets
            for cell in self.cells_shown(dataset)
            for name in names
        ]

    def start_weights(self, strategy: str, pretraining: int = 1) -> str | list[str]:
        """What a strategy starts from; a random start depends on no pre-trained weights."""
        if self.strategies[strategy]["init"] == "random":
            return []
        start = start_of(self.design, strategy)
        if start == PRETRAINED:
            return f"{pretrained_folder(self.name, pretraining)}/{WEIGHTS}"
        return weights_path(start)

    def files(self, need: str, **wildcards: str) -> str | list[str]:
        """The file or files of a name.

        Parameters
        ----------
        need
            One of `FILES`, or of the names below.
        wildcards
            Of the job. Where there are files for each data set, those of its own.

        Raises
        ------
        ValueError
            If there is no such name.
        """
        if need in FILES:
            return f"{self.home}/{FILES[need]}"
        dataset = wildcards.get("dataset", "")
        names = [dataset] if dataset else self.datasets
        other = self.design.get("protocols", {})
        match need:
            case "arrays":
                return [file for name in names for file in self.arrays_of(name)]
            case "all_arrays":
                return [file for name in self.all_datasets for file in self.arrays_of(name)]
            case "scores" | "calibration":
                return [f"{self.home}/{need}/{name}.csv" for name in names]
            case "features":
                return [f"{self.home}/features/{name}.npz" for name in names]
            case "runs" | "histories" | "predictions":
                files = dict(zip(("runs", "predictions", "histories"), CELL_FILES, strict=True))
                return self.cell_files(names, files[need])
            case "weights":
                strategy = wildcards.get("strategy") or self.design["figures"]["features"]
                return self.start_weights(strategy, fold_numbers(wildcards.get("fold", "0"))[2])
            case "start":
                return weights_path(encoder_weights_of(self.design["network"]))
            case "pretraining_arrays":
                return self.arrays_of(self.design["pretraining"]["dataset"])
            case "rounds":
                return self.last_rounds(names)
            case "earlier_round":
                number = int(wildcards["round"]) - 1
                share = float(wildcards["fraction"])
                return race_file(self.name, dataset, share, number) if number else []
            case "cells_of_round":
                number, share = int(wildcards["round"]) - 1, float(wildcards["fraction"])
                return [
                    f"{RESULTS}/{cell.folder}/{name}"
                    for cell in self.raced(self, dataset, share, number)
                    for name in ("predictions.npz", "run.json")
                ]
            case "example_predictions":
                return self._example_predictions()
            case "published_histories":
                return [
                    f"{RESULTS}/{cell.folder}/history.csv"
                    for cell in cells_of(self.config, self.name, self.datasets[0])
                    if cell.fraction == max(self.design["fractions"])
                ]
            case "pretrained":
                return [
                    f"{pretrained_folder(self.name, number)}/run.json"
                    for number in pretrainings_of(self.design)
                ]
            case "decisions":
                return [f"{self.home}/{file}" for file in DECISIONS]
            case "race":
                return f"{self.home}/statistics/race.csv" if "race" in self.design else []
            case "audits":
                return [f"{self.folder_of(name)}/audit.csv" for name in self.all_datasets]
            case "audit_duplicates":
                return [f"{self.folder_of(name)}/audit_duplicates.csv" for name in names]
            case "duplicates":  # where they are kept on one side of a split
                kept = self.design["resampling"]["grouped"] in ("duplicates", "both")
                return [f"{self.folder_of(name)}/duplicates.csv" for name in names if kept]
            case "circumferences":
                return [
                    f"{self.folder_of(name)}/circumferences.csv"
                    for name in names
                    if self.config["datasets"][name]["reader"] == "hc18"
                ]
            case "corrected":
                return f"{RESULTS}/{other['corrected']}/cells.csv"
            case "leakage_scores":
                return f"{RESULTS}/{other['leakage']}/scores/{self.datasets[0]}.csv"
            case "leakage_splits":
                return f"{RESULTS}/{other['leakage']}/splits.json"
        raise ValueError(f"no files are called {need}")

    def _example_predictions(self) -> list[str]:
        """Predictions that Fig. 5 may show: of the smallest fraction, in the first fold run."""
        design = self.design
        fraction, fold = min(design["fractions"]), design["resampling"]["run_folds"][0]
        asked = design["figures"]["examples"] or self.strategies
        return [
            f"{RESULTS}/{cell.folder}/predictions.npz"
            for dataset in self.datasets
            for cell in cells_of(self.config, self.name, dataset)
            if cell.strategy in asked
            and cell.fraction in (fraction, 0)
            and (cell.fold, cell.seed, cell.pretraining) == (fold, 1, 1)
        ]

    def last_rounds(self, datasets: Iterable[str]) -> list[str]:
        """What each race decides in the end; nothing where the study does not race."""
        if "race" not in self.design:
            return []
        last = len(race_rounds(self.design))
        return [
            race_file(self.name, name, share, last)
            for name in datasets
            for share in self.design["fractions"]
        ]

    # Settings

    def settings(self, *names: str, strategies: Sequence[str] = ()) -> dict[str, Any]:
        """Settings by name, with sorted keys, since Snakemake compares texts.

        Titles are lists of pairs, since their order counts. A setting that few studies have is
        left out where there is none.

        Parameters
        ----------
        strategies
            Those that are shown, in their order; by default all.
        """
        found = {name: self._setting(name, strategies) for name in names}
        return in_order({name: value for name, value in found.items() if value is not None})

    def _setting(self, name: str, strategies: Sequence[str]) -> Any:
        design, figures = self.design, self.design["figures"]
        leakage = self.config["studies"].get(design.get("protocols", {}).get("leakage"), {})
        match name:
            case "strategies":
                return [(one, self.labels[one]) for one in strategies or self.labels]
            case "datasets":
                return self._titles(self.datasets)
            case "exclude_runs" | "ddof":
                return design["averages"][name]
            case "pairs" | "training_time":
                return figures[name]
            case "seed" | "image_size" | "fractions":
                return design[name]
            case "epochs":
                return design["protocols"]["epochs"]
            case "decision":
                return design["decision"]
            case "cost":
                return design["decision"]["cost"]
            case "margins":  # by data set, a difference in Dice that counts as none
                how = design["decision"]
                return {one: how["margins"].get(one, how["margin"]) for one in self.datasets}
            case "own_claims":
                return design["claims"]["own"]
            case "raced":
                return True if "race" in design else None
            case "networks":
                return self.strategies_by_network()
            case "network_titles":
                return list(self.network_titles.items())
            case "pretraining":
                return self._titles(filter(None, [design.get("pretraining", {}).get("dataset")]))
            case "examples":
                return {
                    "asked": figures["examples"],
                    "baselines": self._baselines(),
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
                    one: how.get("exclude", "all") for one, how in leakage["strategies"].items()
                }
            case "first_dataset":
                return self.datasets[0]
            case "simulated":
                readers = {self.config["datasets"][one]["reader"] for one in self.datasets}
                return readers == {"simulate"}
            case "titles":
                return self._titles(self.all_datasets)
            case "downloads":
                files = [file.removeprefix(f"{self.home}/") for file in self.shown()]
                return sorted(file for file in files if file.startswith(DOWNLOADS))
            case "strategy_names":
                return list(self.strategies)
            case "dataset_names":
                return self.datasets
            case "resampling":
                return resampling_settings(design["resampling"])
            case "excludes":  # what strategies leave out of training
                every = {one["exclude"] for one in self.strategies.values() if "exclude" in one}
                return sorted(every) or None
            case "own_splits":  # strategies that draw splits of their own
                own = design["resampling"].get("resample_test_set") == "by_strategy"
                return sorted(self.strategies) if own else None
        raise ValueError(f"no setting is called {name}")

    def _titles(self, names: Iterable[str]) -> list[tuple[str, str]]:
        return [(name, self.config["datasets"][name]["label"]) for name in names]

    def _baselines(self) -> list[str]:
        """The first strategy that trains all from random weights, and the unchanged network."""
        scratch = [name for name, one in self.strategies.items() if one["init"] == "random"]
        unchanged = [name for name, one in self.strategies.items() if not one["tune"]]
        return [*scratch[:1], *unchanged[:1]]

    def strategies_by_network(self) -> list[tuple[dict[str, Any], list[tuple[Any, ...]]]]:
        """Every network with name, title, start and tuned stages of its strategies."""
        networks = [in_order(built_from(network)) for network in networks_of(self.design)]
        rows: list[list[tuple[Any, ...]]] = [[] for _ in networks]
        for name, one in self.strategies.items():
            mine = networks.index(in_order(built_from(network_of(self.design, name))))
            start = one["init"]
            if start == "pretrained" and start_of(self.design, name) != PRETRAINED:
                start = "encoder"
            rows[mine].append((name, one["label"], start, one["tune"]))
        return [(network, row) for network, row in zip(networks, rows, strict=True) if row]

    def view_inputs(self, kind: str, name: str) -> dict[str, str | list[str]]:
        """Files that a figure or table is made from, by name."""
        return {need: self.files(need) for need in view_of(kind, name).needs}

    def view_settings(self, kind: str, name: str) -> dict[str, Any]:
        """Settings of a figure or table."""
        view = view_of(kind, name)
        return self.settings(*view.settings, strategies=view.strategies)

    def view_code(self, kind: str, name: str) -> str:
        """Fingerprint of the code that draws a figure or makes a table, and of no other's."""
        view = view_of(kind, name)
        modules = [view.module, *(["sonotune.report.render"] if kind == "table" else [])]
        if view.builds_networks:
            built = {NETWORKS[network["name"]] for network in networks_of(self.design)}
            modules += [f"sonotune.networks.{network}" for network in sorted(built)]
        return code_of(*modules, data=view.data)

    # Outputs

    def shown(self) -> list[str]:
        """Scores, tables, figures, statistics and pages."""
        files = [
            *(f"{kind}/{name}.csv" for name in self.datasets for kind in ("scores", "calibration")),
            *("cells.csv", "splits.json"),
            *(f"tables/{n}.{kind}" for n in self.views("table") for kind in ("csv", "tex", "html")),
            *(f"figures/{name}.{kind}" for name in self.views("figure") for kind in ("pdf", "png")),
            *(f"statistics/claims.{kind}" for kind in ("csv", "html")),
            *(f"statistics/{name}.csv" for name in STATISTICS),
            *("index.html", "answer.txt", "page"),
        ]
        files += ["statistics/race.csv"] if "race" in self.design else []
        return [f"{self.home}/{file}" for file in files]

    def audits(self) -> list[str]:
        """Files of the audits of all data sets."""
        return [
            f"{self.folder_of(name)}/audit.{kind}"
            for name in self.all_datasets
            for kind in ("csv", "html")
        ]

    def foundations(self) -> list[str]:
        """Data sets, pre-trained and encoder weights, and feature maps."""
        files = [file for name in self.all_datasets for file in self.arrays_of(name)]
        for name in self.all_datasets:
            settings = self.config["datasets"][name]
            if settings["reader"] in MADE_HERE:
                files += arrays(name, self.digests[name], "original")
            elif "catalogue" in settings:
                files.append(f"{self.folder_of(name)}/source.json")
        files += [
            f"{pretrained_folder(self.name, number)}/{name}"
            for number in pretrainings_of(self.design)
            for name in (WEIGHTS, "history.csv", "run.json")
        ]
        starts = {encoder_weights_of(network) for network in networks_of(self.design)}
        files += [f"{ENCODER}/{WEIGHTS}".format(weights=name) for name in filter(None, starts)]
        return files + ([*self.files("features")] if self.has_features else [])

    def planned(self) -> dict[str, Any]:
        """What `sonotune.runtime.job.tell_progress` tells while cells run; no result needs it."""
        cells = [c for name in self.datasets for c in cells_of(self.config, self.name, name)]
        folders = [Path(cell.folder).parts[-4:] for cell in cells]
        return {
            "cells": len(cells),
            "race": "race" in self.design,
            "names": [sorted({*names}) for names in zip(*folders, strict=True)],
            "again": [],
            "began": time.time(),
        }

    def outputs(self) -> list[str]:
        """All files but those of its cells.

        All that a study rests on is named: what was deleted, or failed to be made again, is missed.
        """
        rounds = self.last_rounds(self.datasets)
        return [*self.foundations(), *rounds, *self.audits(), *self.shown()]
