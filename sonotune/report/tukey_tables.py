"""Tukey's tests of fold means, which Amiri et al. 2020 report (section II-E), as tables.

They are shown because the paper has them. What a study states rests on its decision instead
(docs/decision.md): Tukey's test takes all runs for independent and equally variable.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from sonotune.evaluation.tables import read_table
from sonotune.layout import format_percent
from sonotune.report.display_options import DisplayOptions, sources_of
from sonotune.report.names import dataset_title, source_notes
from sonotune.report.palette import shade
from sonotune.report.tables import DASH, Entry, Head, HeadRow, Row, Table

LEVEL = 0.05
COLUMNS = (
    *("dataset", "fraction", "strategy", "first", "second"),
    *("difference", "lower", "upper", "p"),
)
NOTES = (
    "Each entry: difference of mean Dice, row minus column, and below it the p value of Tukey's "
    "HSD (Tukey-Kramer where runs failed), adjusted for all pairs of its group. Green: the row is "
    "significantly better at 5%; red: the column is.",
    "This is the paper's test. It treats runs as independent and equally variable, which is "
    "wrong for strategies that share folds. This study's statements rest on its decision instead.",
)


def strategies_table(tukey: str | Path, display: DisplayOptions) -> tuple[pd.DataFrame, Table]:
    """Tests of pairs of strategies, within a data set and fraction.

    Parameters
    ----------
    tukey
        ``tukey.csv`` of `sonotune.statistics.tables.write_statistics`.
    display
        Strategies and data sets, in the order of the tables, with their titles.
    """
    rows, titles, notes = _read(tukey, "strategies", display)
    return rows, _strategies(rows, titles, display, notes)


def fractions_table(tukey: str | Path, display: DisplayOptions) -> tuple[pd.DataFrame, Table]:
    """Tests of pairs of fractions, within a data set and strategy.

    Parameters
    ----------
    tukey
        ``tukey.csv`` of `sonotune.statistics.tables.write_statistics`.
    display
        Strategies and data sets, in the order of the tables, with their titles.
    """
    rows, titles, notes = _read(tukey, "fractions", display)
    return rows, _fractions(rows, titles, display, notes)


def _read(
    tukey: str | Path, family: str, display: DisplayOptions
) -> tuple[pd.DataFrame, dict[str, str], tuple[str, ...]]:
    """Rows of one kind of pairs, titles of data sets, and notes."""
    table = read_table(tukey)
    table = table[table["dataset"].isin(list(display.datasets))]
    sources = sources_of(table)
    notes = (*NOTES, *source_notes(list(sources), display.datasets, sources))
    titles = {name: dataset_title(name, display.datasets, sources) for name in display.datasets}
    return table.loc[table["family"] == family, list(COLUMNS)], titles, notes


def _strategies(
    table: pd.DataFrame, titles: dict[str, str], display: DisplayOptions, notes: tuple[str, ...]
) -> Table:
    """A row and a column for each strategy, for each data set and fraction."""
    used = {*table["first"], *table["second"]}
    names = [name for name in display.strategies if name in used]
    body = []
    for dataset, title in titles.items():
        mine = table[table["dataset"] == dataset]
        for fraction in sorted(mine["fraction"].unique(), reverse=True):
            part = mine[mine["fraction"] == fraction]
            group = f"{title}, {format_percent(fraction)}"
            pairs = {(row.first, row.second): row for row in part.itertuples()}
            for number, first in enumerate(names[:-1]):
                cells = [Entry("")] * number
                cells += [_cell(pairs, first, second) for second in names[number + 1 :]]
                body.append(Row((group, display.strategies[first]), tuple(cells)))
    heads = tuple(Head(display.strategies[name]) for name in names[1:])
    return Table(
        "tukey",
        "Tukey's tests of all pairs of strategies.",
        (HeadRow(("Data set, images", "Strategy"), heads),),
        tuple(body),
        notes,
        digits=None,
        is_long=True,
    )


def _fractions(
    table: pd.DataFrame, titles: dict[str, str], display: DisplayOptions, notes: tuple[str, ...]
) -> Table:
    """A row for each strategy of a data set, a column for each pair of fractions."""
    pairs = list(dict.fromkeys(zip(table["first"], table["second"], strict=True)))
    body = []
    for dataset, title in titles.items():
        mine = table[table["dataset"] == dataset]
        for strategy in [name for name in display.strategies if name in set(mine["strategy"])]:
            rows = mine[mine["strategy"] == strategy].itertuples()
            by_pair = {(row.first, row.second): row for row in rows}
            cells = tuple(_cell(by_pair, *pair) for pair in pairs)
            body.append(Row((title, display.strategies[strategy]), cells))
    heads = [
        Head(f"{format_percent(float(first))} against {format_percent(float(second))}")
        for first, second in pairs
    ]
    first = notes[0].replace("row minus column", "the first fraction minus the second")
    first = first.replace("the row is", "the first is").replace("the column is", "the second is")
    return Table(
        "tukey_fractions",
        "Tukey's tests of the shares of the images.",
        (HeadRow(("Data set", "Strategy"), tuple(heads)),),
        tuple(body),
        (first, *notes[1:]),
        digits=None,
        is_long=True,
    )


def _cell(by_pair: dict[tuple[str, str], object], first: str, second: str) -> Entry:
    """The entry of a pair, whichever way round the table has it."""
    sign = 1 if (first, second) in by_pair else -1
    row = by_pair.get((first, second), by_pair.get((second, first)))
    if row is None or pd.isna(row.difference):  # type: ignore[attr-defined]
        return Entry(DASH, hover="not tested")
    difference = sign * row.difference  # type: ignore[attr-defined]
    p, ends = row.p, sorted((sign * row.lower, sign * row.upper))  # type: ignore[attr-defined]
    if pd.isna(p):
        return Entry(f"{difference:+.3f}", hover="too few runs for a test")
    colour = shade(float(difference > 0)) if p < LEVEL else ""
    text = "<0.001" if p < 0.0005 else f"{p:.3f}"
    hover = f"95% interval of all pairs: {ends[0]:+.3f} to {ends[1]:+.3f}"
    return Entry(f"{difference:+.3f}", text, shade=colour, hover=hover)
