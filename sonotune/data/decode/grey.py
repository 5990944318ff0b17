"""From a picture to grey values of 8 bits."""

import cv2
import numpy as np

from sonotune.data.decode.picture import Picture
from sonotune.errors import SonotuneError

COLOUR = "colour was converted to grey"
DEPTH = "grey values of more than 8 bits were scaled from the image's own range to 0 to 255"
OUTLIERS = (
    "a few extreme values were cut off before scaling (below the 0.1th or above the 99.9th "
    "percentile)"
)
TRANSPARENT = "transparent parts are shown on black"
# Where the central values span less than this share of the range, the rest are outliers.
CENTRAL = 0.5


def as_displayed(picture: Picture) -> tuple[np.ndarray, tuple[str, ...]]:
    """Grey values as a viewer shows a picture, with notes on what that took.

    A palette is looked up, transparent parts lie on black, and colour becomes its luminance
    (ITU-R BT.601). Where a picture has more than 8 bits and no window of its own, its smallest
    and largest value become 0 and 255, since the range that a scanner uses is rarely that of its
    files (12 bits in a file of 16). If a few values stretch that range to more than twice that of
    the central 99.8 %, they are cut off.

    Parameters
    ----------
    picture
        What a file holds.

    Returns
    -------
    image
        uint8 [H,W].
    notes
        For people.

    Raises
    ------
    SonotuneError
        If values are not finite.
    """
    notes = list(picture.notes)
    pixels = picture.pixels if picture.palette is None else picture.palette[picture.pixels]
    if picture.alpha is not None:
        composed = on_black(pixels, picture.alpha)
        if (composed != pixels).any():
            notes.append(TRANSPARENT)
        pixels = composed
    if pixels.ndim == 3:
        if (pixels != pixels[..., :1]).any():
            notes.append(COLOUR)
            if pixels.dtype not in (np.uint8, np.uint16):
                pixels = pixels.astype(np.float32)
            pixels = cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2GRAY)
        else:
            pixels = np.ascontiguousarray(pixels[..., 0])
    if pixels.dtype != np.uint8 or picture.limits is not None:
        pixels = _scaled(pixels, picture, notes)
    if picture.inverted:
        pixels = 255 - pixels
    if picture.hidden is not None:
        pixels = np.where(picture.hidden, np.uint8(0), pixels)
    return pixels, tuple(notes)


def on_black(pixels: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """A picture laid over black, of its own type.

    Parameters
    ----------
    pixels
        Grey or colours, [H,W] or [H,W,3].
    alpha
        Opacity, [H,W], of the same type and range.
    """
    most = np.iinfo(alpha.dtype).max
    weight = alpha if pixels.ndim == 2 else alpha[..., None]
    return np.rint(pixels * (weight / most)).astype(pixels.dtype)


def _scaled(pixels: np.ndarray, picture: Picture, notes: list[str]) -> np.ndarray:
    values = pixels.astype(np.float64)
    if not np.isfinite(values).all():
        raise SonotuneError("cannot be read: it has values that are not finite")
    if picture.limits is None:
        low, high = _range(values if picture.hidden is None else values[~picture.hidden], notes)
    else:
        low, high = picture.limits
    if high <= low:
        return np.where(values > low, np.uint8(255), np.uint8(0))
    return np.rint((np.clip(values, low, high) - low) * (255 / (high - low))).astype(np.uint8)


def _range(values: np.ndarray, notes: list[str]) -> tuple[float, float]:
    """Values that become black and white; without outliers."""
    low, high = float(values.min()), float(values.max())
    notes.append(DEPTH)
    inner_low, inner_high = (float(v) for v in np.percentile(values, (0.1, 99.9)))
    if 0 < inner_high - inner_low < CENTRAL * (high - low):
        notes.append(OUTLIERS)
        return inner_low, inner_high
    return low, high
