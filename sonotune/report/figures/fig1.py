"""Fig. 1: the network as a U, and which of its stages each strategy tunes."""

import textwrap
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Polygon

from sonotune.networks.stages import build_network, count, stage_parameters
from sonotune.report.display_options import DisplayOptions
from sonotune.report.names import stage_title
from sonotune.report.style import TWO_COLUMNS, noted_figure
from sonotune.report.tables import short_count
from sonotune.report.u_shape import StageBox, u_shape

FROZEN, LINE = "#ffffff", "#555555"
# Inches: heights of a small U and of the one with names, a line of text above a small one.
SMALL, KEY, LINE_OF_TEXT = 0.65, 1.3, 0.12
IN_A_ROW, CHARACTERS = 4, 30  # small Us beside each other, letters in a line of their titles
# Share of a level's height that its boxes take, first and last level; more where maps are larger.
HEIGHTS, KEY_HEIGHTS = (0.95, 0.59), (0.9, 0.9)


Strategy = tuple[str, str, str, Sequence[str]]  # name, title, start, tuned stages
# Name, title, stages that start at random, tuned stages.
Row = tuple[str, str, Collection[str], Sequence[str]]


def draw(
    networks: Sequence[tuple[Mapping[str, Any], Sequence[Strategy]]], display: DisplayOptions
) -> Figure:
    """Draw each network as a U with names, and a smaller one for each of its strategies.

    Parameters
    ----------
    networks
        ``network`` keys of a study, from which stages and numbers of parameters come, each with
        the name, title, start and tuned stages of its strategies. The start is ``pretrained``,
        ``random``, or ``encoder`` where only an encoder's published weights are had.
    display
        All the study's strategies, as in its tables, on which their colours depend.
    """
    counted = [_count_stages(*network) for network in networks]
    totals = " and ".join(f"{sum(stages.values()):,}" for stages, _ in counted)
    notes = [
        f"The network's stages from input to output with their numbers of parameters ({totals} "
        "in all). Coloured: tuned; white: frozen; hatched: random at the start. With each "
        "strategy: tuned parameters and their share of all. Colours are those of all figures.",
    ]
    height = sum(_height(strategies) for _, strategies in counted) + 0.1
    figure = noted_figure(notes, height)
    panel = figure.subplots()
    panel.set(xlim=(0, TWO_COLUMNS), ylim=(height, 0))
    panel.axis("off")
    top = 0.0
    for stages, strategies in counted:
        _draw_network(panel, stages, strategies, display, top)
        top += _height(strategies)
    return figure


def _count_stages(
    network: Mapping[str, Any], strategies: Sequence[Strategy]
) -> tuple[dict[str, int], list[Row]]:
    """Number of parameters of each stage, and which of them start at random in each strategy."""
    built = build_network(network)
    # Own stages may be declared in any order; the network's own is from input to output.
    position = {name: number for number, (name, _) in enumerate(built.named_parameters())}
    own = stage_parameters(built)
    stages = sorted(own, key=lambda stage: min(position[name] for name in own[stage]))
    published = getattr(built, "pretrained_part", "")
    random: dict[str, Collection[str]] = {
        "pretrained": [],
        "random": stages,
        "encoder": [s for s in stages if not any(name.startswith(published) for name in own[s])],
    }
    rows = [(name, title, random[start], tuned) for name, title, start, tuned in strategies]
    return {stage: count(own[stage].values()) for stage in stages}, rows


def _rows_of_us(strategies: Sequence[Row]) -> list[tuple[list[Row], int]]:
    """Strategies beside each other, and how many lines the longest of their titles takes."""
    parts = [strategies[i : i + IN_A_ROW] for i in range(0, len(strategies), IN_A_ROW)]
    return [(list(part), max(len(_wrapped(row[1])) for row in part)) for part in parts]


def _wrapped(title: str) -> list[str]:
    return textwrap.wrap(title, CHARACTERS) or [""]


def _height(strategies: Sequence[Row]) -> float:
    rows = _rows_of_us(strategies)
    return KEY + 0.2 + sum(SMALL + (lines + 1) * LINE_OF_TEXT + 0.2 for _, lines in rows)


