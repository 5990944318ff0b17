"""Bring images and masks of any size to one size."""

from typing import Literal

import cv2
import numpy as np

# How images are resized: by averages over areas, or as common loaders do it.
Resize = Literal["area", "bilinear"]


def target_shape(shape: tuple[int, int], size: int, keep_aspect: bool = False) -> tuple[int, int]:
    """Height and width that an image has after resizing, before `padded` makes it square.

    The papers stretch every image to a square (Amiri 2020, section II-D); with `keep_aspect` the
    longer side becomes `size`.

    Parameters
    ----------
    shape
        Height and width in pixels.
    size
        Side of the square in pixels.
    keep_aspect
        Whether images are padded to a square instead of stretched.
    """
    if not keep_aspect:
        return size, size
    longest = max(shape)
    return max(1, round(shape[0] * size / longest)), max(1, round(shape[1] * size / longest))


def padded(image: np.ndarray, size: int) -> np.ndarray:
    """Put an image or mask, [H,W], in the middle of a black square of ``size`` x ``size``.

    Parameters
    ----------
    image
        Image or mask, [H,W].
    size
        Side of the square in pixels.
    """
    height, width = image.shape
    if (height, width) == (size, size):
        return image
    square = np.zeros((size, size), image.dtype)
    top, left = (size - height) // 2, (size - width) // 2
    square[top : top + height, left : left + width] = image
    return square


def resize_image(image: np.ndarray, shape: tuple[int, int], method: Resize = "area") -> np.ndarray:
    """Resize a grey image, uint8 [H,W], to another height and width.

    By ``area``, shrinking averages over areas, so speckle and edges do not alias; enlarging is
    bilinear; each axis goes its own way. ``bilinear`` takes the four nearest pixels in both
    directions, however much the image shrinks.

    Parameters
    ----------
    image
        Grey image.
    shape
        New height and width in pixels.
    method
        ``area`` or ``bilinear``.
    """
    if method == "bilinear":
        return cv2.resize(image, shape[::-1], interpolation=cv2.INTER_LINEAR)
    if _mixed(image, shape):
        return np.rint(_resize(image.astype(np.float32), shape)).astype(np.uint8)
    return _resize(image, shape)


def resize_mask(mask: np.ndarray, shape: tuple[int, int], method: Resize = "area") -> np.ndarray:
    """Resize a mask, uint8 0/1 [H,W], to another height and width.

    By ``area``, a pixel belongs to the object if at least half of its area does, so edges stay in
    place. With ``bilinear`` images go masks of the nearest pixel (OpenCV's ``INTER_NEAREST``).

    Parameters
    ----------
    mask
        Mask, uint8 0/1 [H,W].
    shape
        New height and width in pixels.
    method
        ``area`` or ``bilinear``.
    """
    if method == "bilinear":
        return cv2.resize(mask, shape[::-1], interpolation=cv2.INTER_NEAREST)
    share = _resize(mask.astype(np.float32), shape)
    # The averages are sums of float32 weights, so a half may come out a hair below.
    return (share >= 0.5 - 1e-6).astype(np.uint8)


def _resize(image: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    if _mixed(image, shape):
        # Enlarging along both axes at once would skip pixels along the one that shrinks.
        smaller = (min(image.shape[0], shape[0]), min(image.shape[1], shape[1]))
        image = cv2.resize(image, smaller[::-1], interpolation=cv2.INTER_AREA)
    shrinks = image.shape[0] >= shape[0] and image.shape[1] >= shape[1]
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return cv2.resize(image, shape[::-1], interpolation=method)


def _mixed(image: np.ndarray, shape: tuple[int, int]) -> bool:
    """Whether one axis shrinks and the other grows."""
    return (image.shape[0] - shape[0]) * (image.shape[1] - shape[1]) < 0
