"""Which pixels a mask's file marks, and whether that can have been meant."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from sonotune.data.decode.grey import on_black
from sonotune.data.decode.picture import SAME_PLACE, Grid, Picture
from sonotune.data.readers.sample import MaskRule, shortened
from sonotune.errors import SonotuneError, printable

# Grey values beyond which a mask is drawn with soft edges or stored with losses.
MOST_CLASSES = 20
# A mask copies its image if their values correlate this closely, over this share of the pixels.
SAME_PICTURE, ENOUGH = 0.7, 0.1
# A mask is an outline if it surrounds at least this many times the area that it covers.
OUTLINE = 5
# From this share on, a mask holds its border or is nearly full.
HOLDS_BORDER, NEARLY_FULL = 0.95, 0.95


@dataclass(frozen=True)
class MaskProfile:
    """What one mask's files hold.

    Attributes
    ----------
    values
        The most frequent values with their shares of all pixels, largest share first.
    others
        How many more values there are.
    largest
        The largest of all.
    soft
        Whether there are values between that fill no area of their own: soft edges, or noise.
    picture
        Whether the values between are those of the image, on which the object is only drawn.
    colours
        The colours, as #rrggbb, where there are a few and more than values.
    outline
        Whether what is marked is only a line around something.
    chosen
        Whether a rule other than "not 0" says which values are the object.
    foreground
        Share of the image that is marked.
    border
        Share of the image's border that is marked.
    """

    values: tuple[tuple[float, float], ...]
    others: int
    largest: float
    soft: bool
    picture: bool
    colours: tuple[str, ...]
    outline: bool
    chosen: bool
    foreground: float
    border: float

    def describe_values(self) -> str:
        """The values with their shares, for people."""
        shares = ", ".join(f"{value:g} ({share:.2%})" for value, share in self.values[:6])
        more = len(self.values[6:]) + self.others
        colours = f" in the colours {', '.join(self.colours)}" if self.colours else ""
        return shares + (f" and {more} other values" if more else "") + colours


def apply_mask_rule(path: Path, picture: Picture, rule: MaskRule) -> tuple[np.ndarray, np.ndarray]:
    """The pixels that a file marks, uint8 0/1 [H,W], and the values that were looked at, [H,W].

    A palette of greys, and colours, count as they are shown; the brightest channel decides.
    Labels are places in a palette of colours. Transparent parts are not marked.

    Parameters
    ----------
    path
        The mask's file.
    picture
        What it holds.
    rule
        Which of its pixels belong to the object.

    Raises
    ------
    SonotuneError
        If the file leaves open what is meant.
    """
    values = mask_values(path, picture, rule)
    if rule.kind == "threshold":
        inside = values >= rule.value
    elif rule.kind == "label":
        inside = np.isin(values, rule.labels)
    else:
        inside = values != 0
    return (inside != bool(rule.inverted)).astype(np.uint8), values


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


def mask_values(path: Path, picture: Picture, rule: MaskRule) -> np.ndarray:
    """The values of a mask's file that a rule is applied to, [H,W].

    Parameters
    ----------
    path
        The mask's file.
    picture
        What it holds.
    rule
        Which of its pixels belong to the object.

    Raises
    ------
    SonotuneError
        If there is no telling which they are.
    """
    where = printable(path)
    pixels, alpha = picture.pixels, picture.alpha
    if rule.alpha:
        if alpha is None:
            raise SonotuneError(f"{where}: has no transparency, but the key alpha is true")
        return alpha
    if picture.palette is not None:
        used = np.unique(pixels)
        colours = picture.palette[used]
        if (colours == colours[:, :1]).all():
            pixels = picture.palette[:, 0][pixels]
        elif rule.kind == "nonzero" and ((used != 0) != colours.any(axis=1)).any():
            raise SonotuneError(
                f"{where}: its palette draws value 0 in a colour, or another value in black; say "
                f"which values are the object by `label:`; it has {_listed(used)}"
            )
    elif pixels.ndim == 3:
        if rule.kind == "label" and (pixels != pixels[..., :1]).any():
            raise SonotuneError(
                f"{where}: is in colour, so it has no label; save it with one grey value per class"
            )
        pixels = pixels.max(axis=2)
    if alpha is not None:
        opaque = pixels[alpha > 0]
        if len(opaque) and opaque.min() == opaque.max() == 0:
            raise SonotuneError(
                f"{where}: is black wherever it is not transparent; if the opaque part is the "
                "object, write `alpha: true`"
            )
        pixels = on_black(pixels, alpha) if rule.kind != "label" else np.where(alpha, pixels, 0)
    if pixels.dtype.kind == "f":
        if not np.isfinite(pixels).all():
            raise SonotuneError(f"{where}: has values that are not finite")
        whole = np.rint(pixels)
        pixels = whole if np.allclose(pixels, whole, atol=1e-3) else pixels
    if picture.inverted:
        if len(np.unique(pixels)) > 2:
            raise SonotuneError(
                f"{where}: is MONOCHROME1 (white at 0) with more than two values; save it as "
                "MONOCHROME2"
            )
        pixels = pixels.max() - pixels
    return pixels


def align_to_image(
    path: Path, picture: Picture, pixels: np.ndarray, of_image: Picture, where: str
) -> np.ndarray:
    """What was read from a mask, [H,W], on the pixels of its image.

    Planes that hold the same voxels in another order are turned; exactly one plane of both files
    is read, so volumes of several slices must also count their slices alike.

    Parameters
    ----------
    path
        The mask's file.
    picture
        What it holds.
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
        pixels = _turned(path, pixels, picture.grid, of_image.grid, where)
    if picture.frames > 1 and of_image.frames > 1 and picture.frames != of_image.frames:
        raise SonotuneError(
            f"{printable(path)}: has {picture.frames} slices, its image {where} has "
            f"{of_image.frames}"
        )
    if pixels.shape[:2] != shape:
        reason = f"{pixels.shape[:2]} where its image is {shape}"
        turned = [
            f"the {what} is turned by its orientation tag ({file.orientation})"
            for what, file in (("image", of_image), ("mask", picture))
            if file.orientation != 1
        ]
        if turned:
            reason += f"; {' and '.join(turned)}: draw masks on images as viewers show them"
        raise SonotuneError(f"{printable(path)}: {reason}")
    return pixels


