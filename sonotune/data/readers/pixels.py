"""Read an entry's files: a grey image and a mask, at their own size or resized."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from sonotune.data.dataset import load_set
from sonotune.data.decode import read
from sonotune.data.decode.grey import as_displayed
from sonotune.data.decode.picture import Spacing
from sonotune.data.decode.volume import TURNED
from sonotune.data.ellipse import outline_ellipse
from sonotune.data.image_set import ImageSet
from sonotune.data.mask_profile import MaskProfile, profile_mask
from sonotune.data.masks import align_to_image, filled_hulls, marked_pixels, mask_values
from sonotune.data.readers import MADE_HERE, find_samples
from sonotune.data.readers.sample import Sample
from sonotune.data.resize import Resize, padded, resize_image, resize_mask, target_shape
from sonotune.errors import SonotuneError, in_file, printable


@dataclass(frozen=True)
class LoadedSample:
    """An image and its mask.

    Attributes
    ----------
    image
        uint8 [H,W].
    mask
        uint8 0/1 [H,W].
    original_shape
        Height and width of the image as it is shown.
    pixels_sha256
        Of the grey image before resizing: equal for exact duplicates.
    notes
        What was noticed, and what was done to the image besides resizing.
    mm_per_pixel
        Height and width of the file's pixels, by the table or else the file; None where unknown.
    profile
        What the mask's files hold; None without files.
    """

    image: np.ndarray
    mask: np.ndarray
    original_shape: tuple[int, int]
    pixels_sha256: str
    notes: tuple[str, ...]
    mm_per_pixel: tuple[float | None, float | None]
    profile: MaskProfile | None = None


def open_samples(
    settings: Mapping[str, Any], originals: str | Path
) -> tuple[list[Sample], Callable[..., LoadedSample]]:
    """A data set's images, and what reads one of them, as `load` does.

    Parameters
    ----------
    settings
        A data set's configuration: ``reader`` and the reader's options.
    originals
        As for `sonotune.data.prepare.prepare`.

    Raises
    ------
    SonotuneError
        If files are missing or do not belong together.
    """
    if settings["reader"] not in MADE_HERE:
        return find_samples(settings, originals), load
    made = load_set(originals)
    files = Path("images.npy"), (Path("masks.npy"),)
    samples = [
        Sample(row["name"], row["group"], *files, slice=number)
        for number, row in enumerate(made.index)
    ]
    return samples, partial(_load_made, made)


def _load_made(
    made: ImageSet,
    sample: Sample,
    size: int | None = None,
    keep_aspect: bool = False,
    method: Resize = "area",
) -> LoadedSample:
    row = made.index[sample.slice or 0]
    image, mask = made.images[row["row"]], made.masks[row["row"]]
    shape, digest = image.shape, hashlib.sha256(image.tobytes()).hexdigest()
    if size is not None:
        after = target_shape(shape, size, keep_aspect)
        image = padded(resize_image(image, after, method), size)
        mask = padded(resize_mask(mask, after, method), size)
    spacing = row["mm_per_pixel_y"], row["mm_per_pixel_x"]
    return LoadedSample(image, mask, shape, digest, (), spacing)


def load(
    sample: Sample, size: int | None = None, keep_aspect: bool = False, method: Resize = "area"
) -> LoadedSample:
    """Read an image and the union of its masks; resize both to ``size`` x ``size`` if given.

    With `keep_aspect`, they are not stretched but padded with black. `method` is that of
    `sonotune.data.resize`; a fitted ellipse is drawn at its final size, so it has none.

    Parameters
    ----------
    sample
        One image with its masks.
    size
        Side of the square in pixels, or None for the image's own size.
    keep_aspect
        Whether images are padded to a square instead of stretched.
    method
        ``area`` or ``bilinear``.

    Raises
    ------
    SonotuneError
        If a file cannot be read, a mask does not lie on its image, or does not fit the entry's
        rule.
    """
    picture = read(sample.image, sample.slice)
    with in_file(sample.image):
        image, notes = as_displayed(picture)
    shape = image.shape[0], image.shape[1]
    masks = [(path, read(path, sample.slice, stored=True)) for path in sample.masks]
    if sample.slice and all(each.frames == 1 for each in (picture, *(mask for _, mask in masks))):
        raise SonotuneError(
            f"{printable(sample.image)}: has no slice {sample.slice}; it has only one"
        )
    resized = shape if size is None else target_shape(shape, size, keep_aspect)
    mask = np.zeros(resized, np.uint8)
    whole = np.zeros(shape, np.uint8)
    seen = []
    for path, drawn in masks:
        with in_file(path):
            values = mask_values(drawn, sample.rule)
            seen.append(align_to_image(drawn, values, picture, printable(sample.image)))
            inside = marked_pixels(seen[-1], sample.rule)
            if sample.rule.kind == "ellipse":
                mask |= outline_ellipse(inside).mask(shape, resized)
            else:
                whole |= filled_hulls(inside) if sample.rule.kind == "hull" else inside
    if sample.rule.kind != "ellipse":
        mask = whole if size is None else resize_mask(whole, resized, method)
    if any(mask.orientation != picture.orientation for _, mask in masks):
        notes = (*notes, "image and mask have different orientation tags; both are shown turned")
    if picture.grid is None and any(TURNED in mask.notes for _, mask in masks):
        notes = (*notes, "the mask's header turns rows or columns, its image's says nothing of it")
    digest = hashlib.sha256(repr(shape).encode() + image.tobytes()).hexdigest()
    before = image
    if size is not None:
        image, mask = padded(resize_image(image, resized, method), size), padded(mask, size)
    spacing, more = _spacing(sample, picture.spacing)
    profile = None
    if masks:
        files = [drawn for _, drawn in masks]
        profile = profile_mask(files, seen, before, whole if whole.any() else mask, sample.rule)
    notes = tuple(dict.fromkeys((*sample.notes, *notes, *more)))
    return LoadedSample(image, mask, shape, digest, notes, spacing, profile)


def read_grey(path: Path) -> tuple[np.ndarray, tuple[str, ...]]:
    """Read an image file as grey uint8 [H,W] as a viewer shows it, with notes on what that took.

    Parameters
    ----------
    path
        An image file.

    Raises
    ------
    SonotuneError
        If the file cannot be read, or has values that are not finite.
    """
    picture = read(path)
    with in_file(path):
        return as_displayed(picture)


def _spacing(
    sample: Sample, stored: Spacing
) -> tuple[tuple[float | None, float | None], tuple[str, ...]]:
    """Millimetres per pixel: those of the table, which may correct the file's."""
    table = sample.mm_per_pixel
    if table is None:
        return stored or (None, None), ()
    if stored and not np.allclose(table, stored, rtol=0.01):
        return table, ("the table's pixel size is not the file's; the table's is used",)
    return table, ()
