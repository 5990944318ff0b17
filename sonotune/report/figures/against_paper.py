"""Our Dice beside the paper's, and whether strategies rank alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from sonotune.evaluation.tables import read_table
from sonotune.layout import format_percent
from sonotune.report.display_options import DisplayOptions
from sonotune.report.names import in_words
from sonotune.report.palette import style_of
from sonotune.report.published import published_table
from sonotune.report.style import ONE_COLUMN, TWO_COLUMNS, message_figure, noted_figure, one_legend

PANEL = 1.7  # inches


def draw(against_paper: str | Path, display: DisplayOptions) -> Figure:
    """Draw Dice, a panel for each fraction.

    Data sets that stand in for the paper's are not drawn unless there is no other.

    Parameters
    ----------
    against_paper
        CSV of `sonotune.report.against_paper.table`.
    display
        Strategies and data sets to show, with their titles.
    """
    table = read_table(against_paper)
    dice = table[table["measure"] == "dice"]
    if not len(dice):
        return message_figure("The paper has no Dice of these data sets and strategies.")
    return draw_against_paper(dice, display.strategies, display.datasets)


def draw_against_paper(
    table: pd.DataFrame, strategies: Mapping[str, str], datasets: Mapping[str, str]
) -> Figure:
    """The figure of `compare`'s rows of Dice: a row of panels per data set, a column per fraction.

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
    everything, table = table, table if only_stand_ins else own
    present = [name for name in datasets if name in set(table["dataset"])]
    replaced = set(everything["dataset"]) - set(present)
    left_out = [title for name, title in datasets.items() if name in replaced]
    fractions = sorted(table["fraction"].unique(), reverse=True)
    notes = [
        "Mean Dice of each strategy, ours (with its standard error over folds) against the paper's "
        "(Amiri 2020, Table II). Line: equal. n: strategies. "
        "ρ: Spearman's correlation over strategies."  # noqa: RUF001
    ]
    if only_stand_ins:
        notes.append("None of these data sets is the paper's own; other images replace them.")
    elif left_out:
        notes.append(f"Left out, because other images replace the paper's: {in_words(left_out)}.")
    others = published_table("other_work")
    others = others[others["dataset"].isin(present)]
    if len(others):
        works = "; ".join(
            f"{row.work} {row.dice:.3f} ({row.source})" for row in others.itertuples()
        )
        notes.append(f"Dashed: Dice that the paper compares itself with, by other splits: {works}.")
    columns = len(fractions)
    # No half-empty canvas: one or two panels have a narrower figure.
    width = max(ONE_COLUMN, TWO_COLUMNS * min(columns, 3) / 3)
    named = [strategies[name] for name in strategies if name in set(table["strategy"])]
    figure = noted_figure(notes, len(present) * (PANEL + 0.45) + 0.1, width, named)
    axes = figure.subplots(len(present), columns, squeeze=False)
    for panels, dataset in zip(axes, present, strict=True):
        for panel, fraction in zip(panels, fractions, strict=True):
            part = table[(table["dataset"] == dataset) & (table["fraction"] == fraction)]
            whole = fraction == fractions[0]
            lines = others.loc[others["dataset"] == dataset, "dice"] if whole else ()
            _draw_panel(panel, part, strategies, lines)
            rho = part["rank_correlation"].iloc[0] if len(part) else np.nan
            text = f", ρ = {rho:.2f} (n = {len(part)})" if np.isfinite(rho) else ""  # noqa: RUF001
            panel.set_title(f"{datasets[dataset]}, {format_percent(fraction)}{text}", fontsize=7)
        panels[0].set_ylabel("Dice, ours")
    for panel in axes[-1]:
        panel.set_xlabel("Dice, paper")
    one_legend(figure, axes.flat)
    return figure


def _draw_panel(
    panel: Axes, part: pd.DataFrame, strategies: Mapping[str, str], others: Iterable[float]
) -> None:
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
    least = min((part["ours"] - error).min(), part["paper"].min(), *others)
    most = max((part["ours"] + error).max(), part["paper"].max(), *others)
    for other in others:
        panel.axhline(other, color="#999999", linewidth=0.7, linestyle="--")
    rim = 0.06 * (most - least) + 1e-3
    panel.plot([least - rim, most + rim], [least - rim, most + rim], color="#999999", linewidth=0.7)
    panel.set(xlim=(least - rim, most + rim), ylim=(least - rim, most + rim))
    for axis in (panel.xaxis, panel.yaxis):
        axis.set_major_locator(MaxNLocator(4))
    panel.grid()
