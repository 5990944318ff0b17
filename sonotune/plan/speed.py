"""Time training steps on this machine, within seconds."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from sonotune.networks.settings import architecture, smallest_of
from sonotune.networks.stages import build_network, count, freeze_all_but, stage_parameters
from sonotune.training.augment import Augmentation
from sonotune.training.config import TrainingConfig
from sonotune.training.device import Processor
from sonotune.training.forward import evaluate
from sonotune.training.loop import train
from sonotune.training.segmentation_data import SegmentationData

SIDE = 64  # pixels of the images that steps are measured on
BATCH = 2
SLOW = 0.5  # seconds of a first step, beside which its warming up is little
LIMIT = 1.0  # seconds of measuring for all studies together


@dataclass(frozen=True)
class Speed:
    """Measured on this machine, with nothing else running beside it.

    Attributes
    ----------
    step
        Seconds of one optimiser step.
    image
        Seconds of one validation or test image.
    parameters
        Weights of each stage of the network.
    """

    step: float
    image: float
    parameters: Mapping[str, int]


class Meter:
    """Measures training steps within a time limit, so that a plan takes seconds.

    Steps are measured on at most `BATCH` images of at most `SIDE` pixels and scaled by the number
    of pixels.
    When the time is up, a strategy counts as much as the slowest of its network.

    Parameters
    ----------
    limit
        Seconds that all measurements together may take.
    """

    def __init__(self, limit: float = LIMIT) -> None:
        self._left = limit
        self._known: dict[str, Speed] = {}

    def measure(
        self,
        study: Mapping[str, Any],
        described: Mapping[str, Any],
        tune: list[str],
        training: Mapping[str, Any],
        processor: Processor,
    ) -> Speed:
        """Speed of the training loop (parameters as of `measure`, but `training`, a recipe's).

        Parameters
        ----------
        study
            A study of a complete configuration.
        described
            A complete ``network`` key.
        tune
            Names of the tuned stages.
        training
            A complete ``training`` key.
        processor
            Device and precision to compute with.
        """
        batch = min(training["batch_size"], BATCH)
        side = max(min(study["image_size"], SIDE), smallest_of(described))
        kind = repr((sorted(architecture(described).items()), processor.precision, side, batch))
        key = f"{kind} {sorted(tune)} {bool(study['augmentation'])}"
        factor = (study["image_size"] / side) ** 2
        if key not in self._known:
            alike = [speed for name, speed in self._known.items() if name.startswith(kind)]
            if alike and (self._left <= 0 or not tune):
                slowest = max(alike, key=lambda speed: speed.step)
                self._known[key] = slowest if tune else replace(slowest, step=0.0)
            else:
                began = time.perf_counter()
                self._known[key] = measure(study, described, tune, batch, processor, side)
                self._left -= time.perf_counter() - began
        speed = self._known[key]
        step = factor * training["batch_size"] / batch * speed.step
        return replace(speed, step=step, image=factor * speed.image)


def measure(
    study: Mapping[str, Any],
    described: Mapping[str, Any],
    tune: list[str],
    batch: int,
    processor: Processor,
    side: int,
) -> Speed:
    """Time the training loop itself on made-up images.

    Parameters
    ----------
    study
        A study of a complete configuration.
    described
        The ``network`` key.
    tune
        Names of the tuned stages.
    batch
        Images of a step.
    processor
        Device and precision to compute with.
    side
        Side of the images in pixels.
    """
    with _Undrawn():
        network = build_network(architecture(described))
    parameters = {name: count(own.values()) for name, own in stage_parameters(network).items()}
    freeze_all_but(network, tune)
    network.to(processor.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    number = max(batch, 2)
    images = torch.randint(256, (number, side, side), dtype=torch.uint8, device=processor.device)
    data = SegmentationData(images, images // 128, torch.arange(number, device=processor.device))
    no_validation = replace(data, rows=data.rows[:0])
    recipe = TrainingConfig(batch_size=batch, epochs=1, patience=False, select_weights="last")
    augmentation = Augmentation(**study["augmentation"]) if study["augmentation"] else None

    what = network, data, no_validation, recipe, augmentation, 1, processor

    def take_step() -> float:
        state, _, share = _timed(
            lambda: train(*what, seed=0, names=("plan",), log=lambda line: None), processor
        )
        return float(share * state.history[-1]["seconds"])

    step = take_step() if tune else 0.0
    if 0 < step < SLOW:  # the first one warmed up
        step = take_step()
    _, seconds, share = _timed(lambda: evaluate(network, data, processor), processor)
    return Speed(step, share * seconds / len(data), parameters)


class _Undrawn(TorchFunctionMode):
    """Makes weights zero where they would be drawn, which takes longer than a step."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        if func in (Tensor.uniform_, Tensor.normal_):
            return args[0].zero_()
        return func(*args, **(kwargs or {}))


def _timed(run: Callable[[], Any], processor: Processor) -> tuple[Any, float, float]:
    """What a function gives, its seconds, and the share of them that other programs left to it."""
    began, used = time.perf_counter(), time.process_time()
    result = run()
    seconds, busy = time.perf_counter() - began, time.process_time() - used
    share = busy / seconds / processor.threads if processor.device == "cpu" else 1.0
    return result, seconds, min(1.0, share)
