"""What a study needs: cells, hours on this machine, and gigabytes.

Real steps are measured, with the study's network, batch and precision, within seconds. How many
a training takes until its early stop is not known before: the least is its patience and one more,
the most is the limit; what finished cells took lies between.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from sonotune.config.cells import cells_of, keeps_weights, pretrainings_of
from sonotune.config.jobs import dataset_settings, resampling_settings
from sonotune.config.networks import network_of
from sonotune.config.priorities import expected_images
from sonotune.data.readers import find_samples
from sonotune.data.splits import Resampling, batches_per_epoch, test_size
from sonotune.errors import SonotuneError
from sonotune.layout import (
    RECORD,
    Cell,
    below_results,
    dataset_folder,
    digest_of,
    format_percent,
    pretrained_folder,
)
from sonotune.networks.settings import architecture, smallest_of, stages_of
from sonotune.networks.stages import build_network, count, freeze_all_but, stage_parameters
from sonotune.runtime.run_record import read_record
from sonotune.statistics.choice import VERDICT_FOLDS
from sonotune.statistics.planning import plan_folds, typical_run_sd
from sonotune.training.augment import Augmentation
from sonotune.training.config import TrainingConfig
from sonotune.training.device import Processor, choose
from sonotune.training.forward import evaluate
from sonotune.training.loop import train
from sonotune.training.segmentation_data import SegmentationData

START = 3.0  # seconds in which a job starts, before it trains
STEPS = 1
SIDE = 64  # pixels of the images that steps are measured on
BATCH = 2
SLOW = 0.5  # seconds of a first step, beside which its warming up is little
LIMIT = 1.0  # seconds of measuring for all studies together
NIGHT = 12  # hours
LONG = 2 * 86400  # seconds after which somebody with a CPU wants other advice


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


@dataclass
class Plan:
    """Work of one study, in all and finished.

    Attributes
    ----------
    cells, done
        Number of all cells, and of those with a ``run.json``.
    seconds
        Of the cells that are left and of a pre-training that is left, one after the other: with
        the fewest epochs, with what finished cells took (None without any), and with the most.
    bytes
        Of all cells' predictions before compression and of kept weights, and of arrays.
    processor
        Device that the cells are to run on.
    """

    cells: int
    done: int
    seconds: tuple[float, float | None, float]
    bytes: int
    processor: Processor


def plan_study(
    config: Mapping[str, Any], name: str, results: str | Path, meter: Meter | None = None
) -> Plan:
    """Measure steps and add up what a study takes.

    Parameters
    ----------
    config
        A complete configuration.
    name
        The study.
    results
        The folder of results, for what is done already.
    meter
        What measures, shared by the studies of one configuration.

    Raises
    ------
    SonotuneError
        If the device is not there, or it is not known how many images a data set has.
    """
    study, results = config["studies"][name], Path(results)
    processor = choose(study["device"], study["precision"], study["threads"])
    meter = meter or Meter()
    sets = list(study["datasets"])
    if "pretraining" in study:
        sets.append(study["pretraining"]["dataset"])
    # Refused before anything is measured.
    images = {dataset: images_of(config, dataset, study["image_size"], results) for dataset in sets}
    every = [cell for dataset in study["datasets"] for cell in cells_of(config, name, dataset)]
    remaining = [cell for cell in every if not (results / cell.folder / "run.json").exists()]
    speeds = {
        strategy: meter.measure(
            study,
            network_of(study, strategy),
            strategy_settings["tune"],
            study["training"],
            processor,
        )
        for strategy, strategy_settings in study["strategies"].items()
        if any(cell.strategy == strategy for cell in remaining) or keeps_weights(study, strategy)
    }
    finished_epochs = _epochs_of_finished(
        results, [cell for cell in every if cell not in remaining]
    )
    ends = _ends(study["training"], finished_epochs)
    seconds = [0.0, 0.0, 0.0]
    for cell in remaining:
        speed = speeds[cell.strategy]
        for i, epochs in enumerate(ends):
            seconds[i] += _cell_seconds(study, cell, images[cell.dataset], speed, epochs)
    missing = [
        number
        for number in pretrainings_of(study)
        if not (results / below_results(pretrained_folder(name, number)) / RECORD).exists()
    ]
    if missing:
        number = images[study["pretraining"]["dataset"]]
        for i, extra in enumerate(_pretraining(study, number, processor, meter)):
            seconds[i] += len(missing) * extra
    return Plan(
        len(every),
        len(every) - len(remaining),
        (seconds[0], seconds[1] if finished_epochs else None, seconds[2]),
        _bytes(study, every, {dataset: images[dataset] for dataset in study["datasets"]}, speeds),
        processor,
    )


def estimate_hours(
    config: Mapping[str, Any], results: str | Path, cores: int
) -> tuple[float, float]:
    """Hours that all studies of a configuration take on processors, roughly.

    One strategy of each network is measured, in seconds; all others count as much.

    Parameters
    ----------
    config
        A complete configuration.
    results
        Folder of all results.
    cores
        Processor cores of the run.

    Returns
    -------
    tuple of float
        If every training ends as early as it can, and if each takes all its epochs.
    """
    meter, totals = Meter(0.0), [0.0, 0.0]
    for name, study in config["studies"].items():
        plan = plan_study(config, name, results, meter)
        beside = max(1, cores // study["threads"])
        for i, seconds in enumerate((plan.seconds[0], plan.seconds[2])):
            totals[i] += seconds / 3600 / beside
    return totals[0], totals[1]


def no_gpu_warning(config: Mapping[str, Any], results: str | Path, cores: int) -> str:
    """How long a configuration takes on a machine without a GPU, and what to run instead.

    Parameters
    ----------
    config
        A complete configuration.
    results
        The folder of results, for what is done already.
    cores
        Of the run.

    Returns
    -------
    str
        Empty if every study is done within a night (`NIGHT`), or its images are not here yet.
    """
    try:
        hours = estimate_hours(config, results, cores)
    except SonotuneError:  # nobody knows yet how many images there are
        return ""
    if hours[1] < NIGHT:
        return ""
    least, most = (
        f"{h / 24:.0f} days" if h > 48 else f"{h:.0f} hours" if h >= 1.5 else "an hour"
        for h in hours
    )
    on = "one core" if cores == 1 else f"{cores} cores"
    return (
        f"sonotune: this machine has no GPU. The trainings that are left take about {least} on "
        f"{on} if each stops as early as it can, {most} if each takes all its epochs "
        "(estimated from a few steps on small images). Smaller: config/demo.yaml (minutes) and "
        "config/laptop.yaml (a night), by --configfile; `sonotune plan` measures a configuration."
    )


def describe(name: str, study: Mapping[str, Any], plan: Plan, cores: int, gpu: int) -> str:
    """A plan in words, for cells that run side by side on cores or slots of GPUs.

    Parameters
    ----------
    name
        Name of the study.
    study
        A study of a complete configuration.
    plan
        What is to be done.
    cores, gpu
        Processor cores and slots of GPUs of the run.
    """
    beside = gpu if plan.processor.device == "cuda" else max(1, cores // study["threads"])
    least, most = plan.seconds[0] / beside, plan.seconds[2] / beside
    typical = None if plan.seconds[1] is None else plan.seconds[1] / beside
    if plan.done == plan.cells:
        time_words = "nothing is left to train"
    elif typical is not None:
        time_words = f"about {duration(typical)} left, judged by the epochs of finished trainings"
    elif duration(least) == duration(most):
        time_words = f"about {duration(least)}"
    else:
        time_words = (
            f"{duration(least)} to {duration(most)}, depending on when trainings stop early"
        )
    lines = [
        f"{name}: {time_words}",
        f"  {plan.cells} trainings and evaluations, {plan.done} done, {beside} at a time on "
        f"{plan.processor.name} ({plan.processor.precision})",
        f"  disk: at most {size_text(plan.bytes)}",
        *(f"  {line}" for line in power_summary(study)),
    ]
    if "race" in study:
        budget = study["race"]["budget"]
        share = "as much time as" if budget == "grid" else f"at most {budget:.0%} of the time of"
        lines.insert(1, f"  an upper limit: the race takes {share} all strategies in all folds")
    if plan.processor.device != "cuda" and least > LONG:
        lines.append(
            "  That is long for a CPU. A GPU, fewer strategies or folds, or a smaller network and "
            "image size help; config/laptop.yaml takes a night."
        )
    return "\n".join(lines)


def power_summary(study: Mapping[str, Any]) -> list[str]:
    """What the configured folds can tell, at each fraction, with runs as in docs/results.

    Parameters
    ----------
    study
        A study of a complete configuration.
    """
    strategies = sum(1 for strategy in study["strategies"].values() if strategy["tune"])
    folds = len(study["resampling"]["run_folds"])
    if strategies < 2:
        return []
    if folds < VERDICT_FOLDS:
        return [
            f"{folds} of {study['resampling']['folds']} folds: too few to call a strategy worse "
            f"or about as good; use at least {VERDICT_FOLDS}, preferably five"
        ]
    lines = []
    spreads: dict[float, list[float]] = {}
    for fraction in study["fractions"]:
        spreads.setdefault(typical_run_sd(fraction), []).append(fraction)
    for spread, fractions in spreads.items():
        (plan,) = plan_folds([folds], [spread] * strategies)
        at = ", ".join(format_percent(fraction) for fraction in fractions)
        lines.append(
            f"{folds} folds at {at} show differences of {plan.detectable:.2f} Dice and more "
            f"(80% power); expect the recommended strategy to be {plan.regret:.3f} behind the best"
        )
    return [*lines, f"(if runs vary as in our studies: SD {', '.join(map(str, spreads))})"]


def duration(seconds: float) -> str:
    """Seconds in words, rounded as an estimate deserves.

    Parameters
    ----------
    seconds
        Seconds, at least 0.
    """
    for unit, length in (("year", 365 * 86400), ("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= 1.5 * length:
            number = seconds / length
            return f"{number:.1f} {unit}s" if unit == "year" else f"{number:.0f} {unit}s"
    return "a minute"


def size_text(number: float) -> str:
    """Bytes in MB or GB.

    Parameters
    ----------
    number
        Number of bytes.
    """
    return f"{number / 1e9:.1f} GB" if number >= 1e9 else f"{max(number / 1e6, 1):.0f} MB"


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
    training_config = TrainingConfig(
        batch_size=batch, epochs=1, patience=False, select_weights="last"
    )
    augmentation = Augmentation(**study["augmentation"]) if study["augmentation"] else None

    def take_step() -> float:
        began, used = time.perf_counter(), time.process_time()
        state = train(
            network,
            data,
            no_validation,
            training_config,
            augmentation,
            STEPS,
            processor,
            0,
            ("plan",),
            lambda line: None,
        )
        step = state.history[-1]["seconds"] / STEPS
        if processor.device == "cpu":  # without what other programs took meanwhile
            shared = (time.process_time() - used) / (time.perf_counter() - began)
            step *= min(1.0, shared / study["threads"])
        return step

    step = take_step() if tune else 0.0
    if 0 < step < SLOW:  # the first one warmed up
        step = take_step()
    image = _seconds(lambda: evaluate(network, data, processor), study["threads"])
    return Speed(step, image / len(data), parameters)


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


def images_of(config: Mapping[str, Any], dataset: str, size: int, results: Path) -> int:
    """Images of a data set: counted where it is prepared, else as the configuration tells.

    Parameters
    ----------
    config
        A complete configuration.
    dataset
        Name of a data set.
    size
        Side of its arrays in pixels.
    results
        Folder of all results.

    Raises
    ------
    SonotuneError
        If neither does.
    """
    digest = digest_of(dataset_settings(config, dataset))
    index = results / below_results(dataset_folder(dataset, digest)) / str(size) / "index.csv"
    if index.exists():
        return len(index.read_text("utf-8").splitlines()) - 1
    settings = config["datasets"][dataset]
    if number := expected_images(settings):
        return number
    if "catalogue" not in settings:
        try:
            return len(find_samples(settings))
        except (SonotuneError, OSError) as error:
            raise SonotuneError(f"datasets: {dataset}: {error}") from None
    raise SonotuneError(
        f"datasets: {dataset}: the catalogue does not say how many images it has; "
        f"download it first: sonotune data fetch {settings['catalogue']}"
    )


def _seconds(run: Any, threads: int) -> float:
    """Wall time, or processor time per thread where that is less: the machine may be shared."""
    began, used = time.perf_counter(), time.process_time()
    run()
    wall, processor = time.perf_counter() - began, time.process_time() - used
    return min(wall, processor / threads) if not torch.cuda.is_available() else wall


def _ends(training: Mapping[str, Any], finished_epochs: list[int]) -> tuple[int, int, int]:
    most = training["epochs"]
    if training["patience"] is False:
        return most, most, most
    least = min(training["patience"] + 1, most)
    return least, round(statistics.mean(finished_epochs)) if finished_epochs else most, most


def _epochs_of_finished(results: Path, cells: list[Cell]) -> list[int]:
    records = [read_record(results / cell.folder / "run.json") for cell in cells]
    return [record["epochs"] for record in records if record["settings"]["tune"]]


def _cell_seconds(
    study: Mapping[str, Any], cell: Cell, images: int, speed: Speed, epochs: int
) -> float:
    resampling = _resampling(study)
    seconds = START + test_size(images, resampling) * speed.image
    if speed.step:
        batches = batches_per_epoch(images, resampling, study["training"]["batch_size"])
        validation = images * cell.fraction * resampling.validation_fraction
        seconds += epochs * (batches * speed.step + validation * speed.image)
    return seconds


def _pretraining(
    study: Mapping[str, Any], images: int, processor: Processor, meter: Meter
) -> list[float]:
    how = study["pretraining"]
    held = images * how["validation_fraction"]
    everything = list(stages_of(study["network"]))
    torch.set_num_threads(how["threads"])
    speed = meter.measure(study, study["network"], everything, how["training"], processor)
    torch.set_num_threads(study["threads"])
    epoch = (images - held) / how["training"]["batch_size"] * speed.step + held * speed.image
    return [epochs * epoch for epochs in _ends(how["training"], [])]


def _bytes(
    study: Mapping[str, Any],
    cells: list[Cell],
    images: Mapping[str, int],
    speeds: Mapping[str, Speed],
) -> int:
    pixels, total = int(study["image_size"]) ** 2, 0
    for cell in cells:
        total += test_size(images[cell.dataset], _resampling(study)) * pixels
        if keeps_weights(study, cell.strategy):
            stages = speeds[cell.strategy].parameters
            total += 4 * sum(stages[stage] for stage in study["strategies"][cell.strategy]["tune"])
    return total + sum(2 * number * pixels for number in images.values())


def _resampling(study: Mapping[str, Any]) -> Resampling:
    return Resampling(**resampling_settings(study["resampling"]))
