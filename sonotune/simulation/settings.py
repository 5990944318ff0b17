"""Settings of the ultrasound simulation, checked when they are made.

Units are in the names; frequencies are in MHz and times in microseconds, so the speed of sound is
in millimetres per microsecond.
"""

import math
from dataclasses import dataclass, field, fields
from typing import Any

from sonotune.errors import SonotuneError

LESION_GAP_MM = 1.0  # least distance between two lesions, and between a lesion and the field's edge


def _setting(default: Any, text: str) -> Any:
    return field(default=default, metadata={"help": text})


@dataclass(frozen=True)
class Simulation:
    """Everything that decides what a simulated B-mode image looks like, but for the seed.

    The number of lines, the centre frequency, the sampling frequency, the number of lesions and
    the range of k are those of the SUS data set (Amiri et al. 2020, Section II-B); the paper gives
    neither the array nor the sizes, which are chosen here. Pairs may be given as lists.

    Attributes
    ----------
    lines
        Scan lines, evenly spread over the width.
    center_frequency_mhz
        Centre frequency.
    sampling_frequency_mhz
        Sampling frequency of the pulse.
    pulse_cycles
        Cycles of the excitation and of the impulse response.
    speed_of_sound_m_per_s
        Speed of sound.
    width_mm, depth_mm
        Width of the field; its first and last depth.
    thickness_mm
        Thickness of the phantom across the image plane.
    elements
        Active elements of the aperture, for each line.
    element_width_mm, element_height_mm, kerf_mm
        Size of an element, and the gap between two.
    focus_mm
        Transmit focus; the receive focus is dynamic.
    scatterers
        Point scatterers in the phantom.
    lesions
        Fewest and most lesions in an image.
    lesion_radius_mm
        Least and largest long half-axis.
    ellipse_share
        Share of ellipses; the other lesions are circles.
    ellipse_ratio
        Least and largest short half-axis of an ellipse, as a share of the long one.
    contrast
        Range of k, the factor on what scatterers in a lesion send back.
    contrast_of
        What k multiplies: ``amplitude`` or ``intensity``.
    dynamic_range_db
        Dynamic range of the display.
    pixels
        Rows and columns of the image.

    Raises
    ------
    SonotuneError
        If a setting has the wrong type or lies outside what is allowed; the message names it.
    """

    lines: int = _setting(50, "scan lines, evenly spread over the width")
    center_frequency_mhz: float = _setting(3.5, "centre frequency")
    sampling_frequency_mhz: float = _setting(100.0, "sampling frequency of the pulse")
    pulse_cycles: int = _setting(2, "cycles of the excitation and of the impulse response")
    speed_of_sound_m_per_s: float = _setting(1540.0, "speed of sound")
    width_mm: float = _setting(40.0, "width of the field")
    depth_mm: tuple[float, float] = _setting((30.0, 90.0), "first and last depth of the field")
    thickness_mm: float = _setting(10.0, "thickness of the phantom across the image plane")
    elements: int = _setting(64, "active elements of the aperture, for each line")
    element_width_mm: float = _setting(0.44, "width of an element")
    element_height_mm: float = _setting(5.0, "height of an element")
    kerf_mm: float = _setting(0.05, "gap between elements")
    focus_mm: float = _setting(60.0, "transmit focus (receive focus is dynamic)")
    scatterers: int = _setting(200_000, "point scatterers in the phantom")
    lesions: tuple[int, int] = _setting((1, 4), "fewest and most lesions in an image")
    lesion_radius_mm: tuple[float, float] = _setting((2.5, 8.0), "least and largest long half-axis")
    ellipse_share: float = _setting(0.5, "share of ellipses; the other lesions are circles")
    ellipse_ratio: tuple[float, float] = _setting(
        (0.45, 0.9), "least and largest short half-axis of an ellipse, as a part of the long one"
    )
    contrast: tuple[float, float] = _setting(
        (0.0, 1.0), "range of k, the factor on what scatterers in a lesion send back"
    )
    contrast_of: str = _setting("amplitude", "what k multiplies: amplitude or intensity")
    dynamic_range_db: float = _setting(50.0, "dynamic range of the display")
    pixels: tuple[int, int] = _setting((384, 256), "rows and columns of the image")

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            object.__setattr__(self, item.name, _checked(item.name, value, item.default))
        for name, least, most in _LIMITS:
            values = getattr(self, name)
            for value in values if isinstance(values, tuple) else (values,):
                if not least <= value <= most:
                    allowed = f"at least {least:g}" + (
                        "" if most == _NO_LIMIT else f", at most {most:g}"
                    )
                    raise SonotuneError(f"{name}: must be {allowed}, found {_shown(values)}")
        for name in ("depth_mm", "lesions", "lesion_radius_mm", "ellipse_ratio", "contrast"):
            low, high = getattr(self, name)
            if low > high or (name == "depth_mm" and low == high):
                raise SonotuneError(f"{name}: the first must be the smaller, found [{low}, {high}]")
        self._check_together()

    def _check_together(self) -> None:
        if self.contrast_of not in ("amplitude", "intensity"):
            raise SonotuneError(
                f"contrast_of: must be amplitude or intensity, found {self.contrast_of!r}"
            )
        if self.sampling_frequency_mhz < 4 * self.center_frequency_mhz:
            raise SonotuneError(
                "sampling_frequency_mhz: must be at least 4 times center_frequency_mhz "
                f"({self.center_frequency_mhz:g}), found {self.sampling_frequency_mhz:g}"
            )
        if self.depth_mm[0] < self.thickness_mm:
            raise SonotuneError(
                f"depth_mm: must begin at or below thickness_mm ({self.thickness_mm:g}), "
                f"found [{self.depth_mm[0]:g}, {self.depth_mm[1]:g}]"
            )
        room = min(self.width_mm, self.depth_mm[1] - self.depth_mm[0]) / 2 - LESION_GAP_MM
        if self.lesions[1] and self.lesion_radius_mm[1] > room:
            raise SonotuneError(
                f"lesion_radius_mm: must be at most {room:g} to fit the field "
                f"with a margin of {LESION_GAP_MM:g} mm, found {_shown(self.lesion_radius_mm)}"
            )

    @property
    def speed_mm_per_us(self) -> float:
        """Speed of sound in millimetres per microsecond."""
        return self.speed_of_sound_m_per_s / 1000

    @property
    def wavelength_mm(self) -> float:
        """Wavelength at the centre frequency."""
        return self.speed_mm_per_us / self.center_frequency_mhz

    @property
    def line_spacing_mm(self) -> float:
        """Distance between neighbouring lines."""
        return self.width_mm / self.lines

    @property
    def pixel_mm(self) -> tuple[float, float]:
        """Height and width of a pixel."""
        rows, columns = self.pixels
        return (self.depth_mm[1] - self.depth_mm[0]) / rows, self.width_mm / columns


