"""Critical-difference diagrams: strategies ranked over data sets."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sonotune.layout import format_percent
from sonotune.report.palette import style_of
from sonotune.report.shown import Shown
from sonotune.report.style import (
    TWO_COLUMNS,
    footnote,
    footnote_height,
    message_figure,
    text_width,
)
from sonotune.statistics.friedman import Ranking
from sonotune.statistics.tables import rankings, read_runs

LINE = 0.125  # inches, a strategy's name


def draw(cells: str | Path, shown: Shown) -> Figure:
    """Draw a diagram for each fraction (Demsar, JMLR 7, 2006, Fig. 1).

    Parameters
    ----------
    cells
        ``cells.csv`` of a study.
    shown
        Strategies to rank, with their titles, over all data sets; its data sets are not used.
    """
    runs = read_runs(cells, list(shown.strategies), shown.exclude_runs)
    found = [
        (fraction, ranking) for fraction, _, ranking in rankings(runs) if len(ranking.ranks) > 1
    ]
    if not found:
        return message_figure("Ranking takes two strategies that were trained.")
    return draw_ranks(sorted(found, key=lambda one: -one[0]), shown.strategies)


def draw_ranks(found: list[tuple[float, Ranking]], strategies: Mapping[str, str]) -> Figure:
    """A diagram for each fraction, one below the other.

    Parameters
    ----------
    found
        Fraction and ranking of each diagram.
    strategies
        Titles of the strategies, by name.
    """
    notes = [
        "Mean rank over data sets of each strategy's mean Dice, 1 for the best. CD: Nemenyi's "
        "critical difference (level .05); strategies joined by a bar do not differ significantly."
    ]
    notes += list(dict.fromkeys(ranking.says for _, ranking in found))
    most = max(len(ranking.ranks) for _, ranking in found)
    tall = 0.62 + LINE * (-(-most // 2))
    height = tall * len(found) + 0.05 + footnote_height(notes)
    figure = Figure(figsize=(TWO_COLUMNS, height))
    footnote(figure, notes, height)
    for number, (fraction, ranking) in enumerate(found):
        bottom = 1 - (0.03 + tall * (number + 1)) / height
        panel = figure.add_axes((0.02, bottom, 0.96, tall / height))
        _draw_diagram(panel, ranking, strategies, format_percent(fraction), tall)
    return figure


def _draw_diagram(
    panel: Axes, ranking: Ranking, strategies: Mapping[str, str], title: str, tall: float
) -> None:
    number = len(ranking.ranks)
    texts = [f"{strategies.get(str(n), n)}  {rank:.2f}" for n, rank in ranking.ranks.items()]
    room = max(0.22, text_width(texts, 6.5) / (0.96 * TWO_COLUMNS) + 0.03)
    left, right = room, 1 - room  # of the panel: where ranks 1 and `number` are
    panel.set(xlim=(0, 1), ylim=(tall, 0))
    panel.axis("off")

    def at(rank: float) -> float:
        return left + (rank - 1) / max(number - 1, 1) * (right - left)

    axis = 0.36
    panel.text(0, 0.1, title, weight="bold", va="center")
    panel.plot([left, right], [axis, axis], color="black", linewidth=0.8)
    for rank in range(1, number + 1):
        panel.plot([at(rank)] * 2, [axis - 0.03, axis], color="black", linewidth=0.6)
        panel.text(at(rank), axis - 0.045, str(rank), ha="center", va="bottom", fontsize=6)
    critical = ranking.critical_difference
    if not math.isnan(critical):
        reach = min(at(1 + critical), 0.995)
        panel.plot([left, reach], [0.1, 0.1], color="black", linewidth=1.2)
        for end in (left, reach):
            panel.plot([end, end], [0.07, 0.13], color="black", linewidth=0.8)
        panel.text(left - 0.01, 0.1, f"CD = {critical:.2f}", ha="right", va="center", fontsize=6.5)
    bars = _bars(ranking.ranks, critical)
    for place, (first, last) in enumerate(bars):
        y = axis + 0.05 + 0.035 * place
        panel.plot([at(first) - 0.003, at(last) + 0.003], [y, y], color="black", linewidth=2)
    below = axis + 0.09 + 0.035 * len(bars)
    half = -(-number // 2)
    for place, ((name, rank), text) in enumerate(zip(ranking.ranks.items(), texts, strict=True)):
        on_left = place < half
        row = place if on_left else number - 1 - place
        y = below + LINE * row
        colour = style_of(str(name), list(strategies)).colour
        edge = left - 0.02 if on_left else right + 0.02
        panel.plot([at(rank), at(rank), edge], [axis, y, y], color=colour, linewidth=0.8)
        side = "right" if on_left else "left"
        panel.text(
            edge + (-0.005 if on_left else 0.005), y, text, ha=side, va="center", fontsize=6.5
        )


def _bars(ranks: pd.Series, critical: float) -> list[tuple[float, float]]:
    """Ranges of ranks within the critical difference, none inside another."""
    if math.isnan(critical):
        return []
    values = ranks.sort_values().to_numpy()
    bars: list[tuple[float, float]] = []
    for first in values:
        last = max(value for value in values if value - first <= critical)
        if last > first and (not bars or last > bars[-1][1]):
            bars.append((float(first), float(last)))
    return bars
