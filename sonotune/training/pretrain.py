"""Pre-train a network on natural images: from arrays to a trained network.

Like `sonotune.training.finetune` it reads no configuration and writes no file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from sonotune.data.image_set import ImageSet
from sonotune.data.limits import round_half_up
from sonotune.errors import SonotuneError
from sonotune.networks.weights import start_network
from sonotune.seeds import generator, torch_seed
from sonotune.training.attempts import (
    DEAD,
    attempt_names,
    fail_if_dead,
    train_until,
)
from sonotune.training.config import TrainingConfig, TrainingState
from sonotune.training.device import Processor
from sonotune.training.forward import is_dead
from sonotune.training.loop import train
from sonotune.training.segmentation_data import SegmentationData

if TYPE_CHECKING:
    from sonotune.runtime.checkpoint import Checkpoint

# The most starts of a network whose output does not depend on the image: no cell could use one.
STARTS = 10


@dataclass(frozen=True)
class Pretrained:
    """What came of a pre-training.

    Attributes
    ----------
    network
        With the best weights, on the processor's device.
    state
        How the training went.
    earlier_attempts
        What is kept of starts that were dead (`TrainingState.summary`).
    training, validation
        Rows of the data set, sorted, int64.
    """

    network: nn.Module
    state: TrainingState
    earlier_attempts: list[dict[str, Any]]
    training: np.ndarray
    validation: np.ndarray


def pretrain_network(
    settings: Mapping[str, Any],
    data: ImageSet,
    start_weights: str | Path | None,
    processor: Processor,
    log: Callable[[str], None],
    checkpoint: Checkpoint | None = None,
) -> Pretrained:
    """Train all stages of a network, without augmentation (Amiri 2020, section II-D).

    A pre-training that reaches its last epoch without an early stop keeps its best weights and is
    no failure. A network whose output does not depend on the image is drawn again, up to `STARTS`
    times.

    Parameters
    ----------
    settings
        All that the result depends on besides the arrays and start weights
        (`sonotune.config.jobs.pretraining_settings`).
    data
        The prepared data set.
    start_weights
        File of published encoder weights, or None for a random start.
    processor
        What to compute on.
    log
        Called with one line for each epoch.
    checkpoint
        Where a killed training resumes; None for no checkpoint.

    Raises
    ------
    SonotuneError
        If the loss is not finite or the network dies: no cell could start from such weights.
    Stopped
        If a signal asked to end and the checkpoint was written.
    """
    seed = settings["seed"]
    names: tuple[str | int, ...] = ("pretraining", settings["dataset"])
    order = generator(seed, *names, "split").permutation(len(data.images))
    # Further pre-trainings differ in initialisation and order, not in their images.
    if "pretraining_number" in settings:
        names += ("pretraining_number", settings["pretraining_number"])
    held = max(1, round_half_up(Fraction(str(settings["validation_fraction"])) * len(order)))
    training_rows, validation_rows = np.sort(order[held:]), np.sort(order[:held])
    config = TrainingConfig(**settings["training"])
    log(f"pre-training on {len(training_rows)} images, {held} for validation")
    training = SegmentationData.of(data, training_rows, processor)
    validation = SegmentationData.of(data, validation_rows, processor)

    def train_once(attempt: int) -> tuple[nn.Module, TrainingState]:
        own = attempt_names(names, attempt)
        initial = torch_seed(seed, *own, "initial")
        network = start_network(settings["network"], start_weights, initial)
        network.to(processor.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        if is_dead(network, validation, processor):
            return network, TrainingState(outcome="dead", failure=DEAD)
        state = train(
            network,
            training,
            validation,
            config,
            None,
            -(-len(training_rows) // config.batch_size),
            processor,
            seed,
            own,
            log,
            checkpoint,
        )
        fail_if_dead(network, state, validation, processor)
        return network, state

    with checkpoint or nullcontext():
        network, state, earlier = train_until(STARTS, ("dead",), train_once, checkpoint, log)
    if state.outcome in ("not_finite", "dead"):
        raise SonotuneError(
            f"pretraining: {state.failure}; lower pretraining.training.learning_rate"
        )
    return Pretrained(network, state, earlier, training_rows, validation_rows)
