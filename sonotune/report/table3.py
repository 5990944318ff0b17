"""Table III: Dice and training time of the best strategies."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from sonotune.evaluation.averages import is_excluded, measured_on, read_cells
from sonotune.layout import format_percent
from sonotune.report.display_options import DisplayOptions, sources_of
from sonotune.report.names import in_words
from sonotune.report.tables import DASH, Entry, Head, HeadRow, Row, Table, mean_entry

COLUMNS = (
    *("dataset", "source", "strategy", "fraction", "dice_mean", "minutes_mean", "minutes_std"),
    *("n", "folds", "device", "precision", "threads"),
)


def table(
    cells: str | Path, averages: str | Path, display: DisplayOptions, training_time: Sequence[str]
) -> tuple[pd.DataFrame, Table]:
    """Dice, and mean and standard deviation of minutes, at the largest fraction.

    Parameters
    ----------
    cells, averages
        ``cells.csv`` and ``averages.csv`` of a study.
    display
        Strategies and data sets to show, with their titles.
    training_time
        The strategies that are shown; those that the study lacks are left out.

    Returns
    -------
    DataFrame, Table
        `COLUMNS`; device, precision and threads are joined by + where runs differ.
    """
    means = display.averages(averages)
    fraction = float(means["fraction"].max())
    means = means[(means["fraction"] == fraction) & means["strategy"].isin(training_time)]
    columns = list(display.strategies_of(means))
    runs = read_cells(cells)
    runs = runs[(runs["fraction"] == fraction) & runs["dataset"].isin(list(display.datasets))]
    runs = runs[runs["strategy"].isin(columns) & ~is_excluded(runs, display.exclude_runs)]
    ran = runs.groupby(["dataset", "strategy"])[["device", "precision", "threads"]]
    times = means[means["n"] > 0].join(ran.agg(_joined), on=["dataset", "strategy"])
    for name in ("mean", "std"):
        times[f"minutes_{name}"] = times[f"training_seconds_{name}"] / 60
    times = times[list(COLUMNS)]
    caption = f"Dice and time to train at {format_percent(fraction)} of the data, by strategy."
    titles, source_notes = display.name_datasets(sources_of(times))
    known = times.set_index(["dataset", "strategy"])
    body = []
    for dataset, title in titles.items():
        entries = []
        for strategy in columns:
            if (dataset, strategy) not in known.index:
                entries += [Entry(DASH, hover="no run that counts")] * 2
                continue
            run = known.loc[(dataset, strategy)]
            minutes = mean_entry(run["minutes_mean"], run["minutes_std"], decimals=2)
            entries += [Entry(f"{run['dice_mean']:.3f}"), minutes]
        body.append(Row((title,), tuple(entries)))
    head = (
        HeadRow(("Data set",), tuple(Head(display.strategies[name], 2) for name in columns)),
        HeadRow(("",), (Head("Dice"), Head("Minutes")) * len(columns)),
    )
    machines = times[["device", "precision", "threads"]].drop_duplicates()
    where = in_words(
        [
            f"{device} in {precision} with {threads} {'thread' if threads == '1' else 'threads'}"
            for device, precision, threads in machines.itertuples(index=False)
        ]
    )
    notes = (
        f"Minutes: {measured_on(runs)} of a fold's training and validation, mean over runs "
        f"(standard deviation in parentheses). Ran on {where or DASH}.",
        *source_notes,
    )
    return times, Table("table3", caption, head, tuple(body), notes)


def _joined(values: pd.Series) -> str:
    return "+".join(sorted({str(value) for value in values}))
