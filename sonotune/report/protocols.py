"""A study under its published and its corrected protocol, and the gap between them in steps.

Wang et al. 2023 split over images, augmented the test images, pooled counts over batches, called
the foreground's IoU the mean IoU and, most likely (docs/wang2023.md), averaged epochs 6
to 20 of every run and then the runs. The same trainings, recorded after every epoch, show what each
habit is worth; another study, split by examination, gives the corrected numbers.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from sonotune.evaluation.averages import is_excluded, read_cells
from sonotune.layout import Cell
from sonotune.report.display_options import DisplayOptions
from sonotune.report.published import published_table

METRICS = ("pixel_accuracy", "dice", "miou")
ALL_METRICS = ("dice", "iou", "miou", "pixel_accuracy")
TITLES = {"pixel_accuracy": "Pixel accuracy", "dice": "Dice", "miou": "Mean IoU", "iou": "IoU"}
PAPER, AS_PUBLISHED, CORRECTED = "paper", "as_published", "corrected"
# What the published code printed as mean IoU is the foreground's.
PRINTED_AS = {"pixel_accuracy": "pixel_accuracy", "dice": "dice", "miou": "iou"}
STEPS = {
    "as_published": "As published",
    "last_epoch": "Last epoch, not a mean over epochs",
    "clean": "Clean test images",
    "per_image": "Image by image, not pooled",
    "both_classes": "Both classes, not the foreground",
    "corrected": "Other trainings, split by examination",
}
# Columns of a history that hold a metric of each step.
RECORDS = {
    "as_published": "augmented_pooled",
    "last_epoch": "augmented_pooled",
    "clean": "clean_pooled",
    "per_image": "clean_per_image",
}


def read_histories(files: Iterable[str | Path], epochs: Sequence[int]) -> pd.DataFrame:
    """Each run's metrics at each step from the published protocol to clean images, in [0,1].

    Parameters
    ----------
    files
        The ``history.csv`` of all cells under the published protocol, with records of the test
        images; their folders tell which cell.
    epochs
        First and last epoch that the published protocol averages, from 1.

    Returns
    -------
    DataFrame
        `sonotune.layout.RUN`, and ``as_published_dice``, ``last_epoch_dice``, ...: of `RECORDS` and
        `ALL_METRICS`. As published is the mean over the epochs; all else is of the last one.
    """
    runs = []
    for file in map(Path, files):
        history = pd.read_csv(file)
        window = history[history["epoch"].between(*epochs)].mean(numeric_only=True)
        run = Cell.of(file).run
        for step, record in RECORDS.items():
            values = window if step == "as_published" else history.iloc[-1]
            run |= {f"{step}_{metric}": values[f"{record}_{metric}"] for metric in ALL_METRICS}
        runs.append(run)
    return pd.DataFrame(runs)


def compare_protocols(
    runs: pd.DataFrame, corrected: str | Path, display: DisplayOptions
) -> pd.DataFrame:
    """Every strategy's metrics in the paper and under both protocols.

    Parameters
    ----------
    runs
        What `read_histories` gives.
    corrected
        ``cells.csv`` of the corrected study.
    display
        Strategies in the order of the rows, and which runs count.

    Returns
    -------
    DataFrame
        strategy, protocol, metric, mean, std (in [0,1]), over (how many repeats). The
        corrected protocol has ``iou``, the foreground's, besides the published metrics.
    """
    strategies, ddof = display.strategies_of(runs), display.ddof
    cells = read_cells(corrected)
    cells = cells[(cells["fraction"] > 0) & ~is_excluded(cells, display.exclude_runs)]
    published = {metric: f"as_published_{name}" for metric, name in PRINTED_AS.items()}
    clean = {metric: metric for metric in (*METRICS, "iou")}
    rows = [
        *_printed(strategies),
        *_summaries(runs, strategies, AS_PUBLISHED, published, ddof),
        *_summaries(cells, strategies, CORRECTED, clean, ddof),
    ]
    return pd.DataFrame(rows, columns=["strategy", "protocol", "metric", "mean", "std", "over"])


def _printed(strategies: Iterable[str]) -> Iterator[tuple[Any, ...]]:
    table = published_table("wang2023_results").set_index("row")
    for strategy in strategies:
        for metric in METRICS if strategy in table.index else ():
            mean, deviation = table.loc[strategy, [metric, f"{metric}_std"]] / 100
            yield strategy, PAPER, metric, mean, deviation, pd.NA


def _summaries(
    runs: pd.DataFrame,
    strategies: Iterable[str],
    protocol: str,
    columns: Mapping[str, str],
    ddof: int,
) -> Iterator[tuple[Any, ...]]:
    """Mean, standard deviation and number of each metric; one value has no deviation."""
    for strategy in strategies:
        mine = runs[runs["strategy"] == strategy]
        for metric, column in columns.items():
            deviation = mine[column].std(ddof=ddof) if len(mine) > 1 else float("nan")
            yield strategy, protocol, metric, mine[column].mean(), deviation, len(mine)


def decompose_gap(runs: pd.DataFrame, compared: pd.DataFrame) -> pd.DataFrame:
    """The way from the published protocol's number to the corrected one, a step at a time.

    All steps but the last are of the same trained networks, and are means over their repeats; the
    last also holds the chance of another draw, so it is not the effect of shared examinations (see
    `leakage`).

    Parameters
    ----------
    runs
        What `read_histories` gives.
    compared
        Rows of `compare_protocols`.

    Returns
    -------
    DataFrame
        strategy, metric, step (of `STEPS`), value, change (from the step before).
    """
    ends = compared[compared["protocol"] == CORRECTED].set_index(["strategy", "metric"])["mean"]
    rows = []
    for strategy in compared["strategy"].unique():
        means = runs[runs["strategy"] == strategy].mean(numeric_only=True)
        for metric, printed in PRINTED_AS.items():
            values = {step: means[f"{step}_{printed}"] for step in RECORDS}
            if printed != metric:
                values["both_classes"] = means[f"per_image_{metric}"]
            series = pd.Series(values | {"corrected": ends[strategy, metric]}, dtype=float)
            changes = zip(series.index, series, series.diff(), strict=True)
            rows += [(strategy, metric, *change) for change in changes]
    return pd.DataFrame(rows, columns=["strategy", "metric", "step", "value", "change"])
