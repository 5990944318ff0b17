"""Dice against the share of the images, and what twice as many would bring."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from sonotune.layout import format_percent
from sonotune.report.display_options import DisplayOptions, sources_of
from sonotune.report.figures.fig5 import choose_strategies
from sonotune.report.learning_table import read_forecasts
from sonotune.report.style import message_figure, one_legend, small_multiples
from sonotune.statistics.decision import read_decisions
from sonotune.statistics.decision_types import Decision
from sonotune.statistics.learning import LEVEL

NOTE = (
    "Filled: mean Dice of the runs. Hollow: what to expect on the same test images with more, with "
    f"its {LEVEL:.0%} interval; none where the fractions or folds are too few."
)


def draw(decisions: str | Path, learning: str | Path, display: DisplayOptions) -> Figure:
    """Draw a panel for each data set: the recommended strategy, the next best, and from scratch.

    Parameters
    ----------
    decisions
        Folder of the study's statistics.
    learning
        ``learning.csv`` of `sonotune.statistics.tables.write_statistics`.
    display
        Titles of the strategies; data sets to show, with their titles.
    """
    forecasts = read_forecasts(learning)
    titles, source_notes = display.name_datasets(sources_of(forecasts))
    if not titles:
        return message_figure("This study has trained nothing, so there is no learning curve.")
    by_fraction = sorted(read_decisions(decisions), key=lambda decision: decision.fraction)
    labels = "Share of the images used", "Dice"
    figure, panels = small_multiples([NOTE, *source_notes], len(titles), (2.1, 0.5), *labels, 2)
    for panel, (name, title) in zip(panels, titles.items(), strict=True):
        of_set = [decision for decision in by_fraction if decision.dataset == name]
        _draw_panel(panel, of_set, forecasts[forecasts["dataset"] == name], display)
        panel.set_title(title)
    one_legend(figure, panels)
    return figure


def _draw_panel(
    panel: Axes, decisions: Sequence[Decision], forecasts: pd.DataFrame, display: DisplayOptions
) -> None:
    """Curves of the strategies that the decision of the largest fraction names first."""
    scratch = [name for name in display.strategies if name == "scratch"]
    ends = [decisions[-1].fraction]
    for name in choose_strategies(decisions[-1:], scratch):
        look = display.look(name)
        means = {
            decision.fraction: strategy.mean
            for decision in decisions
            for strategy in decision.strategies
            if strategy.name == name
        }
        panel.plot(list(means), list(means.values()), label=display.strategies[name], **look)
        mine = forecasts[forecasts["strategy"] == name].dropna(subset="expected")
        for row in mine.itertuples():
            ends.append(row.fraction * row.times)
            line = ([row.fraction, ends[-1]], [row.dice, row.expected])
            panel.plot(*line, color=look["color"], linestyle=":")
            reach = [[row.expected - row.lower], [row.upper - row.expected]]
            hollow: dict[str, Any] = {"markerfacecolor": "white", "elinewidth": 0.8, "capsize": 2}
            panel.errorbar(ends[-1], row.expected, yerr=reach, **look, **hollow)
    ticks = sorted({*(decision.fraction for decision in decisions), *ends})
    panel.set_xscale("log")
    panel.set_xticks(ticks, [format_percent(tick) for tick in ticks])
    panel.xaxis.set_minor_locator(NullLocator())
    panel.grid(axis="y", color="#dddddd")
