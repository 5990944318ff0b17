"""Averages over runs: the numbers behind Table II and Fig. 4."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, get_args

import pandas as pd

from sonotune.errors import SonotuneError
from sonotune.layout import RUN

ExcludeRuns = Literal["failed", "failed+collapsed", "none"]

NEEDED = (
    "dataset",
    "source",
    "strategy",
    "fraction",
    "fold",
    "dice",
    "failed",
    "collapsed",
    "tuned_parameters",
    "total_parameters",
)
FLAGS = {"true": True, "1": True, "1.0": True, "false": False, "0": False, "0.0": False}


def read_cells(path: str | Path) -> pd.DataFrame:
    """Read ``cells.csv``, one row per cell.

    An empty ``failed`` or ``collapsed`` (the network that is evaluated unchanged) is read as no. A
    table without ``seed`` or ``pretraining`` has one run per fold.

    Parameters
    ----------
    path
        The study's ``cells.csv``.

    Raises
    ------
    SonotuneError
        If columns are missing, a flag is neither true nor false, or a cell is listed twice.
    """
    names = {"dataset": str, "source": str, "strategy": str}
    cells = pd.read_csv(path, dtype=names, keep_default_na=False, na_values=[""])
    missing = [name for name in NEEDED if name not in cells]
    if missing:
        raise SonotuneError(f"{path}: no column {', '.join(missing)}; make the file again")
    for flag in ("failed", "collapsed"):
        known = cells[flag].astype("string").str.lower().map(FLAGS)
        unread = cells.loc[known.isna() & cells[flag].notna(), flag]
        if len(unread):
            raise SonotuneError(
                f"{path}: column {flag} holds {unread.iloc[0]!r}; expected True or False"
            )
        cells[flag] = known.eq(True).fillna(False).astype(bool)
    for name in ("seed", "pretraining"):
        if name not in cells:
            cells[name] = 1
    double = cells[cells.duplicated(list(RUN))]
    if len(double):
        twice = ", ".join(str(double.iloc[0][name]) for name in RUN)
        raise SonotuneError(f"{path}: the cell ({twice}) is listed twice; make the file again")
    return cells


def is_left_out(cells: pd.DataFrame, exclude_runs: ExcludeRuns) -> pd.Series:
    """Which cells an average leaves out, bool, one a row of ``cells``.

    A cell without a Dice is left out whatever the setting: there is nothing to average.

    Parameters
    ----------
    cells
        Rows of ``cells.csv``.
    exclude_runs
        ``failed`` as Amiri 2020 (section III-B), ``failed+collapsed``, or ``none``.

    Raises
    ------
    SonotuneError
        If ``exclude_runs`` is none of these.
    """
    if exclude_runs not in get_args(ExcludeRuns):
        allowed = ", ".join(get_args(ExcludeRuns))
        raise SonotuneError(f"exclude_runs: {exclude_runs!r} is unknown; use one of: {allowed}")
    out = cells["dice"].isna()
    if exclude_runs != "none":
        out |= cells["failed"]
    if exclude_runs == "failed+collapsed":
        out |= cells["collapsed"]
    return out


def average_over_runs(cells: pd.DataFrame, exclude_runs: ExcludeRuns, ddof: int) -> pd.DataFrame:
    """Mean and standard deviation of Dice over runs (Amiri 2020, Table II).

    Several runs of a fold are tested on the same images, so the standard deviation tells how runs
    vary, not how well the mean is known.

    Parameters
    ----------
    cells
        What `read_cells` gives; a cell's Dice is the mean over its test images.
    exclude_runs
        Which runs are left out, see `is_left_out`.
    ddof
        The standard deviation divides by n - ddof.

    Returns
    -------
    DataFrame
        One row a (dataset, fraction, strategy), data sets and strategies in the order in which
        they first appear, fractions falling: dataset, fraction, strategy, dice_mean, dice_std
        (Dice in [0,1]), n (runs averaged), folds (in which these are), failed, collapsed (numbers
        of runs, whether left out or not), source, tuned_parameters, total_parameters. The mean is
        empty where no run is left, the standard deviation where not more than ddof are.

    Raises
    ------
    SonotuneError
        If cells of one strategy and data set disagree on source or on numbers of parameters.
    """
    kept = cells.assign(dice=cells["dice"].mask(is_left_out(cells, exclude_runs)))
    place = ["dataset", "fraction", "strategy"]
    groups = kept.groupby(place, sort=False)
    averages = pd.DataFrame(
        {
            "dice_mean": groups["dice"].mean(),
            "dice_std": groups["dice"].std(ddof=ddof),
            "n": groups["dice"].count(),
            "folds": kept[kept["dice"].notna()].groupby(place)["fold"].nunique(),
            "failed": groups["failed"].sum(),
            "collapsed": groups["collapsed"].sum(),
        }
    )
    averages["folds"] = averages["folds"].fillna(0).astype(int)
    for name in ("source", "tuned_parameters", "total_parameters"):
        _check_agreement(cells, name)
        averages[name] = groups[name].first()
    averages = averages.reset_index()
    ranks = {
        "dataset": {name: i for i, name in enumerate(cells["dataset"].unique())},
        "strategy": {name: i for i, name in enumerate(cells["strategy"].unique())},
    }
    order = averages.assign(
        dataset=averages["dataset"].map(ranks["dataset"]),
        strategy=averages["strategy"].map(ranks["strategy"]),
    ).sort_values(["dataset", "fraction", "strategy"], ascending=[True, False, True])
    first = ["dataset", "fraction", "strategy"]
    rest = [name for name in averages if name not in first]
    return averages.loc[order.index, first + rest].reset_index(drop=True)


def _check_agreement(cells: pd.DataFrame, name: str) -> None:
    # A data set has one source; what a strategy tunes is a matter of the strategy alone.
    by = "dataset" if name == "source" else "strategy"
    differing = cells.groupby(by)[name].nunique()
    differing = differing[differing > 1]
    if len(differing):
        raise SonotuneError(
            f"cells of {by} {differing.index[0]!r} disagree on {name}; they come from different "
            "settings and cannot share a table: run the study again"
        )
