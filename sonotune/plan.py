"""What a study asks for before it starts: cells, hours on this machine, and gigabytes.

A few real steps are measured, of every set of stages that is tuned, in the study's network, size,
batch and precision. How many epochs a training takes until its early stop is not known before: the
least is its patience and one more, the most is the limit; what finished cells took lies between.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from sonotune.config.jobs import cells_of, dataset_settings, keeps_weights
from sonotune.config.networks import network_of
from sonotune.config.priorities import expected_images
from sonotune.data.splits import Resampling, batches_per_epoch, test_size
from sonotune.errors import SonotuneError
from sonotune.layout import (
    RECORD,
    Cell,
    below_results,
    dataset_folder,
    digest_of,
    pretrained_folder,
)
from sonotune.networks.settings import built_from, stages_of
from sonotune.networks.stages import count, freeze_all_but, tuned_parameters
from sonotune.networks.weights import start_network
from sonotune.runtime.run_record import read_record
from sonotune.training.augment import Augmentation
from sonotune.training.device import Processor, choose
from sonotune.training.forward import evaluate
from sonotune.training.loop import train
from sonotune.training.pairs import Pairs
from sonotune.training.recipe import Recipe

STEPS = 2
# Side in pixels of the images that a rough reckoning measures.
SMALL = 64


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
        Tuned weights.
    """

    step: float
    image: float
    parameters: int


@dataclass
class Plan:
    """Of one study: what is to be done and what of it is done.

    Attributes
    ----------
    cells, done
        Number of all cells, and of those with a ``run.json``.
    seconds
        Of the cells that are left and of a pre-training that is left, one after the other: with
        the fewest epochs, with what finished cells took (None without any), and with the most.
    step
        Shortest and longest measured step.
    bytes
        Of all cells' predictions before compression and of kept weights, and of arrays.
    """

    cells: int
    done: int
    seconds: tuple[float, float | None, float]
    step: tuple[float, float]
    bytes: int
    processor: Processor


def plan_study(config: Mapping[str, Any], name: str, results: str | Path) -> Plan:
    """Measure steps and add up what a study takes.

    Parameters
    ----------
    config
        A complete configuration.
    name
        The study.
    results
        The folder of results, for what is done already.

    Raises
    ------
    SonotuneError
        If it is not known how many images a data set has.
    """
    study, results = config["studies"][name], Path(results)
    processor = choose(study["device"], study["precision"], study["threads"])
    every = [cell for dataset in study["datasets"] for cell in cells_of(config, name, dataset)]
    left = [cell for cell in every if not (results / cell.folder / "run.json").exists()]
    speeds = {
        strategy: measure(
            study, network_of(study, strategy), one["tune"], study["training"], processor
        )
        for strategy, one in study["strategies"].items()
        if any(cell.strategy == strategy for cell in left) or keeps_weights(study, strategy)
    }
    images = {
        dataset: images_of(config, dataset, study["image_size"], results)
        for dataset in study["datasets"]
    }
    found = _epochs_of_finished(results, [cell for cell in every if cell not in left])
    ends = _ends(study["training"], found)
    seconds = [0.0, 0.0, 0.0]
    for cell in left:
        speed = speeds[cell.strategy]
        for i, epochs in enumerate(ends):
            seconds[i] += _cell_seconds(study, cell, images[cell.dataset], speed, epochs)
    trained_from = results / below_results(pretrained_folder(name)) / RECORD
    if "pretraining" in study and not trained_from.exists():
        for i, extra in enumerate(_pretraining(config, study, results, processor)):
            seconds[i] += extra
    steps = [speed.step for speed in speeds.values() if speed.step]
    return Plan(
        len(every),
        len(every) - len(left),
        (seconds[0], seconds[1] if found else None, seconds[2]),
        (min(steps, default=0), max(steps, default=0)),
        _bytes(study, every, images, speeds),
        processor,
    )


