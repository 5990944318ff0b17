"""Fig. 1: the network as a U, and which of its stages each strategy tunes.

Networks whose stages make no U (own stages, other decoders) have a row for each strategy.
"""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Polygon, Rectangle

from sonotune.networks.stages import build_network, count, stage_parameters
from sonotune.report.display_options import DisplayOptions
from sonotune.report.figures.u_shape import DEPTH, StageBox, u_shape
from sonotune.report.names import stage_title
from sonotune.report.palette import style_of
from sonotune.report.style import TWO_COLUMNS, noted_figure, text_width
from sonotune.report.tables import short_count

FROZEN, LINE = "#ffffff", "#555555"
ROW, HEAD, LEFT, RIGHT = 0.17, 0.62, 1.5, 0.95  # inches
# Of a U: in a row, height of a level, room of a line of text above it; of the one with names.
IN_A_ROW, LEVEL, LINE_OF_TEXT, KEY_LEVEL = 4, 0.13, 0.12, 0.26
# Share of a level's height that its boxes take; more where maps are larger.
HEIGHTS, KEY_HEIGHTS = (0.95, 0.86, 0.77, 0.68, 0.59), (0.9,) * DEPTH
CHARACTERS = 30  # of a title's line above a U


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
    return draw_fig1([count_stages(*network) for network in networks], list(display.strategies))


