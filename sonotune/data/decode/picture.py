"""What a file holds before it becomes a grey image or a mask."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from sonotune.errors import SonotuneError

Spacing = tuple[float, float] | None
# Distance, in voxels, up to which two places in space count as one.
SAME_PLACE = 0.1


@dataclass(frozen=True)
class Grid:
    """Where the pixels of a volume lie in space.

    Attributes
    ----------
    origin
        float64 [3]: centre of the first voxel, in millimetres.
    steps
        float64 [3,3]: the columns are the steps along x, y and z of the stored array.
    size
        Number of voxels along x, y and z.
    contradiction
        Both places that the header names, of whatever shape, where it names two; else None.
    """

    origin: np.ndarray
    steps: np.ndarray
    size: tuple[int, int, int]
    contradiction: np.ndarray | None = None

    @property
    def is_default(self) -> bool:
        """Whether the file says nothing of its place: unit steps from the origin."""
        return bool(np.allclose(np.abs(self.steps), np.eye(3)) and not self.origin.any())


@dataclass(frozen=True)
class Picture:
    """One frame of a file.

    Attributes
    ----------
    pixels
        [H,W], or [H,W,3] (red, green, blue), turned as the file says that it is to be shown.
    limits
        Values shown as black and white; None for uint8, and where the image's own range is shown.
    hidden
        bool [H,W]: pixels that are no part of the image (padding), shown black; None without any.
    palette
        uint8 [n,3], if the pixels are places in it.
    alpha
        Opacity, of the pixels' type [H,W]; None where everything is opaque.
    frames
        How many slices, frames or pages the file has.
    spacing
        Millimetres per pixel (y, x), None if the file does not tell.
    grid
        Place of the whole volume in space, None if the format has none.
    orientation
        The orientation tag (1 to 8) by which the pixels were turned; 1 without one.
    inverted
        Whether small values are shown bright.
    notes
        What was noticed, for people.
    """

    pixels: np.ndarray
    limits: tuple[float, float] | None = None
    hidden: np.ndarray | None = None
    palette: np.ndarray | None = None
    alpha: np.ndarray | None = None
    frames: int = 1
    spacing: Spacing = None
    grid: Grid | None = None
    orientation: int = 1
    inverted: bool = False
    notes: tuple[str, ...] = ()


def frame_of(wanted: int | None, frames: int) -> int:
    """Number of the frame that is read; a file of one frame has no choice.

    Parameters
    ----------
    wanted
        Number that was asked for, from 0; None if none was.
    frames
        Number of frames that the file has.

    Raises
    ------
    SonotuneError
        If the file has several and none is chosen, or fewer than the chosen number.
    """
    if frames == 1:
        return 0
    if wanted is None:
        raise SonotuneError(
            f"has {frames} slices or pages; choose by a table with the column slice"
        )
    if wanted >= frames:
        raise SonotuneError(f"has no slice {wanted}; they are 0 to {frames - 1}")
    return wanted


def known_spacing(y: Any, x: Any) -> tuple[Spacing, tuple[str, ...]]:
    """Millimetres per pixel if both are lengths, else None with a note.

    Parameters
    ----------
    y, x
        Distances of rows and of columns as a header gives them.
    """
    try:
        sizes = float(y), float(x)
    except (TypeError, ValueError):
        sizes = (np.nan, np.nan)
    if all(0 < size < np.inf for size in sizes):
        return sizes, ()
    return None, (f"pixel size not known: the file gives {y} x {x} mm",)


class Cache:
    """Keeps what was read last of a few files, since slices are asked for one after another.

    Parameters
    ----------
    read
        Reads a file from its path.
    """

    def __init__(self, read: Any) -> None:
        self._read = lru_cache(maxsize=4)(lambda path, changed, size: read(path))

    def __call__(self, path: Path) -> Any:
        """Read a file, unless it was just read and did not change."""
        status = path.stat()
        return self._read(path, status.st_mtime_ns, status.st_size)
