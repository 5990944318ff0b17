"""The same cell by sonotune and by what people would write instead.

python benchmarks/cell.py [--width 64] [--size 256] [--images 85] [--epochs 1] [--batch 2]
                          [--threads 2] [--repeats 3]

The whole network, on made-up images: the same rows, batches an epoch,
epochs, learning rate and augmentation, no early stop. All but MONAI, whose network and transforms
are others, start from the same weights, which are trained first on other such images. Every run is
a process of its own, one after the other, so wall time and peak memory hold everything: imports,
training, validation after every epoch, test. Images a second counts training images over the wall
time. Peers run at their own defaults (fp32) and given bf16 and channels-last. Writes
results/benchmarks/cell.csv.

It takes half an hour; ten minutes with --width 32 --size 128 --epochs 3 --rate 3e-4.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.measure import options, tell
from sonotune.data.splits import Resampling, batches_per_epoch, split, split_seed

NAMES, PRECISIONS = ("sonotune", "plain", "monai"), ("fp32", "bf16")
PRETRAINED = 20  # epochs
SIZES = {"width": 64, "size": 256, "images": 85, "epochs": 1, "batch": 2, "threads": 2}


def main() -> None:
    """Run every system, or the one asked for by ``--one``."""
    parser = options(__doc__, **SIZES, repeats=3, seed=1, rate=1e-4)
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--weights", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        print(json.dumps(_one(asked, *asked.one)))
        return
    with tempfile.TemporaryDirectory() as folder:
        asked.weights = _pretrain(asked, Path(folder))
        _compare(asked)


def _pretrain(asked: argparse.Namespace, folder: Path) -> Path:
    """Weights of a network that was trained from a random start, on images of another seed."""
    longer = argparse.Namespace(**{**vars(asked), "epochs": PRETRAINED})
    data = made_up(asked.images, asked.size, 8)
    found, rows = _train(longer, "auto", data, None, folder)
    print(f"pre-trained for {PRETRAINED} epochs: Dice {_dice(found, data.masks[rows]):.3f}")
    return folder / "cell/weights.safetensors"


def _compare(asked: argparse.Namespace) -> None:
    runs = []
    for repeat, *system in product(range(asked.repeats), NAMES, PRECISIONS):
        runs.append(_start(asked, system, asked.seed + repeat))
        print(*system, "{seconds:.1f} s, Dice {dice:.3f}".format(**runs[-1]), flush=True)
    found = pd.DataFrame(runs).groupby(["system", "precision"], sort=False, as_index=False)
    summary = found.agg(
        images_per_second=("images_per_second", "median"),
        seconds=("seconds", "median"),
        seconds_min=("seconds", "min"),
        seconds_max=("seconds", "max"),
        peak_mb=("peak_mb", "max"),
        dice=("dice", "mean"),
        dice_min=("dice", "min"),
        dice_max=("dice", "max"),
        repeats=("dice", "size"),
    )
    print(
        f"width {asked.width}, {asked.size} x {asked.size}, batch {asked.batch}, {asked.images} "
        f"images, {asked.epochs} epochs, {asked.threads} threads; medians of {asked.repeats} "
        "processes, each with a seed of its own (Dice: means)"
    )
    ours = summary.loc[summary["system"] == "sonotune", "images_per_second"].max()
    summary["sonotune_faster_by"] = ours / summary["images_per_second"]
    tell("cell.csv", summary.to_dict("records"))


def _start(asked: argparse.Namespace, system: list[str], seed: int) -> dict[str, Any]:
    """Run one system in a process of its own."""
    given = [f"--{name}={getattr(asked, name)}" for name in (*SIZES, "rate", "weights")]
    command = [sys.executable, __file__, *given, f"--seed={seed}", "--one", *system]
    environment = {**os.environ, "OMP_NUM_THREADS": str(asked.threads)}
    began = time.perf_counter()
    said = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=environment, check=True)
    seconds = time.perf_counter() - began
    found = json.loads(said.stdout.splitlines()[-1])
    found |= {"seconds": seconds, "images_per_second": found["trained"] / seconds}
    return dict(zip(("system", "precision"), system, strict=True)) | found


def _one(asked: argparse.Namespace, name: str, precision: str) -> dict[str, Any]:
    import resource

    data = made_up(asked.images, asked.size, 7)
    resampling = Resampling(folds=5)
    # As the cell splits them, which takes its split from its seed.
    seed = split_seed(asked.seed, "sus", resampling)
    rows = split(len(data.images), resampling, seed, 0.8, 0, data.groups)
    batches = batches_per_epoch(len(data.images), resampling, asked.batch)
    if name == "sonotune":
        with tempfile.TemporaryDirectory() as folder:
            found, _ = _train(asked, precision, data, asked.weights, Path(folder))
    else:
        import torch

        from benchmarks import peers

        warnings.simplefilter("ignore")
        torch.set_num_threads(asked.threads)
        torch.manual_seed(asked.seed)
        found = getattr(peers, name)(
            peers.Exercise(
                data.images, data.masks, rows.train, rows.validation, rows.test, asked.width,
                asked.batch, batches, asked.epochs, asked.rate, asked.seed, precision == "bf16",
                asked.weights,
            )
        )  # fmt: skip
    # Linux counts in kilobytes; workers of a DataLoader share most of their pages with it.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    trained = asked.epochs * batches * asked.batch
    return {"dice": _dice(found, data.masks[rows.test]), "peak_mb": peak, "trained": trained}


def made_up(images: int, size: int, seed: int) -> Any:
    """A data set of square images of one dark ellipse each, in noise."""
    from sonotune.data.image_set import ImageSet

    random = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size] / size
    centre = random.normal(0.5, 0.06, (2, images, 1, 1))
    radius = random.uniform(0.12, 0.35, (2, images, 1, 1))
    inside = ((y - centre[0]) / radius[0]) ** 2 + ((x - centre[1]) / radius[1]) ** 2 < 1
    pixels = np.clip((150 - 90 * inside) * random.normal(1, 0.3, inside.shape), 0, 255)
    known = {"original_height": size, "original_width": size}
    known |= {"mm_per_pixel_y": None, "mm_per_pixel_x": None}
    index = [{"name": f"sus{n:03}", "group": f"sus{n:03}", **known} for n in range(images)]
    about = {"dataset": "sus", "source": "made up for benchmarks"}
    return ImageSet(pixels.astype(np.uint8), inside.astype(np.uint8), index, about)


def _dice(found: np.ndarray, masks: np.ndarray) -> float:
    from sonotune.evaluation.metrics import overlap

    return float(overlap(found > 0.5, masks > 0)["dice"].mean())


def _train(
    asked: argparse.Namespace, precision: str, data: Any, weights: Path | None, folder: Path
) -> tuple[np.ndarray, np.ndarray]:
    """Train a whole network as a cell; probabilities of the test images, and their rows."""
    from sonotune.data.dataset import save_set
    from sonotune.evaluation.scores import load_predictions
    from sonotune.jobs.finetune import run_cell
    from sonotune.networks.stage_names import UNET_STAGES

    recipe = {"learning_rate": asked.rate, "batch_size": asked.batch,
              "epochs": asked.epochs, "patience": asked.epochs + 1}  # fmt: skip
    settings = {
        "study": "benchmark", "code": "", "dataset": "sus", "strategy": "whole", "fraction": 0.8,
        "fold": 0, "tune": list(UNET_STAGES), "init": "pretrained" if weights else "random",
        "network": {"name": "unet", "width": asked.width}, "training": recipe, "seed": asked.seed,
        "resampling": {"folds": 5}, "device": "cpu", "precision": precision,
        "threads": asked.threads,
        # As the peers' transforms can do it, too.
        "augmentation": {"shift": 0.05, "zoom": 0.05, "zoom_per_axis": False, "fill": "zeros"},
    }  # fmt: skip
    save_set(folder / "arrays", data)
    run_cell(
        settings, folder / "arrays", weights, folder / "cell", lambda line: None,
        keep_weights=not weights,
    )  # fmt: skip
    rows, probabilities = load_predictions(folder / "cell/predictions.npz")
    return (probabilities.astype(np.float32) + 0.5) / 256, rows


if __name__ == "__main__":
    main()
