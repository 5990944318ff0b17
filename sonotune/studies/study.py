"""A study: who it is, and which files it makes."""

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
    cells_of,
    dataset_settings,
    has_features,
    pretrainings_of,
    race_rounds,
)
from sonotune.config.networks import encoder_weights_of, network_titles, networks_of
from sonotune.data.readers import MADE_HERE
from sonotune.layout import (
    ENCODER,
    RESULTS,
    WEIGHTS,
    Cell,
    arrays,
    dataset_folder,
    digest_of,
    pretrained_folder,
    race_file,
)
from sonotune.report.registry import FIGURES, TABLES, View
from sonotune.runtime.fingerprint import PACKAGE, fingerprint
from sonotune.studies.files import study_files
from sonotune.studies.settings import study_settings

STATISTICS = (
    *("decisions", "strategies", "comparisons", "tukey"),
    *("variance", "low_scores", "calibration", "friedman", "nemenyi", "learning"),
)


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
        design: Mapping[str, Any] = self.config["studies"][self.name]
        return design

    @property
    def datasets(self) -> list[str]:
        """Names of the data sets that it tests on."""
        names: list[str] = self.design["datasets"]
        return names

    @property
    def strategies(self) -> Mapping[str, Mapping[str, Any]]:
        """Its strategies by name."""
        strategies: Mapping[str, Mapping[str, Any]] = self.design["strategies"]
        return strategies

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
        return int(self.design["threads"])

    @property
    def pretraining_threads(self) -> int:
        """Threads of its pre-training."""
        return int(self.design["pretraining"]["threads"])

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

    def files(self, need: str, **wildcards: str) -> str | list[str]:
        """The file or files of a name (see `sonotune.studies.files.study_files`)."""
        return study_files(self, need, wildcards)

    def settings(self, *names: str, strategies: Sequence[str] = ()) -> dict[str, Any]:
        """Settings by name (see `sonotune.studies.settings.study_settings`)."""
        return study_settings(self, names, strategies)

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