def rough_hours(config: Mapping[str, Any], results: str | Path, cores: int) -> tuple[float, float]:
    """Hours that all studies of a configuration take on processors, within a factor of two or so.

    A few steps of two small images are measured for each network and scaled by the number of
    pixels, which takes seconds where `plan_study` takes minutes; every strategy counts as if it
    tuned everything.

    Returns
    -------
    tuple of float
        If every training ends as early as it can, and if each takes all its epochs.
    """
    totals = [0.0, 0.0]
    speeds: dict[str, float] = {}
    for name, study in config["studies"].items():
        side = min(SMALL, study["image_size"])
        small = {**study, "image_size": side, "augmentation": False}
        processor = choose("cpu", study["precision"], 1)
        beside = max(1, cores // study["threads"])
        for dataset in study["datasets"]:
            images = expected_images(config["datasets"][dataset]) or 100
            for cell in cells_of(config, name, dataset):
                tune = study["strategies"][cell.strategy]["tune"]
                if not tune or (Path(results) / cell.folder / RECORD).exists():
                    continue
                network = network_of(study, cell.strategy)
                key = f"{sorted(built_from(network).items())} {side}"
                if key not in speeds:
                    stages = list(stages_of(network))
                    measured = measure(small, network, stages, {"batch_size": 2}, processor)
                    speeds[key] = measured.step / 2 / side**2
                recipe = study["training"]
                batches = batches_per_epoch(images, _resampling(study), recipe["batch_size"])
                epoch = batches * recipe["batch_size"] * study["image_size"] ** 2 * speeds[key]
                least, _, most = _ends(recipe, [])
                for i, epochs in enumerate((least, most)):
                    totals[i] += epochs * epoch / 3600 / beside
    return totals[0], totals[1]


def describe(name: str, study: Mapping[str, Any], plan: Plan, cores: int, gpu: int) -> str:
    """Some lines on a plan, for cells that run side by side on cores or slots of GPUs."""
    beside = gpu if plan.processor.device == "cuda" else max(1, cores // study["threads"])
    least, typical, most = (
        None if seconds is None else seconds / 3600 / beside for seconds in plan.seconds
    )
    limits = study["training"]
    epochs = min(limits["patience"] + 1, limits["epochs"]) if limits["patience"] else None
    lines = [
        f"{name}: {plan.cells} cells, {plan.done} of them done; {plan.processor.name}, "
        f"{plan.processor.precision}, {beside} at a time",
        f"  a step takes {1000 * plan.step[0]:.3g} to {1000 * plan.step[1]:.3g} ms, measured "
        "now, alone, by strategy",
        f"  {least:.3g} hours are left if every training ends as early as it can"
        + (f" ({epochs} epochs)" if epochs else "")
        + f", {most:.3g} if each takes all {limits['epochs']} epochs",
    ]
    if typical is not None:
        lines.append(f"  {typical:.3g} hours with as many epochs as the cells that are done took")
    lines += [
        f"  at most {plan.bytes / 1e9:.3g} GB for arrays, predictions and kept weights; "
        "predictions are compressed",
        "  not counted: making and fetching data, starting of jobs, scores and figures, and "
        "that cells side by side slow each other down",
    ]
    return "\n".join(lines)


def measure(
    study: Mapping[str, Any],
    described: Mapping[str, Any],
    tune: list[str],
    training: Mapping[str, Any],
    processor: Processor,
) -> Speed:
    """Time the training loop itself on made-up images; the first epoch warms up.

    Parameters
    ----------
    described
        The ``network`` key.
    """
    network = start_network(built_from(described), None, 0)
    freeze_all_but(network, tune)
    network.to(processor.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    batch, side = training["batch_size"], study["image_size"]
    number = max(batch, 4)
    images = torch.randint(256, (number, side, side), dtype=torch.uint8, device=processor.device)
    pairs = Pairs(images, images // 128, torch.arange(number, device=processor.device))
    nothing = replace(pairs, rows=pairs.rows[:0])
    step = 0.0
    if tune:
        recipe = Recipe(batch_size=batch, epochs=2, patience=False, keep="last")
        augmentation = Augmentation(**study["augmentation"]) if study["augmentation"] else None
        course = train(
            network,
            pairs,
            nothing,
            recipe,
            augmentation,
            STEPS,
            processor,
            0,
            ("plan",),
            lambda line: None,
        )
        step = course.history[-1]["seconds"] / STEPS
    image = min(_seconds(lambda: evaluate(network, pairs, processor)) for _ in range(2))
    return Speed(step, image / len(pairs), count(tuned_parameters(network)))


def images_of(config: Mapping[str, Any], dataset: str, size: int, results: Path) -> int:
    """Images of a data set: counted where it is prepared, else as the configuration tells.

    Raises
    ------
    SonotuneError
        If neither does.
    """
    digest = digest_of(dataset_settings(config, dataset))
    index = results / below_results(dataset_folder(dataset, digest)) / str(size) / "index.csv"
    if index.exists():
        return len(index.read_text("utf-8").splitlines()) - 1
    if number := expected_images(config["datasets"][dataset]):
        return number
    raise SonotuneError(f"datasets: {dataset}: its files are not there yet, so nothing can be said")


def _seconds(run: Any) -> float:
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


def _ends(training: Mapping[str, Any], found: list[int]) -> tuple[int, int, int]:
    most = training["epochs"]
    if training["patience"] is False:
        return most, most, most
    least = min(training["patience"] + 1, most)
    return least, round(statistics.mean(found)) if found else most, most


def _epochs_of_finished(results: Path, cells: list[Cell]) -> list[int]:
    records = [read_record(results / cell.folder / "run.json") for cell in cells]
    return [record["epochs"] for record in records if record["settings"]["tune"]]


def _cell_seconds(
    study: Mapping[str, Any], cell: Cell, images: int, speed: Speed, epochs: int
) -> float:
    resampling = _resampling(study)
    seconds = test_size(images, resampling) * speed.image
    if speed.step:
        batches = batches_per_epoch(images, resampling, study["training"]["batch_size"])
        validation = images * cell.percent / 100 * resampling.validation / 100
        seconds += epochs * (batches * speed.step + validation * speed.image)
    return seconds


def _pretraining(
    config: Mapping[str, Any], study: Mapping[str, Any], results: Path, processor: Processor
) -> list[float]:
    how = study["pretraining"]
    images = images_of(config, how["dataset"], study["image_size"], results)
    held = images * how["validation"] / 100
    everything = list(stages_of(study["network"]))
    torch.set_num_threads(how["threads"])
    speed = measure(study, study["network"], everything, how["training"], processor)
    torch.set_num_threads(study["threads"])
    epoch = (images - held) / how["training"]["batch_size"] * speed.step + held * speed.image
    return [epochs * epoch for epochs in _ends(how["training"], [])]


def _bytes(
    study: Mapping[str, Any],
    cells: list[Cell],
    images: Mapping[str, int],
    speeds: Mapping[str, Speed],
) -> int:
    pixels, total = study["image_size"] ** 2, 0
    for cell in cells:
        total += test_size(images[cell.dataset], _resampling(study)) * pixels
        if keeps_weights(study, cell.strategy):
            total += 4 * speeds[cell.strategy].parameters
    return total + sum(2 * number * pixels for number in images.values())


def _resampling(study: Mapping[str, Any]) -> Resampling:
    return Resampling(**{k: v for k, v in study["resampling"].items() if k != "run_folds"})
