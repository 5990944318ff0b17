"""Fine-tune one network: from arrays and start weights to a trained network and its predictions.

The import closure of this module is the code that decides what a cell's results are
(`sonotune.runtime.fingerprint`). It reads no configuration and writes no file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from sonotune.data.image_set import ImageSet
from sonotune.data.splits import Resampling, Split, batches_per_epoch, split, split_seed
from sonotune.networks.stages import freeze_all_but, frozen_state, state_digest
from sonotune.networks.weights import start_network
from sonotune.seeds import torch_seed
from sonotune.training.attempts import (
    attempt_names,
    fail_if_dead,
    train_until,
)
from sonotune.training.augment import Augmentation
from sonotune.training.config import FAILED, TrainingConfig, TrainingState
from sonotune.training.device import Processor
from sonotune.training.forward import max_inference_batch, predict, quantise
from sonotune.training.loop import train
from sonotune.training.segmentation_data import SegmentationData
from sonotune.training.test_monitor import TestSetMonitor

if TYPE_CHECKING:
    from sonotune.runtime.checkpoint import Checkpoint


@dataclass(frozen=True)
class Finetuned:
    """What came of a fine-tuning.

    Attributes
    ----------
    network
        With the kept weights, on the processor's device.
    state
        How the training went; None where nothing is tuned.
    earlier_attempts
        What is kept of attempts that failed before (`TrainingState.summary`).
    rows
        The data set's rows that train, validate and test.
    """

    network: nn.Module
    state: TrainingState | None
    earlier_attempts: list[dict[str, Any]]
    rows: Split


def finetune(
    settings: Mapping[str, Any],
    data: ImageSet,
    start_weights: str | Path | None,
    processor: Processor,
    log: Callable[[str], None],
    checkpoint: Checkpoint | None = None,
) -> Finetuned:
    """Tune the chosen stages of one network on one split of a data set.

    Parameters
    ----------
    settings
        All that the result depends on besides the arrays and start weights
        (`sonotune.config.jobs.cell_settings`).
    data
        The prepared data set.
    start_weights
        File of the start weights, or None for a random start.
    processor
        What to compute on.
    log
        Called with one line for each epoch.
    checkpoint
        Where a killed training resumes; None for no checkpoint.

    Raises
    ------
    SonotuneError
        If input does not fit: images, weights or fraction.
    Stopped
        If a signal asked to end and the checkpoint was written.
    """
    seed, names = settings["seed"], cell_names(settings)
    resampling = Resampling(**settings["resampling"])
    rows = split(
        len(data.images),
        resampling,
        split_seed(seed, settings["dataset"], resampling, settings["strategy"]),
        settings["fraction"],
        settings["fold"],
        data.groups_for(resampling.grouped),
        data.names,
        settings.get("exclude"),
    )
    config = TrainingConfig(**settings["training"])
    augmentation = Augmentation(**settings["augmentation"]) if settings["augmentation"] else None
    tests = SegmentationData.of(data, rows.test, processor)

    def start_once(attempt: int) -> nn.Module:
        network = start_of_cell(settings, start_weights, attempt)
        freeze_all_but(network, settings["tune"])
        network.to(processor.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        return network

    def train_once(attempt: int) -> tuple[nn.Module, TrainingState]:
        own, network = attempt_names(names, attempt), start_once(attempt)
        frozen = state_digest(frozen_state(network))
        state = train(
            network,
            SegmentationData.of(data, rows.train, processor),
            SegmentationData.of(data, rows.validation, processor),
            config,
            augmentation,
            batches_per_epoch(len(data.images), resampling, config.batch_size),
            processor,
            seed,
            own,
            log,
            checkpoint,
            TestSetMonitor(tests, augmentation, config.batch_size, processor, seed, names)
            if settings.get("log_test_metrics")
            else None,
        )
        if state_digest(frozen_state(network)) != frozen:
            raise RuntimeError("a frozen stage changed in training: this is a fault of sonotune")
        fail_if_dead(network, state, tests, processor)
        return network, state

    if not settings["tune"]:
        return Finetuned(start_once(1), None, [], rows)
    log(f"{len(rows.train)} training, {len(rows.validation)} validation images")
    with checkpoint or nullcontext():
        network, state, earlier = train_until(config.attempts, FAILED, train_once, checkpoint, log)
    return Finetuned(network, state, earlier, rows)


def predict_rows(
    network: nn.Module, data: ImageSet, rows: np.ndarray, processor: Processor
) -> np.ndarray:
    """Probabilities of some of a data set's images as they are stored, uint8 [n,H,W].

    Parameters
    ----------
    network
        The network.
    data
        A prepared data set.
    rows
        Rows of the images, int64.
    processor
        Device and precision to compute with.
    """
    rows_data = SegmentationData.of(data, rows, processor)
    batches = rows_data.split(max_inference_batch(rows_data.images, processor))
    parts = predict(network, (batch[:, :1] for batch in batches), processor)
    return np.concatenate([quantise(part) for part in parts])


def cell_names(settings: Mapping[str, Any]) -> tuple[str | int | float, ...]:
    """What a cell's random numbers derive from besides the study's seed.

    The first seed and the first pre-training of a fold have no name of their own.

    Parameters
    ----------
    settings
        Settings of the cell.
    """
    # The fraction counts as per cent (80, 12.5), as it always did: a seed must not change.
    percent = f"{(100 * Decimal(str(settings['fraction']))).normalize():f}"
    numbers = [key for key in ("seed_number", "pretraining_number") if key in settings]
    return (
        *(settings["dataset"], settings["strategy"], percent, settings["fold"]),
        *(name for key in numbers for name in (key, settings[key])),
    )


def start_of_cell(
    settings: Mapping[str, Any], start_weights: str | Path | None, attempt: int = 1
) -> nn.Module:
    """The network as an attempt of a cell's training finds it (see `finetune`).

    Parameters
    ----------
    settings
        Settings of the cell.
    start_weights
        File of start weights, or None.
    attempt
        Number of the attempt, from 1.
    """
    seed = torch_seed(settings["seed"], *attempt_names(cell_names(settings), attempt), "initial")
    return start_network(settings["network"], start_weights, seed)
