"""Mistakes in a configuration, as lines that name the key, what is allowed and what was found."""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, get_args, get_origin

from pydantic import ValidationError

from sonotune.config.form import format_value
from sonotune.config.model import Configuration
from sonotune.config.section import Section
from sonotune.errors import printable

EXPECTED = {
    "bool_type": "true or false",
    "dict_type": "a mapping",
    "float_type": "a number",
    "greater_than": "above {gt}",
    "greater_than_equal": "at least {ge}",
    "int_type": "a whole number",
    "less_than": "below {lt}",
    "less_than_equal": "at most {le}",
    "list_type": "a list",
    "model_type": "a mapping",
    "string_too_long": "text of at most {max_length} characters",
    "string_too_short": "text that is not empty",
    "string_type": "text",
    "too_long": "a list of {max_length}",
    "too_short": "a list of {min_length}",
    "value_error": "{error}",
}
NAMES = (
    "names begin with a lower-case letter, continue with lower-case letters, digits and _, and "
    "have at most 64 characters"
)


def nearest(unknown: str, allowed: Iterable[str]) -> str:
    """A suggestion for a name that is not allowed, or an empty text.

    Parameters
    ----------
    unknown
        The name that was given.
    allowed
        The names that there are.
    """
    near = difflib.get_close_matches(unknown, list(allowed), n=1)
    return f"did you mean {near[0]!r}? " if near else ""


def no_such(what: str, name: str, there: Iterable[str], others: str) -> str:
    """That something is not there, what was perhaps meant, and all that is there.

    Parameters
    ----------
    what
        What is looked for, such as ``data set``.
    name
        The name that was given.
    there
        The names that there are.
    others
        What introduces them.
    """
    return f"there is no {what} {name!r}; {nearest(name, there)}{others}: {', '.join(there)}"


def mistakes(error: ValidationError, config: Mapping[str, Any]) -> Iterator[str]:
    """Give one line for each mistake in a configuration.

    Parameters
    ----------
    error
        What validation by `sonotune.config.model.Configuration` found.
    config
        What was validated.
    """
    by_path: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for problem in error.errors(include_url=False):
        by_path.setdefault(_path(problem, config), []).append(dict(problem))
    for path, same in by_path.items():
        # Where a value may be of several kinds, mistakes inside it show which one was meant.
        inside = any(other[: len(path)] == path and other != path for other in by_path)
        if not inside or same[0]["loc"][-1] == "[key]":
            yield _line(": ".join(map(printable, path)) or "configuration", same)


def _path(error: Mapping[str, Any], config: Any) -> tuple[Any, ...]:
    """Keys that lead to a mistake, without the names of the kinds that were tried."""
    path = []
    for part in error["loc"]:
        inside = isinstance(config, Mapping) and part in config
        if inside or (isinstance(config, list) and isinstance(part, int) and part < len(config)):
            config = config[part]
            path.append(part)
    return (*path, error["loc"][-1]) if error["type"] == "missing" else tuple(path)


def _line(where: str, errors: list[dict[str, Any]]) -> str:
    first = errors[0]
    value, kind = first["input"], first["type"]
    if kind == "missing":
        return f"{where.rpartition(': ')[0] or 'configuration'}: needs the key {first['loc'][-1]!r}"
    if kind == "extra_forbidden":
        allowed = _keys(first["loc"])
        hint = nearest(first["loc"][-1], allowed)
        return f"{where}: there is no such key; {hint}allowed: {', '.join(allowed)}"
    if kind == "string_pattern_mismatch":
        return f"{where}: the name {format_value(value)} is not possible; {NAMES}"
    expected = " or ".join(dict.fromkeys(map(_expected, errors)))
    return f"{where}: must be {expected}; found {format_value(value)}{_hint(first)}"


def _expected(error: Mapping[str, Any]) -> str:
    given = error.get("ctx", {})
    if error["type"] == "literal_error":
        return str(given["expected"]).replace("'", "").replace("False", "false")
    if error["type"] == "too_short" and given["min_length"] == 1:
        kind = "a mapping" if given["field_type"] == "Dictionary" else "a list"
        return f"{kind} that is not empty"
    known = EXPECTED.get(error["type"])
    return known.format(**given) if known else str(error["msg"])


def _hint(error: Mapping[str, Any]) -> str:
    """What to write instead of a per cent number, or of 1e-4, which YAML 1.1 reads as text."""
    value = error["input"]
    if error["type"] == "less_than" and error["ctx"]["lt"] == 1 < value < 100:
        return f": write {value / 100:g}"
    if error["type"] in ("float_type", "int_type") and isinstance(value, str):
        try:
            return f" (a text in YAML: write {float(value)!r} with a decimal point)"
        except ValueError:
            return ""
    return ""


def _keys(path: Iterable[Any]) -> list[str]:
    """The keys of the section in which an unknown one stands."""
    *parents, _ = path
    kind: Any = Configuration
    for part in parents:
        kind = _inside(kind, part)
    return list(kind.model_fields)


def _inside(kind: Any, part: Any) -> Any:
    """The type of what a section, mapping or list holds, or one of several kinds by its name."""
    while get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    if isinstance(kind, type) and issubclass(kind, Section):
        return kind.model_fields[part].annotation
    if get_origin(kind) in (dict, list):
        return get_args(kind)[-1]
    return next(
        candidate for candidate in get_args(kind) if getattr(candidate, "__name__", "") == part
    )
