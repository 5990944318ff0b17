"""Images to predict: which files are meant, how they become what a network sees, and back."""

import glob
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from sonotune.data.formats import is_image
from sonotune.data.names import as_text, find_file, stem_of
from sonotune.data.readers.own_folder import MASK_ENDINGS
from sonotune.data.readers.pixels import LoadedSample, load
from sonotune.data.readers.sample import MaskRule, Sample, files_below, pair
from sonotune.data.resize import Resize, padded, resize_image, target_shape
from sonotune.data.tables import read_number, read_table
from sonotune.errors import SonotuneError, printable

# A grey level's mean or deviation is far from those of training when it lies outside their range,
# widened on both sides by as much again and by this.
AT_LEAST = 10.0

Spacing = tuple[float, float]


@dataclass(frozen=True)
class InputImage:
    """One file, and how its results are called.

    Attributes
    ----------
    file
        The image file.
    name
        Path of its results below the output, without suffix.
    mask
        The reference that the prediction is scored against, if there is one.
    rule
        Which of the mask's pixels are the object.
    """

    file: Path
    name: str
    mask: Path | None = None
    rule: MaskRule = field(default_factory=MaskRule)


def find_images(given: Sequence[str]) -> list[InputImage]:
    """Files, folders (with all below) and globs as a list of images, each once.

    Parameters
    ----------
    given
        Files, folders and globs.

    Raises
    ------
    SonotuneError
        If one of them is nothing, or two images would have one name.
    """
    images: dict[Path, str] = {}
    for text in given:
        path = Path(text)
        if path.is_dir():
            inside = [file for file in files_below(path) if is_image(path / file)]
            new = {path / file: _name(file) for file in inside}
        elif path.is_file():
            new = {path: stem_of(path)}
        else:
            files = [Path(file) for file in sorted(glob.glob(text, recursive=True))]
            new = {file: stem_of(file) for file in files if file.is_file()}
        if not new:
            raise SonotuneError(f"{text}: there is no such image, nor a folder with images")
        images = {**new, **images}
    names: dict[str, Path] = {}
    for file, name in images.items():
        if name in names:
            raise SonotuneError(
                f"{file} and {names[name]} would both be called {name}; predict them into two "
                "folders"
            )
        names[name] = file
    return [InputImage(file, name) for name, file in sorted(names.items())]


def with_masks(
    images: Sequence[InputImage], given: Sequence[str], threshold: float | None = None
) -> list[InputImage]:
    """Images with their references.

    Parameters
    ----------
    images
        What `find_images` gives.
    given
        Files, folders and globs of masks. Each image has one of its own name, also with one of
        the endings of masks (such as ``_mask``), below a folder as the image's is below its own.
    threshold
        Grey value from which on a pixel is the object; by default every value but 0.

    Raises
    ------
    SonotuneError
        If an image or a mask has no partner, or an image has two.
    """
    masks = {mask.name: mask.file for mask in find_images(given)}
    rule = MaskRule() if threshold is None else MaskRule("threshold", threshold)
    pairs = pair({image.name: image.file for image in images}, masks, "--masks", MASK_ENDINGS)
    return [InputImage(image, name, mask, rule) for name, image, mask in pairs]


def read_spacing(given: Sequence[str]) -> Mapping[str, Spacing] | Spacing | None:
    """Millimetres per pixel: one number, two (y x), or a CSV with one row per image.

    A CSV has the columns image (the file's path as seen from the table, or its name alone where
    no such file lies there) and mm_per_pixel, or mm_per_pixel_y and _x.

    Parameters
    ----------
    given
        One or two numbers, or the path of a CSV.

    Raises
    ------
    SonotuneError
        If it is neither.
    """
    if not given:
        return None
    try:
        sizes = [read_number(text) for text in given]
    except ValueError:
        return _spacing_table(Path(given[0]))
    if len(sizes) > 2 or not all(0 < size < np.inf for size in sizes):
        raise SonotuneError("--mm-per-pixel: must be one or two numbers above 0, or a CSV file")
    return sizes[0], sizes[-1]


