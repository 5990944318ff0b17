"""Fig. 1: the network as a U, and which of its stages each strategy tunes."""

import textwrap
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Polygon

from sonotune.networks.stages import build_network, count, stage_parameters
from sonotune.report.display_options import DisplayOptions
from sonotune.report.names import stage_title
from sonotune.report.style import noted_figure
from sonotune.report.tables import short_count
from sonotune.report.u_shape import StageBox, u_shape

FROZEN, LINE = "#ffffff", "#555555"
SMALL, KEY = 1.1, 1.4  # inches: heights of a small U with its title, and of the one with names
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
    heights = [[KEY] + [SMALL] * -(-len(strategies) // IN_A_ROW) for _, strategies in counted]
    figure = noted_figure(notes, sum(map(sum, heights)))
    groups = figure.subfigures(len(counted), squeeze=False, height_ratios=list(map(sum, heights)))
    for group, rows, (stages, strategies) in zip(groups.flat, heights, counted, strict=True):
        shape = u_shape(list(stages))
        grid = group.add_gridspec(len(rows), IN_A_ROW, height_ratios=rows)
        _draw_key(group.add_subplot(grid[0, :]), shape, stages)
        for number, row in enumerate(strategies, IN_A_ROW):
            panel = group.add_subplot(grid[number])
            title = [*textwrap.wrap(row[1], CHARACTERS), _share(stages, row)]
            panel.set_title("\n".join(title), loc="left", fontsize=6.5)
            for stage, box in _add_boxes(panel, shape, HEIGHTS).items():
                box.set(**_look(stage, row, display))
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


def _draw_key(panel: Axes, shape: Mapping[str, StageBox], stages: Mapping[str, int]) -> None:
    """A U with the names of the stages and their numbers of parameters."""
    for stage, patch in _add_boxes(panel, shape, KEY_HEIGHTS).items():
        box = shape[stage]
        patch.set(facecolor=FROZEN, edgecolor=LINE, linewidth=0.6)
        if box.skip:
            ends = [box.column + 1, shape[box.skip].column]
            panel.plot(ends, [box.first + 0.5] * 2, color=LINE, linewidth=0.5, linestyle=":")
        span = box.last - box.first + 1
        # A slope is too narrow for its text, which covers a part of its outline.
        panel.text(
            box.column + span / 2,
            box.first + span / 2,
            f"{stage_title(stage)}\n{short_count(stages[stage])}",
            ha="center",
            va="center",
            fontsize=5.5,
            linespacing=1.1,
            bbox={"facecolor": FROZEN, "edgecolor": "none", "pad": 0.3} if span > 1 else None,
        )


def _add_boxes(
    panel: Axes, shape: Mapping[str, StageBox], shares: tuple[float, float]
) -> dict[str, Patch]:
    """Draw the boxes of all stages: a column is as wide, and a level as high, as 1."""
    depth = 1 + max(box.last for box in shape.values())
    panel.set(xlim=(0, 1 + max(box.column for box in shape.values())), ylim=(depth, 0))
    panel.axis("off")
    heights = np.linspace(*shares, depth)
    patches = {}
    for stage, box in shape.items():
        ends = [
            (box.column + 0.04, box.first),
            (box.column + box.last - box.first + 0.96, box.last),
        ]
        upper, lower = (
            [(x, level + 0.5 + side * heights[level] / 2) for x, level in ends] for side in (-1, 1)
        )
        patches[stage] = panel.add_patch(Polygon([*upper, *reversed(lower)]))
    return patches
