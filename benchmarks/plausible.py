"""Made-up images and predictions that look like those of the paper's four data sets.

Nothing here was trained: these are shapes for tests and benchmarks of what comes after training.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from sonotune.data.ellipse import Ellipse
from sonotune.data.image_set import ImageSet

HC18_SHAPE = 540, 800  # height and width of most originals
FIELDS = 48  # random fields that predictions share; each use turns and mirrors one


@dataclass(frozen=True)
class MadeSet:
    """A data set and, where it has them, pixel sizes (mm) of the originals and circumferences."""

    data: ImageSet
    measures: dict[str, tuple[float, float]]


def make_set(name: str, number: int, size: int, rng: np.random.Generator) -> MadeSet:
    """Images with one head (``fus``), two lungs (``xray``), or one to four lesions (others)."""
    masks = np.zeros((number, size, size), np.uint8)
    index: list[dict[str, Any]] = []
    measures = {}
    for row in range(number):
        image_name = f"{row:03}_HC" if name == "fus" else f"{name}{row:03}"
        spacing: tuple[float | None, float | None] = None, None
        original = (size, size)
        if name == "fus":
            head, pixel = _head(rng), rng.uniform(0.08, 0.25)
            masks[row] = head.mask(HC18_SHAPE, (size, size))
            measures[image_name] = pixel, head.circumference * pixel
            original = HC18_SHAPE
            spacing = pixel * HC18_SHAPE[0] / size, pixel * HC18_SHAPE[1] / size
        else:
            for part in _lungs(rng) if name == "xray" else _lesions(rng, 4 if name == "sus" else 1):
                masks[row] |= part.mask((1, 1), (size, size))
        if name == "sus":
            spacing = 60 / size, 40 / size
        index.append(
            {
                "name": image_name,
                "group": image_name,
                "original_height": original[0],
                "original_width": original[1],
                "mm_per_pixel_y": spacing[0],
                "mm_per_pixel_x": spacing[1],
            }
        )
    noise = rng.normal(1, 0.3, (number, size, size))
    images = np.clip((150 - 90.0 * masks) * noise, 0, 255).astype(np.uint8)
    return MadeSet(ImageSet(images, masks, index, {}), measures)


def _head(rng: np.random.Generator) -> Ellipse:
    """A head in pixels of HC18's originals; some are cut by the image's border."""
    y, x = rng.normal((270, 400), (35, 50))
    return Ellipse(x, y, rng.uniform(190, 290), rng.uniform(150, 210), rng.uniform(-0.6, 0.6))


def _lungs(rng: np.random.Generator) -> list[Ellipse]:
    height, width = rng.uniform(0.3, 0.38), rng.uniform(0.11, 0.15)
    return [
        Ellipse(x, rng.normal(0.5, 0.02), width, height, rng.normal(0, 0.08)) for x in (0.28, 0.72)
    ]


def _lesions(rng: np.random.Generator, most: int) -> list[Ellipse]:
    return [
        Ellipse(
            *rng.uniform(0.15, 0.85, 2),
            *rng.uniform(0.06 if most > 1 else 0.08, 0.13 if most > 1 else 0.2, 2),
            rng.uniform(0, np.pi),
        )
        for _ in range(rng.integers(1, most + 1))
    ]


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
        self.depths = np.stack([_depth(mask) for mask in masks])
        noise = rng.normal(size=(FIELDS, size, size)).astype(np.float32)
        coarse = np.stack([cv2.GaussianBlur(one, (0, 0), size / 14) for one in noise])
        fine = np.stack([cv2.GaussianBlur(one, (0, 0), size / 50) for one in noise])
        self.fields = coarse / coarse.std() + 0.4 * fine / fine.std()

    def predict(self, row: int, dice: float, rng: np.random.Generator) -> np.ndarray:
        """Probabilities, uint8 [H,W], whose Dice score is near `dice` if that can be reached."""
        field = np.rot90(self.fields[rng.integers(FIELDS)], rng.integers(4))
        field = field[:, ::-1] if rng.integers(2) else field
        truth, depth = self.masks[row], self.depths[row]
        low, high = 0.0, 8.0
        for _ in range(8):
            amplitude = (low + high) / 2
            found = depth + amplitude * field > 0
            both = np.count_nonzero(found & truth)
            reached = 2 * both / (np.count_nonzero(found) + np.count_nonzero(truth))
            low, high = (amplitude, high) if reached > dice else (low, amplitude)
        # Certain beyond three pixels (of 256) from the outline.
        return np.clip((depth + low * field) * 680 + 128, 0, 255).astype(np.uint8)


def _depth(mask: np.ndarray) -> np.ndarray:
    """How far inside the object a pixel is, in sixteenths of the side; negative outside."""
    inside, outside = (
        cv2.distanceTransform(part, cv2.DIST_L2, cv2.DIST_MASK_PRECISE) for part in (mask, 1 - mask)
    )
    return (np.where(mask > 0, inside - 0.5, 0.5 - outside) * (16 / len(mask))).astype(np.float32)
