"""Read a configuration by its JSON schema: one line a mistake, and the defaults."""

from __future__ import annotations

import copy
import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match

from sonotune.config.form import own_yaml, shown
from sonotune.errors import printable


def read_by_schema(config: Mapping[str, Any], path: str | Path) -> tuple[dict[str, Any], list[str]]:
    """Give a copy of a configuration with the schema's defaults, and one line for each mistake.

    With mistakes, the copy has no defaults.

    Parameters
    ----------
    config
        What a YAML file holds.
    path
        That file, for messages.
    """
    schema = own_yaml(Path(path).read_text("utf-8"))
    validator = Draft202012Validator(schema)
    errors = sorted(validator.iter_errors(config), key=lambda error: [str(p) for p in error.path])
    full: dict[str, Any] = copy.deepcopy(dict(config))
    if not errors:
        _fill(full, schema, schema)
    return full, [line for error in errors for line in _lines(error)]


def nearest(unknown: str, allowed: Mapping[str, Any]) -> str:
    """A suggestion for a name that is not allowed, or an empty text.

    Parameters
    ----------
    unknown
        The name that was given.
    allowed
        Names that are allowed.
    """
    near = difflib.get_close_matches(str(unknown), list(allowed), n=1)
    return f"did you mean {near[0]!r}? " if near else ""


def _lines(error: ValidationError) -> list[str]:
    """One line for a mistake (or one a key, where several are unknown)."""
    if error.validator == "anyOf" and error.context:
        deeper = [e for e in error.context if e.validator not in ("enum", "const", "type")]
        if deeper and (best := best_match(deeper)):
            return _lines(best)
        kinds = " or ".join(_expected(e) for e in error.context)
        return [f"{_key(error)}: must be {kinds}; found {shown(error.instance)}"]
    if error.validator == "additionalProperties":
        allowed = error.schema.get("properties", {})
        return [
            f"{_key(error, unknown)}: there is no such key; "
            + nearest(unknown, allowed)
            + f"allowed: {', '.join(allowed)}"
            for unknown in error.instance
            if unknown not in allowed
        ]
    if error.validator == "required":
        missing = [key for key in error.validator_value if key not in error.instance]
        return [f"{_key(error)}: needs the key {key!r}" for key in missing]
    if "propertyNames" in error.absolute_schema_path:
        return [
            f"{_key(error)}: the name {shown(error.instance)} is not possible; names begin with "
            "a small letter, go on with small letters, digits and _, at most 64 in all, and no "
            "study is called as a folder of results (datasets, weights, logs, report, benchmarks)"
        ]
    return [
        f"{_key(error)}: must be {_expected(error)}; found {shown(error.instance)}{_hint(error)}"
    ]


def _key(error: ValidationError, *more: str) -> str:
    return ": ".join(map(printable, [*error.absolute_path, *more])) or "configuration"


def _expected(error: ValidationError) -> str:
    value = error.validator_value
    kinds = {
        "type": {
            "object": "a mapping",
            "array": "a list",
            "string": "text",
            "number": "a number",
            "integer": "a whole number",
            "boolean": "true or false",
        }.get(str(value), str(value)),
        "enum": f"one of {', '.join(map(str, value))}" if error.validator == "enum" else "",
        "const": str(value).lower(),
        "minimum": f"at least {value}",
        "maximum": f"at most {value}",
        "exclusiveMinimum": f"above {value}",
        "exclusiveMaximum": f"below {value}",
        "minItems": "a list that is not empty",
        "minProperties": "a mapping that is not empty",
        "minLength": "text that is not empty",
        "maxLength": f"text of at most {value} letters",
        "uniqueItems": "a list without repetitions",
    }
    return kinds.get(str(error.validator), str(error.message))


def _hint(error: ValidationError) -> str:
    """What to write instead of a per cent number, or of 1e-4, which YAML 1.1 reads as text."""
    if error.validator == "exclusiveMaximum" and error.validator_value == 1 < error.instance < 100:
        return f": write {error.instance / 100:g}"
    if error.validator == "type" and isinstance(error.instance, str):
        try:
            return f" (a text in YAML: write {float(error.instance)!r} with a decimal point)"
        except ValueError:
            return ""
    return ""


def _fill(value: Any, rule: Mapping[str, Any], schema: Mapping[str, Any]) -> None:
    """Set the schema's defaults, in place and at every depth."""
    rule = _resolve(rule, schema)
    for option in rule.get("anyOf", ()):
        if isinstance(value, dict) and option.get("type") == "object":
            _fill(value, option, schema)
    if isinstance(value, dict):
        for key, child in rule.get("properties", {}).items():
            default = _resolve(child, schema).get("default")
            if key not in value and default is not None:
                value[key] = copy.deepcopy(default)
            if key in value:
                _fill(value[key], child, schema)
        if isinstance(other := rule.get("additionalProperties"), dict):
            for key in value.keys() - rule.get("properties", {}).keys():
                _fill(value[key], other, schema)


def _resolve(rule: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in rule:
        name = rule["$ref"].rpartition("/")[2]
        rule = {**schema["$defs"][name], **{k: v for k, v in rule.items() if k != "$ref"}}
    return rule
