"""Write finished cells of the full study that nobody trained, so that all that follows can run.

python benchmarks/full_grid.py FOLDER [--images SHARE] [--size 256] [--folds 5] [--width 64]

makes in FOLDER a configuration (``grid.yaml``), prepared arrays of the paper's four data sets
(85, 163, 805 and 240 images), a pre-training and 13 strategies x 3 fractions x 5 folds x 4 data
sets = 780 trainings and 20 evaluations. Predictions are random deformations of the masks, with
Dice scores around the means of Amiri 2020, Table II; histories, seconds and failures are made up
likewise. For tests and benchmarks only: nothing can be learned from them about fine-tuning.
Every rule after the training runs from them:

snakemake --snakefile Snakefile --directory FOLDER --configfile FOLDER/grid.yaml
"""

from __future__ import annotations

import argparse
import csv
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import yaml

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from sonotune.config.check import complete  # noqa: E402
from sonotune.config.jobs import (  # noqa: E402
    cell_settings,
    cells_of,
    dataset_settings,
    generation_code,
    preparation_code,
    pretraining_settings,
)
from sonotune.data.audit import Audit  # noqa: E402
from sonotune.data.audit_files import write_audit_csv, write_audit_html, write_duplicates  # noqa: E402
from sonotune.data.dataset import save_set  # noqa: E402
from sonotune.data.ellipse import Ellipse  # noqa: E402
from sonotune.data.image_set import ImageSet  # noqa: E402
from sonotune.data.readers.hc18 import CSV  # noqa: E402
from sonotune.data.splits import Resampling, batches_per_epoch, split, split_seed  # noqa: E402
from sonotune.jobs.features import save_features, stage_outputs  # noqa: E402
from sonotune.jobs.record import describe_processor  # noqa: E402
from sonotune.layout import (  # noqa: E402
    WEIGHTS,
    Cell,
    dataset_folder,
    digest_of,
    pretrained_folder,
)
from sonotune.networks.stages import (  # noqa: E402
    build_network,
    count,
    freeze_all_but,
    tuned_parameters,
)
from sonotune.networks.weights import he_normal  # noqa: E402
from sonotune.networks.weights_file import save_weights  # noqa: E402
from sonotune.report.published import published_table  # noqa: E402
from sonotune.runtime.files import atomic, read_json, write_json  # noqa: E402
from sonotune.runtime.run_record import file_digest, write_record  # noqa: E402
from sonotune.seeds import generator  # noqa: E402
from sonotune.stale import originals_digest  # noqa: E402
from sonotune.training.device import Processor  # noqa: E402

IMAGES = {"sus": 85, "bus": 163, "fus": 805, "xray": 240}
COLLAGES = 10  # of which nobody reads more than their digests
FEWEST = 60  # of fewer, 5 percent have no validation image
HC18_SHAPE = 540, 800  # height and width of most originals
TABLE2 = published_table("amiri2020_table2").set_index(["dataset", "fraction", "strategy"])
UNCHANGED = {"sus": 0.42, "bus": 0.33, "fus": 0.5, "xray": 0.62}
SOURCE = "made up for tests and benchmarks"
SEED = 2020
PATIENCE, EPOCHS = 20, 200


def grid_configuration(images: dict[str, int], size: int, folds: int, width: int) -> dict[str, Any]:
    """The study amiri2020 of ``config/config.yaml`` on these data sets."""
    given = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    datasets: dict[str, Any] = {
        name: {"reader": "simulate", "images": number, "source": SOURCE}
        for name, number in images.items()
    }
    if "fus" in datasets:  # whose circumferences come with the files
        datasets["fus"] = {"catalogue": "hc18", "source": SOURCE}
    for name, dataset in datasets.items():
        dataset["label"] = given["datasets"][name]["label"]
    datasets["collage"] = {"reader": "collage", "images": 2000}
    study = given["studies"]["amiri2020"]
    study |= {"image_size": size, "datasets": list(images), "device": "cpu", "precision": "fp32"}
    study["network"]["width"] = width
    study["pretraining"]["dataset"] = "collage"
    study["resampling"]["run_folds"] = list(range(folds))
    return {"seed": SEED, "datasets": datasets, "studies": {"amiri2020": study}}