def read_image(wanted: InputImage, spacing: Mapping[str, Spacing] | Spacing | None) -> LoadedSample:
    """Read an image at its own size, with its spacing as given or else as its file tells.

    Parameters
    ----------
    wanted
        The file.
    spacing
        Millimetres per pixel of all images or by file name; None for what the file tells.

    Raises
    ------
    SonotuneError
        If it cannot be read, or is a volume, or its mask leaves open what the object is.
    """
    known = _known(wanted, spacing) if isinstance(spacing, Mapping) else spacing
    notes: tuple[str, ...] = ()
    if known and not all(0 < size < np.inf for size in known):
        known, notes = None, ("pixel size not known: the table's is no length",)
    name, masks = wanted.name, (wanted.mask,) if wanted.mask else ()
    loaded = load(Sample(name, name, wanted.file, masks, wanted.rule, known, notes=notes))
    profile = loaded.profile
    several = profile and (profile.soft or len(profile.values) > 2 or profile.colours)
    if profile and several and not profile.chosen:
        raise SonotuneError(
            f"{printable(wanted.mask)}: has the values {profile.describe_values()}; give the least "
            "value of the object (--threshold)"
        )
    return loaded


def _known(wanted: InputImage, table: Mapping[str, Spacing]) -> Spacing | None:
    """A table's pixel size of an image: by its path, or its name below the folder or alone."""
    below = wanted.name + wanted.file.name[len(stem_of(wanted.file)) :]
    for key in (str(wanted.file.resolve()), str(wanted.file), below, as_text(wanted.file.name)):
        if key in table:
            return table[key]
    return None


def to_network(
    image: np.ndarray, size: int, keep_aspect: bool, method: Resize = "area"
) -> np.ndarray:
    """What `sonotune.data.prepare` makes of an image, uint8 [H,W]: uint8 [size,size].

    Parameters
    ----------
    image
        Grey image.
    size
        Side that the network was trained on, in pixels.
    keep_aspect
        Whether images are padded to a square instead of stretched.
    method
        ``area`` or ``bilinear``.
    """
    shape = target_shape((image.shape[0], image.shape[1]), size, keep_aspect)
    return padded(resize_image(image, shape, method), size)


def to_original(probabilities: np.ndarray, shape: tuple[int, int], keep_aspect: bool) -> np.ndarray:
    """Probabilities, uint8 [size,size], at an image's own size, uint8 [H,W].

    Parameters
    ----------
    probabilities
        Probabilities as the network gives them.
    shape
        Height and width of the image in pixels.
    keep_aspect
        Whether images are padded to a square instead of stretched.
    """
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
    """An image, uint8 [H,W], with a mask's outline in orange, uint8 [H,W,3] (blue, green, red).

    Parameters
    ----------
    image
        Grey image.
    mask
        Mask, not 0 in the object.
    """
    drawn = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
    outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(drawn, outlines, -1, (0, 159, 230), max(1, round(max(image.shape) / 400)))
    return drawn


def _name(path: Path) -> str:
    """A path without the suffix, as text."""
    parent = as_text(path.parent.as_posix())
    return stem_of(path) if parent == "." else f"{parent}/{stem_of(path)}"


def _spacing_table(path: Path) -> dict[str, Spacing]:
    """Pixel sizes of a CSV by the absolute paths of its images; without those that are no length.

    Raises
    ------
    SonotuneError
        If it is no such table, or names an image twice.
    """
    sizes = ("mm_per_pixel", "mm_per_pixel_y", "mm_per_pixel_x")
    spacings: dict[str, Spacing] = {}
    for line, row in read_table(path, ("image",), sizes, "--mm-per-pixel"):
        both = row.get("mm_per_pixel", "")
        try:
            y, x = (read_number(row.get(f"mm_per_pixel_{axis}") or both or "nan") for axis in "yx")
        except ValueError:
            raise SonotuneError(
                f"--mm-per-pixel: {printable(path)}: line {line}: needs a number; found "
                f"{printable(both)!r}"
            ) from None
        # As in the table of a data set, or, if there is no such file, a name of an image.
        file = find_file(path.parent, row["image"])
        key = str(file.resolve()) if file else row["image"]
        if key in spacings:
            raise SonotuneError(
                f"--mm-per-pixel: {printable(path)}: line {line}: {printable(row['image'])} is "
                "there twice"
            )
        spacings[key] = (y, x)
    return spacings
