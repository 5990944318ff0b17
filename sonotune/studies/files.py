"""Paths that the jobs of a study read, by the names that the workflow's rules give them."""

import os
from collections.abc import Mapping
from typing import Any

from sonotune.config.cells import cells_of, pretrainings_of
from sonotune.config.networks import PRETRAINED, encoder_weights_of, start_of
from sonotune.data.readers import MADE_HERE, files_of
from sonotune.errors import SonotuneError
from sonotune.layout import (
    CELL_FILES,
    ENCODER,
    RECORD,
    RESULTS,
    WEIGHTS,
    arrays,
    dataset_folder,
    fold_numbers,
    pretrained_folder,
    race_file,
)
from sonotune.report.registry import VIEWS, View
from sonotune.studies.base import BaseStudy, paths_in

# Files of a study by the names that its rules give them.
FILES = {
    **{"cells": "cells.csv", "averages": "averages.csv", "splits": "splits.json"},
    **{name: f"statistics/{name}.csv" for name in ("claims", "comparisons", "friedman")},
    **{name: f"statistics/{name}.csv" for name in ("learning", "low_scores", "nemenyi", "tukey")},
    **{name: f"tables/{name}.csv" for name in ("provenance", "protocols", "losses")},
    "against_paper": "tables/against_paper.csv",
}
DECISIONS = ("decisions", "strategies", "comparisons")
STATISTICS = (
    *(*DECISIONS, "tukey"),
    *("variance", "low_scores", "calibration", "friedman", "nemenyi", "learning"),
)


def weights_path(name: str | None) -> str | list[str]:
    """Path of an encoder's weights; an empty list where there are none.

    Parameters
    ----------
    name
        What `sonotune.config.networks.encoder_weights_of` gives.
    """
    return f"{ENCODER}/{WEIGHTS}".format(weights=name) if name else []


def originals_of(
    config: Mapping[str, Any], dataset: str, digest: str, moved: bool = False
) -> str | list[str]:
    """What a data set is prepared from: its made originals, or its files.

    Parameters
    ----------
    config
        Complete.
    dataset
        Name of a data set.
    digest
        Digest of its settings (`sonotune.layout.digest_of`).
    moved
        Whether a module's prefix moves relative paths; the user's own files are then absolute.
    """
    settings = config["datasets"][dataset]
    if settings["reader"] in MADE_HERE:
        return arrays(dataset, digest, "original")
    if "catalogue" in settings:
        return f"{dataset_folder(dataset, digest)}/source.json"
    return [resolve_user_path(str(file), moved) for file in files_of(settings)]


def listed_source(
    config: Mapping[str, Any], dataset: str, digest: str, listed: str, moved: bool = False
) -> str:
    """What a table beside a data set is made from.

    Near-duplicates are taken as the user corrected them, or as they were found; circumferences are
    those that came with the data set.

    Parameters
    ----------
    config
        Complete.
    dataset
        Name of a data set.
    digest
        Digest of its settings (`sonotune.layout.digest_of`).
    listed
        ``duplicates`` or ``circumferences``.
    moved
        As of `originals_of`.
    """
    folder = dataset_folder(dataset, digest)
    if listed == "circumferences":
        return f"{folder}/source.json"
    corrected = config["datasets"][dataset].get("duplicates")
    return resolve_user_path(corrected, moved) if corrected else f"{folder}/audit_duplicates.csv"


def resolve_user_path(file: str, moved: bool) -> str:
    """A user's file where it is, though a module's prefix moves relative paths.

    Parameters
    ----------
    file
        Relative to the working folder, or absolute.
    moved
        Whether there is such a prefix.
    """
    return os.path.abspath(file) if moved else file


