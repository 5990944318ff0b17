"""How far each strategy is behind the best, with simultaneous intervals."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from sonotune.layout import format_percent
from sonotune.report.display_options import DisplayOptions
from sonotune.report.style import message_figure, rows_of_strategies
from sonotune.statistics.decision import read_decisions
from sonotune.statistics.decision_types import Decision

NOTE = (
    "Dice behind the best strategy that may be recommended: differences of adjusted means, with "
    "simultaneous 95% intervals (none with fewer than three folds). Shaded: the margin within "
    "which a difference does not matter. Filled: recommended. Arrow: no upper end."
)


def draw(decisions: str | Path, display: DisplayOptions) -> Figure:
    """Draw a panel for each data set (rows) and fraction (columns).

    Parameters
    ----------
    decisions
        Folder of the study's statistics.
    display
        Strategies and data sets to show, with their titles, in the order of the tables.
    """
    displayed = [
        decision for decision in read_decisions(decisions) if decision.dataset in display.datasets
    ]
    if not displayed:
        return message_figure("This study has trained nothing, so nothing can be compared.")
    present = list(dict.fromkeys(decision.dataset for decision in displayed))
    fractions = sorted({decision.fraction for decision in displayed}, reverse=True)
    compared = {strategy.name for decision in displayed for strategy in decision.strategies}
    names = [name for name in display.strategies if name in compared]
    titles = [display.strategies[name] for name in names]
    figure, panels = rows_of_strategies([NOTE], (present, fractions), titles, (0.15, 0.35))
    known = {(decision.dataset, decision.fraction): decision for decision in displayed}
    for place, panel in panels.items():
        panel.set_visible(place in known)
        if decision := known.get(place):
            title = display.datasets[decision.dataset]
            folds = "one fold" if decision.folds == 1 else f"{decision.folds} folds"
            panel.set_title(f"{title}, {format_percent(decision.fraction)}, {folds}")
            _draw_panel(panel, decision, names, display)
    return figure


def _draw_panel(
    panel: Axes, decision: Decision, names: Sequence[str], display: DisplayOptions
) -> None:
    panel.axvspan(0, decision.margin, color="#e8f0e8", linewidth=0)
    for strategy in decision.strategies:
        if not np.isfinite(strategy.gap):
            continue
        position, look = names.index(strategy.name), display.look(strategy.name)
        upper = min(strategy.gap_upper, 1.05 * decision.furthest)
        if np.isfinite(strategy.gap_lower):
            panel.plot([strategy.gap_lower, upper], [position] * 2, color=look["color"])
            if np.isinf(strategy.gap_upper):
                panel.plot(upper, position, ">", color=look["color"])
        if strategy.name != decision.recommended:
            look["markerfacecolor"] = "white"
        panel.plot(strategy.gap, position, linestyle="none", **look)
    panel.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    panel.grid(axis="y")
