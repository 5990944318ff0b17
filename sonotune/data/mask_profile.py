"""What masks' files hold, and what of that can hardly have been meant."""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from sonotune.data.decode.grey import on_black
from sonotune.data.decode.picture import Picture
from sonotune.data.findings import Finding, Level
from sonotune.data.masks import filled_hulls
from sonotune.data.readers.sample import MaskRule, shortened

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


@dataclass(frozen=True)
class _Doubt:
    """Masks that fulfil a condition, what is odd about them, and what to do."""

    refused: bool
    kind: str
    applies: Callable[[MaskProfile], bool]
    why: str
    advice: str


def find_mask_issues(
    profiles: dict[str, MaskProfile], rule: MaskRule, is_own: bool
) -> list[Finding]:
    """What can hardly be meant in a data set's masks, with the key that would say that it is.

    Parameters
    ----------
    profiles
        By the images' names; without images that have no mask.
    rule
        That of the data set; what it says is not questioned.
    is_own
        Whether a key of the configuration can say what is meant, without which some are errors.
    """
    every = list(profiles.values())
    doubts = [*_doubts_of_content(every, rule)]
    if rule.kind == "nonzero":
        doubts += _doubts_of_values(every)
    if rule.inverted is None:
        doubts += _doubts_of_area(every)
    issues = []
    for doubt in doubts:
        names = tuple(name for name, profile in profiles.items() if doubt.applies(profile))
        if names:
            text = (
                f"{len(names)} of {len(profiles)} masks {doubt.why}; {names[0]} has the values "
                f"{profiles[names[0]].describe_values()}; {doubt.advice}: {shortened(names)}"
            )
            level: Level = "error" if doubt.refused and is_own else "warning"
            issues.append(Finding(level, doubt.kind, text, names))
    return issues


def _doubts_of_content(profiles: Sequence[MaskProfile], rule: MaskRule) -> Iterator[_Doubt]:
    yield _Doubt(
        rule.kind == "nonzero",
        "masks that look like their images",
        lambda profile: profile.picture,
        "hold the grey values of their images, as where the object is only drawn on a copy",
        "give masks in which everything else is 0, or write `threshold:` if they are meant",
    )
    yield _Doubt(
        False,
        "masks that are lines",
        lambda profile: profile.outline,
        "mark only a line, not what it surrounds",
        "if the object is the area within, give masks in which it is filled",
    )
    seen = {value for profile in profiles if profile.foreground for value, _ in profile.values}
    yield _Doubt(
        False,
        "masks of which nothing counts",
        lambda profile: (
            bool(seen and profile.largest and not profile.foreground)
            and not any(value in seen for value, _ in profile.values if value)
        ),
        "mark nothing, but hold values that are in no other mask",
        "look whether `threshold:` or `label:` means all masks",
    )


def _doubts_of_values(profiles: Sequence[MaskProfile]) -> Iterator[_Doubt]:
    def is_soft(profile: MaskProfile) -> bool:
        return profile.soft and not profile.picture

    def has_classes(profile: MaskProfile) -> bool:
        return not profile.soft and len(profile.values) > 2

    most = max((profile.largest for profile in profiles if is_soft(profile)), default=0)
    half = f"{math.ceil(most / 2) if most > 1 else most / 2:.10g}"
    yield _Doubt(
        True,
        "masks with soft or noisy values",
        is_soft,
        "hold values between black and white that fill no area of their own (soft edges, or "
        "the noise of JPEG)",
        f"write `threshold: {half}` for what is at least half bright, or a smaller one for "
        "more, as for numbered objects (the values are those of the files)",
    )
    classes = sorted({v for p in profiles if has_classes(p) for v, _ in p.values if v})
    yield _Doubt(
        False,
        "masks of several values",
        has_classes,
        "hold more than two values, all of which but 0 count as the object",
        f"write `label: [{', '.join(f'{v:g}' for v in classes)}]` with those that are meant",
    )
    yield _Doubt(
        False,
        "masks of several colours",
        lambda profile: bool(profile.colours),
        "hold several colours, all of which but black count as the object",
        "if one is meant, save masks with one grey value per class and write `label:`",
    )
    yield _Doubt(
        True,
        "masks without the value 0",
        lambda profile: (
            not profile.soft
            and len(profile.values) > 1
            and all(value for value, _ in profile.values)
        ),
        "hold no 0, so that every pixel counts as the object",
        "write `label:` with the value that is meant, or `threshold:` with the least one",
    )


def _doubts_of_area(profiles: Sequence[MaskProfile]) -> Iterator[_Doubt]:
    def marks_border(profile: MaskProfile) -> bool:
        return bool(profile.foreground) and not profile.picture and profile.border >= HOLDS_BORDER

    def is_full(profile: MaskProfile) -> bool:
        return profile.foreground >= NEARLY_FULL and not profile.picture

    drawn = [profile for profile in profiles if profile.foreground and not profile.picture]
    advice = "write `inverted: true`, or `inverted: false` if this is meant"
    if 2 * sum(map(marks_border, drawn)) > len(drawn):
        why = "mark the whole border of the image, as background does"
        yield _Doubt(True, "masks that mark the border", marks_border, why, f"if so, {advice}")
    elif drawn and all(map(is_full, drawn)):
        why = "mark nearly every pixel"
        yield _Doubt(True, "masks that are nearly full", is_full, why, advice)
    else:
        yield _Doubt(
            False,
            "some masks mark the border",
            lambda profile: marks_border(profile) and not is_full(profile),
            "mark the whole border of the image, and the others do not",
            "look whether they are inverted",
        )