_NO_LIMIT = math.inf
_LIMITS = [  # setting, least, most; for pairs, of both
    ("lines", 2, 1024),
    ("center_frequency_mhz", 0.5, 30),
    ("sampling_frequency_mhz", 2, 10_000),
    ("pulse_cycles", 1, 16),
    ("speed_of_sound_m_per_s", 300, 6000),
    ("width_mm", 1, 500),
    ("depth_mm", 1, 500),
    ("thickness_mm", 0.1, 100),
    ("elements", 1, 1024),
    ("element_width_mm", 0.01, 50),
    ("element_height_mm", 0.01, 50),
    ("kerf_mm", 0, 10),
    ("focus_mm", 1, 1000),
    ("scatterers", 1, 100_000_000),
    ("lesions", 0, 100),
    ("lesion_radius_mm", 0.1, 100),
    ("ellipse_share", 0, 1),
    ("ellipse_ratio", 0.05, 1),
    ("contrast", 0, 1),
    ("dynamic_range_db", 1, 200),
    ("pixels", 8, 8192),
]


def _checked(name: str, value: Any, default: Any) -> Any:
    """Give `value` in the type of `default`, or say what was expected."""
    if isinstance(default, tuple):
        if not isinstance(value, list | tuple) or len(value) != 2:
            raise SonotuneError(f"{name}: must be a list of two numbers, found {value!r}")
        return tuple(_checked(name, part, like) for part, like in zip(value, default, strict=True))
    if isinstance(default, str):
        return value  # the only text is checked against what it may be
    whole = isinstance(default, int)
    good = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
    if not good or not math.isfinite(value):
        expected = "a whole number" if whole else "a number"
        raise SonotuneError(f"{name}: must be {expected}, found {value!r}")
    return value if whole else float(value)


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(f"{part:g}" for part in value) + "]"
    return f"{value:g}"
