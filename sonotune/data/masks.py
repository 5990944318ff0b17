"""Which pixels a mask's file marks, and where they lie on its image."""

import cv2
import numpy as np

from sonotune.data.decode.grey import on_black
from sonotune.data.decode.picture import SAME_PLACE, Grid, Picture
from sonotune.data.readers.sample import MaskRule, shortened
from sonotune.errors import SonotuneError


def marked_pixels(values: np.ndarray, rule: MaskRule) -> np.ndarray:
    """The pixels that belong to the object, uint8 0/1 [H,W].

    Parameters
    ----------
    values
        What `mask_values` gives, [H,W].
    rule
        Which values are the object's.
    """
    inside = values != 0
    if rule.kind == "threshold":
        inside = values >= rule.value
    elif rule.kind == "label":
        inside = np.isin(values, rule.labels)
    marked: np.ndarray = inside != bool(rule.inverted)
    return marked.astype(np.uint8)


def filled_hulls(drawn: np.ndarray) -> np.ndarray:
    """The filled convex hulls of everything that is drawn, uint8 0/1 [H,W], of the same shape.

    Each outer contour (8-connected) has a hull of its own, to which the drawn pixels belong.

    Parameters
    ----------
    drawn
        Not 0 where something is drawn, uint8 [H,W].
    """
    contours, _ = cv2.findContours(drawn, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    hulls = np.zeros_like(drawn)
    for contour in contours:
        cv2.fillConvexPoly(hulls, cv2.convexHull(contour), 1)
    return hulls


def mask_values(picture: Picture, rule: MaskRule) -> np.ndarray:
    """The values of a mask's file that a rule is applied to, [H,W].

    A palette of greys, and colours, count as they are shown; the brightest channel decides.
    Labels are places in a palette of colours. Transparent parts are not marked.

    Parameters
    ----------
    picture
        What the mask's file holds.
    rule
        Which of its pixels belong to the object.

    Raises
    ------
    SonotuneError
        If there is no telling which they are.
    """
    pixels, alpha = picture.pixels, picture.alpha
    if rule.alpha:
        if alpha is None:
            raise SonotuneError("has no transparency, but the key alpha is true")
        return alpha
    if picture.palette is not None:
        used = np.unique(pixels)
        colours = picture.palette[used]
        if (colours == colours[:, :1]).all():
            pixels = picture.palette[:, 0][pixels]
        elif rule.kind == "nonzero" and ((used != 0) != colours.any(axis=1)).any():
            raise SonotuneError(
                "its palette draws value 0 in a colour, or another value in black; say which "
                "values are the object by `label:`; it has "
                + shortened([f"{value:g}" for value in used])
            )
    elif pixels.ndim == 3:
        if rule.kind == "label" and (pixels != pixels[..., :1]).any():
            raise SonotuneError(
                "is in colour, so it has no label; save it with one grey value per class"
            )
        pixels = pixels.max(axis=2)
    if alpha is not None:
        opaque = pixels[alpha > 0]
        if len(opaque) and opaque.min() == opaque.max() == 0:
            raise SonotuneError(
                "is black wherever it is not transparent; if the opaque part is the object, write "
                "`alpha: true`"
            )
        pixels = on_black(pixels, alpha) if rule.kind != "label" else np.where(alpha, pixels, 0)
    if pixels.dtype.kind == "f":
        if not np.isfinite(pixels).all():
            raise SonotuneError("has values that are not finite")
        whole = np.rint(pixels)
        pixels = whole if np.allclose(pixels, whole, atol=1e-3) else pixels
    if picture.inverted:
        if len(np.unique(pixels)) > 2:
            raise SonotuneError(
                "is MONOCHROME1 (white at 0) with more than two values; save it as MONOCHROME2"
            )
        pixels = pixels.max() - pixels
    return pixels


def align_to_image(
    picture: Picture, pixels: np.ndarray, of_image: Picture, where: str
) -> np.ndarray:
    """What was read from a mask, [H,W], on the pixels of its image.

    Planes that hold the same voxels in another order are turned; exactly one plane of both files
    is read, so volumes of several slices must also count their slices alike.

    Parameters
    ----------
    picture
        What the mask's file holds.
    pixels
        What was read from it.
    of_image
        What the image's file holds.
    where
        The image's file, for errors.

    Raises
    ------
    SonotuneError
        If image and mask do not cover the same pixels.
    """
    shape = of_image.pixels.shape[:2]
    if picture.grid is not None and of_image.grid is not None:
        pixels = _turned(pixels, picture.grid, of_image.grid, where)
    if picture.frames > 1 and of_image.frames > 1 and picture.frames != of_image.frames:
        raise SonotuneError(f"has {picture.frames} slices, its image {where} has {of_image.frames}")
    if pixels.shape[:2] != shape:
        reason = f"{pixels.shape[:2]} where its image is {shape}"
        turned = [
            f"the {what} is turned by its orientation tag ({file.orientation})"
            for what, file in (("image", of_image), ("mask", picture))
            if file.orientation != 1
        ]
        if turned:
            reason += f"; {' and '.join(turned)}: draw masks on images as viewers show them"
        raise SonotuneError(reason)
    return pixels


def _turned(pixels: np.ndarray, grid: Grid, image: Grid, where: str) -> np.ndarray:
    """A plane of a mask's volume in the order of its image's."""
    for whose, own, other in (("its", grid, image), (f"the image {where}'s", image, grid)):
        told, also = own.contradiction, other.contradiction
        if told is not None and (also is None or not np.array_equal(told, also)):
            raise SonotuneError(
                f"{whose} header names two places in space (qform and sform), so that image and "
                "mask cannot be laid on one another; save both with one header"
            )
    try:
        to_image = np.linalg.solve(image.steps, np.column_stack([grid.steps, grid.origin]))
    except np.linalg.LinAlgError:
        raise SonotuneError(f"the direction of its image {where} is none in space") from None
    turn = np.rint(to_image[:, :3])
    offset = to_image[:, 3] - np.linalg.solve(image.steps, image.origin)
    flat = grid.size[2] == image.size[2] == 1
    axes = (0, 1) if flat else (0, 1, 2)
    size = np.array(grid.size)
    corners = np.array(np.meshgrid(*[(0, n - 1) for n in size])).reshape(3, -1)
    exact = to_image[:, :3] @ corners + offset[:, None]
    # The first voxel of the image's grid that a turned mask's voxel falls on.
    start = np.where((turn < 0).any(axis=1), np.array(image.size) - 1, 0)
    wanted = turn @ corners + start[:, None]
    inside = np.abs(exact - wanted)[list(axes)].max() <= SAME_PLACE
    plane = np.abs(turn[:2, :2])
    if not (
        inside
        and (plane.sum(axis=0) == 1).all()
        and (plane.sum(axis=1) == 1).all()
        and (flat or turn[2, 2] == 1)
        and (np.abs(turn) @ size == np.array(image.size))[list(axes)].all()
    ):
        raise SonotuneError(
            f"its geometry is not that of its image {where}: "
            f"{_describe_grid(grid)}, image: {_describe_grid(image)}; resample the mask onto its "
            "image"
        )
    if plane[0, 1]:
        pixels = np.swapaxes(pixels, 0, 1)
    flip_x, flip_y = (turn[row, :2].sum() < 0 for row in (0, 1))
    return pixels[:: -1 if flip_y else 1, :: -1 if flip_x else 1]


def _describe_grid(grid: Grid) -> str:
    size, origin = (
        " x ".join(f"{v:g}" for v in row) for row in (grid.size, np.round(grid.origin, 3))
    )
    steps = "; ".join(" ".join(f"{v:g}" for v in row) for row in np.round(grid.steps.T, 4))
    return f"{size} voxels from ({origin}) mm with steps ({steps})"
