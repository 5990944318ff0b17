"""Averages over runs: computed here only, written once, and read by all tables and figures."""

from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from sonotune.errors import SonotuneError
from sonotune.evaluation.tables import read_table, save_csv
from sonotune.layout import RUN

ExcludeRuns = Literal["failed", "failed+collapsed", "none"]

NEEDED = (
    *("dataset", "source", "strategy", "fraction", "fold"),
    *("dice", "failed", "collapsed", "tuned_parameters", "total_parameters"),
)
# Numbers of a cell that are the same in all runs of a strategy.
FIXED = ("tuned_parameters", "total_parameters", "memory", "threads")
# Numbers of images.
COUNTED = (
    *("no_component", "several_components", "reach_border", "without_distance", "without_hc"),
    *("healthy", "healthy_marked"),
)
CONDITION = ["dataset", "fraction", "strategy"]
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
    cells = read_table(path)
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


def is_excluded(cells: pd.DataFrame, exclude_runs: ExcludeRuns) -> pd.Series:
    """Which cells an average leaves out, bool, one a row of ``cells``.

    A cell without a Dice is left out whatever the setting: there is nothing to average.

    Parameters
    ----------
    cells
        Rows of ``cells.csv``.
    exclude_runs
        ``failed`` as Amiri 2020 (section III-B), ``failed+collapsed``, or ``none``.
    """
    out = cells["dice"].isna()
    if exclude_runs != "none":
        out |= cells["failed"]
    if exclude_runs == "failed+collapsed":
        out |= cells["collapsed"]
    return out


def training_seconds(runs: pd.DataFrame) -> pd.Series:
    """Seconds of each training: processor time per thread on a CPU, wall time on a GPU.

    Wall time of a CPU grows with the load of the machine, and strategies are trained one after
    the other, so it would compare loads.

    Parameters
    ----------
    runs
        Rows of ``cells.csv``. Files without processor times give wall times.
    """
    if "cpu_training" not in runs:
        return runs["seconds"]
    processor = runs["cpu_training"] / runs["threads"].clip(lower=1)
    return runs["seconds"].where(runs["device"] != "cpu", processor)


def measured_on(runs: pd.DataFrame) -> str:
    """What `training_seconds` of these runs are: ``processor time`` or ``wall time``.

    Parameters
    ----------
    runs
        Runs, as `read_cells` gives them.
    """
    known = "cpu_training" in runs and (runs["device"] == "cpu").all()
    return "processor time" if known else "wall time"


def average_over_runs(cells: pd.DataFrame, exclude_runs: ExcludeRuns, ddof: int) -> pd.DataFrame:
    """Means and standard deviations over runs (Amiri 2020, Table II).

    Several runs of a fold are tested on the same images, so the standard deviation tells how runs
    vary, not how well the mean is known.

    Parameters
    ----------
    cells
        What `read_cells` gives; a cell's Dice is the mean over its test images.
    exclude_runs
        Which runs are left out, see `is_excluded`.
    ddof
        The standard deviation divides by n - ddof.

    Returns
    -------
    DataFrame
        One row per (dataset, fraction, strategy), in the order in which they first appear.
        Numbers of runs averaged (n) and of folds in which these are (folds); of all runs (runs),
        those that failed and those that collapsed. For each other number of the cells and for
        `training_seconds` the mean and standard deviation (``dice_mean``, ``dice_std``, ...).
        ``dice_error``, the standard error of the mean Dice over folds. Sums of images and of each
        of `COUNTED`; source, tuned_parameters, total_parameters. A mean is empty where no run is
        left, a standard deviation where fewer than two are.

    Raises
    ------
    SonotuneError
        If cells of one strategy and data set disagree on source or on numbers of parameters.
    """
    for name in ("source", "tuned_parameters", "total_parameters"):
        _check_agreement(cells, name)
    counted = ~is_excluded(cells, exclude_runs)
    every = cells.groupby(CONDITION, sort=False)
    if "seconds" in cells:
        cells = cells.assign(training_seconds=training_seconds(cells))
    groups = cells[counted].groupby(CONDITION, sort=False)
    folds = cells[counted].groupby([*CONDITION, "fold"])["dice"].mean().groupby(level=CONDITION)
    columns = {"n": groups.size(), "folds": groups["fold"].nunique(), "runs": every.size()}
    columns |= {name: every[name].sum() for name in ("failed", "collapsed")}
    numbers = cells.select_dtypes("number").columns
    for name in numbers.difference([*RUN, *FIXED, "images", *COUNTED], sort=False):
        columns[f"{name}_mean"] = groups[name].mean()
        deviation = groups[name].std(ddof=ddof)
        # One value has no deviation, also where the divisor is n.
        columns[f"{name}_std"] = deviation.where(groups[name].count() > 1)
    columns["dice_error"] = folds.std() / np.sqrt(folds.size())
    columns |= {name: groups[name].sum() for name in ("images", *COUNTED) if name in cells}
    columns |= {n: every[n].first() for n in ("source", "tuned_parameters", "total_parameters")}
    averages = pd.DataFrame(columns).reindex(every.size().index)
    whole = [name for name in ("n", "folds", "images", *COUNTED) if name in averages]
    averages[whole] = averages[whole].fillna(0).astype(int)
    return averages.reset_index()


def write_averages(
    cells: str | Path, path: str | Path, exclude_runs: ExcludeRuns, ddof: int
) -> None:
    """Write the averages of a study's ``cells.csv``.

    Parameters
    ----------
    cells, path
        The table to read, and the one to write.
    exclude_runs, ddof
        See `average_over_runs`.
    """
    save_csv(average_over_runs(read_cells(cells), exclude_runs, ddof), path)


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
