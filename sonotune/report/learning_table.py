"""What twice the images would bring every strategy, as a table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sonotune.evaluation.tables import read_table
from sonotune.report.display_options import DisplayOptions, sources_of
from sonotune.report.names import dataset_title, source_notes
from sonotune.report.tables import DASH, Entry, Head, HeadRow, Row, Table
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
    rows = read_forecasts(learning)
    known = [name for name in display.datasets if name in set(rows["dataset"])]
    order = {name: number for number, name in enumerate(display.strategies)}
    rows = rows[rows["dataset"].isin(known) & rows["strategy"].isin(order)]
    rows = rows.sort_values(
        ["dataset", "strategy"],
        key=lambda names: names.map({**{name: i for i, name in enumerate(known)}, **order}),
        kind="stable",
    )
    sources = sources_of(rows)
    body = tuple(
        Row(
            (
                dataset_title(row["dataset"], display.datasets, sources),
                display.strategies[row["strategy"]],
            ),
            (*(Entry(_number(row[name])) for name in COLUMNS), Entry(str(row["refused"]))),
        )
        for row in rows.to_dict("records")
    )
    heads = ("Dice now", "Expected", "From", "To", "Why there is no forecast")
    described = Table(
        label="learning",
        caption="Mean Dice to expect with twice as many images, on the same test images",
        head=(HeadRow(("Data set", "Tuned"), tuple(Head(title) for title in heads)),),
        body=body,
        notes=(
            f"From and to: {LEVEL:.0%} interval. Forecast from the curve of Dice over the "
            "fractions; see docs/statistics.md.",
            *source_notes(list(sources), display.datasets, sources),
        ),
    )
    return rows, described


def _number(value: Any) -> str:
    return f"{value:.3f}" if np.isfinite(value) else DASH
