"""Fig. 1: the network, and which of its stages each strategy tunes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from sonotune.analysis.figure import (
    TWO_COLUMNS,
    footnote,
    footnote_height,
    journal_style,
    save_figure,
)
from sonotune.analysis.layout import short_count
from sonotune.analysis.palette import style_of
from sonotune.models.stages import build_network, count, stage_parameters

FROZEN, LINE = "#ffffff", "#555555"
ROW, HEAD, LEFT, RIGHT = 0.17, 0.62, 1.35, 0.95  # inches


def write_fig1(
    network: Mapping[str, Any],
    pdf: str | Path,
    png: str | Path,
    *,
    strategies: Mapping[str, tuple[str, str, Sequence[str]]],
) -> None:
    """Draw the stages as columns, as wide as they are deep in channels, a row for each strategy.

    Parameters
    ----------
    network
        A study's ``network`` key: stages and numbers of parameters come from the network itself.
    strategies
        Title, start (``pretrained`` or ``random``) and tuned stages of each, in the tables' order.
    """
    stages = {
        stage: count(parameters.values())
        for stage, parameters in stage_parameters(build_network(dict(network))).items()
    }
    with journal_style():
        save_figure(draw_fig1(stages, strategies), pdf, png)


def draw_fig1(
    stages: Mapping[str, int], strategies: Mapping[str, tuple[str, str, Sequence[str]]]
) -> Figure:
    """The figure, from each stage's number of parameters."""
    total = sum(stages.values())
    notes = [
        f"The network's stages from input to output with their numbers of parameters ({total:,} "
        "in all). Coloured: tuned; white: frozen; hatched: tuned from random weights. Right: "
        "tuned parameters and their share of all. Colours are those of all figures.",
    ]
    height = HEAD + ROW * len(strategies) + 0.1 + footnote_height(notes)
    figure = Figure(figsize=(TWO_COLUMNS, height))
    footnote(figure, notes, height)
    foot = footnote_height(notes)
    panel = figure.add_axes((0, foot / height, 1, 1 - foot / height))
    panel.set(xlim=(0, TWO_COLUMNS), ylim=(height - foot, 0))
    panel.axis("off")
    wide = (TWO_COLUMNS - LEFT - RIGHT) / len(stages)
    for number, (stage, parameters) in enumerate(stages.items()):
        x = LEFT + (number + 0.5) * wide
        panel.text(x, HEAD - 0.28, _title(stage), ha="center", va="bottom", fontsize=6.5)
        panel.text(x, HEAD - 0.08, short_count(parameters), ha="center", va="bottom", fontsize=6)
    for row, (name, (title, start, tuned)) in enumerate(strategies.items()):
        y = HEAD + ROW * row
        panel.text(LEFT - 0.08, y + ROW / 2, title, ha="right", va="center")
        colour = style_of(name, list(strategies)).colour
        _draw_row(panel, list(stages), tuned, start, colour, y, wide)
        number_tuned = sum(stages[stage] for stage in tuned)
        share = f"{number_tuned / total:.1%}" if number_tuned else "none"
        text = f"{short_count(number_tuned)}  {share}" if number_tuned else "none"
        panel.text(TWO_COLUMNS - RIGHT + 0.08, y + ROW / 2, text, ha="left", va="center")
    return figure


def _draw_row(
    panel: Axes,
    stages: Sequence[str],
    tuned: Sequence[str],
    start: str,
    colour: str,
    y: float,
    wide: float,
) -> None:
    for number, stage in enumerate(stages):
        on = stage in tuned
        panel.add_patch(
            Rectangle(
                (LEFT + number * wide + 0.015, y + 0.02),
                wide - 0.03,
                ROW - 0.04,
                facecolor=colour if on and start == "pretrained" else FROZEN,
                edgecolor=colour if on else LINE,
                linewidth=0.6,
                hatch="////" if start == "random" and on else None,
            )
        )


def _title(stage: str) -> str:
    """block5a as 5a below Block, on two lines where that is narrower."""
    name = stage.rstrip("0123456789ab") if stage.startswith("block") else stage
    return f"{name}\n{stage[len(name) :]}" if len(name) < len(stage) else stage