@dataclass(frozen=True)
class MadeSet:
    """A data set and, where it has them, pixel sizes (mm) of the originals and circumferences."""

    data: ImageSet
    measures: dict[str, tuple[float, float]]


def make_set(name: str, number: int, size: int, rng: np.random.Generator) -> MadeSet:
    """Images of one dark ellipse each; those of ``fus`` are heads whose size is known in mm."""
    shape = height, width = HC18_SHAPE if name == "fus" else (size, size)
    axes = (0.35, 0.54, 0.28, 0.39) if name == "fus" else (0.2, 0.35, 0.12, 0.2)
    masks = np.zeros((number, size, size), np.uint8)
    index: list[dict[str, Any]] = []
    measures = {}
    for row in range(number):
        centre = rng.normal(0.5, 0.06, 2) * (width, height)
        radii = height * rng.uniform(axes[0], axes[1]), height * rng.uniform(axes[2], axes[3])
        ellipse = Ellipse(*centre, *radii, rng.uniform(-0.6, 0.6))
        masks[row] = ellipse.mask(shape, (size, size))
        image_name, y, x = f"{name}{row:03}", None, None
        if name == "fus":
            image_name, pixel = f"{row:03}_HC", rng.uniform(0.08, 0.25)
            measures[image_name] = pixel, ellipse.circumference * pixel
            y, x = pixel * height / size, pixel * width / size
        elif name == "sus":
            y, x = 60 / size, 40 / size
        index.append(
            {
                "name": image_name,
                "group": image_name,
                "original_height": height,
                "original_width": width,
                "mm_per_pixel_y": y,
                "mm_per_pixel_x": x,
            }
        )
    noise = rng.normal(1, 0.3, masks.shape)
    images = np.clip((150 - 90.0 * masks) * noise, 0, 255).astype(np.uint8)
    return MadeSet(ImageSet(images, masks, index, {}), measures)


class Predictor:
    """Gives a mask's prediction a chosen Dice score by deforming the mask's outline at random.

    Parameters
    ----------
    masks
        uint8 0/1 [N,H,W].
    """

    def __init__(self, masks: np.ndarray, rng: np.random.Generator) -> None:
        size = masks.shape[1]
        self.masks = masks > 0
        # How far inside the object a pixel is, in sixteenths of the side; negative outside.
        inside, outside = (
            np.stack(
                [cv2.distanceTransform(one, cv2.DIST_L2, cv2.DIST_MASK_PRECISE) for one in part]
            )
            for part in (masks, 1 - masks)
        )
        self.depths = np.where(self.masks, inside - 0.5, 0.5 - outside) * (16 / size)
        fields = rng.normal(size=(48, size, size))
        self.fields = np.stack([cv2.GaussianBlur(one, (0, 0), size / 14) for one in fields])
        self.fields /= self.fields.std()

    def predict(self, row: int, dice: float, rng: np.random.Generator) -> np.ndarray:
        """Probabilities, uint8 [H,W], whose Dice score is near `dice` if that can be reached."""
        field = self.fields[rng.integers(len(self.fields))]
        mask, depth = self.masks[row], self.depths[row]
        low, high = 0.0, 8.0
        for _ in range(8):
            amplitude = (low + high) / 2
            found = depth + amplitude * field > 0
            reached = 2 * np.count_nonzero(found & mask) / (found.sum() + mask.sum())
            low, high = (amplitude, high) if reached > dice else (low, amplitude)
        # Certain beyond three pixels (of 256) from the outline.
        return np.clip((depth + low * field) * 680 + 128, 0, 255).astype(np.uint8)


