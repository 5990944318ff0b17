"""Our Dice beside the paper's, and whether strategies rank alike."""

from collections.abc import Iterable
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
from sonotune.report.published import published_table
from sonotune.report.style import (
    ONE_COLUMN,
    TWO_COLUMNS,
    message_figure,
    noted_figure,
    one_legend,
    panels_of_conditions,
    plot_error,
)

PANEL = 1.7  # inches


def draw(against_paper: str | Path, display: DisplayOptions) -> Figure:
    """Draw Dice: a row of panels per data set, a column per fraction.

    Data sets that stand in for the paper's are not drawn unless there is no other.

    Parameters
    ----------
    against_paper
        CSV of `sonotune.report.against_paper.table`.
    display
        Strategies and data sets to show, with their titles.
    """
    everything = read_table(against_paper).query("measure == 'dice'")
    if not len(everything):
        return message_figure("The paper has no Dice of these data sets and strategies.")
    own = everything[~everything["stands_in"].astype(bool)]
    table = own if len(own) else everything
    titles = display.datasets_of(table)
    fractions = sorted(table["fraction"].unique(), reverse=True)
    notes = [
        "Mean Dice of each strategy, ours (with its standard error over folds) against the paper's "
        "(Amiri 2020, Table II). Line: equal. n: strategies. "
        "ρ: Spearman's correlation over strategies."  # noqa: RUF001
    ]
    left_out = [t for name, t in display.datasets_of(everything).items() if name not in titles]
    if not len(own):
        notes.append("None of these data sets is the paper's own; other images replace them.")
    elif left_out:
        notes.append(f"Left out, because other images replace the paper's: {in_words(left_out)}.")
    others = published_table("other_work")
    others = others[others["dataset"].isin(list(titles))]
    if len(others):
        works = "; ".join(
            f"{row.work} {row.dice:.3f} ({row.source})" for row in others.itertuples()
        )
        notes.append(f"Dashed: Dice that the paper compares itself with, by other splits: {works}.")
    # No half-empty canvas: one or two panels have a narrower figure.
    width = max(ONE_COLUMN, TWO_COLUMNS * min(len(fractions), 3) / 3)
    named = list(display.strategies_of(table).values())
    figure = noted_figure(notes, len(titles) * (PANEL + 0.45) + 0.1, width, named)
    panels = panels_of_conditions(figure, titles, fractions, "Dice, paper", "Dice, ours")
    for (dataset, fraction), panel in panels.items():
        part = table[(table["dataset"] == dataset) & (table["fraction"] == fraction)]
        lines = others.loc[others["dataset"] == dataset, "dice"]
        _draw_panel(panel, part, display, lines if fraction == fractions[0] else ())
        rho = part["rank_correlation"].iloc[0] if len(part) else np.nan
        text = f", ρ = {rho:.2f} (n = {len(part)})" if np.isfinite(rho) else ""  # noqa: RUF001
        panel.set_title(f"{titles[dataset]}, {format_percent(fraction)}{text}", fontsize=7)
    one_legend(figure, panels.values())
    return figure


def _draw_panel(
    panel: Axes, part: pd.DataFrame, display: DisplayOptions, others: Iterable[float]
) -> None:
    if not len(part):
        panel.axis("off")
        return
    for point in part.itertuples():
        look = display.look(point.strategy) | {"label": display.strategies[point.strategy]}
        plot_error(panel, point.paper, point.ours, point.standard_error, **look)
    error = part["standard_error"].fillna(0)
    least = min((part["ours"] - error).min(), part["paper"].min(), *others)
    most = max((part["ours"] + error).max(), part["paper"].max(), *others)
    for other in others:
        panel.axhline(other, color="#999999", linewidth=0.7, linestyle="--")
    rim = 0.06 * (most - least) + 1e-3
    ends = least - rim, most + rim
    panel.plot(ends, ends, color="#999999", linewidth=0.7)
    panel.set(xlim=ends, ylim=ends)
    for axis in (panel.xaxis, panel.yaxis):
        axis.set_major_locator(MaxNLocator(4))
    panel.grid()
