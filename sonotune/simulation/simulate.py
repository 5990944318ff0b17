"""Simulated B-mode images of dark lesions in speckle, like the SUS set of Amiri et al. (2020).

A linear line scan: each line is the sum, over the scatterers of a phantom, of the focused
aperture's two-way response (`aperture.py`), with dynamic receive focus; its envelope is compressed
logarithmically and resampled to the image grid. The paper used Field II; this differs from it in
that

- echoes are complex baseband, at 12.5 MHz for a centre frequency of 3.5 MHz, rather than 100 MHz
  RF (the pulse itself is sampled at 100 MHz);
- an element's directivity is that of the centre frequency;
- nothing is attenuated, so there is no gain over depth either;
- every line has the full aperture, those at the edges too;
- scattering is linear (Born): no multiple scattering, and a lesion casts no shadow. (Field II
  shares this one.)
"""

from functools import partial
from typing import Any

import numpy as np
from scipy.ndimage import map_coordinates

from sonotune.seeds import generator
from sonotune.simulation.draw import Progress, as_set, draw_all
from sonotune.simulation.phantom import (
    Lesion,
    draw_lesions,
    draw_scatterers,
    lesion_mask,
    pixel_centers,
)
from sonotune.simulation.scan import Scanner, make_scanner, scan
from sonotune.simulation.settings import Simulation

# The brightest thousandth of the envelope is white.
_WHITE_PERCENTILE = 99.9


# What an image is called in its set.
NAME = "sus_{:03d}"


def simulate_set(
    settings: Simulation,
    *,
    images: int,
    seed: int,
    workers: int = 1,
    progress: Progress = None,
) -> tuple[np.ndarray, np.ndarray, list[dict[str, Any]]]:
    """Simulate a data set; the same seed gives the same bytes for any number of workers.

    Image i depends on the settings, the seed and i only, not on how many images are made.

    Parameters
    ----------
    settings
        Settings of the simulator.
    images
        Number of images.
    seed
        Seed of the set.
    workers : int
        Images made at the same time, in threads; about 0.2 GB each at the default settings.
    progress : callable, optional
        Called with the number of images done and of all images, after each.

    Returns
    -------
    images : uint8 [N, H, W]
    masks : uint8 [N, H, W], 0 or 1
    rows : list of dict
        One an image: name, group (every image is its own), mm_per_pixel_y, mm_per_pixel_x.

    Raises
    ------
    SonotuneError
        If `images`, `seed` or `workers` is out of range, or lesions do not fit the field.
    """
    draw = partial(simulate_image, make_scanner(settings))
    return as_set(draw_all(draw, images, seed, workers, progress), NAME, settings.pixel_mm)


def simulate_image(
    scanner: Scanner, seed: int, index: int
) -> tuple[np.ndarray, np.ndarray, list[Lesion]]:
    """Simulate image `index` of the set of `seed`.

    Parameters
    ----------
    scanner
        What all images share.
    seed
        Seed of the set.
    index
        Number of the image, from 0.

    Returns
    -------
    image : uint8 [H, W]
    mask : uint8 [H, W], 0 or 1
    lesions : list of Lesion
    """
    settings, rng = scanner.settings, generator(seed, "simulate", index)
    lesions = draw_lesions(settings, rng)
    envelope, depths = scan(scanner, draw_scatterers(settings, lesions, rng))
    return display(settings, envelope, depths), lesion_mask(settings, lesions), lesions


def display(settings: Simulation, envelope: np.ndarray, depths: np.ndarray) -> np.ndarray:
    """Resample an envelope [D, L] to the image grid and compress it: uint8 [H, W].

    255 is the brightest thousandth, 0 is `dynamic_range_db` below it or less.

    Parameters
    ----------
    settings
        Settings of the simulator.
    envelope
        Envelope of the echoes, float [D,L].
    depths
        Depth of each of its rows, in mm.
    """
    z, x = pixel_centers(settings)
    row = (z - depths[0]) / (depths[1] - depths[0])
    line = (x + settings.width_mm / 2) / settings.line_spacing_mm - 0.5
    grid = np.meshgrid(row, line, indexing="ij")
    image = map_coordinates(envelope, grid, order=1, mode="nearest").astype(np.float64)
    white = max(np.percentile(image, _WHITE_PERCENTILE), np.finfo(np.float64).tiny)
    level = 20 * np.log10(np.maximum(image, 1e-12 * white) / white)
    return np.rint(np.clip(level / settings.dynamic_range_db + 1, 0, 1) * 255).astype(np.uint8)
