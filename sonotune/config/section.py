"""What the models of a configuration are made of.

A key is declared once, as an attribute. The code has its type, limits and default; the docstring
has its meaning, and in words a default that is not a value. Validation, the JSON schema and the
tables of config/README.md come from that (``docs/config_manual.py``).
"""

import inspect
import re
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)

from sonotune.layout import RESERVED

NAME = r"^[a-z][a-z0-9_]{0,63}$"


class Section(BaseModel):
    """A mapping whose keys are declared; it takes no others and changes no value's type."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def meanings_of(section: type[Section]) -> dict[str, tuple[str, str]]:
    """A section's keys, by its docstring: the default, where that is no value, and the meaning.

    Parameters
    ----------
    section
        A section with the attributes in numpydoc's form.
    """
    attributes = re.findall(
        r"^(\w+)(?: : default (.*))?\n((?:    .*\n?)+)", inspect.getdoc(section) or "", re.MULTILINE
    )
    return {name: (default, " ".join(text.split())) for name, default, text in attributes}


# The default of a key that may be left out and then has no value: null is refused.
ABSENT: Any = None


def _as_written(number: float) -> int | float:
    """Whole numbers are int, so that equal settings are equal as text."""
    return int(number) if number.is_integer() else number


def _no_folder(name: str) -> str:
    if name in RESERVED:
        raise ValueError(f"a name other than {', '.join(RESERVED)}, which are folders of results")
    return name


def _distinct(values: list[Any]) -> list[Any]:
    if any(value in values[:position] for position, value in enumerate(values)):
        raise ValueError("a list without repetitions")
    return values


def rising(least: float, most: float) -> AfterValidator:
    """The limits of a pair of numbers, the smaller first.

    Parameters
    ----------
    least, most
        What neither may be below or above.
    """

    def check(pair: list[float]) -> list[float]:
        if not least <= pair[0] <= pair[1] <= most:
            raise ValueError(f"two numbers from {least:g} to {most:g}, the smaller first")
        return pair

    return AfterValidator(check)


def _off(value: Any) -> Any:
    if value is not False:  # 0 is equal to it
        raise ValueError("false")
    return value


# Validators raise ValueError with what a value must be.
Number = Annotated[float, AfterValidator(_as_written)]
Share = Annotated[Number, Field(gt=0, lt=1)]
Text = Annotated[str, StringConstraints(min_length=1)]
Label = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Name = Annotated[str, StringConstraints(pattern=NAME)]
StudyName = Annotated[Name, AfterValidator(_no_folder)]
Two = Field(min_length=2, max_length=2)
Distinct = AfterValidator(_distinct)
Off = Annotated[Literal[False], BeforeValidator(_off)]
