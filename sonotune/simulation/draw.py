"""Images of a made data set, drawn side by side."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import cv2
import numpy as np

from sonotune.errors import SonotuneError

Progress = Callable[[int, int], None] | None


def draw_all(
    draw: Callable[[int, int], tuple],
    images: int,
    seed: int,
    workers: int = 1,
    progress: Progress = None,
) -> list[tuple]:
    """Draw the images of a set in order; the same seed gives the same for any number of workers.

    Parameters
    ----------
    draw
        Draws one image, from the seed and the image's number.
    images
        Number of images, at least 1.
    seed
        Seed of the set, at least 0.
    workers
        Threads; they change the time, never the result.
    progress
        Called with the number of images done and of all images, after each.

    Raises
    ------
    SonotuneError
        If a number is out of range.
    """
    for name, value, least in (("images", images, 1), ("seed", seed, 0), ("workers", workers, 1)):
        if value < least:
            raise SonotuneError(f"{name}: must be at least {least}; found {value}")
    drawn, threads = [], cv2.getNumThreads()
    cv2.setNumThreads(1)  # the images are the unit of parallel work
    try:
        # Threads, not processes: nearly all time is spent in numpy, scipy and OpenCV outside the
        # lock.
        with ThreadPoolExecutor(workers) as pool:
            for done, one in enumerate(pool.map(partial(draw, seed), range(images)), 1):
                drawn.append(one)
                if progress is not None:
                    progress(done, images)
    finally:
        cv2.setNumThreads(threads)
    return drawn


def as_set(
    drawn: Sequence[tuple], name: str, mm_per_pixel: tuple[float | None, float | None]
) -> tuple[np.ndarray, np.ndarray, list[dict[str, Any]]]:
    """Drawn images as a data set.

    Parameters
    ----------
    drawn
        Images and masks, uint8 [H,W] each, perhaps with more.
    name
        What an image is called, with a place for its number.
    mm_per_pixel
        Height and width of a pixel in millimetres, None where there is no scale.

    Returns
    -------
    images : uint8 [N,H,W]
    masks : uint8 [N,H,W], 0 or 1
    rows : list of dict
        One per image: name, group (every image is its own), mm_per_pixel_y, mm_per_pixel_x.
    """
    scale = dict(zip(("mm_per_pixel_y", "mm_per_pixel_x"), mm_per_pixel, strict=True))
    names = [name.format(number) for number in range(len(drawn))]
    images, masks = (np.stack([one[part] for one in drawn]) for part in (0, 1))
    return images, masks, [{"name": name, "group": name, **scale} for name in names]