def _turned(path: Path, pixels: np.ndarray, grid: Grid, image: Grid, where: str) -> np.ndarray:
    """A plane of a mask's volume in the order of its image's."""
    for name, own, other in ((printable(path), grid, image), (where, image, grid)):
        told, also = own.contradiction, other.contradiction
        if told is not None and (also is None or not np.array_equal(told, also)):
            raise SonotuneError(
                f"{name}: its header names two places in space (qform and sform), so that image "
                "and mask cannot be laid on one another; save both with one header"
            )
    try:
        to_image = np.linalg.solve(image.steps, np.column_stack([grid.steps, grid.origin]))
    except np.linalg.LinAlgError:
        raise SonotuneError(f"{where}: its direction is no direction in space") from None
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
            f"{printable(path)}: its geometry is not that of its image {where}: "
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


def profile_mask(
    drawn: Sequence[Picture],
    values: Sequence[np.ndarray],
    image: np.ndarray,
    mask: np.ndarray,
    rule: MaskRule,
) -> MaskProfile:
    """What the files of one mask hold, [H,W] each, and what `mask` (their union) marks.

    Parameters
    ----------
    drawn
        The files.
    values
        The values in each file, [H,W].
    image
        The grey image, uint8 [H,W].
    mask
        The union of what the files mark, uint8 0/1 [H,W].
    rule
        Which pixels belong to the object.
    """
    counts: Counter[float] = Counter()
    soft = picture = False
    for array in values:
        present, numbers = _counted(array)
        counts.update(dict(zip(present.tolist(), numbers.tolist(), strict=True)))
        soft |= _is_soft(array, present)
        picture |= len(present) > MOST_CLASSES and _follows(array, image)
    colours = {colour for file in drawn if not rule.alpha for colour in _colours(file)}
    total = max(1, counts.total())
    common = [(value, number / total) for value, number in counts.most_common(MOST_CLASSES)]
    edge = np.concatenate([mask[0], mask[-1], mask[1:-1, 0], mask[1:-1, -1]])
    return MaskProfile(
        tuple(common),
        len(counts) - len(common),
        max(counts, default=0),
        soft,
        picture,
        tuple(sorted(colours)) if len(counts) < len(colours) else (),
        bool(mask.any() and filled_hulls(mask).sum() >= OUTLINE * int(mask.sum())),
        rule.kind != "nonzero",
        float(mask.mean()),
        float(edge.mean()),
    )


