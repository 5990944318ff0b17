"""How preparation and training grow with the number of images and with their size.

python benchmarks/growth.py [--images 100 1000 10000] [--sizes 128 256 512] [--width 4]

Makes PNG files of 400 x 270 pixels (smoothed noise) and ellipses as their masks, prepares them, and
trains one epoch on 80 % of them, tests included, with one thread: every number of images at the
first size, and the second number at every size. Each is a process of its own; its processor seconds
and its most memory hold everything, imports too. Prepared arrays are mapped files, which processes
share and the system reclaims when it needs memory; they have a column of their own. Writes
results/benchmarks/growth.csv.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.measure import metered, table, write  # noqa: E402
from sonotune.data.prepare import prepare  # noqa: E402

SHAPE = 270, 400
COLUMNS = ("images", "size", "what", "seconds", "cpu_seconds", "peak_mb", "arrays_mb")


def make_set(folder: Path, number: int) -> None:
    """Write ``images/`` and ``masks/``."""
    from benchmarks.predict import make_images

    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    random = np.random.default_rng(2)
    for file in make_images(folder / "images", number, SHAPE):
        mask = np.zeros(SHAPE, np.uint8)
        centre = [int(random.uniform(0.3, 0.7) * side) for side in SHAPE[::-1]]
        axes = [int(random.uniform(0.1, 0.25) * side) for side in SHAPE[::-1]]
        cv2.ellipse(mask, centre, axes, random.uniform(0, 180), 0, 360, 255, -1)
        cv2.imwrite(str(folder / "masks" / file.name), mask)


def prepare_set(folder: Path, size: int) -> None:
    """Write ``arrays-SIZE/``."""
    globs = {"images": "images/*.png", "masks": "masks/*.png"}
    settings = {"reader": "folder", "source": "made up for benchmarks", "folder": globs}
    os.chdir(folder)  # where the globs begin
    prepare("made", settings, size, folder / f"arrays-{size}", folder, 1)


def train(folder: Path, size: int, width: int) -> None:
    """Train one epoch and predict the test images."""
    from benchmarks.cell import whole_cell
    from sonotune.jobs.finetune import run_cell

    recipe = {"learning_rate": 1e-3, "batch_size": 16, "epochs": 1, "patience": False}
    settings = whole_cell(
        dataset="made", init="random", seed=1, network={"name": "unet", "width": width},
        training=recipe, precision="fp32", threads=1,
    )  # fmt: skip
    home = folder / f"cell-{size}"
    run_cell(settings, folder / f"arrays-{size}", None, home, lambda line: None)


def measure(folder: Path, images: int, size: int, width: int) -> list[dict[str, Any]]:
    """A row of preparation and one of training."""
    rows = []
    for what in ("preparation", "training"):
        command = [sys.executable, __file__, f"--width={width}", "--one", what, str(folder)]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        used = metered([*command, str(size)], ROOT, environment)[:3]
        arrays = sum(file.stat().st_size for file in folder.glob(f"arrays-{size}/*.npy")) / 2**20
        rows.append(dict(zip(COLUMNS, (images, size, what, *used, arrays), strict=True)))
        print(*(f"{name} {value}" for name, value in rows[-1].items()), sep=", ", flush=True)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, nargs="+", default=[100, 1000, 10000])
    parser.add_argument("--sizes", type=int, nargs="+", default=[128, 256, 512])
    parser.add_argument("--width", type=int, default=4)
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        what, folder, size = asked.one[0], Path(asked.one[1]), int(asked.one[2])
        if what == "preparation":
            prepare_set(folder, size)
        else:
            train(folder, size, asked.width)
        return
    rows: list[dict[str, Any]] = []
    several = asked.images[min(1, len(asked.images) - 1)]
    for number in asked.images:
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            make_set(folder, number)
            for size in asked.sizes if number == several else asked.sizes[:1]:
                rows += measure(folder, number, size, asked.width)
    print(table(COLUMNS, ([row[column] for column in COLUMNS] for row in rows)))
    print(write("growth.csv", rows))


if __name__ == "__main__":
    main()
