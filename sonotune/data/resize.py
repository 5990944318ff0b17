"""Bring images and masks of any size to one size."""

from __future__ import annotations

import cv2
import numpy as np


def resize_image(image: np.ndarray, size: int) -> np.ndarray:
    """Resize a grey image, uint8 [H,W], to uint8 [size,size].

    Shrinking averages over areas, so speckle and edges do not alias; enlarging is bilinear. The
    aspect ratio is not kept, as in Amiri 2020 (section II-D).
    """
    return cv2.resize(image, (size, size), interpolation=_method(image, size))


def resize_mask(mask: np.ndarray, size: int) -> np.ndarray:
    """Resize a mask, uint8 0/1 [H,W], to uint8 0/1 [size,size].

    A pixel belongs to the object if at least half of its area does, so edges stay in place.
    """
    share = cv2.resize(mask.astype(np.float32), (size, size), interpolation=_method(mask, size))
    # The averages are sums of float32 weights, so a half may come out a hair below.
    return (share >= 0.5 - 1e-6).astype(np.uint8)


def _method(image: np.ndarray, size: int) -> int:
    shrinks = image.shape[0] >= size and image.shape[1] >= size
    return cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
