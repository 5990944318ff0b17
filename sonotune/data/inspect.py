"""One look at every image of a data set, at its own size, and what an audit finds.

A data set of any number of images fits in memory, since only a sketch of each is kept.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import get_args

import cv2
import numpy as np

from sonotune.data.duplicates import Sketch, sketch
from sonotune.data.findings import Finding, Level
from sonotune.data.mask_profile import MaskProfile
from sonotune.data.readers.pixels import LoadedSample
from sonotune.data.readers.sample import Sample
from sonotune.errors import SonotuneError, printable


@dataclass(frozen=True)
class ImageStats:
    """What one image is like; numbers are None where it cannot be read.

    Attributes
    ----------
    read
        Reads the image and its mask.
    name
        Name of the image.
    group
        Its examination or patient.
    image, masks
        Their files, for people.
    height, width
        In pixels of the file.
    mm_per_pixel_y, mm_per_pixel_x
        Height and width of a pixel.
    grey_least, grey_mean, grey_most
        Of the grey image, 0 to 255.
    foreground
        Share of the image that the object takes, 0 to 1.
    components
        Connected parts of the mask.
    notes
        What was done to read it as a grey image.
    digest
        Equal for images that are the same, pixel by pixel; empty if it cannot be read.
    sketch
        What tells copies of the image; None if it is all of one grey.
    profile
        What the mask's files hold; None without files.
    problem
        Why it cannot be used, or nothing.
    """

    read: Callable[[], LoadedSample]
    name: str
    group: str
    image: str
    masks: str
    height: int | None = None
    width: int | None = None
    mm_per_pixel_y: float | None = None
    mm_per_pixel_x: float | None = None
    grey_least: int | None = None
    grey_mean: float | None = None
    grey_most: int | None = None
    foreground: float | None = None
    components: int | None = None
    notes: tuple[str, ...] = ()
    digest: str = ""
    sketch: Sketch | None = None
    profile: MaskProfile | None = None
    problem: str = ""


@dataclass(frozen=True)
class Audit:
    """A data set's images, duplicates among them, and the findings.

    Attributes
    ----------
    dataset
        Name of the data set.
    source
        What its images are.
    image_stats
        Statistics of each image.
    same
        Names of images that are the same, pixel by pixel, in groups.
    near
        Pairs of names that are not, but nearly.
    findings
        What follows, errors first.
    clusters
        Names of images that are copies of one another, exact or not.
    """

    dataset: str
    source: str
    image_stats: tuple[ImageStats, ...]
    same: tuple[tuple[str, ...], ...]
    near: tuple[tuple[str, str], ...]
    findings: tuple[Finding, ...]
    clusters: tuple[tuple[str, ...], ...] = ()

    @property
    def verdict(self) -> str:
        """How much is wrong, in words: 1 error, 2 warnings."""
        counts = {level: len(self.of_level(level)) for level in get_args(Level)[:2]}
        return ", ".join(f"{n} {level}{'s' * (n != 1)}" for level, n in counts.items())

    def of_level(self, level: Level) -> list[Finding]:
        """The findings of one level.

        Parameters
        ----------
        level
            ``error``, ``warning`` or ``note``.
        """
        return [finding for finding in self.findings if finding.level == level]


def measure(
    samples: Sequence[Sample], load: Callable[[Sample], LoadedSample], workers: int
) -> tuple[ImageStats, ...]:
    """Look at all images of a data set.

    Parameters
    ----------
    samples, load
        What `sonotune.data.readers.pixels.open_samples` gives.
    workers
        Threads; they change the time, never the result.
    """
    stats = [_told(sample, partial(load, sample)) for sample in samples]
    with ThreadPoolExecutor(workers) as pool:
        return tuple(pool.map(_look_at, stats))


def _told(sample: Sample, read: Callable[[], LoadedSample]) -> ImageStats:
    """What is known of an image before it is read."""
    which = "" if sample.slice is None else f"[{sample.slice}]"
    masks = "; ".join(f"{printable(mask)}{which}" for mask in sample.masks)
    return ImageStats(read, sample.name, sample.group, f"{printable(sample.image)}{which}", masks)


def _look_at(stats: ImageStats) -> ImageStats:
    try:
        return _seen(stats, stats.read())
    except SonotuneError as error:
        return replace(stats, problem=str(error))


def _seen(stats: ImageStats, loaded: LoadedSample) -> ImageStats:
    image, mask = loaded.image, loaded.mask
    return replace(
        stats,
        height=image.shape[0],
        width=image.shape[1],
        mm_per_pixel_y=loaded.mm_per_pixel[0],
        mm_per_pixel_x=loaded.mm_per_pixel[1],
        grey_least=int(image.min()),
        grey_mean=float(image.mean()),
        grey_most=int(image.max()),
        foreground=float(mask.mean()),
        components=cv2.connectedComponents(np.ascontiguousarray(mask))[0] - 1,
        notes=loaded.notes,
        digest=loaded.pixels_sha256,
        sketch=sketch(image) if image.min() < image.max() else None,
        profile=loaded.profile,
    )
