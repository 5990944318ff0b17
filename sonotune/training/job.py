"""What a cell and a pre-training have in common: start, images, checkpoint, end."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from sonotune.data.arrays import ImageSet
from sonotune.errors import SonotuneError
from sonotune.files import remove_unfinished
from sonotune.models.initialise import start_network
from sonotune.records import file_digest, write_record
from sonotune.training.checkpoint import Checkpoint
from sonotune.training.device import Processor


def clear(folder: Path) -> None:
    """Remove what a killed run of the same cell was writing."""
    for name in ("predictions.npz", "weights.safetensors", "history.csv", "run.json"):
        remove_unfinished(folder / name)


def checkpoint_of(
    path: str | Path | None,
    settings: Mapping[str, Any],
    data: ImageSet,
    weights: str | Path | None,
    processor: Processor,
    log: Callable[[str], None],
) -> Checkpoint | None:
    """The checkpoint of a job with these settings, arrays and start weights, if a path is given."""
    if path is None:
        return None
    belongs_to = {
        "settings": dict(settings),
        "images": data.about["images_sha256"],
        "masks": data.about["masks_sha256"],
        "weights": file_digest(weights) if weights else None,
        "processor": [processor.device, processor.precision, torch.__version__],
    }
    return Checkpoint(path, belongs_to, log)


def finish(
    folder: Path, record: dict[str, Any], written: list[str], keeper: Checkpoint | None
) -> dict[str, Any]:
    """Write the record last, and let go of the checkpoint."""
    earlier = keeper.earlier_cpu if keeper else 0.0
    record["cpu_seconds"]["total"] = time.process_time() + earlier
    whole = write_record(folder, record, written)
    if keeper:
        keeper.remove()
    return whole


def start(
    network_settings: dict[str, Any], data: ImageSet, weights: str | Path | None, seed: int
) -> nn.Module:
    """A network with the given weights, or random ones, that fits the images.

    Raises
    ------
    SonotuneError
        If the images cannot be halved as often as the network does.
    """
    network = start_network(network_settings, weights, seed)
    divisor: int = network.divisor  # type: ignore[assignment]
    height, width = data.images.shape[1:]
    if height % divisor or width % divisor:
        raise SonotuneError(
            f"image_size: {height} x {width} cannot be halved {divisor.bit_length() - 1} times; "
            f"use a multiple of {divisor}"
        )
    return network
