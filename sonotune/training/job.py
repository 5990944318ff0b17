"""What a cell and a pre-training have in common: start, images, checkpoint, end."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from sonotune.data.dataset import ImageSet
from sonotune.errors import SonotuneError
from sonotune.networks.weights import start_network
from sonotune.runtime.checkpoint import Checkpoint
from sonotune.runtime.files import remove_unfinished
from sonotune.runtime.run_record import file_digest, write_record
from sonotune.training.device import Processor
from sonotune.training.forward import is_dead
from sonotune.training.pairs import Pairs
from sonotune.training.recipe import Course

DEAD = "the output does not depend on the image"


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


def train_until(
    attempts: int,
    failures: Collection[str],
    train_once: Callable[[int], tuple[nn.Module, Course]],
    keeper: Checkpoint | None,
    log: Callable[[str], None],
) -> tuple[nn.Module, Course, list[dict[str, Any]]]:
    """Train, and train again while it fails and attempts are left.

    Parameters
    ----------
    attempts
        The most there are.
    failures
        Outcomes after which there is another attempt.
    train_once
        Gives the network and how its training went; called with the number of the attempt, from 1.
    keeper
        Knows of the attempts of a process that was killed.

    Returns
    -------
    tuple
        The last attempt's network and course, and what is kept of those before.
    """
    earlier: list[dict[str, Any]] = []
    if keeper:
        keeper.recall_attempts()
        earlier = keeper.attempts
    while True:
        attempt = len(earlier) + 1
        network, course = train_once(attempt)
        if course.outcome not in failures or attempt >= attempts:
            return network, course, earlier
        log(f"attempt {attempt} of {attempts} failed ({course.failure}); starting another")
        earlier.append(course.summary())


def names_of_attempt(
    names: tuple[str | int | float, ...], attempt: int
) -> tuple[str | int | float, ...]:
    """What the random numbers of an attempt derive from; the first has no name of its own."""
    return names if attempt == 1 else (*names, "attempt", attempt)


def fail_if_dead(network: nn.Module, course: Course, pairs: Pairs, processor: Processor) -> None:
    """Record where the output of a trained network does not depend on these images."""
    if course.outcome != "not_finite" and is_dead(network, pairs, processor):
        course.fail("dead", DEAD)


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
