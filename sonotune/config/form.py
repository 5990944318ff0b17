"""What a configuration may hold, whatever its keys: texts, numbers, lists, mappings."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from sonotune.errors import SonotuneError, printable, without_password

# More than any honest configuration has; a few lines of YAML can stand for billions of values.
DEPTH, VALUES, LETTERS = 30, 200_000, 10_000
# Texts that would end the script in which Snakemake's report keeps what a job was given.
ENDINGS = ("</script", "<!--")
Where = tuple[str, ...]


def load_package_yaml(text: str) -> Any:
    """Read YAML that comes with this package; with libyaml, which most builds of PyYAML have.

    It takes a tenth of the time, and this runs at every start of the workflow. A user's file is
    read by the Python code, whose messages and limits are known.

    Parameters
    ----------
    text
        Content of a file of this package.
    """
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
    try:
        return loader.get_single_data()
    finally:
        loader.dispose()


def plain(config: Any) -> Any:
    """A copy in which nothing is shared, and 50.0 is 50, so that equal numbers are equal settings.

    Parameters
    ----------
    config
        What a YAML file holds.

    Raises
    ------
    SonotuneError
        If it is nested too deeply, or holds too many values, as references to one another make it.
    """
    count = 0

    def copy(value: Any, depth: int) -> Any:
        nonlocal count
        count += 1
        if depth > DEPTH:
            raise SonotuneError(f"The configuration is nested more than {DEPTH} levels deep")
        if count > VALUES:
            raise SonotuneError(f"The configuration holds more than {VALUES} values")
        if isinstance(value, Mapping):
            return {key: copy(item, depth + 1) for key, item in value.items()}
        if isinstance(value, list):
            return [copy(item, depth + 1) for item in value]
        return int(value) if isinstance(value, float) and value.is_integer() else value

    return copy(config, 0)


def malformed(value: Any, where: Where = ()) -> Iterator[str]:
    """A line for every key that is no text and every value that no key can have.

    Parameters
    ----------
    value
        What a YAML file holds, or a part of it.
    where
        Keys that lead to it.
    """
    name = ": ".join(where) or "configuration"
    if isinstance(value, Mapping):
        for key, item in value.items():
            if isinstance(key, str):
                yield from malformed(item, (*where, printable(key)))
            else:
                yield f"{name}: the key {format_value(key)} is not read as text; set it in quotes"
    elif isinstance(value, list):
        for item in value:
            yield from malformed(item, where)
    elif isinstance(value, str):
        if len(value) > LETTERS:
            yield f"{name}: has {len(value)} characters; at most {LETTERS} are allowed"
        elif forbidden := [ending for ending in ENDINGS if ending in value.lower()]:
            yield f"{name}: must not contain {forbidden[0]}, which breaks pages"
        elif "\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
            yield f"{name}: has characters that cannot be written to a file: {format_value(value)}"
    elif isinstance(value, float):
        if not math.isfinite(value):
            yield f"{name}: must be a finite number; found {value}"
    elif isinstance(value, int):
        if abs(value) >= 2**63:
            yield f"{name}: must be below 2^63; found {format_value(value)}"
    elif value is not None:
        text = format_value(str(value))
        yield f"{name}: is read as {type(value).__name__}; set it in quotes: {text}"


def format_value(value: Any) -> str:
    """A value for a message: on one line, not too long, and without a password.

    Parameters
    ----------
    value
        Anything that a configuration can hold.
    """
    if isinstance(value, int) and abs(value) >= 2**63:
        return f"a number of {value.bit_length()} bits"
    text = without_password(repr(value))
    return text if len(text) <= 200 else f"{text[:200]} ..."
