"""Images with outlines of masks over them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke

REFERENCE, PREDICTION = "#56B4E9", "#E69F00"  # told apart with any colour vision, and from grey


def show_image(
    panel: Axes,
    image: np.ndarray,
    aspect: float,
    outlines: Sequence[tuple[np.ndarray, str, Any]] = (),
    limits: tuple[float, float] = (0, 255),
) -> None:
    """An image with outlines of masks over it, without axes.

    Parameters
    ----------
    panel
        Where to draw.
    image
        Grey image.
    aspect
        Its true height, as a multiple of its width.
    outlines
        Mask, colour and line style of each outline.
    limits
        Values that are black and white.
    """
    height, width = image.shape
    panel.imshow(image, "gray", vmin=limits[0], vmax=limits[1], interpolation="none")
    for mask, colour, line in outlines:
        if mask.any():
            # A rim of background closes the outline of a mask that touches the border.
            panel.contour(
                np.arange(-1, width + 1),
                np.arange(-1, height + 1),
                np.pad(mask.astype(float), 1),
                levels=[0.5],
                colors=[colour],
                linewidths=0.9,
                linestyles=[line],
            )
    panel.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5), xticks=[], yticks=[])
    panel.set_aspect(aspect * width / height)
    panel.spines[:].set_visible(False)


def add_scale_bar(panel: Axes, bar: tuple[int, float] | None) -> None:
    """Draw a scale bar of a length in mm and a share of the width at the lower right, if known.

    Parameters
    ----------
    panel
        Where to draw.
    bar
        Millimetres, and share of the panel's width; None if the size of a pixel is not known.
    """
    if bar is None:
        return
    millimetres, share = bar
    panel.plot(
        (0.96 - share, 0.96), (0.05, 0.05), transform=panel.transAxes, color="white", linewidth=1.5
    )
    panel.text(
        0.96 - share / 2,
        0.07,
        f"{millimetres} mm",
        transform=panel.transAxes,
        color="white",
        ha="center",
        va="bottom",
        fontsize=6,
        path_effects=[withStroke(linewidth=1.2, foreground="black")],
    )
