"""Check a configuration and fill in defaults, so that a typo costs one line and no training.

The schema holds the keys, types, limits and defaults; what one key means for another is checked
here. Nothing here loads PyTorch: it runs at every start of the workflow.
"""

from __future__ import annotations

import copy
import difflib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match

from sonotune.data.splits import check_percent
from sonotune.errors import SonotuneError
from sonotune.models.stage_names import divisor_of, stages_of


def complete(config: Mapping[str, Any], schema: str | Path) -> dict[str, Any]:
    """Check a configuration against the schema and itself; return it with all defaults.

    Parameters
    ----------
    config
        As read from YAML.
    schema
        Path of the JSON schema (YAML).

    Raises
    ------
    SonotuneError
        With one line a mistake: the key, what was found and what is allowed.
    """
    rules = _load_schema(schema)
    validator = Draft202012Validator(rules)
    errors = sorted(validator.iter_errors(config), key=lambda error: [str(p) for p in error.path])
    if errors:
        _refuse([line for error in errors for line in _lines(error)])
    full: dict[str, Any] = copy.deepcopy(dict(config))
    _fill(full, rules, rules)
    mistakes = [*_complete_datasets(full), *_complete_studies(full)]
    if mistakes:
        _refuse(mistakes)
    return full


def check_no_duplicates(path: str | Path) -> None:
    """Refuse a YAML file in which a key occurs twice, of which YAML would keep the last.

    Raises
    ------
    SonotuneError
        Naming the file, the line and the key; also if the file is not YAML.
    """
    try:
        tree = yaml.compose(Path(path).read_text("utf-8"), Loader=yaml.SafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SonotuneError(f"{path}: is not valid YAML: {' '.join(str(error).split())}") from None
    mistakes = [f"{path}: line {line}: {key} is given twice" for line, key in _duplicates(tree, "")]
    if mistakes:
        _refuse(mistakes)


def _duplicates(node: yaml.Node | None, where: str) -> Iterator[tuple[int, str]]:
    if isinstance(node, yaml.SequenceNode):
        for child in node.value:
            yield from _duplicates(child, where)
    elif isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            path = f"{where}{key.value}"
            if key.value in seen:
                yield key.start_mark.line + 1, path
            seen.add(key.value)
            yield from _duplicates(value, f"{path}: ")


def _refuse(mistakes: list[str]) -> None:
    raise SonotuneError("The configuration cannot be used:\n  " + "\n  ".join(mistakes))


def _load_schema(path: str | Path) -> dict[str, Any]:
    return yaml.safe_load(Path(path).read_text("utf-8"))


def _lines(error: ValidationError) -> list[str]:
    """One line for a mistake (or one a key, where several are unknown)."""
    if error.validator == "anyOf" and error.context:
        deeper = [e for e in error.context if e.validator not in ("enum", "const", "type")]
        if deeper and (best := best_match(deeper)):
            return _lines(best)
        kinds = " or ".join(_expected(e) for e in error.context)
        return [f"{_key(error)}: must be {kinds}; found {error.instance!r}"]
    if error.validator == "additionalProperties":
        allowed = error.schema.get("properties", {})
        return [
            f"{_key(error, unknown)}: there is no such key; "
            + _nearest(unknown, allowed)
            + f"allowed: {', '.join(allowed)}"
            for unknown in error.instance
            if unknown not in allowed
        ]
    if error.validator == "required":
        missing = [key for key in error.validator_value if key not in error.instance]
        return [f"{_key(error)}: needs the key {key!r}" for key in missing]
    if "propertyNames" in error.absolute_schema_path:
        return [
            f"{_key(error)}: the name {error.instance!r} is not possible; names begin with a "
            "small letter and go on with small letters, digits and _"
        ]
    return [f"{_key(error)}: must be {_expected(error)}; found {error.instance!r}{_hint(error)}"]


def _key(error: ValidationError, *more: str) -> str:
    return ": ".join([*map(str, error.absolute_path), *more]) or "configuration"


def _nearest(unknown: str, allowed: Mapping[str, Any]) -> str:
    near = difflib.get_close_matches(str(unknown), list(allowed), n=1)
    return f"did you mean {near[0]!r}? " if near else ""


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
        "uniqueItems": "a list without repetitions",
    }
    return kinds.get(str(error.validator), error.message)


def _hint(error: ValidationError) -> str:
    """YAML 1.1 reads 1e-4 as text: a trap for everybody who types a learning rate."""
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


