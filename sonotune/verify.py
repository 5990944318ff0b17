"""Whether what lies in a folder of results belongs together."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from sonotune.data.dataset import load_set
from sonotune.data.image_set import ImageSet
from sonotune.data.originals import source_digest
from sonotune.data.prepare import folder_of_originals
from sonotune.data.readers import MADE_HERE
from sonotune.data.split_file import split_of
from sonotune.data.splits import Resampling, Split, split_seed
from sonotune.errors import SonotuneError
from sonotune.evaluation.current import listed_cells
from sonotune.evaluation.scores import aggregate, load_predictions, score_dataset
from sonotune.evaluation.tables import read_table
from sonotune.layout import ARRAY_DIGESTS, RECORD, RUN, WEIGHTS, Cell, format_percent
from sonotune.layout.found import prepared_sets, studies_in
from sonotune.runtime.files import read_json
from sonotune.runtime.run_record import check_output, file_digest, read_record
from sonotune.runtime.view_record import read_view_records

Found = TypeVar("Found")
KINDS = ("data sets", "encoders", "pre-trainings", "cells", "tables of scores", "views")


class Verification:
    """What was looked at in a folder of results, and what was found.

    Parameters
    ----------
    results
        Folder of all results.

    Attributes
    ----------
    faults
        One sentence a fault, which begins with the file.
    checked
        How many there are of each kind of thing that was looked at.
    """

    def __init__(self, results: str | Path) -> None:
        self.results = Path(results)
        self.faults: list[str] = []
        self.checked = dict.fromkeys(KINDS, 0)
        self._encoders: set[str] = set()
        self._sets: dict[str, list[tuple[Path, ImageSet]]] = {}

    def run(self) -> Verification:
        """Look at every data set, and then at every study."""
        for folder in prepared_sets(self.results):
            self.checked["data sets"] += 1
            if data := self._get(load_set, folder):
                self._sets.setdefault(data.about["dataset"], []).append((folder, data))
                self._originals(folder, data)
        for folder in sorted(self.results.glob("weights/*/")):
            self.checked["encoders"] += 1
            if self._whole(folder) is not None and (folder / WEIGHTS).is_file():
                self._encoders.add(file_digest(folder / WEIGHTS))
        for study in studies_in(self.results):
            self._study(study)
        self._views()
        if not any(self.checked.values()):
            raise SonotuneError(f"{self.results}: there are no results in this folder")
        return self

    def _get(self, read: Callable[..., Found], *arguments: Any) -> Found | None:
        """What a function gives, or None where it refuses, which is a fault."""
        try:
            return read(*arguments)
        except SonotuneError as error:
            self.faults.append(str(error))
            return None

    def _study(self, study: Path) -> None:
        weights = set(self._encoders)
        for folder in sorted(study.glob("pretrained/*/")):
            self.checked["pre-trainings"] += 1
            self._run_of(folder, self._encoders)
            if (folder / WEIGHTS).is_file():
                weights.add(file_digest(folder / WEIGHTS))
        try:
            listed = {study.parent / cell.folder for cell in listed_cells(study)}
        except SonotuneError:  # not finished, or damaged, which is found below
            listed = set()
        cells: dict[str, dict[Path, dict[str, Any]]] = {}
        for folder in sorted(path for path in study.glob("cells/*/*/*/*") if path.is_dir()):
            if listed and folder not in listed:  # left by an earlier configuration
                continue
            self.checked["cells"] += 1
            before = len(self.faults)
            record = self._run_of(folder, weights)
            if record is not None:
                self._place(study, folder, record)
            if record is not None and len(self.faults) == before:
                cells.setdefault(record["settings"]["dataset"], {})[folder] = record
        for dataset, records in cells.items():
            self._scores(study / f"scores/{dataset}.csv", records)
        self._averages(study, cells)
        if (study / "splits.json").is_file():
            self._splits(study / "splits.json", cells)

    def _views(self) -> None:
        """Whether tables, figures and pages are as they were made, and of what is there now."""
        now = cache(file_digest)
        for record in read_view_records(self.results, "*"):
            there = [name for name in record.outputs if (self.results / name).is_file()]
            self.checked["views"] += bool(there)
            faults = [
                f"was made from another {name} than that which is there now"
                for name, digest in record.inputs.items()
                if (self.results / name).is_file() and now(self.results / name) != digest
            ]
            for name in there:
                path = self.results / name
                own = [] if now(path) == record.outputs[name] else ["is not what was made"]
                for fault in (own + faults)[:1]:
                    self.faults.append(f"{path}: {fault}; delete it and run again")

    def _originals(self, folder: Path, data: ImageSet) -> None:
        """Whether a data set was prepared from the files that are there, if they are."""
        rests_on = data.about.get("rests_on")
        if folder.name == "original" or not rests_on:
            return
        settings = data.about["settings"]
        first = "original/dataset.json" if settings["reader"] in MADE_HERE else "source.json"
        try:
            originals = folder_of_originals(settings, folder.parent / first)
            with tempfile.TemporaryDirectory() as cache:
                now = source_digest(settings, originals, cache)
        except (SonotuneError, OSError, ValueError, KeyError, TypeError):
            return  # not here, as in a copy of the results alone
        if now != rests_on.get("originals"):
            self.faults.append(
                f"{folder}: was prepared from other files than those that are there now; run the "
                "workflow again"
            )

    def _whole(self, folder: Path) -> dict[str, Any] | None:
        """The record of a run, whose files are looked at; None if there is none."""
        record = self._get(read_record, folder / RECORD)
        for name in record["outputs"] if record else ():
            self._get(check_output, folder / name, record)
        return record

    def _run_of(self, folder: Path, weights: set[str]) -> dict[str, Any] | None:
        """The record of a training, with what it rests on looked at; None if there is none."""
        record = self._whole(folder)
        if record is None:
            return None
        if self._arrays(record) is None:
            self.faults.append(
                f"{folder / RECORD}: was trained on other images or masks of "
                f"{record['settings']['dataset']} than those that are under {self.results}"
            )
        start = record["inputs"]["weights_sha256"]
        if start is not None and start not in weights:
            self.faults.append(
                f"{folder / RECORD}: started from other weights than those of its study's "
                f"pre-training or an encoder under {self.results / 'weights'}"
            )
        told = record["settings"].get("init")  # a pre-training does not say
        if told and (start is None) == (told == "pretrained"):
            self.faults.append(f"{folder / RECORD}: its start is not what its settings say")
        return record

    def _arrays(self, record: dict[str, Any]) -> tuple[Path, ImageSet] | None:
        """The prepared data set that a run was trained on, if it is still there."""
        for folder, data in self._sets.get(record["settings"]["dataset"], []):
            if all(data.about[name] == record["inputs"].get(name) for name in ARRAY_DIGESTS):
                return folder, data
        return None

    def _arrays_of(self, records: dict[Path, dict[str, Any]]) -> tuple[Path, ImageSet]:
        """Those of runs in which no fault was found, so that they are there."""
        arrays = self._arrays(next(iter(records.values())))
        assert arrays is not None
        return arrays

    def _place(self, study: Path, folder: Path, record: dict[str, Any]) -> None:
        """Whether a cell is the one that its folder says, and predicted its own test images."""
        settings = record["settings"]
        told = replace(Cell.of_settings(settings), study=study.name).folder
        if Path(told).parts != folder.parts[-6:]:
            self.faults.append(f"{folder / RECORD}: is of the cell {told}")
        prepared = self._arrays(record)
        if prepared and (stored := self._get(load_predictions, folder / "predictions.npz")):
            rows, probabilities = stored
            test = _split(settings, prepared[1]).test
            if not np.array_equal(rows, test) or len(probabilities) != len(rows):
                self.faults.append(
                    f"{folder / 'predictions.npz'}: are not of the test images of its fold"
                )

    def _scores(self, path: Path, records: dict[Path, dict[str, Any]]) -> None:
        if path.is_file():
            arrays, _ = self._arrays_of(records)
            measured = arrays.parent / "circumferences.csv"
            circumferences = measured if measured.is_file() else None
            make = partial(score_dataset, arrays, records, circumferences=circumferences)
            self._compare(path, make, [*RUN, "row"])

    def _averages(self, study: Path, cells: dict[str, dict[Path, dict[str, Any]]]) -> None:
        path = study / "cells.csv"
        scores = [study / f"scores/{dataset}.csv" for dataset in cells]
        if path.is_file() and scores and all(file.is_file() for file in scores):
            runs = [folder / RECORD for records in cells.values() for folder in records]
            self._compare(path, partial(aggregate, scores, runs), list(RUN))

    def _compare(self, path: Path, make: Callable[..., None], key: list[str]) -> None:
        """Compare a table with the same one made again, whatever the order of rows.

        Numbers may differ in their last digits, as they do between versions of pandas.
        """
        self.checked["tables of scores"] += 1
        try:
            with tempfile.TemporaryDirectory() as folder:
                make(path=(again := Path(folder) / path.name))
                tables = [read_table(file) for file in (path, again)]
            here, made = (table.sort_values(key, ignore_index=True) for table in tables)
            pd.testing.assert_frame_equal(here, made, rtol=1e-8, check_dtype=False)
        except (AssertionError, ValueError, KeyError) as error:
            what = " ".join(str(error).split())[:200]
            self.faults.append(
                f"{path}: is not what the runs beside it give ({what}); delete it and run again"
            )

    def _splits(self, path: Path, cells: dict[str, dict[Path, dict[str, Any]]]) -> None:
        try:
            told = read_json(path)
            for dataset, records in cells.items():
                record, (_, data) = next(iter(records.values())), self._arrays_of(records)
                for part in told[dataset]["splits"]:
                    settings = {**record["settings"], "exclude": part.get("exclude")}
                    own = ("fraction", "fold", "strategy")
                    settings |= {key: part[key] for key in own if key in part}
                    rows = _split(settings, data)
                    made = rows.train.tolist(), rows.validation.tolist(), rows.test.tolist()
                    if made != tuple(part[key] for key in ("training", "validation", "test")):
                        name = f"{dataset}, {format_percent(part['fraction'])}, fold {part['fold']}"
                        self.faults.append(
                            f"{path}: {name}: are not the rows that cells are trained on"
                        )
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            self.faults.append(f"{path}: cannot be read ({error!r}); delete it and run again")


def _split(settings: dict[str, Any], data: ImageSet) -> Split:
    """The split of a cell with these settings."""
    resampling = Resampling(**settings["resampling"])
    seed = split_seed(settings["seed"], settings["dataset"], resampling, settings["strategy"])
    which = settings["fraction"], settings["fold"], settings.get("exclude")
    return split_of(data, resampling, seed, *which)