def write_grid(
    folder: str | Path,
    images: dict[str, int] | None = None,
    size: int = 256,
    folds: int = 5,
    width: int = 64,
) -> Path:
    """Write configuration, arrays, pre-training and cells; return the configuration's path.

    Parameters
    ----------
    images
        Number of images of each data set, by default the paper's.
    size
        Side of the images in pixels.
    folds
        How many of the five folds count as run.
    width
        Width of the network whose parameters are counted.

    Files are written in the order in which the workflow would make them, so to Snakemake each is
    newer than what it is made from.
    """
    folder, images = Path(folder), images or IMAGES
    given = grid_configuration(images, size, folds, width)
    path = folder / "grid.yaml"
    with atomic(path) as temporary:
        temporary.write_text(yaml.safe_dump(given, sort_keys=False))
    config = complete(given)
    made = {}
    for name, number in {**images, "collage": COLLAGES}.items():
        made[name] = _write_set(folder, config, name, number, size)
        # There are no originals that could be looked at.
        audit = Audit(name, SOURCE, (), (), (), ())
        home = _home(folder, config, name)
        write_audit_csv(audit, home / "audit.csv")
        write_duplicates(audit, home / "audit_duplicates.csv")
        write_audit_html(audit, None, home / "audit.html")
    parameters = _write_pretraining(folder, config)
    _write_features(folder, config, made)
    for name in images:
        predictor = Predictor(made[name].data.masks, generator(SEED, name, "fields"))
        for cell in cells_of(config, "amiri2020", name):
            _write_cell(folder, config, cell, made[name].data, predictor, parameters)
    return path


def _home(folder: Path, config: dict[str, Any], name: str) -> Path:
    return folder / dataset_folder(name, digest_of(dataset_settings(config, name)))


def _write_set(folder: Path, config: dict[str, Any], name: str, number: int, size: int) -> MadeSet:
    made = make_set(name, number, size, generator(SEED, name, "images"))
    home, settings = _home(folder, config, name), dataset_settings(config, name)
    if made.measures:
        files = folder / "resources/hc18"
        (files / "training_set").mkdir(parents=True, exist_ok=True)
        with (files / CSV).open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("filename", "pixel size(mm)", "head circumference (mm)"))
            writer.writerows((f"{key}.png", *pair) for key, pair in made.measures.items())
        # Enough for the data set to count as being there; no rule has to decode them.
        for key in made.measures:
            for end in (".png", "_Annotation.png"):
                (files / "training_set" / f"{key}{end}").touch()
        source = {"catalogue": "hc18", "folder": "resources/hc18"}
        write_json(home / "source.json", source)
        originals = originals_digest(settings, files, folder / "results/.digests.json")
    else:
        making = {"settings": settings, "code": generation_code(settings["reader"])}
        few = ImageSet(*(part[:1] for part in (made.data.images, made.data.masks, made.data.index)),
                       {"dataset": name, "source": SOURCE, "rests_on": making})  # fmt: skip
        save_set(home / "original", few)
        originals = read_json(home / "original/dataset.json")["sha256"]
    rests_on = {
        "settings": settings,
        "code": preparation_code(settings["reader"]),
        "originals": originals,
    }
    about = {"dataset": name, "source": SOURCE, "rests_on": rests_on}
    data = ImageSet(made.data.images, made.data.masks, made.data.index, about)
    save_set(home / str(size), data)
    return MadeSet(data, made.measures)


def inputs_of(
    folder: Path, config: dict[str, Any], dataset: str, start: str = "random"
) -> dict[str, Any]:
    """What a run on a data set notes of its arrays and start weights."""
    size = config["studies"]["amiri2020"]["image_size"]
    about = read_json(_home(folder, config, dataset) / f"{size}/dataset.json")
    weights = folder / pretrained_folder("amiri2020") / WEIGHTS
    return {
        **{key: about[key] for key in ("images_sha256", "masks_sha256", "index_sha256")},
        "weights_sha256": file_digest(weights) if start == "pretrained" else None,
    }


