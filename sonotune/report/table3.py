"""Table III: Dice and training time of the best strategies."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from sonotune.evaluation.averages import is_excluded, measured_on, read_cells
from sonotune.layout import format_percent
from sonotune.report.display_options import DisplayOptions, sources_of
from sonotune.report.names import in_words
from sonotune.report.tables import DASH, NO_RUN, Entry, Head, HeadRow, Row, Table, mean_entry

DEVICE = ["device", "precision", "threads"]
COLUMNS = (
    *("dataset", "source", "strategy", "fraction", "dice_mean", "minutes_mean", "minutes_std"),
    *("n", "folds", *DEVICE),
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
    strategies = display.strategies_of(means)
    runs = display.select(read_cells(cells))
    runs = runs[(runs["fraction"] == fraction) & runs["strategy"].isin(list(strategies))]
    runs = runs[~is_excluded(runs, display.exclude_runs)]
    ran = runs.groupby(["dataset", "strategy"])[DEVICE].agg(_joined)
    times = means[means["n"] > 0].join(ran, on=["dataset", "strategy"])
    for name in ("mean", "std"):
        times[f"minutes_{name}"] = times[f"training_seconds_{name}"] / 60
    times = times[list(COLUMNS)]
    titles, source_notes = display.name_datasets(sources_of(times))
    known = times.set_index(["dataset", "strategy"]).to_dict("index")
    body = []
    for dataset, title in titles.items():
        entries = []
        for strategy in strategies:
            if run := known.get((dataset, strategy)):
                minutes = mean_entry(run["minutes_mean"], run["minutes_std"], decimals=2)
                entries += [Entry(f"{run['dice_mean']:.3f}"), minutes]
            else:
                entries += [NO_RUN, NO_RUN]
        body.append(Row((title,), entries))
    machines = [
        f"{device} in {precision} with {threads} {'thread' if threads == '1' else 'threads'}"
        for device, precision, threads in times[DEVICE].drop_duplicates().itertuples(index=False)
    ]
    return times, Table(
        f"Dice and time to train at {format_percent(fraction)} of the data, by strategy.",
        (
            HeadRow(("Data set",), [Head(title, 2) for title in strategies.values()]),
            HeadRow(("",), [Head("Dice"), Head("Minutes")] * len(strategies)),
        ),
        body,
        (
            f"Minutes: {measured_on(runs)} of a fold's training and validation, mean over runs "
            f"(standard deviation in parentheses). Ran on {in_words(machines) or DASH}.",
            *source_notes,
        ),
    )


def _joined(values: pd.Series) -> str:
    return "+".join(sorted({str(value) for value in values}))
