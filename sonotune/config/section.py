"""What the models of a configuration are made of.

A key is declared once, by `key`: its type, limits, default and meaning. Validation, the JSON schema
and the tables of config/README.md come from that (`sonotune.config.manual`).
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    StringConstraints,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

# Folders below results/ that no study may be called.
FOLDERS = ("datasets", "weights", "logs", "report", "benchmarks")
NAME = r"^[a-z][a-z0-9_]{0,63}$"


class Section(BaseModel):
    """A mapping whose keys are declared; it takes no others and changes no value's type."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def key(meaning: str, default: Any = None, *, without: str = "", **limits: Any) -> Any:
    """Declare a key of a section.

    Parameters
    ----------
    meaning
        What it means, in Markdown.
    default
        Its value if it is not given; None if it then has none, and ``...`` if it must be given.
    without
        What holds without a default, in words.
    limits
        As of `pydantic.Field`.
    """
    extra = {"without": without} if without else None
    return Field(default, description=meaning, json_schema_extra=extra, **limits)


def refused(expected: str) -> PydanticCustomError:
    """An error of a value that must be something else."""
    return PydanticCustomError("expected", "{expected}", {"expected": expected})


def _as_written(number: float) -> int | float:
    """Whole numbers are int, so that equal settings are equal as text."""
    return int(number) if number.is_integer() else number


def _no_folder(name: str) -> str:
    if name in FOLDERS:
        raise PydanticCustomError("string_pattern_mismatch", "is a folder of results")
    return name


class _Distinct:
    """Nothing in a list stands there twice."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {**handler(schema), "uniqueItems": True}

    @staticmethod
    def check(values: list[Any]) -> list[Any]:
        if any(value in values[:place] for place, value in enumerate(values)):
            raise refused("a list without repetitions")
        return values




Number = Annotated[float, AfterValidator(_as_written)]
Share = Annotated[Number, Field(gt=0, lt=1)]
Text = Annotated[str, StringConstraints(min_length=1)]
Label = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Name = Annotated[str, StringConstraints(pattern=NAME)]
StudyName = Annotated[Name, AfterValidator(_no_folder)]
Distinct = _Distinct()