def _write_pretraining(folder: Path, config: dict[str, Any]) -> dict[str, tuple[int, int]]:
    """Untrained weights and their record; tuned and all parameters of every strategy."""
    study = config["studies"]["amiri2020"]
    network = build_network(study["network"])
    he_normal(network, SEED)
    home = folder / pretrained_folder("amiri2020")
    home.mkdir(parents=True, exist_ok=True)
    save_weights(network.state_dict(), home / WEIGHTS)
    settings = pretraining_settings(config, "amiri2020")
    _write_history(home, 60, 0.8, generator(SEED, "pretraining"))
    inputs = inputs_of(folder, config, settings["dataset"])
    run = _record(settings, 60, 0.8, 900, (count(network.parameters()),) * 2, inputs)
    run["images"] = {"training": 1800, "validation": 200}
    write_record(home, run, ["weights.safetensors", "history.csv"])
    counts = {}
    for name, strategy in study["strategies"].items():
        freeze_all_but(network, strategy["tune"])
        counts[name] = count(tuned_parameters(network)), count(network.parameters())
    return counts


def _write_features(folder: Path, config: dict[str, Any], made: dict[str, MadeSet]) -> None:
    """Maps of two untrained networks, as if one had been tuned from the other."""
    networks = []
    for number in range(2):
        networks.append(build_network(config["studies"]["amiri2020"]["network"]))
        he_normal(networks[-1], SEED + number)
    for name in config["studies"]["amiri2020"]["datasets"]:
        image = made[name].data.images[0]
        maps = [stage_outputs(network, image) for network in networks]
        save_features(folder / f"results/amiri2020/features/{name}.npz", image, 0, SOURCE, *maps)


def _write_cell(
    folder: Path,
    config: dict[str, Any],
    cell: Cell,
    data: ImageSet,
    predictor: Predictor,
    parameters: dict[str, tuple[int, int]],
) -> None:
    settings = cell_settings(config, cell)
    resampling = Resampling(**settings["resampling"])
    seed = split_seed(settings["seed"], cell.dataset, resampling)
    rows = split(len(data.images), resampling, seed, cell.fraction, cell.fold, data.groups)
    names = (cell.dataset, cell.strategy, cell.fraction, cell.fold)
    rng = generator(SEED, *names)
    failed = cell.strategy == "scratch" and cell.fraction == 0.05 and bool(rng.random() < 0.3)
    collapsed = names == ("bus", "block_9", 0.05, 1)
    wanted = _wanted_dice(cell, rows.test, len(data.images), failed, rng)
    found = np.stack(
        [predictor.predict(row, dice, rng) for row, dice in zip(rows.test, wanted, strict=True)]
    )
    if collapsed:
        found[:] = 3
    home = folder / "results" / cell.folder
    home.mkdir(parents=True, exist_ok=True)
    with atomic(home / "predictions.npz") as temporary:
        np.savez_compressed(temporary, rows=rows.test, probabilities=found)
    trained = bool(settings["tune"])
    epochs = EPOCHS if failed else int(rng.integers(PATIENCE + 5, 90)) if trained else 0
    best = 0.0 if collapsed else float(wanted.mean())
    _write_history(home, epochs, best, rng)
    batches = batches_per_epoch(len(data.images), resampling, settings["training"]["batch_size"])
    inputs = inputs_of(folder, config, cell.dataset, settings["init"])
    run = _record(settings, epochs, best, batches, parameters[cell.strategy], inputs)
    run["images"] = {
        "training": len(rows.train),
        "validation": len(rows.validation),
        "test": len(rows.test),
    }
    outcome = "no_early_stop" if failed else "converged"
    run |= {"failed": failed, "outcome": outcome if trained else None, "collapsed": collapsed}
    run["failure"] = f"no early stop within {EPOCHS} epochs" if failed else None
    write_record(home, run, ["predictions.npz", "history.csv"])


