"""Our means beside the paper's, entry by entry, and whether strategies rank alike."""

from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from sonotune.layout import format_percent
from sonotune.report.display_options import DisplayOptions, sources_of
from sonotune.report.names import stands_in
from sonotune.report.published import published_mean
from sonotune.report.tables import Table, head_row, number_text, text_row

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
    compared = compare(display.averages(averages))
    titles, source_notes = display.name_datasets(sources_of(compared))
    body = []
    forms = {"ours": ".3f", "paper": ".3f", "difference": "+.3f", "standard_error": ".3f"}
    for row in compared.to_dict("records"):
        where = f"{titles[row['dataset']]}, {format_percent(row['fraction'])}"
        names = f"{where}: {MEASURES[row['measure']]}", display.strategies[row["strategy"]]
        body.append(text_row(names, [number_text(row[name], f) for name, f in forms.items()]))
    columns = ("Ours", "Paper", "Difference", "Standard error")
    return compared, Table(
        "Means of this study beside those of Amiri 2020.",
        [head_row(("Images used", "Strategy"), columns)],
        body,
        (
            "Dice as in the paper's Table II; time to train as in its Table III, relative to "
            "the whole network, because machines differ. Standard error: of our Dice over folds.",
            *source_notes,
        ),
    )


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
    dice = trained.assign(
        measure="dice",
        ours=trained["dice_mean"],
        paper=_printed(trained, "dice"),
        standard_error=trained["dice_std"] / np.sqrt(trained["folds"]),
    )
    whole = trained[trained["strategy"] == "whole"].set_index(["dataset", "fraction"])
    times = trained[trained["strategy"] != "whole"].join(
        whole["seconds_mean"].rename("whole"), on=["dataset", "fraction"]
    )
    # The paper's minutes are those of another machine.
    times = times.assign(
        measure="time_ratio",
        ours=times["seconds_mean"] / times["whole"],
        paper=_printed(times, "seconds") / _printed(times.assign(strategy="whole"), "seconds"),
    )
    table = pd.concat([dice, times], ignore_index=True)
    table = table[np.isfinite(table["ours"]) & table["paper"].notna()]
    named = zip(table["dataset"], table["source"], strict=True)
    table = table.assign(
        stands_in=[stands_in(name, {name: source}) for name, source in named],
        difference=table["ours"] - table["paper"],
    ).reindex(columns=COLUMNS)
    for _, part in table[table["measure"] == "dice"].groupby(["dataset", "fraction"]):
        enough = len(part) > 2 and part["ours"].nunique() > 1
        rho = spearmanr(part["ours"], part["paper"]).statistic if enough else np.nan
        table.loc[part.index, "rank_correlation"] = rho
        table.loc[part.index, "strategies"] = len(part)
    return table


def _printed(means: pd.DataFrame, metric: str) -> np.ndarray:
    """The paper's numbers of these conditions; NaN where it has none."""
    rows = means[["dataset", "strategy", "fraction"]].itertuples(index=False)
    return np.array([published_mean(PAPER, *row, metric) for row in rows])
