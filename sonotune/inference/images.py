"""Images to predict: which files are meant, how they become what a network sees, and back."""

from __future__ import annotations

import csv
import glob
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from sonotune.data.readers.entry import IMAGE_SUFFIXES, Entry, files_below
from sonotune.data.readers.medical import is_medical
from sonotune.data.readers.pixels import Loaded, load
from sonotune.data.resize import padded, resize_image, target_shape
from sonotune.errors import SonotuneError

# A grey level's mean or deviation is far from those of training when it lies outside their range,
# widened on both sides by as much again and by this.
AT_LEAST = 10.0

Spacing = tuple[float, float]


@dataclass(frozen=True)
class Wanted:
    """One file, and how its results are called: a path without suffix below the output."""

    file: Path
    name: str


def find_images(given: Sequence[str]) -> list[Wanted]:
    """Files, folders (with all below) and globs as a list of images, each once.

    Raises
    ------
    SonotuneError
        If one of them is nothing, or two images would have one name.
    """
    found: dict[Path, str] = {}
    for text in given:
        path = Path(text)
        if path.is_dir():
            inside = [file for file in files_below(path) if _is_image(file)]
            new = {path / file: _stem(file) for file in inside}
        elif path.is_file():
            new = {path: _stem(Path(path.name))}
        else:
            files = [Path(file) for file in sorted(glob.glob(text, recursive=True))]
            new = {file: _stem(Path(file.name)) for file in files if file.is_file()}
        if not new:
            raise SonotuneError(f"{text}: there is no such image, nor a folder with images")
        found = {**new, **found}
    names: dict[str, Path] = {}
    for file, name in found.items():
        if name in names:
            raise SonotuneError(
                f"{file} and {names[name]} would both be called {name}; predict them into two "
                "folders"
            )
        names[name] = file
    return [Wanted(file, name) for name, file in sorted(names.items())]


def read_spacing(given: Sequence[str]) -> Mapping[str, Spacing] | Spacing | None:
    """Millimetres per pixel: one number, two (y x), or a CSV with a row an image.

    A CSV has the columns image (the file's name) and mm_per_pixel, or mm_per_pixel_y and _x.

    Raises
    ------
    SonotuneError
        If it is neither.
    """
    if not given:
        return None
    try:
        sizes = [float(text) for text in given]
    except ValueError:
        return _spacing_table(Path(given[0]))
    if len(sizes) > 2 or min(sizes) <= 0:
        raise SonotuneError("--mm-per-pixel: must be one or two numbers above 0, or a CSV file")
    return sizes[0], sizes[-1]


def read_image(wanted: Wanted, spacing: Mapping[str, Spacing] | Spacing | None) -> Loaded:
    """Read an image at its own size, with its spacing as given or else as its file tells.

    Raises
    ------
    SonotuneError
        If it cannot be read, or is a volume.
    """
    known = spacing.get(wanted.file.name) if isinstance(spacing, Mapping) else spacing
    y, x = known or (None, None)
    name, file = wanted.name, wanted.file
    return load(Entry(name, name, file, (), mm_per_pixel_y=y, mm_per_pixel_x=x))


def to_network(image: np.ndarray, size: int, keep_aspect: bool) -> np.ndarray:
    """What `sonotune.data.prepare` makes of an image, uint8 [H,W]: uint8 [size,size]."""
    shape = target_shape((image.shape[0], image.shape[1]), size, keep_aspect)
    return padded(resize_image(image, shape), size)


def to_original(probabilities: np.ndarray, shape: tuple[int, int], keep_aspect: bool) -> np.ndarray:
    """Probabilities, uint8 [size,size], at an image's own size, uint8 [H,W]."""
    size = probabilities.shape[0]
    height, width = target_shape(shape, size, keep_aspect)
    top, left = (size - height) // 2, (size - width) // 2
    inside = np.ascontiguousarray(probabilities[top : top + height, left : left + width])
    return resize_image(inside, shape)


def unlike_training(image: np.ndarray, training: Mapping[str, Any]) -> str:
    """What is far from the training images' grey levels, or an empty text.

    Parameters
    ----------
    image
        As the network sees it, uint8 [H,W].
    training
        The description's ``training_data``.
    """
    said = []
    for what, key, value in (
        ("mean grey level", "grey_mean", float(image.mean())),
        ("contrast", "grey_deviation", float(image.std())),
    ):
        if key not in training:  # nothing was trained
            continue
        low, high = training[key]
        room = max(AT_LEAST, high - low)
        if not low - room <= value <= high + room:
            said.append(f"{what} {value:.0f}, in training {low:.0f} to {high:.0f}")
    return "; ".join(said)


def overlay(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """An image, uint8 [H,W], with a mask's outline in orange, uint8 [H,W,3] (blue, green, red)."""
    drawn = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
    outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(drawn, outlines, -1, (0, 159, 230), max(1, round(max(image.shape) / 400)))
    return drawn


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in IMAGE_SUFFIXES or is_medical(path)


def _stem(path: Path) -> str:
    return path.with_name(path.stem.removesuffix(".nii")).as_posix()


def _spacing_table(path: Path) -> dict[str, Spacing]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            return {
                row["image"]: (
                    float(row.get("mm_per_pixel_y") or row["mm_per_pixel"]),
                    float(row.get("mm_per_pixel_x") or row["mm_per_pixel"]),
                )
                for row in csv.DictReader(file)
            }
    except (OSError, KeyError, ValueError) as error:
        raise SonotuneError(
            f"{path}: no table of pixel sizes ({error!r}); it needs the columns image and "
            "mm_per_pixel, or mm_per_pixel_y and mm_per_pixel_x"
        ) from None
