"""Write a finished study as pages to click through.

A folder with ``index.html`` (Table II as a heat map), ``cell.html`` and ``compare.html``, one
script of data for each cell of the table, and the test images as PNG. It opens from a disk; nothing
is fetched from elsewhere. Outlines are drawn by the browser over the images.
"""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined

from sonotune.config.jobs import show_percent
from sonotune.data.dataset import load_set
from sonotune.data.image_set import ImageSet
from sonotune.errors import SonotuneError
from sonotune.evaluation.averages import read_cells
from sonotune.evaluation.metrics import THRESHOLD
from sonotune.evaluation.scores import load_predictions, read_scores
from sonotune.layout import RECORD, Cell, dataset_of, prepared_sets
from sonotune.runtime.files import atomic
from sonotune.runtime.run_record import read_record
from sonotune.statistics.decision import TEXT

HERE = Path(__file__).parent
ASSETS = ("style.css", "view.js")


def write_pages(
    study: str | Path,
    output: str | Path,
    progress: Callable[[int, int], None] = lambda done, all: None,
) -> Path:
    """Write the pages of a finished study; return the first.

    Parameters
    ----------
    study
        ``results/STUDY``, beside ``results/datasets``.
    output
        The folder to write; files of an earlier time are replaced.
    progress
        Told how many cells of the table are written, of how many.

    Raises
    ------
    SonotuneError
        If the study is not finished.
    """
    study, output = Path(study), Path(output)
    needed = [
        study / "cells.csv",
        study / "tables/table2.csv",
        study / "statistics/comparisons.csv",
    ]
    for file in needed:
        if not file.is_file():
            raise SonotuneError(f"{file} is missing: {study} is no finished study; run it first")
    cells = read_cells(needed[0])
    output.mkdir(parents=True, exist_ok=True)
    for name in ASSETS:
        shutil.copyfile(HERE / "assets" / name, output / name)
    differences = pd.read_csv(needed[2], dtype=TEXT, keep_default_na=False, na_values=[""])
    groups = list(cells.groupby(["dataset", "strategy", "percent"], sort=False))
    sets: dict[str, ImageSet] = {}
    scores: dict[str, pd.DataFrame] = {}
    for number, ((dataset, strategy, percent), runs) in enumerate(groups, 1):
        if dataset not in sets:
            scores[dataset] = _scores(study, dataset)
            sets[dataset] = _arrays(study, dataset, runs.iloc[0])
            _write_images(sets[dataset], output / "images" / dataset)
        key = key_of(dataset, strategy, percent)
        content = _cell(study, sets[dataset], scores[dataset], runs, dataset, strategy, percent)
        _write_data(output / "data" / f"{key}.js", key, content)
        progress(number, len(groups))
    _write_data(output / "data/differences.js", "differences", _differences(differences))
    pages = Environment(
        loader=PackageLoader("sonotune.report.browse", "assets"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    tables = _tables(pd.read_csv(needed[1]))
    # The unchanged network has no percent in which it could be compared.
    compared = cells.loc[cells["percent"] > 0, "strategy"].unique().tolist()
    for page in ("index.html", "cell.html", "compare.html"):
        template = pages.get_template(page)
        text = template.render(study=study.name, tables=tables, strategies=compared)
        with atomic(output / page) as temporary:
            temporary.write_text(text, "utf-8")
    return output / "index.html"


def key_of(dataset: str, strategy: str, percent: float) -> str:
    """Name of a cell of the table in files and addresses."""
    return f"{dataset}-{strategy}-{show_percent(percent)}"


def outlines(mask: np.ndarray) -> str:
    """A mask's outline as an SVG path, along the sides of its pixels as near as it gets."""
    found, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    return "".join(
        "M" + "L".join(f"{x + 0.5:g} {y + 0.5:g}" for x, y in one[:, 0]) + "Z" for one in found
    )


def _tables(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Table II by data set: percents, and for each strategy its cells with shades from 0 to 9."""
    found = []
    for dataset, part in table.groupby("dataset", sort=False):
        percents = sorted(part["train_percent"].unique(), reverse=True)
        low, high = part["dice_mean"].min(), part["dice_mean"].max()
        rows = []
        for strategy, own in part.groupby("strategy", sort=False):
            by_percent = {row["train_percent"]: row for row in own.to_dict("records")}
            row_cells = [
                _shown(by_percent.get(p), str(dataset), str(strategy), low, high) for p in percents
            ]
            rows.append({"strategy": strategy, "cells": row_cells})
        source = str(part["source"].iloc[0])
        shown = [show_percent(percent) for percent in percents]
        found.append({"dataset": dataset, "source": source, "percents": shown, "rows": rows})
    return found


def _shown(
    row: Mapping[str, Any] | None, dataset: str, strategy: str, low: float, high: float
) -> dict[str, Any] | None:
    if row is None:
        return None
    mean, percent = row["dice_mean"], row["train_percent"]
    measured = pd.notna(mean)
    return {
        "key": key_of(dataset, strategy, percent),
        "percent": show_percent(percent),
        "mean": f"{mean:.3f}" if measured else "failed",
        "deviation": f"{row['dice_std']:.3f}" if pd.notna(row["dice_std"]) else "",
        "failed": int(row["failed"]),
        "shade": round(9 * (mean - low) / (high - low)) if measured and high > low else 0,
    }


def _scores(study: Path, dataset: str) -> pd.DataFrame:
    return read_scores(study / "scores" / f"{dataset}.csv")


def _arrays(study: Path, dataset: str, run: Mapping[Any, Any]) -> ImageSet:
    """The prepared arrays that a run was trained on.

    Raises
    ------
    SonotuneError
        If they are not there.
    """
    folder = _folder(study, dataset, run["strategy"], run["percent"], run["fold"])
    inputs = read_record(folder / RECORD)["inputs"]
    for arrays in prepared_sets(study.parent):
        if dataset_of(arrays) == dataset:
            data = load_set(arrays)
            if all(data.about[name] == inputs[name] for name in ("images_sha256", "masks_sha256")):
                return data
    raise SonotuneError(f"{folder}: the images that it was trained on are not there; run it again")


def _folder(study: Path, dataset: str, strategy: str, percent: float, fold: int) -> Path:
    return study.parent / Cell(study.name, dataset, strategy, percent, fold).folder


def _write_images(data: ImageSet, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for row, image in enumerate(data.images):
        (folder / f"{row}.png").write_bytes(cv2.imencode(".png", np.asarray(image))[1].tobytes())


def _cell(
    study: Path,
    data: ImageSet,
    scores: pd.DataFrame,
    runs: pd.DataFrame,
    dataset: str,
    strategy: str,
    percent: float,
) -> dict[str, Any]:
    """What the pages show of one cell of the table: its runs, their curves and test images."""
    mine = scores[(scores["strategy"] == strategy) & (scores["percent"] == percent)]
    dices = {(row["fold"], row["row"]): row["dice"] for row in mine.to_dict("records")}
    images = []
    curves = []
    for run in runs.to_dict("records"):
        folder = _folder(study, dataset, strategy, percent, run["fold"])
        curves.append({"fold": run["fold"], "failed": run["failed"], "epochs": _history(folder)})
        rows, probabilities = load_predictions(folder / "predictions.npz")
        for row, found in zip(rows.tolist(), probabilities >= THRESHOLD, strict=True):
            images.append(
                {
                    "row": row,
                    "name": data.index[row]["name"],
                    "fold": run["fold"],
                    "dice": dices.get((run["fold"], row)),
                    "truth": outlines(data.masks[row]),
                    "found": outlines(found),
                }
            )
    # Worst first; an image without a score leads.
    images.sort(key=lambda one: (-1 if one["dice"] is None else one["dice"], one["row"]))
    return {
        "dataset": dataset,
        "strategy": strategy,
        "percent": show_percent(percent),
        "size": list(data.images.shape[1:]),
        "runs": curves,
        "images": images,
    }


def _history(folder: Path) -> list[list[float | None]]:
    """Epoch, validation loss and validation Dice."""
    with (folder / "history.csv").open(newline="", encoding="utf-8") as file:
        columns = ("epoch", "validation_loss", "validation_dice")
        return [[_finite(row[name]) for name in columns] for row in csv.DictReader(file)]


def _finite(given: str | float) -> float | None:
    """A number, or None where it is not finite, which JSON cannot say."""
    value = float(given)
    return round(value, 6) if np.isfinite(value) else None


def _differences(table: pd.DataFrame) -> dict[str, list[float | None]]:
    """By ``dataset-percent-first-second``: the difference in Dice and its simultaneous interval."""
    found = {}
    for row in table.to_dict("records"):
        percent = show_percent(round(100 * row["fraction"], 6))
        key = "-".join([row["dataset"], percent, row["first"], row["second"]])
        found[key] = [_finite(row[name]) for name in ("difference", "lower", "upper")]
    return found


def _write_data(path: Path, key: str, content: Any) -> None:
    text = json.dumps([key, content], allow_nan=False, separators=(",", ":"))
    # Nothing in a name can end the script.
    text = text.replace("<", "\\u003c").replace("\u2028", "\\u2028")
    with atomic(path) as temporary:
        temporary.write_text(f"sonotune.receive(...{text});\n", "utf-8")
