"""Tukey's tests of fold means, which Amiri et al. 2020 report (section II-E), as tables.

They are shown because the paper has them. What a study states rests on its decision instead
(docs/decision.md): Tukey's test takes all runs for independent and equally variable.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from sonotune.evaluation.tables import read_table
from sonotune.layout import format_percent
from sonotune.report.display_options import DisplayOptions, either_way, sources_of
from sonotune.report.palette import shade
from sonotune.report.tables import DASH, Entry, Row, Table, head_row

LEVEL = 0.05
UNTESTED = Entry(DASH, hover="not tested")
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
    used = {*rows["first"], *rows["second"]}
    names = [name for name in display.strategies if name in used]
    body = []
    for dataset, title in titles.items():
        mine = rows[rows["dataset"] == dataset]
        for fraction in sorted(mine["fraction"].unique(), reverse=True):
            entries = _entries(mine[mine["fraction"] == fraction])
            group = f"{title}, {format_percent(fraction)}"
            for number, first in enumerate(names[:-1]):
                tests = [entries.get((first, second), UNTESTED) for second in names[number + 1 :]]
                body.append(Row((group, display.label(first)), [Entry("")] * number + tests))
    head = head_row(("Data set, images", "Strategy"), map(display.label, names[1:]))
    caption = "Tukey's tests of all pairs of strategies."
    return rows, Table(caption, [head], body, notes, digits=None, is_long=True)


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
    pairs = list(dict.fromkeys(zip(rows["first"], rows["second"], strict=True)))
    body = []
    for dataset, title in titles.items():
        mine = rows[rows["dataset"] == dataset]
        for strategy, label in display.strategies_of(mine).items():
            entries = _entries(mine[mine["strategy"] == strategy])
            body.append(Row((title, label), [entries.get(pair, UNTESTED) for pair in pairs]))
    heads = [" against ".join(format_percent(float(share)) for share in pair) for pair in pairs]
    note = notes[0].replace("row minus column", "the first fraction minus the second")
    note = note.replace("the row is", "the first is").replace("the column is", "the second is")
    head = head_row(("Data set", "Strategy"), heads)
    caption = "Tukey's tests of the shares of the images."
    return rows, Table(caption, [head], body, [note, *notes[1:]], digits=None, is_long=True)


def _read(
    tukey: str | Path, family: str, display: DisplayOptions
) -> tuple[pd.DataFrame, dict[str, str], list[str]]:
    """Rows of one kind of pairs, titles of data sets, and notes."""
    table = read_table(tukey)
    table = table[table["dataset"].isin(list(display.datasets))]
    titles, source_notes = display.name_datasets(sources_of(table))
    return table.loc[table["family"] == family, list(COLUMNS)], titles, [*NOTES, *source_notes]


def _entries(tests: pd.DataFrame) -> dict[tuple[str, str], Entry]:
    """Entries of a group's pairs, either way round."""
    known = either_way(tests.dropna(subset="difference")).to_dict("records")
    return {(row["first"], row["second"]): _entry(row) for row in known}


def _entry(test: Mapping[str, Any]) -> Entry:
    difference, p = test["difference"], test["p"]
    if pd.isna(p):
        return Entry(f"{difference:+.3f}", hover="too few runs for a test")
    colour = shade(float(difference > 0)) if p < LEVEL else ""
    text = "<0.001" if p < 0.0005 else f"{p:.3f}"
    hover = f"95% interval of all pairs: {test['lower']:+.3f} to {test['upper']:+.3f}"
    return Entry(f"{difference:+.3f}", text, shade=colour, hover=hover)
