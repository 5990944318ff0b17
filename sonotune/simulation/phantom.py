"""What is scanned: point scatterers in a slab, and lesions that send less back.

Coordinates are in millimetres: x across the image from its middle, z the depth below the array,
y across the image plane. A lesion is a cylinder across the slab, so that its outline is the same
at every y and the mask is exact.
"""

from dataclasses import dataclass

import numpy as np

from sonotune.errors import SonotuneError
from sonotune.simulation.settings import LESION_GAP_MM, Simulation

# Scatterers reach this far beyond the field, so that its edges are as bright as its middle.
MARGIN_MM = 3.0

_TRIES_PER_LESION = 50
_TRIES_PER_IMAGE = 50


@dataclass(frozen=True)
class Lesion:
    """A circle or ellipse; `k` is the factor on the amplitude or intensity within it.

    Attributes
    ----------
    x_mm, z_mm
        Centre; z is the depth.
    long_mm, short_mm
        Half-axes.
    angle
        Angle of the long axis in radians, from x towards z.
    k
        Factor on the amplitude or intensity within it.
    """

    x_mm: float
    z_mm: float
    long_mm: float  # half-axis
    short_mm: float  # half-axis
    angle: float  # of the long axis, in radians, from x towards z
    k: float

    def contains(self, x_mm: np.ndarray, z_mm: np.ndarray) -> np.ndarray:
        """Tell for each point (any shapes that broadcast) whether it is in the lesion.

        Parameters
        ----------
        x_mm, z_mm
            Positions.
        """
        dx, dz = x_mm - self.x_mm, z_mm - self.z_mm
        along = (dx * np.cos(self.angle) + dz * np.sin(self.angle)) / self.long_mm
        across = (dz * np.cos(self.angle) - dx * np.sin(self.angle)) / self.short_mm
        return along**2 + across**2 <= 1


@dataclass(frozen=True)
class Scatterers:
    """Point scatterers: float64 arrays of one length, positions in mm and signed amplitudes.

    Attributes
    ----------
    x_mm, y_mm, z_mm
        Positions: along the array, across the image plane, and depth.
    amplitude
        Signed amplitudes.
    """

    x_mm: np.ndarray
    y_mm: np.ndarray
    z_mm: np.ndarray
    amplitude: np.ndarray


def draw_lesions(settings: Simulation, rng: np.random.Generator) -> list[Lesion]:
    """Draw lesions that lie inside the field and apart from each other.

    Parameters
    ----------
    settings
        Settings of the simulator.
    rng
        Source of random numbers.

    Raises
    ------
    SonotuneError
        If no room is found for as many and as large lesions as were drawn.
    """
    for _ in range(_TRIES_PER_IMAGE):
        count = rng.integers(settings.lesions[0], settings.lesions[1], endpoint=True)
        lesions: list[Lesion] = []
        for _ in range(count * _TRIES_PER_LESION):
            if len(lesions) == count:
                break
            lesion = _draw_lesion(settings, rng)
            if all(_apart(lesion, other) for other in lesions):
                lesions.append(lesion)
        if len(lesions) == count:
            return lesions
    raise SonotuneError(
        f"lesions: found no room for up to {settings.lesions[1]} lesions of lesion_radius_mm "
        f"{list(settings.lesion_radius_mm)}; ask for fewer or smaller ones"
    )


def _draw_lesion(settings: Simulation, rng: np.random.Generator) -> Lesion:
    long = _within(settings.lesion_radius_mm, rng)
    if rng.random() < settings.ellipse_share:
        short, angle = long * _within(settings.ellipse_ratio, rng), rng.uniform(0, np.pi)
    else:
        short, angle = long, 0.0
    inset = long + LESION_GAP_MM
    half_width = settings.width_mm / 2
    return Lesion(
        x_mm=rng.uniform(inset - half_width, half_width - inset),
        z_mm=rng.uniform(settings.depth_mm[0] + inset, settings.depth_mm[1] - inset),
        long_mm=long,
        short_mm=short,
        angle=angle,
        k=_within(settings.contrast, rng),
    )


def _within(limits: list[float], rng: np.random.Generator) -> float:
    return rng.uniform(limits[0], limits[1])


def _apart(first: Lesion, second: Lesion) -> bool:
    distance = np.hypot(first.x_mm - second.x_mm, first.z_mm - second.z_mm)
    return bool(distance >= first.long_mm + second.long_mm + LESION_GAP_MM)


def draw_scatterers(
    settings: Simulation, lesions: list[Lesion], rng: np.random.Generator
) -> Scatterers:
    """Draw scatterers uniformly in the slab, with normal amplitudes that lesions make smaller.

    Parameters
    ----------
    settings
        Settings of the simulator.
    lesions
        The lesions in the field.
    rng
        Source of random numbers.
    """
    count, half_width = settings.scatterers, settings.width_mm / 2 + MARGIN_MM
    x = rng.uniform(-half_width, half_width, count)
    y = rng.uniform(-settings.thickness_mm / 2, settings.thickness_mm / 2, count)
    z = rng.uniform(settings.depth_mm[0] - MARGIN_MM, settings.depth_mm[1] + MARGIN_MM, count)
    amplitude = rng.standard_normal(count)
    for lesion in lesions:
        factor = lesion.k if settings.contrast_of == "amplitude" else np.sqrt(lesion.k)
        amplitude[lesion.contains(x, z)] *= factor
    return Scatterers(x, y, z, amplitude)


def pixel_centers(settings: Simulation) -> tuple[np.ndarray, np.ndarray]:
    """Give the depth z of each row and the x of each column of the image, in mm.

    Parameters
    ----------
    settings
        Settings of the simulator.
    """
    (rows, columns), (height, width) = settings.pixels, settings.pixel_mm
    z = settings.depth_mm[0] + (np.arange(rows) + 0.5) * height
    x = (np.arange(columns) + 0.5) * width - settings.width_mm / 2
    return z, x


def lesion_mask(settings: Simulation, lesions: list[Lesion]) -> np.ndarray:
    """Mark the pixels whose centre is in a lesion: uint8 [H, W] of 0 and 1.

    Parameters
    ----------
    settings
        Settings of the simulator.
    lesions
        The lesions in the field.
    """
    z, x = pixel_centers(settings)
    mask = np.zeros(settings.pixels, dtype=np.uint8)
    for lesion in lesions:
        mask |= lesion.contains(x, z[:, None]).astype(np.uint8)
    return mask
