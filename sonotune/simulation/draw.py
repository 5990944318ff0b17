"""Images of a made data set, drawn side by side."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from sonotune.errors import SonotuneError

Drawn = TypeVar("Drawn")


def draw_all(
    draw: Callable[[int, int], Drawn],
    images: int,
    seed: int,
    workers: int,
    progress: Callable[[int, int], None] | None,
) -> Iterator[Drawn]:
    """Draw the images of a set in order.

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
    # Threads, not processes: nearly all time is spent in numpy, scipy and OpenCV outside the lock.
    with ThreadPoolExecutor(workers) as pool:
        for done, drawn in enumerate(pool.map(partial(draw, seed), range(images)), 1):
            yield drawn
            if progress is not None:
                progress(done, images)
