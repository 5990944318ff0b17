"""Settings of the collage, checked when they are made."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral

from sonotune.errors import SonotuneError


@dataclass(frozen=True)
class Collage:
    """Settings of the collage; grey values run from 0 (black) to 1 (white).

    Parameters
    ----------
    pixels
        Side of the square images, at least 32.
    objects
        Fewest and most objects in an image, 1 to 6; fewer are more frequent.
    area
        Smallest and largest share of the image that its objects cover together.
    contrast
        Smallest and largest difference of mean grey value between an object and its surroundings.
    darker
        Share of images whose objects are darker than their surroundings.
    brighter
        Share of images whose objects are brighter. In the rest only texture and sharpness differ.
    shadows
        Share of images in which objects cast a soft shadow.
    blurred
        Share of images with a background out of focus.
    noise
        Share of images with additive (sensor) noise.
    speckle
        Share of images with multiplicative noise.
    """

    pixels: int = 256
    objects: tuple[int, int] = (1, 3)
    area: tuple[float, float] = (0.02, 0.4)
    contrast: tuple[float, float] = (0.12, 0.45)
    darker: float = 0.5
    brighter: float = 0.3
    shadows: float = 0.4
    blurred: float = 0.3
    noise: float = 0.3
    speckle: float = 0.3

    def __post_init__(self) -> None:
        if not is_whole(self.pixels) or self.pixels < 32:
            raise refusal("pixels", self.pixels, "a whole number of at least 32")
        for key, least, most in (("objects", 1, 6), ("area", 0.005, 0.6), ("contrast", 0.02, 0.6)):
            value = getattr(self, key)
            pair = isinstance(value, tuple | list) and len(value) == 2
            check = is_whole if key == "objects" else _is_number
            if not pair or not all(map(check, value)) or not least <= value[0] <= value[1] <= most:
                kind = "whole numbers" if key == "objects" else "numbers"
                wanted = f"two {kind}, the smaller first, from {least} to {most}"
                raise refusal(key, value, wanted)
            object.__setattr__(self, key, tuple(value))  # YAML gives lists
        for key in ("darker", "brighter", "shadows", "blurred", "noise", "speckle"):
            value = getattr(self, key)
            if not _is_number(value) or not 0 <= value <= 1:
                raise refusal(key, value, "a number from 0 to 1")
        if self.darker + self.brighter > 1 + 1e-9:
            both = f"{self.darker} + {self.brighter}"
            raise refusal("darker + brighter", both, "at most 1 together")


def is_whole(value: object) -> bool:
    """Whether a value is a whole number (and not a truth value).

    Parameters
    ----------
    value
        Any value.
    """
    return isinstance(value, Integral) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def refusal(key: str, value: object, wanted: str) -> SonotuneError:
    """The error that says what a key is and what it must be.

    Parameters
    ----------
    key
        Name of the setting.
    value
        What was given.
    wanted
        What it must be.
    """
    return SonotuneError(f"{key}: must be {wanted}; found {value!r}")