def _counted(array: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if array.dtype == np.uint8:
        counts = np.bincount(array.ravel(), minlength=256)
        present = np.flatnonzero(counts)
        return present, counts[present]
    return np.unique(array, return_counts=True)


def _is_soft(array: np.ndarray, present: np.ndarray) -> bool:
    """Whether most of what lies between the smallest and largest value is edge or noise."""
    if len(present) <= 2:
        return False
    if len(present) > MOST_CLASSES or (present != np.rint(present)).any():
        return True
    kernel = np.ones((3, 3), np.uint8)
    between = filled = 0
    for value in present[1:-1]:
        area = (array == value).astype(np.uint8)
        between += int(area.sum())
        filled += int(cv2.dilate(cv2.erode(area, kernel), kernel).sum())
    return filled < between / 2


def _follows(array: np.ndarray, image: np.ndarray) -> bool:
    """Whether values that are neither the smallest nor the largest go with the image's."""
    between = (array > array.min()) & (array < array.max())
    if between.mean() < ENOUGH or not np.ptp(image[between]):
        return False
    return bool(np.corrcoef(array[between], image[between])[0, 1] > SAME_PICTURE)


def _colours(picture: Picture) -> list[str]:
    """The colours of a file of few colours, as they are shown; none of a grey one."""
    pixels = picture.pixels
    if picture.alpha is not None:
        pixels = on_black(pixels, picture.alpha)
    if pixels.ndim != 3 or pixels.dtype != np.uint8 or (pixels == pixels[..., :1]).all():
        return []
    present = np.unique(pixels.astype(np.int32) @ (1 << 16, 1 << 8, 1))
    return [f"#{colour:06x}" for colour in present] if len(present) <= MOST_CLASSES else []


def _listed(values: np.ndarray) -> str:
    return shortened([f"{value:g}" for value in values])


def _is_missed(profile: MaskProfile, seen: set[float]) -> bool:
    """Whether nothing is marked and every value but 0 is one that is not `seen` elsewhere."""
    return not profile.foreground and not any(v in seen for v, _ in profile.values if v)


@dataclass(frozen=True)
class MaskIssue:
    """Something about a data set's masks that can hardly be meant.

    Attributes
    ----------
    refused
        Whether nothing is prepared until the configuration says that it is meant.
    kind
        A few words, the same for every data set.
    text
        What was found, one sentence.
    names
        The images concerned.
    """

    refused: bool
    kind: str
    text: str
    names: tuple[str, ...]


def find_mask_issues(profiles: dict[str, MaskProfile], rule: MaskRule) -> list[MaskIssue]:
    """What can hardly be meant in a data set's masks, with the key that would say that it is.

    Parameters
    ----------
    profiles
        By the images' names; without images that have no mask.
    rule
        That of the data set; what it says is not questioned.
    """
    issues = []

    def doubt(refused: bool, kind: str, names: list[str], why: str, advice: str) -> None:
        if names:
            example = profiles[names[0]].describe_values()
            issues.append(
                MaskIssue(
                    refused,
                    kind,
                    f"{len(names)} of {len(profiles)} masks {why}; {names[0]} has the values "
                    f"{example}; {advice}: {shortened(names)}",
                    tuple(names),
                )
            )

    doubt(
        rule.kind == "nonzero",
        "masks that look like their images",
        [name for name, profile in profiles.items() if profile.picture],
        "hold the grey values of their images, as where the object is only drawn on a copy",
        "give masks in which everything else is 0, or write `threshold:` if they are meant",
    )
    doubt(
        False,
        "masks that are lines",
        [name for name, profile in profiles.items() if profile.outline],
        "mark only a line, not what it surrounds",
        "if the object is the area within, give masks in which it is filled",
    )
    seen = {v for profile in profiles.values() if profile.foreground for v, _ in profile.values}
    doubt(
        False,
        "masks of which nothing counts",
        [
            n
            for n, profile in profiles.items()
            if profile.largest and seen and _is_missed(profile, seen)
        ],
        "mark nothing, but hold values that are in no other mask",
        "look whether `threshold:` or `label:` means all masks",
    )
    if rule.kind == "nonzero":
        soft = [name for name, profile in profiles.items() if profile.soft and not profile.picture]
        most = max((profiles[name].largest for name in soft), default=0)
        half = f"{math.ceil(most / 2) if most > 1 else most / 2:.10g}"
        doubt(
            True,
            "masks with soft or noisy values",
            soft,
            "hold values between black and white that fill no area of their own (soft edges, or "
            "the noise of JPEG)",
            f"write `threshold: {half}` for what is at least half bright, or a smaller one for "
            "more, as for numbered objects (the values are those of the files)",
        )
        several = [
            n for n, profile in profiles.items() if not profile.soft and len(profile.values) > 2
        ]
        classes = sorted({v for n in several for v, _ in profiles[n].values if v})
        doubt(
            False,
            "masks of several values",
            several,
            "hold more than two values, all of which but 0 count as the object",
            f"write `label: [{', '.join(f'{v:g}' for v in classes)}]` with those that are meant",
        )
        doubt(
            False,
            "masks of several colours",
            [name for name, profile in profiles.items() if profile.colours],
            "hold several colours, all of which but black count as the object",
            "if one is meant, save masks with one grey value per class and write `label:`",
        )
        doubt(
            True,
            "masks without the value 0",
            [
                name
                for name, profile in profiles.items()
                if not profile.soft
                and len(profile.values) > 1
                and all(v for v, _ in profile.values)
            ],
            "hold no 0, so that every pixel counts as the object",
            "write `label:` with the value that is meant, or `threshold:` with the least one",
        )
    if rule.inverted is None:
        drawn = {
            n: profile
            for n, profile in profiles.items()
            if profile.foreground and not profile.picture
        }
        border = [name for name, profile in drawn.items() if profile.border >= HOLDS_BORDER]
        full = [name for name, profile in drawn.items() if profile.foreground >= NEARLY_FULL]
        advice = "write `inverted: true`, or `inverted: false` if this is meant"
        if 2 * len(border) > len(drawn):
            why = "mark the whole border of the image, as background does"
            doubt(True, "masks that mark the border", border, why, f"if so, {advice}")
        elif drawn and len(full) == len(drawn):
            doubt(True, "masks that are nearly full", full, "mark nearly every pixel", advice)
        # Full ones are listed as such.
        elif few := [name for name in border if name not in full]:
            why = "mark the whole border of the image, and the others do not"
            advice = "look whether they are inverted"
            doubt(False, "some masks mark the border", few, why, advice)
    return issues
