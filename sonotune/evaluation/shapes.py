"""What one prediction's shape is like: distances, components, head circumference."""

import math

import cv2
import numpy as np

from sonotune.data.ellipse import mask_ellipse
from sonotune.errors import SonotuneError
from sonotune.evaluation.surface import boundary, surface_distances

SHAPE_METRICS = (
    "hausdorff95_px",
    "surface_distance_px",
    "hausdorff95_mm",
    "surface_distance_mm",
    "components",
    "at_border",
    "hc_mm",
    "hc_measured_mm",
    "hc_difference_mm",
    "hc_absolute_difference_mm",
)


def shape_scores(
    prediction: np.ndarray,
    reference: np.ndarray,
    mm_per_pixel: tuple[float, float] | None = None,
    circumference_mm: float | None = None,
) -> dict[str, float]:
    """Metrics of one image that look at more than counts of pixels.

    Parameters
    ----------
    prediction
        bool [H,W].
    reference
        The `boundary` of the mask.
    mm_per_pixel
        Height and width of a pixel; None, or what is no length, where unknown.
    circumference_mm
        Measured head circumference, or None for images that have none.

    Returns
    -------
    dict
        `SHAPE_METRICS`: distances between the boundaries in pixels and millimetres (see
        `surface_distances`), the number of components (pixels that touch by a side or a corner
        are connected), 1 if the prediction reaches the image's border and else 0, the head
        circumference of the prediction, the measured one, their difference (found less measured)
        and its absolute value. NaN where there is no such number.
    """
    edge = boundary(prediction)
    pixels = surface_distances(edge, reference)
    millimetres = (math.nan, math.nan)
    circumference = difference = math.nan
    if mm_per_pixel is not None and all(0 < size < math.inf for size in mm_per_pixel):
        height, width = mm_per_pixel
        if math.isclose(height, width, rel_tol=1e-9):
            millimetres = (pixels[0] * height, pixels[1] * height)
        else:
            millimetres = surface_distances(edge, reference, mm_per_pixel)
        if circumference_mm is not None:
            circumference = head_circumference(prediction, mm_per_pixel)
            difference = circumference - circumference_mm
    values = (
        *pixels,
        *millimetres,
        count_components(prediction),
        int(reaches_border(prediction)),
        circumference,
        math.nan if circumference_mm is None else circumference_mm,
        difference,
        abs(difference),
    )
    return dict(zip(SHAPE_METRICS, values, strict=True))


def count_components(mask: np.ndarray) -> int:
    """Number of connected parts of a mask, bool [H,W]; corners connect.

    Parameters
    ----------
    mask
        Mask.
    """
    return cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)[0] - 1


def reaches_border(mask: np.ndarray) -> bool:
    """Whether a mask, bool [H,W], has a pixel at the image's border.

    Parameters
    ----------
    mask
        Mask.
    """
    return bool(mask[[0, -1]].any() or mask[:, [0, -1]].any())


def largest_component(mask: np.ndarray) -> np.ndarray:
    """The largest connected part of a mask, bool [H,W], with its holes filled, uint8 0/1.

    Parameters
    ----------
    mask
        Mask.
    """
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = np.zeros(mask.shape, np.uint8)
    if contours:
        cv2.drawContours(filled, [max(contours, key=cv2.contourArea)], -1, 1, cv2.FILLED)
    return filled


def head_circumference(mask: np.ndarray, mm_per_pixel: tuple[float, float]) -> float:
    """Circumference in millimetres of the ellipse that fits a prediction, as HC18 scores it.

    The ellipse is fitted to the outline of the largest component, without its holes. Where the
    image's border cuts the component there is no outline, so the fit closes the gap.

    Parameters
    ----------
    mask
        bool [H,W].
    mm_per_pixel
        Height and width of a pixel.

    Returns
    -------
    float
        NaN where nothing was found, no ellipse fits, or the one that fits is longer than the
        image's diagonal or thinner than a pixel: what is left of an outline that is nearly
        straight can be part of an ellipse of any size.

    References
    ----------
    van den Heuvel et al.: Automated measurement of fetal head circumference using 2D ultrasound
    images. PLoS ONE 13(8), 2018.
    """
    height, width = mm_per_pixel
    try:
        ellipse = mask_ellipse(largest_component(mask), height, width)
    except SonotuneError:
        return math.nan
    diagonal = math.hypot(mask.shape[0] * height, mask.shape[1] * width)
    long, short = 2 * max(ellipse.a, ellipse.b), 2 * min(ellipse.a, ellipse.b)
    return ellipse.circumference if long <= diagonal and short >= min(height, width) else math.nan
