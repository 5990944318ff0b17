"""A study under its published and its corrected protocol, and the gap between them in steps.

Wang et al. 2023 split over images, augmented the test images, pooled counts over batches, called
the foreground's IoU the mean IoU and, most likely (docs/wang2023.md), averaged epochs 6
to 20 of every run and then the runs. The same trainings, recorded after every epoch, show what each
habit is worth; another study, split by examination, gives the corrected numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import pandas as pd

from sonotune.errors import SonotuneError
from sonotune.evaluation.averages import ExcludeRuns, is_excluded, read_cells
from sonotune.layout import Cell
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
BYTES = 4  # of a weight, float32


def read_history(path: str | Path) -> pd.DataFrame:
    """A cell's ``history.csv`` with records of the test images.

    Parameters
    ----------
    path
        ``history.csv`` of a cell.

    Raises
    ------
    SonotuneError
        If it has none.
    """
    history = pd.read_csv(path)
    if "augmented_pooled_dice" not in history:
        raise SonotuneError(
            f"{path}: has no records of the test images; the study needs log_test_metrics: true "
            "and an augmentation"
        )
    return history


Histories = Mapping[str, Sequence[str | Path]]


def histories_by_strategy(files: Iterable[str | Path]) -> dict[str, list[Path]]:
    """The ``history.csv`` of every repeat, by strategy, from their paths (`sonotune.layout`).

    Parameters
    ----------
    files
        ``history.csv`` of all cells.
    """
    by_strategy: dict[str, list[Path]] = {}
    for file in map(Path, files):
        by_strategy.setdefault(Cell.of(file).strategy, []).append(file)
    return by_strategy


def published_values(history: str | Path, epochs: Sequence[int]) -> dict[str, float]:
    """A run's metrics under the published protocol, in [0,1].

    Counts of the augmented test images are pooled over each batch; the values of the window's
    epochs are averaged. ``dice``, ``iou``, ``miou`` (of both classes) and ``pixel_accuracy``.

    Parameters
    ----------
    history
        ``history.csv`` of a cell.
    epochs
        First and last epoch to average over, from 1.
    """
    table = read_history(history)
    window = table[table["epoch"].between(*epochs)]
    return {name: float(window[f"augmented_pooled_{name}"].mean()) for name in ALL_METRICS}


def compare_protocols(
    histories: Histories,
    corrected: str | Path,
    epochs: Sequence[int],
    *,
    exclude_runs: ExcludeRuns,
    ddof: int,
) -> pd.DataFrame:
    """Every strategy's metrics in the paper and under both protocols.

    Parameters
    ----------
    histories
        By strategy, the ``history.csv`` of every repeat under the published protocol.
    corrected
        ``cells.csv`` of the corrected study.
    epochs
        First and last epoch to average over, from 1.
    exclude_runs, ddof
        See `sonotune.evaluation.averages.average_over_runs`.

    Returns
    -------
    DataFrame
        strategy, protocol, metric, mean, std (in [0,1]), over (how many repeats). The
        corrected protocol has ``iou``, the foreground's, besides the published metrics.
    """
    rows = [*_printed(histories)]
    for strategy, paths in histories.items():
        repeats = pd.DataFrame([published_values(path, epochs) for path in paths])
        for metric, printed in PRINTED_AS.items():
            rows.append((strategy, AS_PUBLISHED, metric, *_summary(repeats[printed], ddof)))
    cells = read_cells(corrected)
    cells = cells[(cells["fraction"] > 0) & ~is_excluded(cells, exclude_runs)]
    for strategy in histories:
        runs = cells[cells["strategy"] == strategy]
        for metric in (*METRICS, "iou"):
            rows.append((strategy, CORRECTED, metric, *_summary(runs[metric], ddof)))
    return pd.DataFrame(rows, columns=["strategy", "protocol", "metric", "mean", "std", "over"])


def _printed(strategies: Iterable[str]) -> Iterator[tuple[Any, ...]]:
    table = published_table("wang2023_results").set_index("row")
    for strategy, metric in product(strategies, METRICS):
        if strategy in table.index:
            mean, deviation = table.loc[strategy, [metric, f"{metric}_std"]] / 100
            yield strategy, PAPER, metric, mean, deviation, pd.NA


def _summary(values: pd.Series, ddof: int) -> tuple[float, float, int]:
    """Mean, standard deviation and number; one value deviates by nothing, which says nothing."""
    deviation = values.std(ddof=ddof) if len(values) > 1 else float("nan")
    return values.mean(), deviation, len(values)


def decompose_gap(
    histories: Histories, compared: pd.DataFrame, epochs: Sequence[int]
) -> pd.DataFrame:
    """The way from the published protocol's number to the corrected one, a step at a time.

    All steps but the last are of the same trained networks, and are means over their repeats; the
    last also holds the chance of another draw, so it is not the effect of shared examinations (see
    `leakage`).

    Parameters
    ----------
    histories
        ``history.csv`` of every repeat, by strategy.
    compared
        Rows of `compare_protocols`.
    epochs
        First and last epoch to average over, from 1.

    Returns
    -------
    DataFrame
        strategy, metric, step (of `STEPS`), value, change (from the step before).
    """
    ends = compared[compared["protocol"] == CORRECTED].set_index(["strategy", "metric"])["mean"]
    rows = []
    for strategy, paths in histories.items():
        windows = pd.DataFrame([published_values(path, epochs) for path in paths]).mean()
        last = pd.DataFrame([read_history(path).iloc[-1] for path in paths]).mean()
        for metric, printed in PRINTED_AS.items():
            values = {
                "as_published": windows[printed],
                "last_epoch": last[f"augmented_pooled_{printed}"],
                "clean": last[f"clean_pooled_{printed}"],
                "per_image": last[f"clean_per_image_{printed}"],
            }
            if printed != metric:
                values["both_classes"] = last[f"clean_per_image_{metric}"]
            values["corrected"] = ends[(strategy, metric)]
            series = pd.Series(values, dtype=float)
            for step, change in series.diff().items():
                rows.append((strategy, metric, step, series[step], change))
    return pd.DataFrame(rows, columns=["strategy", "metric", "step", "value", "change"])


def add_parameter_counts(compared: pd.DataFrame, sizes: pd.DataFrame) -> pd.DataFrame:
    """Add numbers of parameters to `compare_protocols`; the paper's rows have those it printed.

    Parameters
    ----------
    compared
        Rows of `compare_protocols`.
    sizes
        Rows of `sizes_of`.
    """
    table = compared.merge(sizes, left_on="strategy", right_index=True)
    whole = ["tuned_parameters", "total_parameters"]
    table[whole] = table[whole].astype("Int64")
    millions = published_table("wang2023_results").set_index("row")["trainable_millions"]
    printed = table["protocol"] == PAPER
    tuned = (table.loc[printed, "strategy"].map(millions) * 1e6).round().astype("Int64")
    table.loc[printed, "tuned_parameters"] = tuned
    table.loc[printed, ["total_parameters", "megabytes"]] = pd.NA
    return table


def sizes_of(cells: str | Path, strategies: Sequence[str]) -> pd.DataFrame:
    """Trainable and all parameters, and megabytes of all weights as float32, by strategy.

    Running statistics of batch normalisation are no parameters and are not counted, in any row.

    Parameters
    ----------
    cells
        The study's ``cells.csv``.
    strategies
        Names of the strategies.
    """
    table = read_cells(cells).groupby("strategy")[["tuned_parameters", "total_parameters"]].first()
    table = table.reindex(list(strategies))
    return table.assign(megabytes=table["total_parameters"] * BYTES / 1e6)
