"""What twice the images would bring every strategy, as a table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from sonotune.evaluation.tables import read_table
from sonotune.report.display_options import DisplayOptions, sources_of
from sonotune.report.names import source_notes
from sonotune.report.tables import DASH, Entry, Row, Table, one_head
from sonotune.statistics.learning import LEVEL

COLUMNS = ("dice", "expected", "lower", "upper")


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
    sources = sources_of(rows)
    titles, _ = display.name_datasets(sources)
    body = []
    for row in rows.to_dict("records"):
        numbers = [f"{row[name]:.3f}" if np.isfinite(row[name]) else DASH for name in COLUMNS]
        names = (titles[row["dataset"]], display.strategies[row["strategy"]])
        body.append(Row(names, tuple(map(Entry, [*numbers, row["refused"]]))))
    return rows, Table(
        label="learning",
        caption="Mean Dice to expect with twice as many images, on the same test images",
        head=one_head(
            ("Data set", "Tuned"),
            ("Dice now", "Expected", "From", "To", "Why there is no forecast"),
        ),
        body=tuple(body),
        notes=(
            f"From and to: {LEVEL:.0%} interval. Forecast from the curve of Dice over the "
            "fractions; see docs/statistics.md.",
            *source_notes(list(sources), display.datasets, sources),
        ),
    )
