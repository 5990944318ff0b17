"""Our means beside the paper's, entry by entry, and whether strategies rank alike."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from sonotune.layout import format_percent
from sonotune.report.display_options import DisplayOptions, sources_of
from sonotune.report.names import dataset_title, source_notes, stands_in
from sonotune.report.published import published_mean
from sonotune.report.tables import DASH, Entry, Head, HeadRow, Row, Table

PAPER = "amiri2020"
COLUMNS = (
    *("dataset", "source", "stands_in", "fraction", "strategy", "measure", "ours", "paper"),
    *("difference", "standard_error", "rank_correlation", "strategies"),
)
MEASURES = {"dice": "Dice", "time_ratio": "Time, relative to the whole network"}


def table(averages: str | Path, display: DisplayOptions) -> tuple[pd.DataFrame, Table]:
    """Every mean that the paper prints too.

    Data sets that stand in for the paper's are among them, marked.

    Parameters
    ----------
    averages
        ``averages.csv`` of a study.
    display
        Strategies and data sets to show, with their titles.

    Returns
    -------
    DataFrame, Table
        See `compare` for the columns.
    """
    means = display.averages(averages)
    compared = compare(means)
    return compared, _describe(compared, display, sources_of(means))


def compare(averages: pd.DataFrame) -> pd.DataFrame:
    """Every mean that the paper prints too, one a row.

    Parameters
    ----------
    averages
        Rows of ``averages.csv``.

    Returns
    -------
    DataFrame
        `COLUMNS`: ``measure`` is ``dice`` (Table II) or ``time_ratio`` (Table III: time to train
        over that of the whole network); ``standard_error`` is that of our Dice over folds;
        ``rank_correlation`` is Spearman's, of ours and the paper's Dice over the ``strategies`` of
        that data set and fraction.
    """
    trained = averages[averages["fraction"] > 0]
    rows = []
    for mean in trained.itertuples():
        paper = published_mean(PAPER, mean.dataset, mean.strategy, mean.fraction, "dice")
        if paper is not None and np.isfinite(mean.dice_mean):
            error = mean.dice_std / np.sqrt(mean.folds)
            rows.append({**_row(mean, "dice", mean.dice_mean, paper), "standard_error": error})
    rows += _time_ratios(trained)
    table = pd.DataFrame(rows, columns=COLUMNS)
    for _, part in table[table["measure"] == "dice"].groupby(["dataset", "fraction"]):
        enough = len(part) > 2 and part["ours"].nunique() > 1
        rho = spearmanr(part["ours"], part["paper"]).statistic if enough else np.nan
        table.loc[part.index, "rank_correlation"] = rho
        table.loc[part.index, "strategies"] = len(part)
    return table


def _row(mean: object, measure: str, ours: float, paper: float) -> dict[str, object]:
    dataset, source = str(mean.dataset), str(mean.source)  # type: ignore[attr-defined]
    return {
        "dataset": dataset,
        "source": source,
        "stands_in": stands_in(dataset, {dataset: source}),
        "fraction": mean.fraction,  # type: ignore[attr-defined]
        "strategy": mean.strategy,  # type: ignore[attr-defined]
        "measure": measure,
        "ours": ours,
        "paper": paper,
        "difference": ours - paper,
    }


def _time_ratios(averages: pd.DataFrame) -> list[dict[str, object]]:
    """Table III's times as ratios: the paper's minutes are those of another machine."""
    known = averages[averages["n"] > 0]
    seconds = known.set_index(["dataset", "fraction", "strategy"])["seconds_mean"]
    rows = []
    for mean in averages.itertuples():
        key = (mean.dataset, mean.fraction)
        ours, whole = seconds.get((*key, mean.strategy)), seconds.get((*key, "whole"))
        paper = published_mean(PAPER, *_turned(key, mean.strategy), "seconds")
        paper_whole = published_mean(PAPER, *_turned(key, "whole"), "seconds")
        if mean.strategy == "whole" or ours is None or not whole or paper is None:
            continue
        if paper_whole is not None:
            rows.append(_row(mean, "time_ratio", ours / whole, paper / paper_whole))
    return rows


def _turned(key: tuple[str, float], strategy: str) -> tuple[str, str, float]:
    return key[0], strategy, key[1]


def _describe(compared: pd.DataFrame, display: DisplayOptions, sources: dict[str, str]) -> Table:
    body = []
    for row in compared.to_dict("records"):
        title = dataset_title(row["dataset"], display.datasets, sources)
        group = f"{title}, {format_percent(row['fraction'])}: {MEASURES[row['measure']]}"
        values = [row["ours"], row["paper"], row["difference"], row["standard_error"]]
        signs = ("", "", "+", "")
        texts = [
            DASH if np.isnan(value) else f"{value:{sign}.3f}"
            for value, sign in zip(map(float, values), signs, strict=True)
        ]
        body.append(Row((group, display.strategies[row["strategy"]]), tuple(map(Entry, texts))))
    present = [name for name in display.datasets if name in set(compared["dataset"])]
    return Table(
        "against_paper",
        "Means of this study beside those of Amiri 2020.",
        (
            HeadRow(
                ("Images used", "Strategy"),
                tuple(map(Head, ("Ours", "Paper", "Difference", "Standard error"))),
            ),
        ),
        tuple(body),
        (
            "Dice as in the paper's Table II; time to train as in its Table III, relative to "
            "the whole network, because machines differ. Standard error: of our Dice over folds.",
            *source_notes(present, display.datasets, sources),
        ),
    )
