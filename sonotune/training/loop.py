"""The training recipe of Amiri et al. 2020 (section II-D), top to bottom.

Adam and binary cross-entropy in batches of two; as many batches in an epoch for every fraction
as the top fraction has; augmentation on the fly; training ends when the validation loss has not
improved for 20 epochs, and the best weights are kept. Without an early stop within 200 epochs,
or with a loss that is not finite, the run has *failed*. Wang et al. 2023 train for a fixed number
of epochs instead: no patience, no validation images, the last weights.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from sonotune.networks.stages import tuned_parameters, tuned_state
from sonotune.seeds import torch_seed
from sonotune.training.augment import Augmentation, draw_warps, warp
from sonotune.training.config import TrainingConfig, TrainingState
from sonotune.training.device import Processor, random_state, set_random_state
from sonotune.training.forward import bce, evaluate, forward
from sonotune.training.optimiser import Adam
from sonotune.training.precision import bf16_shadow
from sonotune.training.segmentation_data import SegmentationData
from sonotune.training.steps import EagerSteps, Step

if TYPE_CHECKING:
    from sonotune.runtime.checkpoint import Checkpoint
    from sonotune.training.cuda import StaticSteps


def train(
    network: nn.Module,
    training: SegmentationData,
    validation: SegmentationData,
    config: TrainingConfig,
    augmentation: Augmentation | None,
    batches: int,
    processor: Processor,
    seed: int,
    names: Sequence[str | int | float],
    log: Callable[[str], None],
    checkpoint: Checkpoint | None = None,
    monitor: Callable[[nn.Module, int], dict[str, float]] | None = None,
) -> TrainingState:
    """Tune the parameters of ``network`` that require gradients; leave it with the best ones.

    Parameters
    ----------
    network
        The network.
    training, validation
        Images and masks, on the device.
    config
        Epochs, batch size, learning rate and early stopping.
    augmentation
        How training images are deformed, or None.
    batches
        Batches an epoch.
    processor
        Device and precision to compute with.
    seed, names
        What all random numbers of this training derive from.
    log
        Takes one line of progress.
    checkpoint
        Where to resume from, and what to write from time to time.
    monitor
        What to measure on the test images after every epoch; the training does not depend on it.

    Raises
    ------
    Stopped
        If a signal asked to end and the checkpoint was written.
    """
    # In bf16 its convolutions' weights are copies, and those of ``network`` the fp32 masters.
    computing = bf16_shadow(network, processor)
    # It shares all weights; evaluation, whose batches differ, does without.
    stepping: Any = torch.compile(computing) if config.compile else computing
    optimiser = Adam(tuned_parameters(network), config.learning_rate, tuned_parameters(computing))

    def step(rows: Tensor, warps: Tensor | None) -> None:
        inputs = training.batch(rows)
        if warps is not None and augmentation is not None:
            inputs = warp(inputs, warps, augmentation.fill)
        images, masks = inputs[:, :1], inputs[:, 1:]
        loss = bce(forward(stepping, images, processor), masks)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        total.add_(loss.detach())

    state, stopped = TrainingState(), None
    best, total = _copy(tuned_state(network)), torch.zeros((), device=training.device)
    # All that steps and epochs change; the rest is drawn or counted again.
    moving = {
        **{f"network.{name}": tensor for name, tensor in tuned_state(network).items()},
        **{f"optimiser.{name}": tensor for name, tensor in optimiser.state().items()},
        **{f"best.{name}": tensor for name, tensor in best.items()},
        "total": total,
    }
    steps = _steps(step, moving, optimiser, config, processor, training.device, log)
    random_before = random_state(processor.device)
    if checkpoint and (stopped := checkpoint.load({**moving, "random": random_before})):
        state = TrainingState(**stopped["state"])
        state.resumed += 1
        optimiser.refresh()
        log(f"resuming in epoch {stopped['epoch']} after {stopped['batches']} of {batches} batches")
    for epoch in range(stopped["epoch"] if stopped else 1, config.epochs + 1):
        began = time.perf_counter()
        # Each epoch draws from its own names, so an epoch can be run again on its own.
        random = torch.Generator().manual_seed(torch_seed(seed, *names, "epoch", epoch))
        torch.manual_seed(torch_seed(seed, *names, "dropout", epoch))
        drawn = batches * config.batch_size
        order = _stream(len(training), drawn, random).view(batches, -1)
        warps = None
        if augmentation is not None:
            warps = draw_warps(augmentation, drawn, random).view(batches, -1, 2, 3)

        computing.train()
        optimiser.set_learning_rate(config.learning_rate * config.lr_decay ** (epoch - 1))
        done = 0
        if stopped and epoch == stopped["epoch"]:
            done, began = stopped["batches"], began - stopped["seconds"]
            set_random_state(processor.device, random_before)
        else:
            total.zero_()
        steps.begin(order, warps, done)
        for batch in range(done, batches):
            steps.run(batch)
            if checkpoint and checkpoint.due():
                checkpoint.save(
                    {**moving, "random": random_state(processor.device)},
                    {
                        "epoch": epoch,
                        "batches": batch + 1,
                        "seconds": time.perf_counter() - began,
                        "state": asdict(state),
                    },
                )
        state.steps += batches
        training_loss = float(total) / batches

        evaluation_began = time.process_time()
        validation_loss = validation_dice = math.nan
        if len(validation):
            validation_loss, validation_dice = evaluate(computing, validation, processor)
        measured = monitor(computing, epoch) if monitor else {}
        state.evaluation_cpu += time.process_time() - evaluation_began
        seconds = time.perf_counter() - began
        state.history.append(
            {
                "epoch": epoch,
                "training_loss": training_loss,
                "validation_loss": validation_loss,
                "validation_dice": validation_dice,
                "seconds": seconds,
                **measured,
            }
        )
        if not math.isfinite(training_loss) or (
            len(validation) and not math.isfinite(validation_loss)
        ):
            state.fail("not_finite", f"loss not finite in epoch {epoch}")
            break
        if validation_loss < state.best_loss:
            state.best_loss, state.best_epoch = validation_loss, epoch
            state.best_dice = validation_dice
            _copy_into(best, tuned_state(network))
        log(
            f"epoch {epoch:3d}  loss {training_loss:.4f}  "
            + (
                f"validation loss {validation_loss:.4f}  Dice {validation_dice:.4f}  "
                f"best epoch {state.best_epoch:3d}  "
                if len(validation)
                else ""
            )
            + f"{seconds:.2f} s  "
            f"at most {_most_left(config, epoch, state.best_epoch) * seconds:.0f} s left"
        )
        if config.patience and epoch - state.best_epoch >= config.patience:
            break
    else:
        if config.patience:
            state.fail("no_early_stop", f"no early stop within {config.epochs} epochs")
            before = [row["validation_loss"] for row in state.history[: -config.patience]]
            state.still_improving = state.best_loss < 0.99 * min(before, default=math.inf)
    if config.select_weights == "best" or state.failed:
        _copy_into(tuned_state(network), best)
    return state


def _stream(images: int, wanted: int, random: torch.Generator) -> Tensor:
    """Rows for one epoch: whole random orders of all images, one after the other."""
    rounds = -(-wanted // images)
    return torch.cat([torch.randperm(images, generator=random) for _ in range(rounds)])[:wanted]


def _steps(
    step: Step,
    moving: Mapping[str, Tensor],
    optimiser: Adam,
    config: TrainingConfig,
    processor: Processor,
    device: torch.device,
    log: Callable[[str], None],
) -> EagerSteps | StaticSteps:
    """The way to take steps that the recipe asks for, and that the device has."""
    if processor.device == "cuda" and config.graph and not config.compile:
        from sonotune.training.cuda import GraphSteps

        return GraphSteps(step, device, moving, optimiser.refresh, config.graph is True, log)
    return EagerSteps(step, device)


def _most_left(config: TrainingConfig, epoch: int, best_epoch: int) -> int:
    """Epochs left if the validation loss keeps improving: the most there can be."""
    going_on = not config.patience or epoch - best_epoch < config.patience
    return config.epochs - epoch if going_on else 0


def _copy(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in state.items()}


def _copy_into(state: dict[str, Tensor], other: dict[str, Tensor]) -> None:
    with torch.no_grad():
        for name, tensor in state.items():
            tensor.copy_(other[name])