def _complete_datasets(config: dict[str, Any]) -> Iterator[str]:
    for name, dataset in config["datasets"].items():
        where, reader = f"datasets: {name}", dataset["reader"]
        dataset.setdefault("source", name)
        dataset.setdefault("label", name.upper())
        for other in {"simulate", "collage", "folder"} - {reader}:
            if other in dataset:
                yield f"{where}: {other}: has no use where reader is {reader}; remove it"
        if reader == "folder":
            if "folder" not in dataset:
                yield f"{where}: needs the key 'folder' with 'images' and 'masks'"
            continue
        if "images" not in dataset:
            yield f"{where}: needs the key 'images', the number to make"
        dataset.setdefault("seed", config["seed"])
        given = dataset.setdefault(reader, {})
        kind = _settings_class(reader)
        allowed = {item.name: item for item in fields(kind)}
        unknown = [key for key in given if key not in allowed]
        for key in unknown:
            yield (
                f"{where}: {reader}: {key}: there is no such key; "
                f"{_nearest(key, allowed)}allowed: {', '.join(allowed)}"
            )
        if not unknown:
            try:
                dataset[reader] = _plain(asdict(kind(**given)))
            except SonotuneError as error:
                yield f"{where}: {reader}: {error}"


def _settings_class(reader: str) -> Any:
    if reader == "simulate":
        from sonotune.data.simulation import Simulation

        return Simulation
    from sonotune.data.collage import Collage

    return Collage


def _plain(value: Any) -> Any:
    """Tuples as lists, as YAML and JSON have them."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return list(map(_plain, value)) if isinstance(value, tuple | list) else value


def _complete_studies(config: dict[str, Any]) -> Iterator[str]:
    for name, study in config["studies"].items():
        where = f"studies: {name}"
        study.setdefault("seed", config["seed"])
        yield from _check_datasets(where, study, config["datasets"])
        divisor = divisor_of(study["network"])
        if study["image_size"] % divisor:
            yield (
                f"{where}: image_size: must be a multiple of {divisor}; found "
                f"{study['image_size']}, nearest are "
                f"{study['image_size'] // divisor * divisor} and "
                f"{(study['image_size'] // divisor + 1) * divisor}"
            )
        folds = study["resampling"]["folds"]
        run_folds = study["resampling"].setdefault("run_folds", list(range(folds)))
        for fold in (fold for fold in run_folds if fold >= folds):
            yield (
                f"{where}: resampling: run_folds: must be below {folds}, the number of folds; "
                f"found {fold}"
            )
        for percent in study["percents"]:
            try:
                check_percent(percent, folds)
            except SonotuneError as error:
                yield f"{where}: {error}"
        yield from _complete_strategies(where, study)


def _check_datasets(
    where: str, study: dict[str, Any], datasets: Mapping[str, Any]
) -> Iterator[str]:
    wanted = [("datasets", name) for name in study["datasets"]]
    if "pretraining" in study:
        wanted.append(("pretraining: dataset", study["pretraining"]["dataset"]))
    for key, name in wanted:
        if name not in datasets:
            yield (
                f"{where}: {key}: there is no data set {name!r}; "
                f"{_nearest(name, datasets)}described are: {', '.join(datasets)}"
            )


def _complete_strategies(where: str, study: dict[str, Any]) -> Iterator[str]:
    stages = stages_of(study["network"])
    for name, strategy in study["strategies"].items():
        strategy.setdefault("label", name)
        if strategy["start"] == "pretrained" and "pretraining" not in study:
            yield (
                f"{where}: strategies: {name}: starts from pre-trained weights, but the study "
                "has no key 'pretraining'; add it or write start: random"
            )
        try:
            strategy["tune"] = list(resolve_stages(name, strategy["tune"], stages))
        except SonotuneError as error:
            yield f"{where}: {error}"


def resolve_stages(name: str, tune: list[str] | str, stages: tuple[str, ...]) -> tuple[str, ...]:
    """The stages that a strategy tunes, in the network's order.

    Parameters
    ----------
    tune
        A list of stages, ``all`` or ``none``.
    stages
        The network's stages.

    Raises
    ------
    SonotuneError
        If a stage is unknown or named twice, or the list is empty.
    """
    if isinstance(tune, str):
        return stages if tune == "all" else ()
    where = f"strategies: {name}: tune:"
    if not tune:
        raise SonotuneError(
            f"{where} the list is empty; name at least one stage, or write tune: none to evaluate "
            f"the network as it starts; stages: {', '.join(stages)}"
        )
    for stage in tune:
        if stage not in stages:
            raise SonotuneError(
                f"{where} the network has no stage {stage!r}; stages: {', '.join(stages)}"
            )
        if tune.count(stage) > 1:
            raise SonotuneError(f"{where} stage {stage!r} is named twice; name it once")
    return tuple(stage for stage in stages if stage in tune)
