"""Where a network's stages lie in the picture of a U."""

from collections.abc import Sequence
from dataclasses import dataclass

from sonotune.networks.stage_names import UNET_STAGES

# Contracting and expanding stages of the plain U-Net that a skip connection joins.
SKIPS = {f"block{n}": f"block{10 - n}" for n in range(1, 5)}


@dataclass(frozen=True)
class StageBox:
    """A stage's box: column from the left, levels that it spans (0 at the top), and its skip.

    Attributes
    ----------
    column
        Column from the left, from 0.
    first, last
        Levels; a box of several is a slope from the first to the last over as many columns.
    skip
        The stage to which a skip connection leads, or an empty text.
    """

    column: int
    first: int
    last: int
    skip: str = ""


def u_shape(stages: Sequence[str]) -> dict[str, StageBox]:
    """Places of all stages: those of the encoder lead down, the others up, and a head follows.

    Parameters
    ----------
    stages
        Names, from input to output. Where none is named after an encoder, the first half leads
        down. An encoder of one stage is a slope from the top to the bottom.
    """
    head = list(stages[-1:]) if stages[-1] == "head" else []
    body = list(stages[: len(stages) - len(head)])
    down = [stage for stage in body if stage.startswith("encoder")] or body[: (len(body) + 1) // 2]
    up = [stage for stage in body if stage not in down]
    depth = max(len(down), len(up))
    skips = SKIPS if tuple(stages) == UNET_STAGES else {}
    boxes = {stage: StageBox(n, n, n, skips.get(stage, "")) for n, stage in enumerate(down)}
    if len(down) == 1:
        boxes = {down[0]: StageBox(0, 0, depth - 1)}
    start = depth if len(down) == 1 else len(down)
    for number, stage in enumerate([*up, *head]):
        level = max(0, len(up) - 1 - number)
        boxes[stage] = StageBox(start + number, level, level)
    return boxes
