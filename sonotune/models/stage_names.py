"""Stage names and size limits of the networks, known without loading PyTorch.

The workflow checks a configuration with these before any job starts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

UNET_STAGES = (
    "block1",
    "block2",
    "block3",
    "block4",
    "block5a",
    "block5b",
    "block6",
    "block7",
    "block8",
    "block9",
)


def stages_of(network: Mapping[str, Any]) -> tuple[str, ...]:
    """Stage names, input to output, of the network that a ``network`` key describes."""
    return {"unet": UNET_STAGES}[network["name"]]


def divisor_of(network: Mapping[str, Any]) -> int:
    """What the image size must be a multiple of."""
    return {"unet": 16}[network["name"]]
