"""What the two papers printed: Tables I, II and III of Amiri 2020, and Wang 2023's results."""

import math
from functools import cache
from pathlib import Path

import pandas as pd

FOLDER = Path(__file__).parent / "paper"
# Wang's own data set, by the names that a study may give it.
WANG_DATASETS = ("fus", "hc18")


@cache
def published_table(name: str) -> pd.DataFrame:
    """A table as it was printed, such as ``amiri2020_table2``; means that are illegible are nan.

    Parameters
    ----------
    name
        Name of the table.
    """
    return pd.read_csv(FOLDER / f"{name}.csv")


@cache
def published_mean(paper: str, dataset: str, strategy: str, fraction: float, metric: str) -> float:
    """A printed mean (or standard deviation), or NaN where the paper has none.

    Parameters
    ----------
    paper
        Short name of the paper, such as ``amiri2020``.
    dataset
        Name of a data set.
    strategy
        Name of a strategy.
    fraction
        Share of the whole data set that is drawn for training and validation, in (0,1].
    metric
        ``dice``, ``iou``, ``pixel_accuracy`` or ``dice_std`` in [0,1], or ``seconds`` of a run.
    """
    where = {"dataset": dataset, "strategy": strategy}
    column = {"dice": "dice_mean", "dice_std": "dice_std"}.get(metric)
    if paper == "amiri2020" and column:
        return _look_up("amiri2020_table2", column, **where, fraction=fraction)
    if paper == "amiri2020" and metric == "seconds" and fraction == 0.8:
        return 60 * _look_up("amiri2020_table3", "minutes_mean", **where)
    column = {"dice": "dice", "iou": "miou", "pixel_accuracy": "pixel_accuracy"}.get(metric)
    if paper == "wang2023" and dataset in WANG_DATASETS and column:
        return _look_up("wang2023_results", column, row=strategy) / 100
    return math.nan


def _look_up(name: str, column: str, **where: object) -> float:
    """The first known value of a column in rows of a table that hold these values, or NaN."""
    table = published_table(name)
    for key, value in where.items():
        table = table[table[key] == value]
    values = table[column].dropna()
    return float(values.iloc[0]) if len(values) else math.nan
