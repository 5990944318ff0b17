"""Read an entry's files: a grey image and a mask, at their own size or resized."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from sonotune.data.ellipse import outline_ellipse
from sonotune.data.readers.entry import Entry, MaskRule
from sonotune.data.readers.medical import Spacing, is_medical, read_slices
from sonotune.data.resize import padded, resize_image, resize_mask, target_shape
from sonotune.errors import SonotuneError

COLOUR = "colour was converted to grey"
DEPTH = "grey values of more than 8 bits were scaled from the image's own range to 0 to 255"


@dataclass(frozen=True)
class Loaded:
    """An image and its mask.

    Attributes
    ----------
    image
        uint8 [H,W].
    mask
        uint8 0/1 [H,W].
    original_shape
        Height and width of the file.
    pixels_sha256
        Of the grey image before resizing: equal for exact duplicates.
    notes
        What was done to the image besides resizing.
    mm_per_pixel
        Height and width of the file's pixels, by the table or else the file; None where unknown.
    """

    image: np.ndarray
    mask: np.ndarray
    original_shape: tuple[int, int]
    pixels_sha256: str
    notes: tuple[str, ...]
    mm_per_pixel: tuple[float | None, float | None]


def load(entry: Entry, size: int | None = None, keep_aspect: bool = False) -> Loaded:
    """Read an image and the union of its masks; resize both to ``size`` x ``size`` if given.

    With `keep_aspect`, they are not stretched but padded with black.

    Raises
    ------
    SonotuneError
        If a file cannot be read, a mask has another size than its image, or does not fit the
        entry's rule.
    """
    drawn, spacing = _read(entry.image, entry.slice)
    image, notes = _grey(entry.image, drawn)
    shape = image.shape[0], image.shape[1]
    resized = shape if size is None else target_shape(shape, size, keep_aspect)
    mask = np.zeros(resized, np.uint8)
    whole = np.zeros(shape, np.uint8)
    for path in entry.masks:
        drawn, _ = _read(path, entry.slice)
        if drawn.shape[:2] != shape:
            raise SonotuneError(f"{path}: {drawn.shape[:2]} where its image is {shape}")
        if entry.rule.kind == "ellipse":
            try:
                mask |= outline_ellipse(_one_channel(drawn)).mask(shape, resized)
            except SonotuneError as error:
                raise SonotuneError(f"{path}: {error}") from None
        else:
            whole |= _belongs(path, drawn, entry.rule)
    if entry.rule.kind != "ellipse":
        mask = whole if size is None else resize_mask(whole, resized)
    digest = hashlib.sha256(repr(shape).encode() + image.tobytes()).hexdigest()
    if size is not None:
        image, mask = padded(resize_image(image, resized), size), padded(mask, size)
    known = (entry.mm_per_pixel_y, entry.mm_per_pixel_x)
    millimetres = spacing if spacing and known == (None, None) else known
    return Loaded(image, mask, shape, digest, notes, millimetres)


def read_grey(path: Path) -> tuple[np.ndarray, tuple[str, ...]]:
    """Read an image file as grey uint8 [H,W], with notes on what that took.

    Colour becomes its luminance, transparency is ignored. More than 8 bits are scaled linearly
    from the image's own smallest and largest value to 0 to 255, since the range that a scanner
    uses is rarely that of its files (12 bits in a file of 16); so images of one data set can
    come out with different contrast.

    Raises
    ------
    SonotuneError
        If the file cannot be read, or has values that are not finite.
    """
    return _grey(path, _read(path)[0])


def _grey(path: Path, image: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    notes = []
    if image.ndim == 3:
        colours = image[..., :3]
        if (colours != colours[..., :1]).any():
            notes.append(COLOUR)
            if colours.dtype == np.float64:
                colours = colours.astype(np.float32)
            image = cv2.cvtColor(np.ascontiguousarray(colours), cv2.COLOR_BGR2GRAY)
        else:
            image = np.ascontiguousarray(colours[..., 0])
    if image.dtype != np.uint8:
        if not np.isfinite(image).all():
            raise SonotuneError(f"{path}: has values that are not finite")
        notes.append(DEPTH)
        values = image.astype(np.float64)
        low, high = values.min(), values.max()
        image = np.rint((values - low) * (255 / max(high - low, 1e-300))).astype(np.uint8)
    return image, tuple(notes)


def _belongs(path: Path, drawn: np.ndarray, rule: MaskRule) -> np.ndarray:
    grey = _one_channel(drawn)
    if rule.kind == "threshold":
        return (grey >= rule.value).astype(np.uint8)
    if rule.kind == "label":
        if drawn.ndim == 3 and (drawn[..., :3] != drawn[..., :1]).any():
            raise SonotuneError(f"{path}: is in colour (or has a palette), so it has no label")
        return (grey == rule.value).astype(np.uint8)
    return (grey != 0).astype(np.uint8)


def _one_channel(drawn: np.ndarray) -> np.ndarray:
    """The brightest of a mask's colours; transparency is no part of a mask."""
    return drawn if drawn.ndim == 2 else drawn[..., :3].max(axis=2)


def _read(path: Path, number: int | None = None) -> tuple[np.ndarray, Spacing]:
    """One slice of a file as it is stored, and millimetres per pixel if the file tells."""
    if not path.is_file():
        raise SonotuneError(f"{path}: there is no such file")
    slices, spacing = read_slices(path) if is_medical(path) else (_pages(path), None)
    if not slices:
        raise SonotuneError(f"{path}: cannot be read; it is damaged or no image")
    if number is None and len(slices) > 1:
        raise SonotuneError(
            f"{path}: has {len(slices)} slices or pages; choose by a table with the column slice"
        )
    if (number or 0) >= len(slices):
        raise SonotuneError(f"{path}: has no slice {number}; they are 0 to {len(slices) - 1}")
    return slices[number or 0], spacing


def _pages(path: Path) -> list[np.ndarray]:
    # Not cv2.imread: it cannot open every path that Python can.
    data = np.frombuffer(path.read_bytes(), np.uint8)
    if not len(data):
        return []
    try:
        if path.suffix.lower() in (".tif", ".tiff"):
            whole, pages = cv2.imdecodemulti(data, cv2.IMREAD_UNCHANGED)
            return list(pages) if whole else []
        image = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
    except cv2.error:  # such as a header that claims more pixels than anybody has
        return []
    return [] if image is None else [image]
