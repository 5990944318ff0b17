"""Recall and precision of `sonotune.data.duplicates` on real images with planted copies.

    .venv/bin/python benchmarks/duplicates.py 'FOLDER/*.png' [--groups '([0-9]+)_.*'] [--copies 100]

Copies are crops of 5 to 15 % of both sides, gammas of .7 to 1.4, JPEG of quality 30, flips, shifts
of up to 8 %, and pairs of two kinds. Then all originals are compared: pairs found, and those of
different groups by name.
"""

import glob
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from benchmarks.measure import options
from sonotune.data.duplicates import clusters_of, near_pairs, sketch
from sonotune.data.readers.pixels import read_grey
from sonotune.runtime.processors import usable_processors

Change = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def crop(image: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Cut away 5 to 15 % of the height and of the width, on any side."""
    height, width = image.shape
    gone = random.uniform(0.05, 0.15, 2)
    top, left = (int(random.uniform(0, g) * n) for g, n in zip(gone, image.shape, strict=True))
    return image[top : top + int(height * (1 - gone[0])), left : left + int(width * (1 - gone[1]))]


def gamma(image: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Brighten or darken by a gamma of .7 to 1.4."""
    power = np.exp(random.uniform(np.log(0.7), np.log(1.4)))
    return np.rint(255 * (np.arange(256) / 255) ** power).astype(np.uint8)[image]


def jpeg(image: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Store as JPEG of quality 30."""
    stored = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 30])[1]
    return cv2.imdecode(stored, cv2.IMREAD_GRAYSCALE)


def flip(image: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Flip from left to right."""
    return image[:, ::-1]


def shift(image: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Shift by up to 8 % along both axes; black enters."""
    height, width = image.shape
    x, y = random.uniform(-0.08, 0.08, 2)
    move = np.array([[1, 0, x * width], [0, 1, y * height]], np.float32)
    return cv2.warpAffine(np.ascontiguousarray(image), move, (width, height))


CHANGES: tuple[Change, ...] = (crop, gamma, jpeg, flip, shift)


def main() -> None:
    """Plant, search, print."""
    parser = options(__doc__, groups="(.*)", copies=100)
    parser.add_argument("images", help="a glob")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    files = [Path(file) for file in sorted(glob.glob(arguments.images))]
    names = [file.stem for file in files]
    groups = [re.fullmatch(arguments.groups, name)[1] for name in names]  # type: ignore[index]
    images = [read_grey(file)[0] for file in files]
    original, kind_of = [*range(len(images))], [""] * len(images)
    random = np.random.default_rng(0)
    for kinds in [(one,) for one in CHANGES] + list(combinations(CHANGES, 2)):
        few = arguments.copies > len(files)
        for number in random.choice(len(files), arguments.copies, replace=few).tolist():
            copy = images[number]
            for kind in kinds:
                copy = kind(copy, random)
            images.append(copy)
            original.append(number)
            kind_of.append(" and ".join(kind.__name__ for kind in kinds))
    workers, start = usable_processors(), time.perf_counter()
    with ThreadPoolExecutor(workers) as pool:
        found = set(near_pairs(list(pool.map(sketch, images)), workers))
    print(f"{len(images)} images, all with all: {time.perf_counter() - start:.0f} s")
    hits = pd.DataFrame(
        {"kind": kind_of, "recall": [(a, b) in found for b, a in enumerate(original)]}
    )
    print(hits[len(files) :].groupby("kind", sort=False)["recall"].agg(["mean", "size"]))
    # What is found without any planted copy.
    pairs = sorted(pair for pair in found if max(pair) < len(files))
    clusters = clusters_of(len(files), pairs)
    largest = ", ".join(names[number] for number in max(clusters, key=len, default=[]))
    print(f"{len(pairs)} pairs of originals, {len(clusters)} clusters, the largest: {largest}")
    for first, second in pairs:
        if groups[first] != groups[second]:
            print(f"  of two groups: {names[first]} and {names[second]}")
    joined = {tuple(sorted((original[a], original[b]))) for a, b in found}
    wrong = {pair for pair in joined if pair[0] != pair[1]} - set(pairs)
    print(f"{len(wrong)} more pairs of originals whose copies were joined:")
    for first, second in sorted(wrong):
        print(f"  {names[first]} and {names[second]}")


if __name__ == "__main__":
    main()
