"""One cell: from prepared arrays and start weights to predictions and a record."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sonotune.data.arrays import ImageSet, load_set
from sonotune.data.augment import Augmentation
from sonotune.data.splits import Resampling, batches_per_epoch, round_half_up, split, split_seed
from sonotune.errors import SonotuneError
from sonotune.files import atomic, remove_unfinished
from sonotune.models.initialise import he_normal, load_weights, save_weights
from sonotune.models.stages import (
    build_network,
    freeze_all_but,
    frozen_state,
)
from sonotune.records import check_output, file_digest, read_record, write_record
from sonotune.seeds import generator, torch_seed
from sonotune.training.checkpoint import Checkpoint
from sonotune.training.device import Processor, choose
from sonotune.training.epoch_records import Records
from sonotune.training.kept import describe_weights, kept_state
from sonotune.training.loop import Recipe, predict, train
from sonotune.training.record import (
    Clock,
    describe_run,
    never_overlaps,
    state_digest,
    write_history,
)


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
        `sonotune.configuration.cell_settings`).
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
    _clear(folder)
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
        data.groups,
        data.names,
        settings.get("exclude"),
    )
    network = _start(settings["network"], data, pretrained, torch_seed(seed, *names, "initial"))
    freeze_all_but(network, settings["tune"])
    network.to(processor.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    frozen = state_digest(frozen_state(network))
    recipe = Recipe(**settings["training"])
    augmentation = Augmentation(**settings["augmentation"]) if settings["augmentation"] else None
    tests = _pairs(data, rows.test, processor)

    marks = Clock()
    course = None
    keeper = _checkpoint(checkpoint, settings, data, pretrained, processor, log)
    if settings["tune"]:
        log(f"{len(rows.train)} training, {len(rows.validation)} validation images")
        with keeper or nullcontext():
            course = train(
                network,
                _pairs(data, rows.train, processor),
                _pairs(data, rows.validation, processor),
                recipe,
                augmentation,
                batches_per_epoch(len(data.images), resampling, recipe.batch_size),
                processor,
                seed,
                names,
                log,
                keeper,
                Records(tests, augmentation, recipe.batch_size, processor, seed, names)
                if settings.get("records")
                else None,
            )
    marks.stop("training")
    if keeper:
        marks.add("training", keeper.earlier_wall, keeper.earlier_cpu)
    probabilities = predict(network, tests[:, :1], processor)
    marks.stop("prediction")
    if state_digest(frozen_state(network)) != frozen:
        raise RuntimeError("a frozen stage changed during training: this is a fault of sonotune")

    quantised = quantise(probabilities)
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
        **describe_run(network, course, processor, data, pretrained, marks),
        # Early stopping would call a network that says the same everywhere converged.
        "collapsed": course is not None
        and (bool((quantised >= 128).all() or (quantised < 128).all()) or never_overlaps(course)),
    }
    write_history(folder, course)
    written = ["predictions.npz", "history.csv"]
    if settings["keep_weights"]:
        written.append("weights.safetensors")
    return _finish(folder, record, written, keeper)


def pretrain(
    settings: Mapping[str, Any],
    arrays: str | Path,
    folder: str | Path,
    log: Callable[[str], None],
    checkpoint: str | Path | None = None,
) -> dict[str, Any]:
    """Pre-train a study's network on natural images (section II-D): all stages, no augmentation.

    Writes ``weights.safetensors``, ``history.csv`` and ``run.json``; returns what that holds. A
    pre-training that reaches its last epoch without an early stop keeps its best weights and is
    no failure.

    Raises
    ------
    SonotuneError
        If its loss is not finite: no cell could start from such weights.
    Stopped
        If a signal asked to end and the checkpoint was written (see `run_cell`).
    """
    folder = Path(folder)
    _clear(folder)
    data = load_set(arrays)
    seed, names = settings["seed"], ("pretraining", settings["dataset"])
    processor = choose(settings["device"], settings["precision"], settings["threads"])
    order = generator(seed, *names, "split").permutation(len(data.images))
    held = max(1, round_half_up(Fraction(str(settings["validation"])) * len(order) / 100))
    network = _start(settings["network"], data, None, torch_seed(seed, *names, "initial"))
    network.to(processor.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    recipe = Recipe(**settings["training"])
    training_rows = np.sort(order[held:])
    marks = Clock()
    keeper = _checkpoint(checkpoint, settings, data, None, processor, log)
    log(f"pre-training on {len(training_rows)} images, {held} for validation")
    with keeper or nullcontext():
        course = train(
            network,
            _pairs(data, training_rows, processor),
            _pairs(data, np.sort(order[:held]), processor),
            recipe,
            None,
            -(-len(training_rows) // recipe.batch_size),
            processor,
            seed,
            names,
            log,
            keeper,
        )
    marks.stop("training")
    if keeper:
        marks.add("training", keeper.earlier_wall, keeper.earlier_cpu)
    if course.failure and course.failure.startswith("loss"):
        raise SonotuneError(
            f"pretraining: {course.failure}; lower pretraining.training.learning_rate"
        )
    save_weights(network.state_dict(), folder / "weights.safetensors")
    record = {
        "settings": dict(settings),
        "source": data.about["source"],
        "images": {"training": len(training_rows), "validation": held},
        **describe_run(network, course, processor, data, None, marks),
        "collapsed": never_overlaps(course),
    }
    write_history(folder, course)
    return _finish(folder, record, ["weights.safetensors", "history.csv"], keeper)


def quantise(probabilities: Tensor) -> np.ndarray:
    """Store probabilities in [0,1] as uint8 such that p > 0.5 exactly where the value >= 128."""
    return (probabilities * 256).ceil().sub(1).clamp(0, 255).to(torch.uint8).numpy()


def _clear(folder: Path) -> None:
    """Remove what a killed run of the same cell was writing."""
    for name in ("predictions.npz", "weights.safetensors", "history.csv", "run.json"):
        remove_unfinished(folder / name)


def _checkpoint(
    path: str | Path | None,
    settings: Mapping[str, Any],
    data: ImageSet,
    weights: str | Path | None,
    processor: Processor,
    log: Callable[[str], None],
) -> Checkpoint | None:
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


def _finish(
    folder: Path, record: dict[str, Any], written: list[str], keeper: Checkpoint | None
) -> dict[str, Any]:
    """Write the record last, and let go of the checkpoint."""
    earlier = keeper.earlier_cpu if keeper else 0.0
    record["cpu_seconds"]["total"] = time.process_time() + earlier
    whole = write_record(folder, record, written)
    if keeper:
        keeper.remove()
    return whole


def _names(settings: Mapping[str, Any]) -> tuple[str | int | float, ...]:
    return tuple(settings[key] for key in ("dataset", "strategy", "percent", "fold"))


def _start(
    network_settings: dict[str, Any], data: ImageSet, weights: str | Path | None, seed: int
) -> nn.Module:
    network = build_network(network_settings)
    divisor: int = network.divisor  # type: ignore[assignment]
    height, width = data.images.shape[1:]
    if height % divisor or width % divisor:
        raise SonotuneError(
            f"image_size: {height} x {width} cannot be halved {divisor.bit_length() - 1} times; "
            f"use a multiple of {divisor}"
        )
    if weights is None:
        he_normal(network, seed)
    else:
        load_weights(network, weights)
    return network


def _pairs(data: ImageSet, rows: np.ndarray, processor: Processor) -> Tensor:
    """Images scaled to [0,1] and masks, float32 [n,2,H,W] on the device."""
    stacked = np.stack([data.images[rows], data.masks[rows]], axis=1)
    pairs = torch.from_numpy(stacked).to(processor.device, torch.float32)
    pairs[:, 0] /= 255
    return pairs
