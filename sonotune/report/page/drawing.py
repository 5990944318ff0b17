"""A network as a drawing: its stages down the encoder and up the decoder."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sonotune.networks.stage_names import UNET_STAGES

BOX = (84, 30)
STEP = (34, 42)  # how far the next stage down lies to the right and below
MARGIN = 8
GAP = 74  # between the deepest stages of both sides


@dataclass(frozen=True)
class Box:
    """A stage: its name, corner, and whether it is tuned and starts at random.

    Attributes
    ----------
    stage
        Its name.
    x, y
        Its upper left corner.
    tuned
        Whether it is tuned.
    random
        Whether it starts at random.
    """

    stage: str
    x: int
    y: int
    tuned: bool
    random: bool


@dataclass(frozen=True)
class Drawing:
    """Boxes in the order of the data, and the skip connections, as pairs of points.

    Attributes
    ----------
    width, height
        Size of the drawing.
    boxes
        Boxes in the order of the data.
    skips
        Skip connections: x and y of the start, x and y of the end.
    """

    width: int
    height: int
    boxes: tuple[Box, ...]
    skips: tuple[tuple[int, int, int, int], ...]

    @property
    def path(self) -> str:
        """The way of the data through the centres of all boxes, as an SVG path."""
        centres = [(box.x + BOX[0] // 2, box.y + BOX[1] // 2) for box in self.boxes]
        return "M" + "L".join(f"{x} {y}" for x, y in centres)


def describe_network(
    name: str, title: str, start: str, tuned: Sequence[str], stages: Sequence[str]
) -> dict[str, Any]:
    """The network of a strategy, as the page's template draws it and puts it into words.

    Parameters
    ----------
    name, title
        Of the strategy.
    start
        ``pretrained``, ``random``, or ``encoder`` where only the encoder has published weights.
    tuned
        Stages that the strategy tunes.
    stages
        All stages, input to output.
    """
    random = {
        "random": list(stages),
        "encoder": [stage for stage in stages if not stage.startswith("encoder")],
    }.get(start, [])
    return {
        "name": name,
        "label": title,
        "drawing": draw_network(stages, set(tuned), set(random)),
        "box": BOX,
        "tuned": [stage for stage in stages if stage in tuned],
        "frozen": [stage for stage in stages if stage not in tuned],
        "random": bool(random),
    }


def draw_network(
    stages: Sequence[str], tuned: Collection[str], random: Collection[str] = ()
) -> Drawing:
    """Draw a network as the U that it is.

    Parameters
    ----------
    stages
        Names, input to output.
    tuned, random
        Those that are tuned, and those that start from random weights.
    """
    down, bottom, up = _sides(stages)
    rows = max(len(down), len(up))
    positions = {stage: (row, -1) for row, stage in enumerate(down)}
    positions |= {stage: (len(up) - 1 - row, 1) for row, stage in enumerate(up)}
    inner = GAP + len(bottom) * (BOX[0] + 10) if bottom else GAP
    half = (rows - 1) * STEP[0] + BOX[0]
    width = 2 * (half + MARGIN) + inner
    boxes = []
    for stage in stages:
        if stage in positions:
            row, side = positions[stage]
            left = MARGIN + row * STEP[0]
            x = left if side < 0 else width - left - BOX[0]
            y = MARGIN + row * STEP[1]
        else:
            number = bottom.index(stage)
            x = (width - len(bottom) * (BOX[0] + 10) + 10) // 2 + number * (BOX[0] + 10)
            y = MARGIN + rows * STEP[1]
        boxes.append(Box(stage, x, y, stage in tuned, stage in random))
    height = max(box.y for box in boxes) + BOX[1] + MARGIN
    by_name = {box.stage: box for box in boxes}
    skips = []
    if tuple(stages) == UNET_STAGES:
        for first, last in zip(down, reversed(up), strict=True):
            a, b = by_name[first], by_name[last]
            skips.append((a.x + BOX[0], a.y + BOX[1] // 2, b.x, b.y + BOX[1] // 2))
    return Drawing(width, height, tuple(boxes), tuple(skips))


def _sides(stages: Sequence[str]) -> tuple[list[str], list[str], list[str]]:
    """Stages of the way down, at the bottom, and of the way up."""
    if tuple(stages) == UNET_STAGES:
        return list(stages[:4]), list(stages[4:6]), list(stages[6:])
    encoder = [stage for stage in stages if stage.startswith("encoder")]
    if not encoder:
        encoder = list(stages[: len(stages) // 2])
    return encoder, [], [stage for stage in stages if stage not in encoder]
