"""Figs. 3, 6, 7 and S1: a few strategies, and their differences on the same folds."""

from itertools import product
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from sonotune.evaluation.averages import is_excluded, read_cells
from sonotune.layout import format_percent
from sonotune.report.display_options import DisplayOptions, sources_of
from sonotune.report.style import message_figure, noted_figure, one_legend
from sonotune.statistics.choice import VERDICT_FOLDS
from sonotune.statistics.pairs import compare

STEP = 0.13  # inches between the strategies of a row
SPAN = 0.02  # of Dice, that the axis of differences shows to either side at least


def draw(cells: str | Path, display: DisplayOptions) -> Figure:
    """Draw Dice, and the difference from the first strategy, in a row for each set and fraction.

    Parameters
    ----------
    cells
        ``cells.csv`` of a study.
    display
        Its strategies are drawn; the others are compared with the first.
    """
    runs = display.select(read_cells(cells))
    out = is_excluded(runs, display.exclude_runs)
    table, left_out = runs[~out], int(out.sum())
    if not (table["fraction"] > 0).any():
        return message_figure("Every run of these strategies failed: nothing to compare.")
    names, titles = list(display.strategies), list(display.strategies.values())
    datasets, source_notes = display.name_datasets(sources_of(table))
    fractions = sorted({float(p) for p in table["fraction"] if p > 0}, reverse=True)
    notes = [
        "Left: mean Dice; small dots: the folds. Right: difference of means, paired by fold, with "
        "its 95% interval (not adjusted for several comparisons; none with fewer than "
        f"{VERDICT_FOLDS} folds). n: folds that both have.",
        *([f"Failed runs, left out: {left_out}."] if left_out else []),
        *source_notes,
    ]
    rows = list(product(datasets, fractions))
    height = len(rows) * (STEP * len(names) + 0.16) + 0.65
    figure = noted_figure(notes, height, names=titles)
    left, right = figure.subplots(1, 2, sharey=True)
    for row, (dataset, fraction) in enumerate(rows):
        here = table[(table["dataset"] == dataset) & table["fraction"].isin([fraction, 0])]
        scores = here.pivot_table(index="fold", columns="strategy", values="dice")
        _draw_row(left, right, row, scores.reindex(columns=names).to_numpy(float), display)
    left.set_yticks(range(len(rows)), [f"{datasets[d]}, {format_percent(p)}" for d, p in rows])
    left.set_ylim(len(rows) - 0.5, -0.5)
    left.set_xlabel("Dice")
    # A difference that does not matter should not fill the panel.
    least, most = right.get_xlim()
    right.set_xlim(min(least, -SPAN), max(most, SPAN))
    right.axvline(0, color="#888888", linewidth=0.8, zorder=0)
    right.set_xlabel(f"Difference in Dice from \u201c{titles[0]}\u201d")
    right.annotate("n", (1.02, 1.0), xycoords="axes fraction", va="bottom", style="italic")
    for panel in (left, right):
        panel.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
        panel.grid(axis="x")
        panel.tick_params(axis="y", length=0)
        for edge in range(1, len(rows)):
            panel.axhline(edge - 0.5, color="#cccccc", linewidth=0.5)
    one_legend(figure, [left])
    return figure


def _draw_row(
    left: Axes, right: Axes, row: int, scores: np.ndarray, display: DisplayOptions
) -> None:
    """One data set and fraction; ``scores`` is float64 [folds, strategies]."""
    pairs = compare(scores[None])
    lower, upper = (ends[0, :, 0] for ends in pairs.single_bounds())
    strategies = len(display.strategies)
    shares = (np.arange(strategies) - (strategies - 1) / 2) * STEP / (STEP * strategies + 0.16)
    for number, (name, title) in enumerate(display.strategies.items()):
        position, known = row + shares[number], scores[np.isfinite(scores[:, number]), number]
        look = display.look(name) | {"linestyle": "none"}
        dots = look | {"marker": ".", "markersize": 2.5}
        left.plot(known, np.full(len(known), position), **dots)
        left.plot(known.mean() if len(known) else np.nan, position, label=title, **look)
        folds = int(pairs.folds[0, number, 0])
        if number == 0 or not folds:
            continue
        right.plot(pairs.difference[0, number, 0], position, **look)
        if folds >= VERDICT_FOLDS:
            right.plot([lower[number], upper[number]], [position] * 2, color=look["color"])
        where = ("axes fraction", "data")
        right.annotate(str(folds), (1.02, position), xycoords=where, va="center", fontsize=6)
