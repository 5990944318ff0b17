"""What a configuration may hold, whatever its keys: texts, numbers, lists, mappings."""

import math
from collections.abc import Mapping
from pathlib import Path
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
    return yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506


class _Loader(yaml.SafeLoader):
    """Refuses a key that occurs twice, of which YAML would keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if repr(key.value) in seen:
                problem = f"the key {key.value} is given twice"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            seen.add(repr(key.value))
        return super().construct_mapping(node, deep)


def read_yaml(path: str | Path) -> Any:
    """Read a user's YAML file, in which no key may occur twice.

    Parameters
    ----------
    path
        A YAML file.

    Raises
    ------
    SonotuneError
        If it is no such file; a key that is given twice is named with its line.
    """
    try:
        return yaml.load(Path(path).read_text("utf-8"), Loader=_Loader)  # noqa: S506
    except (yaml.YAMLError, TypeError, ValueError) as error:  # such as a list as a key
        raise SonotuneError(f"{path}: is not valid YAML: {' '.join(str(error).split())}") from None
    except RecursionError:
        raise SonotuneError(f"{path}: is nested too deeply, or refers to itself") from None


def plain(config: Any) -> tuple[Any, list[str]]:
    """A copy in which nothing is shared, and 50.0 is 50, so that equal numbers are equal settings.

    Parameters
    ----------
    config
        What a YAML file holds.

    Returns
    -------
    tuple
        The copy, and a line for every key that is no text and every value that no key can have.

    Raises
    ------
    SonotuneError
        If it is nested too deeply, or holds too many values, as references to one another make it.
    """
    count, lines = 0, []

    def copy(value: Any, where: Where) -> Any:
        nonlocal count
        count += 1
        if count > VALUES:
            raise SonotuneError(f"The configuration holds more than {VALUES} values")
        name = ": ".join(filter(None, where)) or "configuration"
        if isinstance(value, Mapping | list) and len(where) >= DEPTH:
            raise SonotuneError(f"The configuration is nested more than {DEPTH} levels deep")
        if isinstance(value, list):
            return [copy(item, (*where, "")) for item in value]
        if isinstance(value, Mapping):
            for key in (key for key in value if not isinstance(key, str)):
                said = f"the key {format_value(key)} is not read as text; set it in quotes"
                lines.append(f"{name}: {said}")
            return {key: copy(item, (*where, printable(key))) for key, item in value.items()}
        if problem := _problem(value):
            lines.append(f"{name}: {problem}")
        return int(value) if isinstance(value, float) and value.is_integer() else value

    return copy(config, ()), lines


def _problem(value: Any) -> str:
    """Why no key can have a value; nothing if one can."""
    if isinstance(value, str):
        if len(value) > LETTERS:
            return f"has {len(value)} characters; at most {LETTERS} are allowed"
        if forbidden := [ending for ending in ENDINGS if ending in value.lower()]:
            return f"must not contain {forbidden[0]}, which breaks pages"
        if "\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
            return f"has characters that cannot be written to a file: {format_value(value)}"
    elif isinstance(value, float) and not math.isfinite(value):
        return f"must be a finite number; found {value}"
    elif isinstance(value, int) and abs(value) >= 2**63:
        return f"must be below 2^63; found {format_value(value)}"
    elif not isinstance(value, int | float | None):
        text = format_value(str(value))
        return f"is read as {type(value).__name__}; set it in quotes: {text}"
    return ""


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
