"""Train, and train again from another initialisation where that failed."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

from torch import nn

from sonotune.training.config import TrainingState
from sonotune.training.device import Processor
from sonotune.training.forward import is_dead
from sonotune.training.segmentation_data import SegmentationData

if TYPE_CHECKING:
    from sonotune.runtime.checkpoint import Checkpoint

DEAD = "the output does not depend on the image"


def train_until(
    attempts: int,
    failures: Collection[str],
    train_once: Callable[[int], tuple[nn.Module, TrainingState]],
    checkpoint: Checkpoint | None,
    log: Callable[[str], None],
) -> tuple[nn.Module, TrainingState, list[dict[str, Any]]]:
    """Train, and train again while it fails and attempts are left.

    Parameters
    ----------
    attempts
        The most there are, from 1.
    failures
        Outcomes after which there is another attempt.
    train_once
        Gives the network and how its training went; called with the number of the attempt, from 1.
    checkpoint
        Knows of the attempts of a process that was killed; None if nothing is kept.
    log
        Called with one line for each failed attempt.

    Returns
    -------
    tuple
        The last attempt's network and course, and what is kept of those before.
    """
    earlier: list[dict[str, Any]] = []
    if checkpoint:
        checkpoint.recall_attempts()
        earlier = checkpoint.attempts
    while True:
        attempt = len(earlier) + 1
        network, state = train_once(attempt)
        if state.outcome not in failures or attempt >= attempts:
            return network, state, earlier
        log(f"attempt {attempt} of {attempts} failed ({state.failure}); starting another")
        earlier.append(state.summary())


def attempt_names(
    names: tuple[str | int | float, ...], attempt: int
) -> tuple[str | int | float, ...]:
    """What the random numbers of an attempt derive from; the first has no name of its own.

    Parameters
    ----------
    names
        What the random numbers of the first attempt derive from.
    attempt
        Number of the attempt, from 1.
    """
    return names if attempt == 1 else (*names, "attempt", attempt)


def fail_if_dead(
    network: nn.Module, state: TrainingState, data: SegmentationData, processor: Processor
) -> None:
    """Record where the output of a trained network does not depend on these images.

    Parameters
    ----------
    network
        The trained network.
    state
        What happened in the training; changed in place.
    data
        Images and their masks.
    processor
        Device and precision to compute with.
    """
    if state.outcome != "not_finite" and is_dead(network, data, processor):
        state.fail("dead", DEAD)