def _wanted_dice(
    cell: Cell, rows: np.ndarray, images: int, failed: bool, rng: np.random.Generator
) -> np.ndarray:
    """Dice scores of a cell's images: around Table II's mean, with effects that make them related.

    A run is better or worse than its strategy by as much as the table's standard deviation says,
    half of it due to the fold; an image is as hard for one strategy as for the others.
    """
    mean, deviation = _table2(cell)
    fold = generator(SEED, cell.dataset, "fold", cell.fold).normal()
    error = 1 - (mean + deviation * (fold + rng.normal()) / np.sqrt(2))
    hard = generator(SEED, cell.dataset, "hard").normal(size=images)[rows]
    spread = 0.45 * hard + 0.2 * rng.normal(size=len(rows))
    error = error * np.exp(spread - (0.45**2 + 0.2**2) / 2)
    return np.clip(1 - error - 0.2 * failed, 0.02, 0.995)


def _table2(cell: Cell) -> tuple[float, float]:
    if cell.fraction == 0:
        return UNCHANGED[cell.dataset], 0.01
    mean, deviation = TABLE2.loc[
        (cell.dataset, cell.fraction, cell.strategy), ["dice_mean", "dice_std"]
    ]
    if pd.isna(mean):
        # Five means cannot be read in the paper: halfway between those of its other fractions.
        others = TABLE2.loc[[(cell.dataset, at, cell.strategy) for at in (0.8, 0.05)]]
        mean = others["dice_mean"].mean()
    return float(mean), float(deviation)


def _write_history(folder: Path, epochs: int, dice: float, rng: np.random.Generator) -> None:
    """Losses that fall and level off; the best epoch is the one that early stopping would keep."""
    epoch = np.arange(1, epochs + 1)
    fall = np.exp(-epoch / 8)
    best = max(epochs - PATIENCE, 1)
    with (folder / "history.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("epoch", "training_loss", "validation_loss", "validation_dice", "seconds"))
        for number, part in zip(epoch, fall, strict=True):
            loss = 0.1 + 0.5 * part + 0.002 * abs(number - best) / best + 0.001 * rng.random()
            overlap = dice * (1 - part) * (1 - 0.02 * rng.random())
            writer.writerow((number, 0.08 + 0.5 * part, loss, overlap, 2.0))


def _record(
    settings: dict[str, Any],
    epochs: int,
    dice: float,
    batches: int,
    parameters: tuple[int, int],
    inputs: dict[str, Any],
) -> dict[str, Any]:
    """A ``run.json`` but for how the run ended (see `sonotune.jobs.record.describe_run`)."""
    seconds = epochs * batches * 0.03
    return {
        "settings": settings,
        "source": SOURCE,
        "outcome": "converged",
        "failed": False,
        "failure": None,
        "still_improving": False,
        "earlier_attempts": [],
        "epochs": epochs,
        "resumed": 0,
        "best_epoch": max(epochs - PATIENCE, 1) if epochs else None,
        "best_validation_dice": dice if epochs else None,
        "seconds": seconds,
        "steps_per_second": epochs * batches / seconds if epochs else None,
        "tuned_parameters": parameters[0],
        "total_parameters": parameters[1],
        "processor": describe_processor(Processor("cpu", "fp32", settings["threads"], SOURCE)),
        "inputs": inputs,
        "finished": "2020-01-01T00:00:00+0000",
        "cpu_seconds": {"training": seconds, "evaluation": 1.0, "total": seconds + 1},
        "collapsed": False,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--images", type=float, default=1, help="share of the data sets' sizes")
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--folds", type=int, default=5, help="how many of five are run")
    parser.add_argument("--width", type=int, default=64)
    asked = parser.parse_args()
    images = {name: max(FEWEST, round(asked.images * n)) for name, n in IMAGES.items()}
    path = write_grid(asked.folder, images, asked.size, asked.folds, asked.width)
    print(f"snakemake --directory {asked.folder} --configfile {path}")


if __name__ == "__main__":
    main()
