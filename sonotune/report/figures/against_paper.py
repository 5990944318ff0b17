"""Our Dice beside the paper's, cell by cell, and whether strategies rank alike."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from scipy.stats import spearmanr

from sonotune.evaluation.averages import ExcludeRuns, average_over_runs, is_left_out, read_cells
from sonotune.layout import format_percent
from sonotune.report.names import in_words, stands_in
from sonotune.report.palette import style_of
from sonotune.report.published import published_mean
from sonotune.report.shown import Shown
from sonotune.report.style import (
    ONE_COLUMN,
    TWO_COLUMNS,
    footnote,
    footnote_height,
    journal_style,
    legend_height,
    message_figure,
    one_legend,
    save_figure,
)
from sonotune.runtime.files import atomic

PAPER = "amiri2020"
COLUMNS = (
    "dataset",
    "source",
    "stands_in",
    "fraction",
    "strategy",
    "measure",
    "ours",
    "paper",
    "difference",
    "standard_error",
    "rank_correlation",
    "strategies",
)
PANEL = 1.7  # inches


def compare(cells: pd.DataFrame, exclude_runs: ExcludeRuns, ddof: int) -> pd.DataFrame:
    """Every mean that the paper prints too, one a row.

    Parameters
    ----------
    cells
        Rows of ``cells.csv``.
    exclude_runs
        Which runs an average leaves out: ``failed``, ``failed+collapsed`` or ``none``.
    ddof
        Subtracted from the number of runs in standard deviations: 0 or 1.

    Returns
    -------
    DataFrame
        `COLUMNS`: ``measure`` is ``dice`` (Table II) or ``time_ratio`` (Table III: time to train
        over that of the whole network); ``standard_error`` is that of our Dice over folds;
        ``rank_correlation`` is Spearman's, of ours and the paper's Dice over the ``strategies`` of
        that data set and fraction.
    """
    averages = average_over_runs(cells[cells["fraction"] > 0], exclude_runs, ddof)
    rows = []
    for mean in averages.itertuples():
        paper = published_mean(PAPER, mean.dataset, mean.strategy, mean.fraction, "dice")
        if paper is not None and np.isfinite(mean.dice_mean):
            error = mean.dice_std / np.sqrt(mean.folds)
            rows.append({**_row(mean, "dice", mean.dice_mean, paper), "standard_error": error})
    rows += _time_ratios(cells, averages, exclude_runs)
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


def _time_ratios(
    cells: pd.DataFrame, averages: pd.DataFrame, exclude_runs: ExcludeRuns
) -> list[dict[str, object]]:
    """Table III's times as ratios: the paper's minutes are those of another machine."""
    kept = cells[~is_left_out(cells, exclude_runs)]
    seconds = kept.groupby(["dataset", "fraction", "strategy"])["seconds"].mean()
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


def write_against_paper(
    cells: str | Path,
    csv: str | Path,
    pdf: str | Path,
    png: str | Path,
    *,
    shown: Shown,
) -> None:
    """Write the comparison as a table and draw it, a panel for each fraction.

    Data sets that stand in for the paper's are in the table, marked, but not in the figure unless
    there is no other.

    Parameters
    ----------
    cells
        ``cells.csv`` of a study.
    csv, pdf, png
        Files to write.
    shown
        Strategies and data sets to show, with their titles.
    """
    runs = shown.select(read_cells(cells))
    table = compare(runs, shown.exclude_runs, shown.ddof)
    with atomic(csv) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n", float_format="%.6g")
    dice = table[table["measure"] == "dice"]
    with journal_style():
        if len(dice):
            figure = draw_against_paper(dice, shown.strategies, shown.datasets)
        else:
            figure = message_figure("The paper has no Dice of these data sets and strategies.")
        save_figure(figure, pdf, png)


def draw_against_paper(
    table: pd.DataFrame, strategies: Mapping[str, str], datasets: Mapping[str, str]
) -> Figure:
    """The figure of `compare`'s rows of Dice: a row of panels a data set, a column a fraction.

    Parameters
    ----------
    table
        Rows of `compare`.
    strategies
        Titles of the strategies, by name.
    datasets
        Titles of the data sets, by name.
    """
    own = table[~table["stands_in"].astype(bool)]
    only_stand_ins = not len(own)
    left_out = [datasets[name] for name in datasets if name in set(table["dataset"])]
    if not only_stand_ins:
        left_out = [t for t in left_out if t not in {datasets[n] for n in set(own["dataset"])}]
        table = own
    present = [name for name in datasets if name in set(table["dataset"])]
    fractions = sorted(table["fraction"].unique(), reverse=True)
    notes = [
        "Mean Dice of each strategy, ours (with its standard error over folds) against the paper's "
        "(Amiri 2020, Table II). Line: equal. n: strategies. "
        "ρ: Spearman's correlation over strategies."  # noqa: RUF001
    ]
    if only_stand_ins:
        notes.append("None of these data sets is the paper's own: other images stand in for them.")
    elif left_out:
        notes.append(
            f"Left out, since other images stand in for the paper's: {in_words(left_out)}."
        )
    columns = len(fractions)
    # No half-empty canvas: one or two panels have a narrower figure.
    width = max(ONE_COLUMN, TWO_COLUMNS * min(columns, 3) / 3)
    named = [strategies[name] for name in strategies if name in set(table["strategy"])]
    foot, legend = footnote_height(notes, width), legend_height(named, width)
    height = len(present) * (PANEL + 0.45) + foot + legend + 0.1
    figure = Figure(figsize=(width, height))
    footnote(figure, notes, height, width)
    axes = figure.subplots(len(present), columns, squeeze=False)
    figure.subplots_adjust(
        left=0.54 / width,
        right=1 - 0.12 / width,
        bottom=(foot + legend + 0.33) / height,
        top=1 - 0.22 / height,
        hspace=0.45 / PANEL,
        wspace=0.3,
    )
    for panels, dataset in zip(axes, present, strict=True):
        for panel, fraction in zip(panels, fractions, strict=True):
            part = table[(table["dataset"] == dataset) & (table["fraction"] == fraction)]
            _draw_panel(panel, part, strategies)
            rho = part["rank_correlation"].iloc[0] if len(part) else np.nan
            text = f", ρ = {rho:.2f} (n = {len(part)})" if np.isfinite(rho) else ""  # noqa: RUF001
            panel.set_title(f"{datasets[dataset]}, {format_percent(fraction)}{text}", fontsize=7)
        panels[0].set_ylabel("Dice, ours")
    for panel in axes[-1]:
        panel.set_xlabel("Dice, paper")
    one_legend(figure, axes.flat, "lower center", (0.5, foot / height))
    return figure


def _draw_panel(panel: Axes, part: pd.DataFrame, strategies: Mapping[str, str]) -> None:
    if not len(part):
        panel.axis("off")
        return
    for point in part.itertuples():
        style = style_of(str(point.strategy), list(strategies))
        panel.errorbar(
            point.paper,
            point.ours,
            yerr=point.standard_error if np.isfinite(point.standard_error) else None,
            elinewidth=0.8,
            marker=style.marker,
            color=style.colour,
            linestyle="none",
            label=strategies[str(point.strategy)],
        )
    error = part["standard_error"].fillna(0)
    least = min((part["ours"] - error).min(), part["paper"].min())
    most = max((part["ours"] + error).max(), part["paper"].max())
    rim = 0.06 * (most - least) + 1e-3
    panel.plot([least - rim, most + rim], [least - rim, most + rim], color="#999999", linewidth=0.7)
    panel.set(xlim=(least - rim, most + rim), ylim=(least - rim, most + rim))
    for axis in (panel.xaxis, panel.yaxis):
        axis.set_major_locator(MaxNLocator(4))
    panel.grid(color="#eeeeee", linewidth=0.5)
    panel.set_axisbelow(True)
