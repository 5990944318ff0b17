"""Settings of the collage, checked when they are made."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from sonotune.config.section import Number, Section, Two, rising

Part = Annotated[Number, Field(ge=0, le=1)]


class Collage(Section):
    """Settings of the collage; grey values run from 0 (black) to 1 (white).

    Attributes
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

    pixels: int = Field(default=256, ge=32)
    objects: Annotated[list[int], Two, rising(1, 6)] = Field(default=[1, 3])
    area: Annotated[list[Number], Two, rising(0.005, 0.6)] = Field(default=[0.02, 0.4])
    contrast: Annotated[list[Number], Two, rising(0.02, 0.6)] = Field(default=[0.12, 0.45])
    darker: Part = 0.5
    brighter: Part = 0.3
    shadows: Part = 0.4
    blurred: Part = 0.3
    noise: Part = 0.3
    speckle: Part = 0.3

    @model_validator(mode="after")
    def _shares_of_one_whole(self) -> Self:
        if self.darker + self.brighter > 1 + 1e-9:
            raise ValueError("settings with darker and brighter of at most 1 together")
        return self
