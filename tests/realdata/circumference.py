"""How well masks of HC18 keep the head circumferences that were measured."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from sonotune.data.ellipse import mask_ellipse, outline_ellipse
from sonotune.data.readers.hc18 import find, read_measures
from sonotune.data.readers.pixels import read_nonzero


def residuals(
    folder: str | Path, sizes: Sequence[int] = (256, 512), every: int = 1
) -> dict[str, np.ndarray]:
    """Circumferences in millimetres less those of HC18's table.

    Parameters
    ----------
    folder
        HC18 as published.
    sizes
        Sides of resized masks.
    every
        Take every n-th image only.

    Returns
    -------
    dict of numpy.ndarray
        float64 [N] each: ``ellipse`` (fitted to the outline's pixels), ``original`` (an ellipse
        fitted to the edge of the mask at original size) and one for each of `sizes`.
    """
    measures = read_measures(Path(folder))
    rows = []
    for entry in find(Path(folder))[::every]:
        outline = read_nonzero(entry.masks[0])
        height, width = outline.shape
        measure = measures[entry.name]
        ellipse = outline_ellipse(outline)
        estimates = [ellipse.circumference * measure.mm_per_pixel]
        for rows_after, columns_after in ((height, width), *((size, size) for size in sizes)):
            edge = mask_ellipse(
                ellipse.mask((height, width), (rows_after, columns_after)),
                measure.mm_per_pixel * height / rows_after,
                measure.mm_per_pixel * width / columns_after,
            )
            estimates.append(edge.circumference)
        rows.append(np.subtract(estimates, measure.circumference_mm))
    names = ["ellipse", "original", *map(str, sizes)]
    return dict(zip(names, np.stack(rows, axis=1), strict=True))
