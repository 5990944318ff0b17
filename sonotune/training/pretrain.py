"""A pre-training: from prepared natural images to start weights and a record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from sonotune.data.dataset import load_set
from sonotune.data.splits import round_half_up
from sonotune.errors import SonotuneError
from sonotune.networks.weights import save_weights
from sonotune.seeds import generator, torch_seed
from sonotune.training.device import choose
from sonotune.training.forward import is_dead
from sonotune.training.job import (
    DEAD,
    checkpoint_of,
    clear,
    fail_if_dead,
    finish,
    names_of_attempt,
    start,
    train_until,
)
from sonotune.training.loop import train
from sonotune.training.pairs import Pairs
from sonotune.training.recipe import Course, Recipe
from sonotune.training.record import (
    Clock,
    describe_run,
    never_overlaps,
    write_history,
)

# A network that is dead from the start is drawn anew so often: no cell could start from it.
STARTS = 10


def pretrain(
    settings: Mapping[str, Any],
    arrays: str | Path,
    folder: str | Path,
    log: Callable[[str], None],
    checkpoint: str | Path | None = None,
    weights: str | Path | None = None,
) -> dict[str, Any]:
    """Pre-train a study's network on natural images (section II-D): all stages, no augmentation.

    It starts from ``weights``, those of a published encoder, or at random where they are None.

    Writes ``weights.safetensors``, ``history.csv`` and ``run.json``; returns what that holds. A
    pre-training that reaches its last epoch without an early stop keeps its best weights and is
    no failure. A network whose output does not depend on the image is drawn anew, up to `STARTS`
    times.

    Raises
    ------
    SonotuneError
        If its loss is not finite, or its network dies: no cell could start from such weights.
    Stopped
        If a signal asked to end and the checkpoint was written (see `run_cell`).
    """
    folder = Path(folder)
    clear(folder)
    data = load_set(arrays)
    seed, names = settings["seed"], ("pretraining", settings["dataset"])
    processor = choose(settings["device"], settings["precision"], settings["threads"])
    order = generator(seed, *names, "split").permutation(len(data.images))
    held = max(1, round_half_up(Fraction(str(settings["validation"])) * len(order) / 100))
    recipe = Recipe(**settings["training"])
    training_rows = np.sort(order[held:])
    marks = Clock()
    keeper = checkpoint_of(checkpoint, settings, data, weights, processor, log)
    log(f"pre-training on {len(training_rows)} images, {held} for validation")
    training = Pairs.of(data, training_rows, processor)
    validation = Pairs.of(data, np.sort(order[:held]), processor)

    def train_once(attempt: int) -> tuple[nn.Module, Course]:
        own = names_of_attempt(names, attempt)
        network = start(settings["network"], data, weights, torch_seed(seed, *own, "initial"))
        network.to(processor.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        if is_dead(network, validation, processor):
            return network, Course(outcome="dead", failure=DEAD)
        course = train(
            network,
            training,
            validation,
            recipe,
            None,
            -(-len(training_rows) // recipe.batch_size),
            processor,
            seed,
            own,
            log,
            keeper,
        )
        fail_if_dead(network, course, validation, processor)
        return network, course

    with keeper or nullcontext():
        network, course, earlier = train_until(STARTS, ("dead",), train_once, keeper, log)
    marks.stop("training")
    if keeper:
        marks.add("training", keeper.earlier_wall, keeper.earlier_cpu)
    if course.outcome in ("not_finite", "dead"):
        raise SonotuneError(
            f"pretraining: {course.failure}; lower pretraining.training.learning_rate"
        )
    save_weights(network.state_dict(), folder / "weights.safetensors")
    record = {
        "settings": dict(settings),
        "source": data.about["source"],
        "images": {"training": len(training_rows), "validation": held},
        **describe_run(network, course, processor, data, weights, marks, earlier),
        "collapsed": never_overlaps(course),
    }
    write_history(folder, course)
    return finish(folder, record, ["weights.safetensors", "history.csv"], keeper)
