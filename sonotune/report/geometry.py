"""True proportions of prepared images, which the papers' preparation stretches to squares."""

from collections.abc import Mapping
from typing import Any

from sonotune.data.image_set import ImageSet

# Lengths of scale bars, in millimetres.
BARS = (1, 2, 5, 10, 20, 50, 100)
MOST_OF_WIDTH = 1 / 3


def aspect_of(data: ImageSet, row: int) -> float:
    """Height of an image divided by its width, as it was taken.

    Where the size of a pixel is unknown, pixels of the original are taken to be square.

    Parameters
    ----------
    data
        A prepared data set.
    row
        Row of the image.
    """
    image, (rows, columns) = data.index[row], data.images.shape[1:]
    height, width = image["mm_per_pixel_y"], image["mm_per_pixel_x"]
    if height and width:
        return float(rows * height / (columns * width))
    settings = data.about.get("rests_on", {}).get("settings", {})
    if settings.get("keep_aspect"):  # padded to a square, not stretched
        return float(rows / columns)
    return float(image["original_height"] / image["original_width"])


def scale_bar(image: Mapping[str, Any], width: int) -> tuple[int, float] | None:
    """Millimetres of a round scale bar and its share of the image's width; None if not known.

    Parameters
    ----------
    image
        Its row of the prepared index.
    width
        Of the prepared array, in pixels.
    """
    if not image["mm_per_pixel_x"]:
        return None
    whole = width * image["mm_per_pixel_x"]
    fitting = [bar for bar in BARS if bar <= MOST_OF_WIDTH * whole]
    return (fitting[-1], fitting[-1] / whole) if fitting else None