def count_stages(
    network: Mapping[str, Any], strategies: Sequence[Strategy]
) -> tuple[dict[str, int], list[Row]]:
    """Number of parameters of each stage, and which of them start at random in each strategy.

    Parameters
    ----------
    network
        A complete ``network`` key.
    strategies
        Name, title, start and tuned stages of each strategy.
    """
    built = build_network(network)
    # Own stages may be declared in any order; the network's own is from input to output.
    position = {name: number for number, (name, _) in enumerate(built.named_parameters())}
    parameters = dict(
        sorted(
            stage_parameters(built).items(),
            key=lambda item: min(position[name] for name in item[1]),
        )
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
    """The figure, from the number of parameters of each network's stages.

    Parameters
    ----------
    networks
        Parameters of each stage, and the strategies, of each network.
    order
        Names of the strategies in the order of the study.
    """
    totals = " and ".join(f"{sum(stages.values()):,}" for stages, _ in networks)
    notes = [
        f"The network's stages from input to output with their numbers of parameters ({totals} "
        "in all). Coloured: tuned; white: frozen; hatched: random at the start. With each "
        "strategy: tuned parameters and their share of all. Colours are those of all figures.",
    ]
    shapes = [u_shape(list(stages)) for stages, _ in networks]
    heights = [
        _u_height(strategies) if shape else HEAD + ROW * len(strategies)
        for shape, (_, strategies) in zip(shapes, networks, strict=True)
    ]
    height = sum(heights) + 0.1
    figure = noted_figure(notes, height)
    panel = figure.subplots()
    panel.set(xlim=(0, TWO_COLUMNS), ylim=(height, 0))
    panel.axis("off")
    top = 0.0
    titles = [row[1] for _, strategies in networks for row in strategies]
    left = max(LEFT, text_width(titles) + 0.15)
    for shape, tall, (stages, strategies) in zip(shapes, heights, networks, strict=True):
        if shape:
            _draw_us(panel, shape, stages, strategies, order, top)
        else:
            _draw_network(panel, stages, strategies, order, left, top + HEAD)
        top += tall
    return figure


def _rows_of_us(strategies: Sequence[Row]) -> list[tuple[list[Row], int]]:
    """Strategies beside each other, and how many lines the longest of their titles takes."""
    parts = [strategies[i : i + IN_A_ROW] for i in range(0, len(strategies), IN_A_ROW)]
    return [(list(part), max(len(_wrapped(row[1])) for row in part)) for part in parts]


def _wrapped(title: str) -> list[str]:
    return textwrap.wrap(title, CHARACTERS) or [""]


def _u_height(strategies: Sequence[Row]) -> float:
    key = DEPTH * KEY_LEVEL + 0.2
    rows = _rows_of_us(strategies)
    return key + sum(DEPTH * LEVEL + (lines + 1) * LINE_OF_TEXT + 0.2 for _, lines in rows)


def _draw_us(
    panel: Axes,
    shape: Mapping[str, StageBox],
    stages: Mapping[str, int],
    strategies: Sequence[Row],
    order: Sequence[str],
    top: float,
) -> None:
    """A small U for each strategy; above them one with the names of the stages."""
    columns = 1 + max(box.column for box in shape.values())
    small = TWO_COLUMNS / IN_A_ROW - 0.25
    y = top + DEPTH * KEY_LEVEL + 0.2
    for part, lines in _rows_of_us(strategies):
        y += 0.1
        for number, row in enumerate(part):
            x = 0.125 + number * TWO_COLUMNS / IN_A_ROW
            text = "\n".join([*_wrapped(row[1]), _share(stages, row)])
            panel.text(x, y + (lines + 1) * LINE_OF_TEXT - 0.02, text, va="bottom", fontsize=6.5)
            corner = (x, y + (lines + 1) * LINE_OF_TEXT)
            for stage in stages:
                box = _box(shape[stage], corner, small / columns, LEVEL)
                box.set(**_look(stage, row, order))
                panel.add_patch(box)
        y += DEPTH * LEVEL + (lines + 1) * LINE_OF_TEXT + 0.1
    # After the strategies' boxes, which then are the first of the axes' patches.
    _draw_key(panel, shape, stages, (0.35, top + 0.1), (TWO_COLUMNS - 0.7) / columns)


def _share(stages: Mapping[str, int], row: Row) -> str:
    """Number of tuned parameters, and their share of all."""
    tuned = sum(stages[stage] for stage in row[3])
    return f"{short_count(tuned)}  {tuned / sum(stages.values()):.1%}" if tuned else "none"


def _look(stage: str, row: Row, order: Sequence[str]) -> dict[str, Any]:
    """How a stage's box is drawn: coloured where it is tuned, hatched where it starts at random."""
    name, _, random, tuned = row
    colour = style_of(name, order).colour if stage in tuned else ""
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
    for stage, stage_box in shape.items():
        x, y = corner[0] + stage_box.column * wide, corner[1] + (stage_box.first + 0.5) * KEY_LEVEL
        if stage_box.skip:
            end = corner[0] + shape[stage_box.skip].column * wide
            panel.plot([x + wide, end], [y, y], color=LINE, linewidth=0.5, linestyle=":")
        span = stage_box.last - stage_box.first + 1
        text = f"{stage_title(stage)}\n{short_count(stages[stage])}"
        middle = (x + span * wide / 2, y + (span - 1) * KEY_LEVEL / 2)
        box = _box(stage_box, corner, wide, KEY_LEVEL, KEY_HEIGHTS)
        panel.plot(*_outline(box), color=LINE, linewidth=0.6)
        # A slope is too narrow for its text, which covers a part of its outline.
        panel.text(
            *middle, text, ha="center", va="center", fontsize=5.5, linespacing=1.1,
            bbox={"facecolor": FROZEN, "edgecolor": "none", "pad": 0.3} if span > 1 else None,
        )  # fmt: skip


def _box(
    stage_box: StageBox,
    corner: tuple[float, float],
    wide: float,
    level: float,
    heights: Sequence[float] = HEIGHTS,
) -> Patch:
    """The patch of a stage, in inches, without colours."""
    x, y = corner[0] + stage_box.column * wide, corner[1]
    tall = [heights[n] * level for n in (stage_box.first, stage_box.last)]
    middle = [y + (n + 0.5) * level for n in (stage_box.first, stage_box.last)]
    if stage_box.first == stage_box.last:
        return Rectangle((x + 0.012, middle[0] - tall[0] / 2), wide - 0.024, tall[0])
    right = x + (stage_box.last - stage_box.first + 1) * wide - 0.012
    ends = [(x + 0.012, middle[0], tall[0]), (right, middle[1], tall[1])]
    upper = [(end, centre - height / 2) for end, centre, height in ends]
    lower = [(end, centre + height / 2) for end, centre, height in ends]
    return Polygon([*upper, *lower[::-1]])


def _outline(box: Patch) -> tuple[list[float], list[float]]:
    """Corners of a patch as a closed line, which is no patch of the axes."""
    points = box.get_patch_transform().transform(box.get_path().vertices)
    return list(points[:, 0]), list(points[:, 1])


def _draw_network(
    panel: Axes,
    stages: Mapping[str, int],
    strategies: Sequence[Row],
    order: Sequence[str],
    left: float,
    top: float,
) -> None:
    wide = (TWO_COLUMNS - left - RIGHT) / len(stages)
    for number, (stage, parameters) in enumerate(stages.items()):
        x, name = left + (number + 0.5) * wide, stage_title(stage).replace(" ", "\n")
        panel.text(x, top - 0.28, name, ha="center", va="bottom", fontsize=6.5)
        panel.text(x, top - 0.08, short_count(parameters), ha="center", va="bottom", fontsize=6)
    for number, row in enumerate(strategies):
        y = top + ROW * number
        panel.text(left - 0.08, y + ROW / 2, row[1], ha="right", va="center")
        for position, stage in enumerate(stages):
            corner = (left + position * wide + 0.015, y + 0.02)
            box = Rectangle(corner, wide - 0.03, ROW - 0.04, **_look(stage, row, order))
            panel.add_patch(box)
        end = TWO_COLUMNS - RIGHT + 0.08
        panel.text(end, y + ROW / 2, _share(stages, row), ha="left", va="center")
