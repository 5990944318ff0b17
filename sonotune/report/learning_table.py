"""What twice the images would bring every strategy, as a table."""

from pathlib import Path

import pandas as pd

from sonotune.evaluation.tables import read_table
from sonotune.report.display_options import DisplayOptions, sources_of
from sonotune.report.tables import Table, head_row, number_text, text_row
from sonotune.statistics.learning import LEVEL


def read_forecasts(path: str | Path) -> pd.DataFrame:
    """Read ``learning.csv``; no name of a strategy is read as a missing value.

    Parameters
    ----------
    path
        The file.
    """
    return read_table(path).fillna({"refused": ""})


def table(learning: str | Path, display: DisplayOptions) -> tuple[pd.DataFrame, Table]:
    """Dice now and to expect with twice the images.

    Parameters
    ----------
    learning
        ``learning.csv`` of `sonotune.statistics.tables.write_statistics`.
    display
        Strategies and data sets, in the order of the table.
    """
    rows = display.sort(display.select(read_forecasts(learning)), ["dataset", "strategy"])
    titles, source_notes = display.name_datasets(sources_of(rows))
    body = []
    for row in rows.to_dict("records"):
        numbers = [number_text(row[name]) for name in ("dice", "expected", "lower", "upper")]
        names = (titles[row["dataset"]], display.strategies[row["strategy"]])
        body.append(text_row(names, [*numbers, row["refused"]]))
    titles_of_columns = ("Dice now", "Expected", "From", "To", "Why there is no forecast")
    return rows, Table(
        "Mean Dice to expect with twice as many images, on the same test images",
        [head_row(("Data set", "Tuned"), titles_of_columns)],
        body,
        (
            f"From and to: {LEVEL:.0%} interval. Forecast from the curve of Dice over the "
            "fractions; see docs/statistics.md.",
            *source_notes,
        ),
    )
