"""The figure of a study's summary: every strategy's Dice with its interval, inside the page."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sonotune.report.advice import Advice
from sonotune.report.names import percent_text
from sonotune.report.palette import style_of
from sonotune.report.style import TWO_COLUMNS, journal_style, room_for_names

ROW = 0.16  # inches a strategy
DOTS_PER_INCH = 180


def picture(advice: Sequence[Advice], strategies: Mapping[str, str], title: str) -> str:
    """The figure of one data set, a panel a percent, as an HTML image that holds its own bytes."""
    with journal_style():
        buffer = io.BytesIO()
        _draw(advice, strategies).savefig(
            buffer, format="png", dpi=DOTS_PER_INCH, metadata={"Software": None}
        )
    data = base64.b64encode(buffer.getvalue()).decode()
    shown = html.escape(f"Dice of every strategy on {title}, with 95% intervals")
    return f'<p><img alt="{shown}" src="data:image/png;base64,{data}"></p>'


def _draw(advice: Sequence[Advice], strategies: Mapping[str, str]) -> Figure:
    present = {option.strategy for one in advice for option in one.options}
    names = [name for name in strategies if name in present]
    height = ROW * len(names) + 0.75
    figure = Figure(figsize=(TWO_COLUMNS, height))
    panels = figure.subplots(1, len(advice), sharex=True, sharey=True, squeeze=False)[0]
    figure.subplots_adjust(
        left=room_for_names((strategies[name] for name in names), 1.07) / TWO_COLUMNS,
        right=0.985,
        bottom=0.45 / height,
        top=1 - 0.25 / height,
        wspace=0.06,
    )
    for panel, one in zip(panels, advice, strict=True):
        _draw_panel(panel, one, names)
    panels[0].set_yticks(range(len(names)), [strategies[name] for name in names])
    panels[0].set_ylim(len(names) - 0.4, -0.6)
    figure.supxlabel(
        "Dice: mean over folds, with its 95% bootstrap interval. Dotted: the recommended strategy.",
        fontsize=7,
        y=0.03 / height,
        va="bottom",
    )
    return figure


def _draw_panel(panel: Axes, one: Advice, names: Sequence[str]) -> None:
    panel.set_title(f"{percent_text(one.percent)} of the images")
    panel.grid(axis="x", color="#dddddd", linewidth=0.5)
    panel.set_axisbelow(True)
    for option in one.options:
        style = style_of(option.strategy, names)
        place = names.index(option.strategy)
        panel.plot([option.lower, option.upper], [place, place], color=style.colour)
        panel.plot(option.dice, place, style.marker, color=style.colour)
    if one.use is not None:
        panel.axvline(one.use.dice, color="#333333", linestyle=":", linewidth=0.8)
