"""Table II: Dice of every strategy, data set and fraction."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from sonotune.errors import SonotuneError
from sonotune.evaluation.averages import CONDITION, ExcludeRuns, read_cells
from sonotune.layout import format_percent
from sonotune.report.display_options import DisplayOptions, sources_of
from sonotune.report.names import mixture_notes
from sonotune.report.palette import shade
from sonotune.report.tables import (
    DASH,
    Entry,
    HeadRow,
    Row,
    Table,
    head_row,
    mean_entry,
    number_text,
    short_count,
)

CSV_COLUMNS = (
    *("dataset", "fraction", "strategy", "dice_mean", "dice_std"),
    *("n", "folds", "failed", "collapsed", "source"),
)
MARKS = {"†": "failed", "‡": "collapsed"}


def table(
    cells: str | Path, averages: str | Path, display: DisplayOptions
) -> tuple[pd.DataFrame, Table]:
    """Table II, one value per row, and in the paper's layout.

    Parameters
    ----------
    cells, averages
        ``cells.csv`` and ``averages.csv`` of a study.
    display
        Columns and groups of rows. A strategy with fraction 0 (the network evaluated unchanged) is
        repeated in every row of its data set; the CSV has it once.

    Raises
    ------
    SonotuneError
        If no cell is of these strategies and data sets, or ``cells.csv`` is not in order.
    """
    runs = display.select(read_cells(cells))
    if not len(runs):
        raise SonotuneError(
            f"{cells}: no cell of these strategies and data sets; nothing to put in Table II"
        )
    means = display.averages(averages)
    titles, source_notes = display.name_datasets(sources_of(means))
    body = []
    for dataset, title in titles.items():
        of_set = means[means["dataset"] == dataset]
        fractions = [p for p in of_set["fraction"].unique() if p > 0] or [0]
        for fraction in fractions:
            of_row = of_set[of_set["fraction"].isin([fraction, 0])].set_index("strategy")
            name = format_percent(fraction) if fraction else "none"
            body.append(Row((title, name), _entries(of_row, display.strategies)))
    return means[list(CSV_COLUMNS)], Table(
        "Dice of every fine-tuning strategy: mean over runs, with the standard deviation in "
        "parentheses, for each data set and share of it used for training and validation.",
        _head(means, display),
        body,
        [
            *_number_notes(runs, display.exclude_runs, display.ddof),
            *source_notes,
            *mixture_notes(runs),
        ],
    )


def _head(averages: pd.DataFrame, display: DisplayOptions) -> list[HeadRow]:
    columns = ["tuned_parameters", "total_parameters"]
    counts = averages.groupby("strategy")[columns].first().reindex(list(display.strategies))
    tuned = counts["tuned_parameters"]
    shares = tuned / counts["total_parameters"]
    numbers = [DASH if np.isnan(count) else short_count(count) for count in tuned]
    texts = ["<0.001" if 0 < share < 0.0005 else number_text(share) for share in shares]
    return [
        head_row(("Data set", "Images"), display.strategies.values()),
        replace(head_row(("Parameters tuned",), numbers), values=True),
        replace(head_row(("Fraction of all",), texts), values=True),
    ]


def _entries(of_row: pd.DataFrame, strategies: Iterable[str]) -> list[Entry]:
    # What is printed decides: equal numbers have the same shade, and all that are best are bold. A
    # network that was not tuned is no strategy: the paper's rows do not have it.
    printed = of_row.loc[of_row["fraction"] > 0, "dice_mean"].dropna().round(3)
    entries = []
    for strategy in strategies:
        if strategy not in of_row.index:
            entries.append(Entry(DASH, hover="not run"))
            continue
        run = of_row.loc[strategy]
        marks = [f"{sign}{run[name]}" for sign, name in MARKS.items() if run[name]]
        tooltip = (
            f"mean of {run['n']} runs in {run['folds']} folds; {run['failed']} failed, "
            f"{run['collapsed']} collapsed"
        )
        entry = mean_entry(run["dice_mean"], run["dice_std"])
        entry = replace(entry, marks=" ".join(marks), hover=tooltip)
        if strategy in printed.index:
            mean = printed[strategy]
            rank = 1 + int((printed > mean).sum())
            colour = shade(_position(mean, printed)) if printed.nunique() > 1 else ""
            hover = f"rank {rank} of {len(printed)}; {tooltip}"
            entry = replace(entry, shade=colour, bold=rank == 1, hover=hover)
        entries.append(entry)
    return entries


def _position(mean: float, row: pd.Series) -> float:
    """Where a mean stands in its row: 0 worst, 0.5 median, 1 best, linear between these."""
    worst, middle, best = float(row.min()), float(row.median()), float(row.max())
    if mean <= middle:
        return 0.5 * (mean - worst) / (middle - worst) if middle > worst else 0.0
    return 0.5 + 0.5 * (mean - middle) / (best - middle)


def _number_notes(cells: pd.DataFrame, exclude_runs: ExcludeRuns, ddof: int) -> Iterator[str]:
    folds = cells.groupby(CONDITION)["fold"].nunique()
    few, many = int(folds.min()), int(folds.max())
    most = int(cells.groupby([*CONDITION, "fold"]).size().max())
    number = f"{few}" if few == many else f"{few} to {many}"
    each = f" with up to {most} runs each" if most > 1 else ""
    divisor = "n" if ddof == 0 else f"n−{ddof}"  # noqa: RUF001
    yield (
        f"Dice: mean over a fold's test images (threshold 0.5), then over n runs; {number} "
        f"{'fold was' if many == 1 else 'folds were'} run{each}. In parentheses: standard "
        f"deviation over runs (divisor {divisor}), which is not given where too few runs are left."
    )
    yield (
        "Colours compare the strategies of one row: light green the best, yellow the median, red "
        "the worst, by Dice; the lightness falls with the Dice. Bold: the best of its row."
    )
    runs, failed, collapsed = len(cells), int(cells["failed"].sum()), int(cells["collapsed"].sum())
    failed_out = exclude_runs != "none"
    if failed:
        yield (
            "†k: k runs failed (no early stop within the epoch limit, a loss that is not finite, "
            f"or an output that does not depend on the image); failed runs are "
            f"{'left out of' if failed_out else 'part of'} the mean and "
            f"the standard deviation. In all {failed} of {runs} runs."
        )
    if collapsed:
        kept = "kept unless they failed too" if failed_out else "kept"
        yield (
            "‡k: k runs collapsed (the same output everywhere on the test set, or a best "
            "validation Dice of 0); these are "
            f"{'left out' if exclude_runs == 'failed+collapsed' else kept}. "
            f"In all {collapsed} of {runs} runs."
        )
    if not failed and not collapsed:
        yield f"None of the {runs} runs failed or collapsed."
    if cells["fraction"].eq(0).any() and cells["fraction"].gt(0).any():
        yield (
            "A network that is evaluated without any tuning uses no images; its value is the same "
            "in all rows of a data set and does not count for the colours."
        )
