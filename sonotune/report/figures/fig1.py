"""Fig. 1: the network, and which of its stages each strategy tunes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from sonotune.networks.stages import build_network, count, stage_parameters
from sonotune.report.layout import short_count
from sonotune.report.palette import style_of
from sonotune.report.style import (
    TWO_COLUMNS,
    footnote,
    footnote_height,
    journal_style,
    room_for_names,
    save_figure,
)

FROZEN, LINE = "#ffffff", "#555555"
ROW, HEAD, LEFT, RIGHT = 0.17, 0.62, 1.5, 0.95  # inches


Strategy = tuple[str, str, str, Sequence[str]]  # name, title, start, tuned stages
# Name, title, stages that start at random, tuned stages.
Row = tuple[str, str, Collection[str], Sequence[str]]


def write_fig1(
    networks: Sequence[tuple[Mapping[str, Any], Sequence[Strategy]]],
    pdf: str | Path,
    png: str | Path,
    *,
    order: Sequence[str],
) -> None:
    """Draw the stages of each network as columns, and a row for each of its strategies.

    Parameters
    ----------
    networks
        ``network`` keys of a study, from which stages and numbers of parameters come, each with
        the name, title, start and tuned stages of its strategies. The start is ``pretrained``,
        ``random``, or ``encoder`` where only an encoder's published weights are had.
    order
        Names of all the study's strategies, as in its tables, on which their colours depend.
    """
    with journal_style():
        save_figure(draw_fig1([count_stages(*one) for one in networks], order), pdf, png)


def count_stages(
    network: Mapping[str, Any], strategies: Sequence[Strategy]
) -> tuple[dict[str, int], list[Row]]:
    """Number of parameters of each stage, and which of them start at random in each strategy."""
    built = build_network(network)
    # Own stages may be declared in any order; the network's own is from input to output.
    place = {name: number for number, (name, _) in enumerate(built.named_parameters())}
    parameters = dict(
        sorted(stage_parameters(built).items(), key=lambda one: min(place[name] for name in one[1]))
    )
    published = getattr(built, "pretrained_part", "")
    random = {
        "pretrained": [],
        "random": list(parameters),
        "encoder": [
            stage
            for stage, own in parameters.items()
            if not any(name.startswith(published) for name in own)
        ],
    }
    stages = {stage: count(own.values()) for stage, own in parameters.items()}
    return stages, [(name, title, random[start], tuned) for name, title, start, tuned in strategies]


def draw_fig1(
    networks: Sequence[tuple[Mapping[str, int], Sequence[Row]]], order: Sequence[str]
) -> Figure:
    """The figure, from the number of parameters of each network's stages."""
    totals = " and ".join(f"{sum(stages.values()):,}" for stages, _ in networks)
    notes = [
        f"The network's stages from input to output with their numbers of parameters ({totals} "
        "in all). Coloured: tuned; white: frozen; hatched: random at the start. Right: tuned "
        "parameters and their share of all. Colours are those of all figures.",
    ]
    rows = sum(len(strategies) for _, strategies in networks)
    foot = footnote_height(notes)
    height = HEAD * len(networks) + ROW * rows + 0.1 + foot
    figure = Figure(figsize=(TWO_COLUMNS, height))
    footnote(figure, notes, height)
    panel = figure.add_axes((0, foot / height, 1, 1 - foot / height))
    panel.set(xlim=(0, TWO_COLUMNS), ylim=(height - foot, 0))
    panel.axis("off")
    top = HEAD
    left = room_for_names((row[1] for _, strategies in networks for row in strategies), LEFT)
    for stages, strategies in networks:
        _draw_network(panel, stages, strategies, order, left, top)
        top += ROW * len(strategies) + HEAD
    return figure


def _draw_network(
    panel: Axes,
    stages: Mapping[str, int],
    strategies: Sequence[Row],
    order: Sequence[str],
    left: float,
    top: float,
) -> None:
    total = sum(stages.values())
    wide = (TWO_COLUMNS - left - RIGHT) / len(stages)
    for number, (stage, parameters) in enumerate(stages.items()):
        x = left + (number + 0.5) * wide
        panel.text(x, top - 0.28, _title(stage), ha="center", va="bottom", fontsize=6.5)
        panel.text(x, top - 0.08, short_count(parameters), ha="center", va="bottom", fontsize=6)
    for row, (name, title, random, tuned) in enumerate(strategies):
        y = top + ROW * row
        panel.text(left - 0.08, y + ROW / 2, title, ha="right", va="center")
        colour = style_of(name, order).colour
        _draw_row(panel, list(stages), tuned, random, colour, (left, y), wide)
        number_tuned = sum(stages[stage] for stage in tuned)
        share = f"{number_tuned / total:.1%}" if number_tuned else "none"
        text = f"{short_count(number_tuned)}  {share}" if number_tuned else "none"
        panel.text(TWO_COLUMNS - RIGHT + 0.08, y + ROW / 2, text, ha="left", va="center")


def _draw_row(
    panel: Axes,
    stages: Sequence[str],
    tuned: Sequence[str],
    random: Collection[str],
    colour: str,
    corner: tuple[float, float],
    wide: float,
) -> None:
    left, y = corner
    for number, stage in enumerate(stages):
        on = stage in tuned
        panel.add_patch(
            Rectangle(
                (left + number * wide + 0.015, y + 0.02),
                wide - 0.03,
                ROW - 0.04,
                facecolor=colour if on and stage not in random else FROZEN,
                edgecolor=colour if on else LINE,
                linewidth=0.6,
                hatch="////" if stage in random else None,
            )
        )


def _title(stage: str) -> str:
    """block5a as 5a below block, on two lines, which is narrower."""
    name = stage.rstrip("0123456789ab") if stage.startswith("block") else stage.rstrip("0123456789")
    return f"{name}\n{stage[len(name) :]}" if len(name) < len(stage) else stage
