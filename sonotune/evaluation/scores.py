"""Scores of every cell's test images, from stored predictions."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sonotune.data.dataset import load_set
from sonotune.errors import SonotuneError
from sonotune.evaluation.averages import COUNTED, ExcludeRuns, write_averages
from sonotune.evaluation.calibration import BINNED, reliability
from sonotune.evaluation.circumferences import read_circumferences
from sonotune.evaluation.metrics import THRESHOLD, overlap
from sonotune.evaluation.shapes import SHAPE_METRICS, shape_scores
from sonotune.evaluation.surface import boundary
from sonotune.evaluation.tables import read_table, save_csv
from sonotune.layout import RUN, Cell
from sonotune.runtime.run_record import check_output, read_record, short_seal

METRICS = ("dice", "iou", "miou", "pixel_accuracy", *SHAPE_METRICS)
# Of the others a cell has the mean over its images, without those that have no such number.
NOT_AVERAGED = ("components", "at_border", "hc_mm", "hc_measured_mm")
AVERAGED = tuple(name for name in METRICS if name not in NOT_AVERAGED)
# Of a run's record.
RECORDED = (
    *("outcome", "failed", "collapsed", "epochs", "best_epoch"),
    *("seconds", "steps_per_second", "tuned_parameters", "total_parameters"),
)
# Bytes that Adam holds for a tuned parameter (weight, gradient, two moments) and for another.
TUNED_BYTES, FROZEN_BYTES = 16, 4


def load_predictions(path: str | Path) -> tuple[np.ndarray, np.ndarray]:
    """Test rows, int64 [n], and probabilities, uint8 [n,H,W], of a cell.

    Parameters
    ----------
    path
        ``predictions.npz`` of a cell.

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
            "to train this cell again"
        ) from None


def score_dataset(
    arrays: str | Path,
    cells: Iterable[str | Path],
    path: str | Path,
    circumferences: str | Path | None = None,
    calibration: str | Path | None = None,
) -> None:
    """Write one row per run and image of a data set.

    Parameters
    ----------
    arrays
        The prepared data set.
    cells
        Folders of finished cells of this data set.
    path
        The CSV to write: `sonotune.layout.RUN`, row, name, group and `METRICS`, which are empty
        where there is no such number.
    circumferences
        CSV of measured head circumferences (name, hc_mm), for data sets that have them.
    calibration
        Another CSV to write: ten rows per cell, see `sonotune.evaluation.calibration.reliability`.
    """
    data = load_set(arrays)
    measured = read_circumferences(circumferences, data) if circumferences else {}
    # A mask is met in many cells.
    boundaries = [boundary(mask > 0) for mask in data.masks]
    parts, reliabilities = [], []
    for folder in map(Path, cells):
        record = read_record(folder / "run.json")
        check_output(folder / "predictions.npz", record)
        settings = record["settings"]
        rows, probabilities = load_predictions(folder / "predictions.npz")
        prediction, reference = probabilities >= THRESHOLD, data.masks[rows] > 0
        run = Cell.of_settings(settings).run
        index = [data.index[row] for row in rows]
        names = {key: [image[key] for image in index] for key in ("name", "group")}
        shapes = [
            shape_scores(mask, boundaries[row], _mm_per_pixel(image), measured.get(image["name"]))
            for mask, row, image in zip(prediction, rows, index, strict=True)
        ]
        if calibration is not None:
            stated = (probabilities.astype(np.float32) + 0.5) / 256
            reliabilities.append(reliability(stated, reference).rename_axis("bin").assign(**run))
        scores = {**run, "row": rows, **names, **overlap(prediction, reference)}
        parts.append(pd.concat([pd.DataFrame(scores), pd.DataFrame(shapes)], axis=1))
    save_csv(pd.concat(parts), path, digits=10)
    if calibration is not None:
        table = pd.concat(reliabilities).reset_index()
        save_csv(table[[*RUN, "bin", *BINNED]], calibration, digits=10)


def _mm_per_pixel(image: dict[str, Any]) -> tuple[float, float] | None:
    size = image["mm_per_pixel_y"], image["mm_per_pixel_x"]
    return None if None in size else size


def aggregate(
    scores: Iterable[str | Path],
    runs: Iterable[str | Path],
    path: str | Path,
    averages: str | Path | None = None,
    exclude_runs: ExcludeRuns = "failed",
    ddof: int = 1,
) -> None:
    """Write one row per cell, with means over its test images, and the averages over cells.

    A mean leaves out images that have no such number; `COUNTED` says of how many images the
    prediction is empty (``no_component``), in several parts or reaches the border, how many have
    no distance between boundaries since one is missing, of how many measured heads the prediction
    gives no circumference, how many images are healthy (their mask is empty), and in how many of
    those the prediction marks something.

    Parameters
    ----------
    scores
        CSV files of `score_dataset`.
    runs
        The ``run.json`` of the same cells.
    path, averages
        CSV to write: ``cells.csv`` and ``averages.csv`` of a study.
    exclude_runs, ddof
        See `sonotune.evaluation.averages.average_over_runs`.
    """
    table = pd.concat([read_table(file) for file in scores])
    key = list(RUN)
    for name, count in zip(COUNTED, _counts(table), strict=True):
        table[name] = count
    groups = table.groupby(key, sort=False)
    means = groups[list(AVERAGED)].mean().join(groups[list(COUNTED)].sum())
    images = groups.size().rename("images")
    trained = pd.DataFrame([_run(read_record(run)) for run in runs])
    joined = trained.merge(means.join(images), on=key, how="left", validate="one_to_one")
    first = ["dataset", "source", *RUN[1:], "images", *AVERAGED, *COUNTED]
    joined = joined[first + [name for name in joined if name not in first]]
    save_csv(joined, path, digits=10)
    if averages is not None:
        write_averages(path, averages, exclude_runs, ddof)


def _counts(table: pd.DataFrame) -> Iterator[pd.Series]:
    """Which images each of `COUNTED` counts."""
    yield table["components"] == 0
    yield table["components"] > 1
    yield table["at_border"] == 1
    yield table["hausdorff95_px"].isna()
    yield table["hc_measured_mm"].notna() & table["hc_mm"].isna()
    marked = table["components"] > 0
    # An empty mask: there is no distance from what is marked, or finding nothing is a Dice of 1.
    healthy = (marked & table["hausdorff95_px"].isna()) | (~marked & (table["dice"] == 1))
    yield healthy
    yield healthy & marked


def _run(record: dict[str, Any]) -> dict[str, Any]:
    tuned, total = record["tuned_parameters"], record["total_parameters"]
    processor, cpu = record["processor"], record["cpu_seconds"]
    return {
        "record": short_seal(record),
        **Cell.of_settings(record["settings"]).run,
        "source": record["source"],
        **{key: record[key] for key in RECORDED},
        "memory": tuned * TUNED_BYTES + (total - tuned) * FROZEN_BYTES,
        **{key: processor[key] for key in ("device", "precision", "threads", "torch", "numpy")},
        **{f"cpu_{part}": cpu[part] for part in ("total", "training", "evaluation")},
    }
