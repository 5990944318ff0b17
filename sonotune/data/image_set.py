"""A prepared data set in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class ImageSet:
    """A prepared data set.

    Attributes
    ----------
    images
        uint8 [N,H,W], 0 to 255.
    masks
        uint8 [N,H,W], 0 or 1.
    index
        One dict per image with the columns of `sonotune.data.dataset`; millimetres per pixel
        are None where unknown.
    about
        What ``dataset.json`` holds.
    """

    images: np.ndarray
    masks: np.ndarray
    index: list[dict[str, Any]]
    about: dict[str, Any]

    @property
    def groups(self) -> list[str]:
        """The group (examination, patient) of each image."""
        return [row["group"] for row in self.index]

    @property
    def names(self) -> list[str]:
        """The name of each image."""
        return [row["name"] for row in self.index]


def median_row(data: ImageSet, rows: Sequence[int] | None = None) -> int:
    """Of these rows, or of all, that of the image whose object has the median area."""
    chosen = np.arange(len(data.masks)) if rows is None else np.asarray(rows)
    areas = np.array([int(data.masks[row].sum()) for row in chosen])
    return int(chosen[np.argsort(areas, kind="stable")[(len(areas) - 1) // 2]])
