"""From a data set's settings to prepared arrays of one size.

A reader gives originals: images and masks of any size with what is known of them. ``simulate``
and ``collage`` make theirs; ``folder`` reads files.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from sonotune.data.arrays import ImageSet, load_set, save_set
from sonotune.data.pairs import find_pairs
from sonotune.data.resize import resize_image, resize_mask

Originals = tuple[list[np.ndarray], list[np.ndarray], list[dict[str, Any]]]
MADE_HERE = ("simulate", "collage")


def make_originals(
    name: str,
    settings: dict[str, Any],
    folder: str | Path,
    workers: int,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Make a data set that the pipeline makes itself, at its own resolution.

    Parameters
    ----------
    settings
        A data set's configuration: ``reader``, ``images``, ``seed`` and the reader's own.
    folder
        Where to write ``images.npy`` and the others of `sonotune.data.arrays`.
    workers
        Threads; they change the time, never the images.
    """
    if settings["reader"] == "simulate":
        from sonotune.data.simulate import Simulation, simulate_set

        images, masks, rows = simulate_set(
            Simulation(**settings["simulate"]),
            images=settings["images"],
            seed=settings["seed"],
            workers=workers,
            progress=progress,
        )
    else:
        from sonotune.data.collage import Collage, collage_set

        images, masks, rows = collage_set(
            Collage(**settings["collage"]),
            images=settings["images"],
            seed=settings["seed"],
            workers=workers,
            progress=progress,
        )
    save_set(folder, _image_set(name, settings, images, rows, images, masks))


def prepare(
    name: str, settings: dict[str, Any], size: int, folder: str | Path, originals: str | Path | None
) -> None:
    """Write a data set's arrays at ``size`` x ``size`` pixels.

    Parameters
    ----------
    originals
        The folder of `make_originals` for a data set that is made here, else None.

    Raises
    ------
    SonotuneError
        If files are missing, unreadable or do not belong together.
    """
    images: Any
    masks: Any
    if originals is not None:
        made = load_set(originals)
        images, masks, rows = made.images, made.masks, made.index
    else:
        from sonotune.data.folder import read_pairs

        images, masks, rows = read_pairs(find_pairs(**settings["folder"]))
    resized = np.stack([resize_image(image, size) for image in images])
    resized_masks = np.stack([resize_mask(mask, size) for mask in masks])
    save_set(folder, _image_set(name, settings, images, rows, resized, resized_masks))


def _image_set(
    name: str,
    settings: dict[str, Any],
    originals: Any,
    rows: list[dict[str, Any]],
    resized: np.ndarray,
    resized_masks: np.ndarray,
) -> ImageSet:
    index = [
        {
            **row,
            "original_height": original.shape[0],
            "original_width": original.shape[1],
            "mm_per_pixel_y": _rescaled(row["mm_per_pixel_y"], original.shape[0], resized.shape[1]),
            "mm_per_pixel_x": _rescaled(row["mm_per_pixel_x"], original.shape[1], resized.shape[2]),
        }
        for row, original in zip(rows, originals, strict=True)
    ]
    about = {"dataset": name, "source": settings["source"], "settings": settings}
    return ImageSet(resized, resized_masks, index, about)


def _rescaled(mm_per_pixel: float | None, before: int, after: int) -> float | None:
    return None if mm_per_pixel is None else mm_per_pixel * before / after
