"""Write the JSON schema and the tables of config/README.md: ``python docs/config_manual.py``.

Run it after a change of a model; a test compares the files with what it would write.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import yaml

from sonotune.config import dataset_model, model, study_model, training_model
from sonotune.config.presets import PRESETS
from sonotune.config.section import Section, meanings_of
from sonotune.layout import RESERVED
from sonotune.networks.settings import SmpUNet, UNet, UNetBN

ROOT = Path(__file__).parents[1]
SCHEMA = ROOT / "workflow/schemas/config.schema.json"
MANUAL = ROOT / "config/README.md"


# The keys of a network have the defaults of its kind.
NETWORKS = (UNet, UNetBN, SmpUNet)


def schema() -> dict[str, Any]:
    """The JSON schema of a configuration, for editors; `sonotune.config.check` checks more."""
    full = model.Configuration.model_json_schema()
    kinds = full["$defs"]
    for name, rule in kinds.items():
        _describe(rule, _section(name))
    _describe(full, model.Configuration)
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


def _describe(rule: dict[str, Any], section: Any) -> None:
    """Say in a section's rule what its keys mean, with defaults that JSON cannot hold."""
    rule["description"] = rule["description"].partition("\n")[0]
    for key, meaning, default in _rows_of(section):
        child = rule["properties"][key]
        told = f" Default: {default}." if default and child.get("default") is None else ""
        described = {**child, "description": f"{meaning}{told}"}
        rule["properties"][key] = dict(sorted(described.items()))


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
    """Drop empty defaults and repeated titles, in place."""
    for part in rule.values() if isinstance(rule, dict) else rule if isinstance(rule, list) else ():
        _tidy(part)
    if isinstance(rule, dict) and "patternProperties" in rule:
        rule["additionalProperties"] = False
    if isinstance(rule, dict) and isinstance(rule.get("description"), str):
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
            for key, meaning, default in _rows_of(_section(match[2]))
        )
        return f"{match[1]}\n| key | meaning | default |\n|---|---|---|\n{rows}"

    return re.sub(r"(<!-- keys: (\w+) -->\n)(?:\n(?:\|.*\n)+)?", write, text)


def _section(name: str) -> Any:
    holders = [vars(module) for module in (dataset_model, training_model, study_model, model)]
    return next(held[name] for held in holders if name in held)


def _rows_of(section: Any) -> Iterator[tuple[str, str, str]]:
    """Every key with its meaning and its default, both in words."""
    told = meanings_of(section)
    of_networks = {item.name: item.default for kind in NETWORKS for item in fields(kind)}
    for key, info in section.model_fields.items():
        words, meaning = told[key]
        default = None if info.is_required() else info.default
        if section is training_model.Network:
            default = of_networks.get(key)
        has_value = default is not None and not isinstance(default, Section)
        yield key, meaning, words or (_shown(default) if has_value else "")


def _shown(value: Any) -> str:
    """A value as YAML has it, with as few digits as it needs."""
    if isinstance(value, float):
        return f"{value:.10g}"
    if isinstance(value, list) and all(isinstance(item, int | float) for item in value):
        return f"[{', '.join(map(_shown, value))}]"
    text = yaml.safe_dump(value, default_flow_style=True, width=1000)
    return text.removesuffix("\n").removesuffix("\n...")


if __name__ == "__main__":
    SCHEMA.write_text(json.dumps(schema(), indent=2) + "\n", "utf-8")
    MANUAL.write_text(with_tables(MANUAL.read_text("utf-8")), "utf-8")
