"""Settings of the ultrasound simulation, checked when they are made.

Units are in the names; frequencies are in MHz and times in microseconds, so the speed of sound is
in millimetres per microsecond.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from sonotune.config.section import Section, Two, rising

LESION_GAP_MM = 1.0  # least distance between two lesions, and between a lesion and the field's edge
Numbers = Annotated[list[float], Two]


class Simulation(Section):
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
    width_mm
        Width of the field.
    depth_mm
        First and last depth of the field.
    thickness_mm
        Thickness of the phantom across the image plane.
    elements
        Active elements of the aperture, for each line.
    element_width_mm
        Width of an element.
    element_height_mm
        Height of an element.
    kerf_mm
        Gap between elements.
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
        What k multiplies: `amplitude` or `intensity`.
    dynamic_range_db
        Dynamic range of the display.
    pixels
        Rows and columns of the image.
    """

    lines: int = Field(default=50, ge=2, le=1024)
    center_frequency_mhz: float = Field(default=3.5, ge=0.5, le=30)
    sampling_frequency_mhz: float = Field(default=100.0, ge=2, le=10_000)
    pulse_cycles: int = Field(default=2, ge=1, le=16)
    speed_of_sound_m_per_s: float = Field(default=1540.0, ge=300, le=6000)
    width_mm: float = Field(default=40.0, ge=1, le=500)
    depth_mm: Annotated[Numbers, rising(1, 500)] = Field(default=[30.0, 90.0])
    thickness_mm: float = Field(default=10.0, ge=0.1, le=100)
    elements: int = Field(default=64, ge=1, le=1024)
    element_width_mm: float = Field(default=0.44, ge=0.01, le=50)
    element_height_mm: float = Field(default=5.0, ge=0.01, le=50)
    kerf_mm: float = Field(default=0.05, ge=0, le=10)
    focus_mm: float = Field(default=60.0, ge=1, le=1000)
    scatterers: int = Field(default=200_000, ge=1, le=100_000_000)
    lesions: Annotated[list[int], Two, rising(0, 100)] = Field(default=[1, 4])
    lesion_radius_mm: Annotated[Numbers, rising(0.1, 100)] = Field(default=[2.5, 8.0])
    ellipse_share: float = Field(default=0.5, ge=0, le=1)
    ellipse_ratio: Annotated[Numbers, rising(0.05, 1)] = Field(default=[0.45, 0.9])
    contrast: Annotated[Numbers, rising(0, 1)] = Field(default=[0.0, 1.0])
    contrast_of: Literal["amplitude", "intensity"] = "amplitude"
    dynamic_range_db: float = Field(default=50.0, ge=1, le=200)
    pixels: Annotated[list[Annotated[int, Field(ge=8, le=8192)]], Two] = Field(default=[384, 256])

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        first, last = self.depth_mm
        room = min(self.width_mm, last - first) / 2 - LESION_GAP_MM
        for possible, needed in (
            (
                self.sampling_frequency_mhz >= 4 * self.center_frequency_mhz,
                "sampling_frequency_mhz of at least 4 times center_frequency_mhz",
            ),
            (
                self.thickness_mm <= first < last,
                "depth_mm whose first is at least thickness_mm, and smaller than the last",
            ),
            (
                not self.lesions[1] or self.lesion_radius_mm[1] <= room,
                f"lesion_radius_mm of at most {room:g}, to fit the field with a margin of "
                f"{LESION_GAP_MM:g} mm",
            ),
        ):
            if not possible:
                raise ValueError(f"settings with {needed}")
        return self

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
