"""Random smooth outlines, and their places in an image."""

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter1d

from sonotune.errors import SonotuneError
from sonotune.simulation.collage_settings import Collage

MOST_LAYOUTS = 500


def draw_layout(rng: np.random.Generator, settings: Collage) -> list[np.ndarray]:
    """Draw the objects' outlines, apart from each other, as uint8 masks [pixels, pixels].

    Parameters
    ----------
    rng
        Source of random numbers.
    settings
        Settings of the collage.
    """
    pixels = settings.pixels
    counts = np.arange(settings.objects[0], settings.objects[1] + 1)
    weights = 0.4 ** np.arange(len(counts))
    count = rng.choice(counts, p=weights / weights.sum())
    gap = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * (pixels // 40) + 1,) * 2)
    for _ in range(MOST_LAYOUTS):
        # Uniform in the mean diameter, so that small objects are well represented.
        total = rng.uniform(*np.sqrt(settings.area)) ** 2
        shares = total * rng.dirichlet(np.full(count, 6.0))
        pieces: list[np.ndarray] = []
        taken = np.zeros((pixels, pixels), np.uint8)
        for share in shares:
            piece = _place(rng, _outline(rng) * np.sqrt(share), pixels)
            if piece.mean() < 0.6 * share or (piece & taken).any():
                break
            pieces.append(piece)
            taken = np.maximum(taken, cv2.dilate(piece, gap))
        covered = sum(piece.mean() for piece in pieces)
        if len(pieces) == count and settings.area[0] <= covered <= settings.area[1]:
            return pieces
    raise SonotuneError(
        f"collage: no room for {count} objects that cover {settings.area[0]:g} to "
        f"{settings.area[1]:g} of the image; widen or lower `area`, or ask for fewer `objects`"
    )


def _outline(rng: np.random.Generator) -> np.ndarray:
    """Draw a smooth closed curve of unit area about the origin, float64 [points, 2]."""
    angle = np.linspace(0, 2 * np.pi, 240, endpoint=False)
    kind = rng.choice(["ellipse", "blob", "polygon"], p=[0.25, 0.5, 0.25])
    radius = np.ones_like(angle)
    if kind == "blob":
        roughness = rng.uniform(0.1, 0.45)
        for order in range(2, 8):
            size, phase = rng.normal(0, roughness / order), rng.uniform(0, 2 * np.pi)
            radius += size * np.cos(order * angle + phase)
        radius = np.maximum(radius, 0.35)
    points = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    if kind == "polygon":
        corners = rng.integers(3, 8)
        # Never two corners on one spot, so that the polygon is not a sliver.
        at = (np.arange(corners) + rng.uniform(-0.3, 0.3, corners)) * 240 / corners
        at = np.append(at, at[0] + 240)
        turn = 2 * np.pi * at / 240
        steps = np.linspace(at[0], at[0] + 240, 240, endpoint=False)
        points = np.stack([np.interp(steps, at, f(turn)) for f in (np.cos, np.sin)], axis=1)
    points = gaussian_filter1d(points, rng.uniform(2, 8), axis=0, mode="wrap")
    points *= [1, rng.uniform(0.45, 1)]
    tilt = rng.uniform(0, 2 * np.pi)
    points = points @ np.array([[np.cos(tilt), -np.sin(tilt)], [np.sin(tilt), np.cos(tilt)]])
    points -= (points.max(axis=0) + points.min(axis=0)) / 2
    x, y = points.T
    size = abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2
    return points / np.sqrt(size)


def _place(rng: np.random.Generator, outline: np.ndarray, pixels: int) -> np.ndarray:
    """Fill an outline (in shares of the side) at a random place: a uint8 mask."""
    centred = rng.random() < 0.6
    centre = rng.normal(0.5, 0.14, 2) if centred else rng.uniform(0, 1, 2)
    if rng.random() > 0.1:  # one in ten may be cut by the frame
        half = np.minimum(outline.max(axis=0) + 0.02, 0.5)
        centre = np.clip(centre, half, 1 - half)
    mask = np.zeros((pixels, pixels), np.uint8)
    # OpenCV puts whole numbers at pixel centres and, with shift=4, counts in sixteenths.
    corners = np.round(((outline + centre) * pixels - 0.5) * 16).astype(np.int32)
    return cv2.fillPoly(mask, [corners], 1, shift=4)
