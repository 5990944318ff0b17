"""Write the JSON schema and the tables of config/README.md: ``python -m sonotune.config.manual``.

Run it in a clone after a change of a model; a test compares the files with what it would write.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter
from pydantic.fields import FieldInfo

from sonotune.config import dataset_model, model, study_model
from sonotune.config.presets import PRESETS
from sonotune.config.section import Section
from sonotune.layout import RESERVED
from sonotune.simulation.collage_settings import Collage
from sonotune.simulation.settings import Simulation

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "workflow/schemas/config.schema.json"
MANUAL = ROOT / "config/README.md"
# What makes images declares its own settings, in the dataclasses that the simulations take.
MADE = {"simulate": Simulation, "collage": Collage}


def schema() -> dict[str, Any]:
    """The JSON schema of a configuration, for editors; `sonotune.config.check` checks more."""
    full = model.Configuration.model_json_schema()
    kinds = full["$defs"]
    for name, made in MADE.items():
        told = dict(_rows_of(made))
        rule = TypeAdapter(made).json_schema()
        for key, child in rule["properties"].items():
            child["description"] = told[key][0]
        kinds["Dataset"]["properties"][name] |= {**rule, "additionalProperties": False}
    strategies = kinds["Study"]["properties"]["strategies"]
    strategies["properties"] = {
        "preset": {"enum": list(PRESETS), "description": "Strategies of a paper, to start from."}
    }
    # Beside a preset, a strategy may say what differs, and null removes one.
    _except(strategies, ("preset",), lambda rule: {"anyOf": [rule, {"type": "null"}]})
    del kinds["Strategy"]["required"]
    _except(full["properties"]["studies"], RESERVED)
    _tidy(full)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **full}


def _except(
    mapping: dict[str, Any],
    reserved: Iterable[str],
    change: Callable[[Any], Any] = lambda rule: rule,
) -> None:
    """Keep names out of a mapping whose keys are free, and change the rule of its values."""
    ((pattern, rule),) = mapping["patternProperties"].items()
    free = f"^(?!({'|'.join(reserved)})$){pattern.removeprefix('^')}"
    mapping["patternProperties"] = {free: change(rule)}


def _tidy(rule: Any) -> None:
    """Write defaults that JSON cannot hold into descriptions, in place; drop repeated titles."""
    for part in rule.values() if isinstance(rule, dict) else rule if isinstance(rule, list) else ():
        _tidy(part)
    if isinstance(rule, dict) and "patternProperties" in rule:
        rule["additionalProperties"] = False
    if isinstance(rule, dict) and isinstance(rule.get("description"), str):
        if without := rule.pop("without", ""):
            rule["description"] += f" Default: {without}."
        if rule.get("default", "") is None:
            del rule["default"]
        rule.pop("title", None)


def with_tables(text: str) -> str:
    """The manual with its tables, each below the line ``<!-- keys: SECTION -->``.

    Parameters
    ----------
    text
        The manual, with or without tables below these lines.
    """

    def write(match: re.Match[str]) -> str:
        rows = "".join(
            f"| `{key}` | {meaning} |{f' {default}' if default else ''} |\n"
            for key, (meaning, default) in _rows_of(_section(match[2]))
        )
        return f"{match[1]}\n| key | meaning | default |\n|---|---|---|\n{rows}"

    return re.sub(r"(<!-- keys: (\w+) -->\n)(?:\n(?:\|.*\n)+)?", write, text)


def _section(name: str) -> Any:
    holders = [vars(module) for module in (dataset_model, model, study_model)]
    return MADE.get(name) or next(held[name] for held in holders if name in held)


def _rows_of(section: Any) -> Iterator[tuple[str, tuple[str, str]]]:
    """Meaning and default of every key."""
    if issubclass(section, Section):
        for key, info in section.model_fields.items():
            yield key, (info.description or "", _default(info))
        return
    told = _documented(section)
    for item in fields(section):
        meaning = item.metadata.get("help") or told[item.name]
        default = list(item.default) if isinstance(item.default, tuple) else item.default
        yield item.name, (f"{meaning[0].upper()}{meaning[1:].rstrip('.')}.", _shown(default))


def _default(info: FieldInfo) -> str:
    if isinstance(info.json_schema_extra, dict):
        return str(info.json_schema_extra["without"])
    if info.is_required() or info.default is None or isinstance(info.default, Section):
        return ""
    return _shown(info.default)


def _shown(value: Any) -> str:
    """A value as YAML has it, with as few digits as it needs."""
    if isinstance(value, float):
        return f"{value:.10g}"
    if isinstance(value, list) and all(isinstance(item, int | float) for item in value):
        return f"[{', '.join(map(_shown, value))}]"
    text = yaml.safe_dump(value, default_flow_style=True, width=1000)
    return text.removesuffix("\n").removesuffix("\n...")


def _documented(section: Any) -> dict[str, str]:
    """What a docstring in numpydoc's form says of each attribute."""
    attributes = re.findall(
        r"^(\w[\w, ]*?)(?: : .*)?\n((?:    .*\n?)+)", inspect.getdoc(section) or "", re.M
    )
    return {
        name: " ".join(text.split()) for names, text in attributes for name in names.split(", ")
    }


if __name__ == "__main__":
    SCHEMA.write_text(json.dumps(schema(), indent=2) + "\n", "utf-8")
    MANUAL.write_text(with_tables(MANUAL.read_text("utf-8")), "utf-8")
