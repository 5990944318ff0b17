"""Ellipses: fitted to pixels, measured, and turned into masks of any size.

Coordinates are those of pixels' areas: pixel i reaches from i to i + 1, its centre is i + 0.5.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from scipy.special import ellipe

from sonotune.errors import SonotuneError

# No pixel of an outline lies further from its ellipse. In HC18 the furthest is at 1.6 pixels.
_LINE = 5.0


@dataclass(frozen=True)
class Ellipse:
    """An ellipse of semi-axes `a` and `b`, `a` turned by `angle` radians from x towards y.

    Attributes
    ----------
    x, y
        Centre, in pixels or millimetres.
    a, b
        Semi-axes in the same unit.
    angle
        Angle of `a` in radians, from x towards y.
    """

    x: float
    y: float
    a: float
    b: float
    angle: float

    @property
    def circumference(self) -> float:
        """Length of the outline (the complete elliptic integral, not an approximation)."""
        long, short = max(self.a, self.b), min(self.a, self.b)
        return float(4 * long * ellipe(1 - (short / long) ** 2))

    @property
    def area(self) -> float:
        """Area inside the outline."""
        return math.pi * self.a * self.b

    def distances(self, points: np.ndarray) -> np.ndarray:
        """How far points, float [N,2] as (x, y), are from the outline, along their radius.

        Parameters
        ----------
        points
            Points as (x, y), float [N,2].
        """
        along, across = self._turned(points[:, 0] - self.x, points[:, 1] - self.y)
        share = np.maximum(np.hypot(along / self.a, across / self.b), 1e-9)
        return np.abs(1 - 1 / share) * np.hypot(along, across)

    def _turned(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Coordinates along `a` and `b` of offsets from the centre."""
        cos, sin = math.cos(self.angle), math.sin(self.angle)
        return x * cos + y * sin, y * cos - x * sin

    def mask(self, shape: tuple[int, int], resized: tuple[int, int] | None = None) -> np.ndarray:
        """The interior as a mask of the image, or of the image resized.

        A pixel belongs to the object if its centre lies inside. Where an edge is straight across
        a pixel, that is a pixel that is at least half covered. A mask of another size is
        made from the ellipse and not from a mask, so that an edge is rounded to pixels only once.

        Parameters
        ----------
        shape
            Height and width of the image in whose pixels the ellipse is given.
        resized
            Height and width of the mask; by default `shape`.

        Returns
        -------
        numpy.ndarray
            uint8 0/1 of shape `resized`.
        """
        height, width = resized or shape
        y = ((np.arange(height) + 0.5) * (shape[0] / height) - self.y)[:, None]
        x = (np.arange(width) + 0.5) * (shape[1] / width) - self.x
        along, across = self._turned(x, y)
        return ((along / self.a) ** 2 + (across / self.b) ** 2 <= 1).astype(np.uint8)


def fit_ellipse(points: np.ndarray) -> Ellipse:
    """Fit an ellipse to points, float [N,2] as (x, y), by direct least squares.

    The fit gives an ellipse for any points that are not on a line, also where a part of the
    outline is missing.

    Parameters
    ----------
    points
        Points as (x, y), float [N,2]; at least 5.

    References
    ----------
    Fitzgibbon, Pilu, Fisher: Direct least square fitting of ellipses, IEEE TPAMI 1999.

    Raises
    ------
    SonotuneError
        If there is no such ellipse: fewer than 6 points, or points on a line.
    """
    if len(points) >= 6:
        # In single precision, small numbers keep more digits.
        centre = points.mean(axis=0)
        (x, y), (first, second), degrees = cv2.fitEllipseDirect(
            (points - centre).astype(np.float32)
        )
        if math.isfinite(first + second + x + y) and min(first, second) > 0:
            return Ellipse(
                x + centre[0], y + centre[1], first / 2, second / 2, math.radians(degrees)
            )
    raise SonotuneError(f"no ellipse can be fitted to {len(points)} pixels")


def outline_ellipse(outline: np.ndarray) -> Ellipse:
    """Fit an ellipse to all pixels of a drawn outline, [H,W], that are not 0.

    Parameters
    ----------
    outline
        Outline, [H,W], not 0 where drawn.

    Raises
    ------
    SonotuneError
        If the pixels are not those of an ellipse's outline.
    """
    y, x = np.nonzero(outline)
    points = np.stack([x + 0.5, y + 0.5], axis=1)
    ellipse = fit_ellipse(points)
    off = float(ellipse.distances(points).max())
    if off > _LINE:
        raise SonotuneError(
            f"is not the outline of an ellipse: a pixel lies {off:.0f} pixels off the best one"
        )
    return ellipse


def mask_ellipse(
    mask: np.ndarray, mm_per_pixel_y: float = 1.0, mm_per_pixel_x: float = 1.0
) -> Ellipse:
    """Fit an ellipse to a mask's edge, in millimetres.

    The points are the middles between two neighbouring pixels if just one belongs to the object.
    Where the image's border cuts the object there is no neighbour, hence no point.

    Parameters
    ----------
    mask
        uint8 0/1 [H,W].
    mm_per_pixel_y, mm_per_pixel_x
        Height and width of a pixel.
    """
    down_y, down_x = np.nonzero(mask[1:] != mask[:-1])
    right_y, right_x = np.nonzero(mask[:, 1:] != mask[:, :-1])
    x = np.concatenate([down_x + 0.5, right_x + 1.0])
    y = np.concatenate([down_y + 1.0, right_y + 0.5])
    return fit_ellipse(np.stack([x * mm_per_pixel_x, y * mm_per_pixel_y], axis=1))
