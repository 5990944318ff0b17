"""What a study needs: cells, hours on this machine, and gigabytes.

Real steps are measured, with the study's network, batch and precision, within seconds. How many
a training takes until its early stop is not known before: the least is its patience and one more,
the most is the limit; what finished cells took lies between.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

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
    pretrained_folder,
)
from sonotune.networks.settings import stages_of
from sonotune.plan.speed import Meter, Speed
from sonotune.runtime.run_record import read_record
from sonotune.training.device import Processor, choose

START = 3.0  # seconds in which a job starts, before it trains


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
    remaining = [cell for cell in every if not (results / cell.folder / RECORD).exists()]
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
    finished = [read_record(results / cell.folder / RECORD) for cell in set(every) - set(remaining)]
    epochs = [record["epochs"] for record in finished if record["settings"]["tune"]]
    ends = _ends(study["training"], epochs)
    seconds = np.zeros(3)
    for cell in remaining:
        seconds += _cell_seconds(study, cell, images[cell.dataset], speeds[cell.strategy], ends)
    for number in pretrainings_of(study):
        if not (results / below_results(pretrained_folder(name, number)) / RECORD).exists():
            seconds += _pretraining(study, images[sets[-1]], processor, meter)
    least, typical, most = map(float, seconds)
    return Plan(
        len(every),
        len(finished),
        (least, typical if epochs else None, most),
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
    meter, hours = Meter(0.0), np.zeros(2)
    for name, study in config["studies"].items():
        least, _, most = plan_study(config, name, results, meter).seconds
        hours += np.array([least, most]) / 3600 / max(1, cores // study["threads"])
    return float(hours[0]), float(hours[1])


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


def _ends(training: Mapping[str, Any], finished_epochs: list[int]) -> np.ndarray:
    """Epochs of a training, [3]: the fewest, as many as finished ones took, and the most."""
    most = training["epochs"]
    if training["patience"] is False:
        return np.full(3, most)
    typical = round(np.mean(finished_epochs)) if finished_epochs else most
    return np.array([min(training["patience"] + 1, most), typical, most])


def _cell_seconds(
    study: Mapping[str, Any], cell: Cell, images: int, speed: Speed, ends: np.ndarray
) -> np.ndarray:
    resampling = _resampling(study)
    seconds = np.full(3, START + test_size(images, resampling) * speed.image)
    if speed.step:
        batches = batches_per_epoch(images, resampling, study["training"]["batch_size"])
        validation = images * cell.fraction * resampling.validation_fraction
        seconds += ends * (batches * speed.step + validation * speed.image)
    return seconds


def _pretraining(
    study: Mapping[str, Any], images: int, processor: Processor, meter: Meter
) -> np.ndarray:
    how = study["pretraining"]
    held = images * how["validation_fraction"]
    everything = list(stages_of(study["network"]))
    torch.set_num_threads(how["threads"])
    speed = meter.measure(study, study["network"], everything, how["training"], processor)
    torch.set_num_threads(study["threads"])
    epoch = (images - held) / how["training"]["batch_size"] * speed.step + held * speed.image
    return np.asarray(_ends(how["training"], []) * epoch)


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
