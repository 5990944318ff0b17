"""Scores of every cell's test images, from stored predictions."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sonotune.data.arrays import load_set
from sonotune.errors import SonotuneError
from sonotune.evaluation.metrics import THRESHOLD, overlap
from sonotune.files import atomic, read_json

METRICS = ("dice", "iou", "pixel_accuracy")


def load_predictions(path: str | Path) -> tuple[np.ndarray, np.ndarray]:
    """Test rows, int64 [n], and probabilities, uint8 [n,H,W], of a cell.

    Raises
    ------
    SonotuneError
        If the file is missing or damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            return stored["rows"], stored["probabilities"]
    except Exception as error:  # numpy, zipfile and zlib each raise their own kinds
        raise SonotuneError(
            f"{path}: the predictions cannot be read ({error}); delete the file and run again "
            "to train this cell anew"
        ) from None


def score_dataset(arrays: str | Path, cells: Iterable[str | Path], path: str | Path) -> None:
    """Write one row a (strategy, percent, fold, image) of a data set.

    Parameters
    ----------
    arrays
        The prepared data set.
    cells
        Folders of finished cells of this data set.
    path
        The CSV to write: dataset, strategy, percent, fold, row, name, group and `METRICS`.
    """
    data = load_set(arrays)
    parts = []
    for folder in map(Path, cells):
        settings = read_json(folder / "run.json")["settings"]
        rows, probabilities = load_predictions(folder / "predictions.npz")
        scores = overlap(probabilities >= THRESHOLD, data.masks[rows] > 0)
        about = {key: settings[key] for key in ("dataset", "strategy", "percent", "fold")}
        names = [data.index[row]["name"] for row in rows]
        groups = [data.index[row]["group"] for row in rows]
        parts.append(pd.DataFrame({**about, "row": rows, "name": names, "group": groups, **scores}))
    with atomic(path) as temporary:
        pd.concat(parts).to_csv(temporary, index=False, lineterminator="\n", float_format="%.10g")


def aggregate(scores: Iterable[str | Path], cells: Iterable[str | Path], path: str | Path) -> None:
    """Write one row a cell: the means over its test images, and how its training went.

    Parameters
    ----------
    scores
        CSV files of `score_dataset`.
    cells
        Folders of the same cells, for their ``run.json``.
    """
    table = pd.concat([pd.read_csv(file, dtype={"name": str, "group": str}) for file in scores])
    key = ["dataset", "strategy", "percent", "fold"]
    means = table.groupby(key, sort=False)[list(METRICS)].mean()
    images = table.groupby(key, sort=False).size().rename("images")
    runs = pd.DataFrame([_run(read_json(Path(folder) / "run.json")) for folder in cells])
    joined = runs.merge(means.join(images), on=key, how="left", validate="one_to_one")
    first = ["dataset", "source", "strategy", "percent", "fold", "images", *METRICS]
    joined = joined[first + [name for name in joined if name not in first]]
    with atomic(path) as temporary:
        joined.to_csv(temporary, index=False, lineterminator="\n", float_format="%.10g")


def _run(record: dict[str, Any]) -> dict[str, Any]:
    settings, processor, cpu = record["settings"], record["processor"], record["cpu_seconds"]
    return {
        **{key: settings[key] for key in ("dataset", "strategy", "percent", "fold")},
        "source": record["source"],
        **{
            key: record[key]
            for key in (
                "converged",
                "failed",
                "collapsed",
                "epochs",
                "best_epoch",
                "seconds",
                "steps_per_second",
                "tuned_parameters",
                "total_parameters",
            )
        },
        **{key: processor[key] for key in ("device", "precision", "threads", "torch")},
        **{f"cpu_{part}": cpu[part] for part in ("total", "training", "evaluation")},
    }