class StudyFiles(BaseStudy):
    """A study with the paths that its jobs read and make.

    Parameters
    ----------
    config, name, raced, is_remote
        See `sonotune.studies.base.BaseStudy`.
    """

    def files(self, need: str, **wildcards: str) -> str | list[str]:
        """The file or files of a name.

        Parameters
        ----------
        need
            One of `FILES`, or of the names below.
        **wildcards
            Of the job. Where there are files for each data set, those of its own.

        Raises
        ------
        ValueError
            If there is no such name.
        SonotuneError
            If the study has no such files.
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
            case "runs":
                return self.cell_files(names, RECORD)
            case "predictions":
                return self.cell_files(names, "predictions.npz")
            case "run_files":  # beside `cells`, whose table has the seal of each run
                return self.cell_files(names, *CELL_FILES) if self.is_remote else []
            case "weights":
                strategy = wildcards.get("strategy") or self.design["figures"]["features"]
                if "strategy" not in wildcards and not self.has_features:
                    raise SonotuneError(
                        f"{self.name} has no feature maps: its figures: features is {strategy!r}, "
                        "but has to name a strategy that tunes a pre-trained network"
                    )
                return self.start_weights(strategy, fold_numbers(wildcards.get("fold", "0"))[2])
            case "start":
                return weights_path(encoder_weights_of(self.design["network"]))
            case "pretraining_arrays":
                return self.arrays_of(self.design["pretraining"]["dataset"])
            case "rounds":
                return self.last_rounds(names)
            case "earlier_round" | "cells_of_round":
                number, share = int(wildcards["round"]) - 1, float(wildcards["fraction"])
                if need == "cells_of_round":
                    raced = self.raced(self, dataset, share, number)
                    return paths_in(raced, "predictions.npz", RECORD)
                return race_file(self.name, dataset, share, number) if number else []
            case "example_predictions":
                return self._example_predictions()
            case "published_histories":
                largest = max(self.design["fractions"])
                cells = cells_of(self.config, self.name, self.datasets[0])
                return paths_in((c for c in cells if c.fraction == largest), "history.csv")
            case "pretrained":
                return [
                    f"{pretrained_folder(self.name, number)}/run.json"
                    for number in pretrainings_of(self.design)
                ]
            case "decisions":
                return [f"{self.home}/statistics/{name}.csv" for name in DECISIONS]
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

    def views(self, kind: str) -> dict[str, View]:
        """The figures, or the tables, of the study.

        Parameters
        ----------
        kind
            ``figure`` or ``table``.
        """
        return {name: view for name, view in VIEWS[kind].items() if view.is_of(self)}

    def result_files(self) -> list[str]:
        """Scores, tables, figures, statistics and pages of the study."""
        files = [
            *(f"{kind}/{name}.csv" for name in self.datasets for kind in ("scores", "calibration")),
            *("cells.csv", "averages.csv", "splits.json"),
            *(f"tables/{n}.{kind}" for n in self.views("table") for kind in ("csv", "tex", "html")),
            *(f"figures/{name}.{kind}" for name in self.views("figure") for kind in ("pdf", "png")),
            *(f"statistics/claims.{kind}" for kind in ("csv", "html")),
            *(f"statistics/{name}.csv" for name in STATISTICS),
            *("index.html", "answer.txt", "page"),
        ]
        files += ["statistics/race.csv"] if "race" in self.design else []
        return [f"{self.home}/{file}" for file in files]

    def start_weights(self, strategy: str, pretraining: int = 1) -> str | list[str]:
        """What a strategy starts from; a random start depends on no pre-trained weights.

        Parameters
        ----------
        strategy
            Name of a strategy.
        pretraining
            Number of the pre-trained network, from 1.
        """
        if self.strategies[strategy]["init"] == "random":
            return []
        start = start_of(self.design, strategy)
        if start == PRETRAINED:
            return f"{pretrained_folder(self.name, pretraining)}/{WEIGHTS}"
        return weights_path(start)

    def _example_predictions(self) -> list[str]:
        """Predictions that Fig. 5 may show: of the smallest fraction, in the first fold run."""
        design = self.design
        fraction, fold = min(design["fractions"]), design["resampling"]["run_folds"][0]
        asked = design["figures"]["examples"] or self.strategies
        cells = (c for name in self.datasets for c in cells_of(self.config, self.name, name))
        chosen = (
            cell
            for cell in cells
            if cell.strategy in asked
            and cell.fraction in (fraction, 0)
            and (cell.fold, cell.seed, cell.pretraining) == (fold, 1, 1)
        )
        return paths_in(chosen, "predictions.npz")