def _draw_network(
    panel: Axes,
    stages: Mapping[str, int],
    strategies: Sequence[Row],
    display: DisplayOptions,
    top: float,
) -> None:
    """A small U for each strategy; above them one with the names of the stages."""
    shape = u_shape(list(stages))
    columns = 1 + max(box.column for box in shape.values())
    wide = (TWO_COLUMNS / IN_A_ROW - 0.25) / columns
    y = top + KEY + 0.2
    for part, lines in _rows_of_us(strategies):
        y += (lines + 1) * LINE_OF_TEXT + 0.1
        for number, row in enumerate(part):
            x = 0.125 + number * TWO_COLUMNS / IN_A_ROW
            text = "\n".join([*_wrapped(row[1]), _share(stages, row)])
            panel.text(x, y - 0.02, text, va="bottom", fontsize=6.5)
            for stage, box in _boxes(shape, (x, y), wide, SMALL, HEIGHTS).items():
                box.set(**_look(stage, row, display))
                panel.add_patch(box)
        y += SMALL + 0.1
    # After the strategies' boxes, which then are the first of the axes' patches.
    _draw_key(panel, shape, stages, (0.35, top + 0.1), (TWO_COLUMNS - 0.7) / columns)


def _share(stages: Mapping[str, int], row: Row) -> str:
    """Number of tuned parameters, and their share of all."""
    tuned = sum(stages[stage] for stage in row[3])
    return f"{short_count(tuned)}  {tuned / sum(stages.values()):.1%}" if tuned else "none"


def _look(stage: str, row: Row, display: DisplayOptions) -> dict[str, Any]:
    """How a stage's box is drawn: coloured where it is tuned, hatched where it starts at random."""
    name, _, random, tuned = row
    colour = display.look(name)["color"] if stage in tuned else ""
    return {
        "facecolor": colour if colour and stage not in random else FROZEN,
        "edgecolor": colour or LINE,
        "linewidth": 0.6,
        "hatch": "////" if stage in random else None,
    }


def _draw_key(
    panel: Axes,
    shape: Mapping[str, StageBox],
    stages: Mapping[str, int],
    corner: tuple[float, float],
    wide: float,
) -> None:
    level = KEY / _depth(shape)
    for stage, patch in _boxes(shape, corner, wide, KEY, KEY_HEIGHTS).items():
        box = shape[stage]
        x, y = corner[0] + box.column * wide, corner[1] + (box.first + 0.5) * level
        if box.skip:
            end = corner[0] + shape[box.skip].column * wide
            panel.plot([x + wide, end], [y, y], color=LINE, linewidth=0.5, linestyle=":")
        span = box.last - box.first + 1
        text = f"{stage_title(stage)}\n{short_count(stages[stage])}"
        middle = (x + span * wide / 2, y + (span - 1) * level / 2)
        panel.plot(*patch.get_xy().T, color=LINE, linewidth=0.6)
        # A slope is too narrow for its text, which covers a part of its outline.
        panel.text(
            *middle, text, ha="center", va="center", fontsize=5.5, linespacing=1.1,
            bbox={"facecolor": FROZEN, "edgecolor": "none", "pad": 0.3} if span > 1 else None,
        )  # fmt: skip


def _depth(shape: Mapping[str, StageBox]) -> int:
    return 1 + max(box.last for box in shape.values())


def _boxes(
    shape: Mapping[str, StageBox],
    corner: tuple[float, float],
    wide: float,
    height: float,
    shares: tuple[float, float],
) -> dict[str, Polygon]:
    """The patches of all stages, in inches, without colours."""
    depth = _depth(shape)
    level, heights = height / depth, np.linspace(*shares, depth) * height / depth
    patches = {}
    for stage, box in shape.items():
        left = corner[0] + box.column * wide + 0.012
        right = left + (box.last - box.first + 1) * wide - 0.024
        ends = [(left, box.first), (right, box.last)]
        upper, lower = (
            [(x, corner[1] + (n + 0.5) * level + side * heights[n] / 2) for x, n in ends]
            for side in (-1, 1)
        )
        patches[stage] = Polygon([*upper, *reversed(lower)])
    return patches
