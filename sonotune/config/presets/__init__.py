"""The papers' strategies as data, for ``strategies: {preset: amiri2020}``."""

from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from sonotune.config.form import load_package_yaml

PRESETS = tuple(sorted(file.stem for file in Path(__file__).parent.glob("*.yaml")))


def expand_preset(given: Any) -> Any:
    """The strategies of a preset, with those given beside it.

    A strategy that the preset has too changes single keys of it, and null removes it.

    Parameters
    ----------
    given
        The key ``strategies`` of a study; without a key ``preset``, it is returned as it is.

    Raises
    ------
    ValidationError
        If there is no such preset, or it has no strategy that is to be removed.
    """
    if not isinstance(given, dict) or "preset" not in given:
        return given
    name = given["preset"]
    if name not in PRESETS:
        raise _error("preset", name, f"one of {', '.join(PRESETS)}")
    strategies = dict(_strategies(name))
    for strategy, how in given.items():
        if strategy == "preset":
            continue
        known = strategies.pop(strategy, None) if how is None else strategies.get(strategy)
        if how is None and known is None:
            raise _error(strategy, how, f"a mapping, or null for one of: {', '.join(strategies)}")
        if how is not None:
            strategies[strategy] = {**(known or {}), **how} if isinstance(how, dict) else how
    return strategies


@cache
def _strategies(name: str) -> dict[str, Any]:
    strategies = load_package_yaml(Path(__file__).with_name(f"{name}.yaml").read_text("utf-8"))
    assert isinstance(strategies, dict)
    return strategies


def _error(key: str, value: Any, expected: str) -> ValidationError:
    wanted = {"error": ValueError(expected)}
    return ValidationError.from_exception_data(
        "strategies", [{"type": "value_error", "loc": (key,), "input": value, "ctx": wanted}]
    )
