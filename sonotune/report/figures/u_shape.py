"""Where a network's stages lie in the picture of a U."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sonotune.networks.stage_names import LEVELS, UNET_STAGES

DECODERS = tuple(f"decoder{number}" for number in range(5))
DEPTH = 5  # levels; each has half the pixels of the one above


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

    column: float
    first: int
    last: int
    skip: str = ""


def u_shape(stages: Sequence[str]) -> dict[str, StageBox] | None:
    """Places of all stages, or None where these are not those of a U.

    Parameters
    ----------
    stages
        Names, from input to output.
    """
    if tuple(stages) == UNET_STAGES:
        down = {f"block{n}": StageBox(n - 1, n - 1, n - 1, f"block{10 - n}") for n in range(1, 5)}
        bottom = {"block5a": StageBox(4, 4, 4), "block5b": StageBox(5, 4, 4)}
        up = {f"block{n}": StageBox(n, 9 - n, 9 - n) for n in range(6, 10)}
        return down | bottom | up
    up = {name: StageBox(5 + n, DEPTH - 1 - n, DEPTH - 1 - n) for n, name in enumerate(DECODERS)}
    up["head"] = StageBox(10, 0, 0)
    if tuple(stages) == ("encoder", *DECODERS, "head"):
        return {"encoder": StageBox(0, 0, DEPTH - 1)} | up
    if tuple(stages) == (*LEVELS, *DECODERS, "head"):
        return {name: StageBox(n, n, n) for n, name in enumerate(LEVELS)} | up
    return None
