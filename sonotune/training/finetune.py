"""One cell: from prepared arrays and start weights to predictions and a record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sonotune.data.dataset import ImageSet, load_set
from sonotune.data.splits import Resampling, batches_per_epoch, split, split_seed
from sonotune.networks.stages import freeze_all_but, frozen_state
from sonotune.networks.weights import save_weights
from sonotune.runtime.files import atomic
from sonotune.runtime.run_record import check_output, read_record
from sonotune.seeds import torch_seed
from sonotune.training.augment import Augmentation
from sonotune.training.device import choose
from sonotune.training.forward import at_once, predict
from sonotune.training.job import (
    checkpoint_of,
    clear,
    fail_if_dead,
    finish,
    names_of_attempt,
    start,
    train_until,
)
from sonotune.training.loop import train
from sonotune.training.model_card import describe_weights, kept_state
from sonotune.training.pairs import Pairs
from sonotune.training.recipe import FAILED, Course, Recipe
from sonotune.training.record import (
    Clock,
    describe_run,
    never_overlaps,
    state_digest,
    write_history,
)
from sonotune.training.test_monitor import Records


def run_cell(
    settings: Mapping[str, Any],
    arrays: str | Path,
    pretrained: str | Path | None,
    folder: str | Path,
    log: Callable[[str], None],
    checkpoint: str | Path | None = None,
) -> dict[str, Any]:
    """Train one cell, predict its test images and write both down.

    Parameters
    ----------
    settings
        All that the cell depends on besides its arrays and start weights (see
        `sonotune.config.jobs.cell_settings`).
    pretrained
        Start weights, or None for a random start.
    folder
        Gets ``history.csv``, ``predictions.npz`` (``rows`` int64 [n] and ``probabilities``
        uint8 [n,H,W]), ``weights.safetensors`` with the tuned stages if asked for, and last
        ``run.json``.
    checkpoint
        Where to keep what a killed training needs to go on; outside of the folder, which
        Snakemake clears before it starts a cell anew. None for no checkpoint.

    Returns
    -------
    dict
        What ``run.json`` holds.

    Raises
    ------
    SonotuneError
        If input does not fit: images, weights, percent or device.
    Stopped
        If a signal asked to end and the checkpoint was written.
    """
    folder = Path(folder)
    clear(folder)
    data = load_set(arrays)
    if pretrained and (run := Path(pretrained).with_name("run.json")).exists():
        check_output(pretrained, read_record(run))
    seed, names = settings["seed"], _names(settings)
    processor = choose(settings["device"], settings["precision"], settings["threads"])
    resampling = Resampling(**settings["resampling"])
    rows = split(
        len(data.images),
        resampling,
        split_seed(seed, settings["dataset"]),
        settings["percent"],
        settings["fold"],
        data.groups_for(resampling.grouped),
        data.names,
        settings.get("exclude"),
    )
    recipe = Recipe(**settings["training"])
    augmentation = Augmentation(**settings["augmentation"]) if settings["augmentation"] else None
    tests = Pairs.of(data, rows.test, processor)

    marks = Clock()
    course, earlier = None, []
    keeper = checkpoint_of(checkpoint, settings, data, pretrained, processor, log)

    def start_once(attempt: int) -> nn.Module:
        network = start_of_cell(settings, data, pretrained, attempt)
        freeze_all_but(network, settings["tune"])
        network.to(processor.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        return network

    def train_once(attempt: int) -> tuple[nn.Module, Course]:
        own, network = names_of_attempt(names, attempt), start_once(attempt)
        frozen = state_digest(frozen_state(network))
        course = train(
            network,
            Pairs.of(data, rows.train, processor),
            Pairs.of(data, rows.validation, processor),
            recipe,
            augmentation,
            batches_per_epoch(len(data.images), resampling, recipe.batch_size),
            processor,
            seed,
            own,
            log,
            keeper,
            Records(tests, augmentation, recipe.batch_size, processor, seed, names)
            if settings.get("records")
            else None,
        )
        if state_digest(frozen_state(network)) != frozen:
            raise RuntimeError(
                "a frozen stage changed during training: this is a fault of sonotune"
            )
        fail_if_dead(network, course, tests, processor)
        return network, course

    if settings["tune"]:
        log(f"{len(rows.train)} training, {len(rows.validation)} validation images")
        with keeper or nullcontext():
            network, course, earlier = train_until(recipe.attempts, FAILED, train_once, keeper, log)
    else:
        network = start_once(1)
    marks.stop("training")
    if keeper:
        marks.add("training", keeper.earlier_wall, keeper.earlier_cpu)
    batches = tests.split(at_once(tests.images, processor))
    parts = predict(network, (pairs[:, :1] for pairs in batches), processor)
    quantised = np.concatenate([quantise(part) for part in parts])
    marks.stop("prediction")

    with atomic(folder / "predictions.npz") as temporary:
        np.savez_compressed(temporary, rows=rows.test, probabilities=quantised)
    if settings["keep_weights"]:
        save_weights(
            kept_state(network, pretrained),
            folder / "weights.safetensors",
            describe_weights(settings, data, rows.train, pretrained),
        )
    record = {
        "settings": dict(settings),
        "source": data.about["source"],
        "images": {
            "training": len(rows.train),
            "validation": len(rows.validation),
            "test": len(rows.test),
        },
        **describe_run(network, course, processor, data, pretrained, marks, earlier),
        # Early stopping would call a network that says the same everywhere converged.
        "collapsed": course is not None
        and (bool((quantised >= 128).all() or (quantised < 128).all()) or never_overlaps(course)),
    }
    write_history(folder, course)
    written = ["predictions.npz", "history.csv"]
    if settings["keep_weights"]:
        written.append("weights.safetensors")
    return finish(folder, record, written, keeper)


def quantise(probabilities: Tensor) -> np.ndarray:
    """Store probabilities in [0,1] as uint8 such that p > 0.5 exactly where the value >= 128."""
    return (probabilities * 256).ceil().sub(1).clamp(0, 255).to(torch.uint8).numpy()


def _names(settings: Mapping[str, Any]) -> tuple[str | int | float, ...]:
    return tuple(settings[key] for key in ("dataset", "strategy", "percent", "fold"))


def start_of_cell(
    settings: Mapping[str, Any], data: ImageSet, pretrained: str | Path | None, attempt: int = 1
) -> nn.Module:
    """The network as an attempt of a cell's training finds it (see `run_cell`)."""
    seed = torch_seed(settings["seed"], *names_of_attempt(_names(settings), attempt), "initial")
    return start(settings["network"], data, pretrained, seed)
