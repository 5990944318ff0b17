"""Claims as they are declared: in the papers' files, and in a study's configuration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sonotune.errors import SonotuneError

PAPERS = ("amiri2020", "wang2023", "across")

COMMON = ("id", "says", "kind", "datasets", "percents", "needs")
# What each kind needs, and what it can have besides.
KINDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "better": (("pairs",), ("metrics", "lower_is_better", "significant")),
    "alike": (("pairs",), ("metrics", "margin")),
    "best": (("strategies",), ("metrics",)),
    "worst": (("strategies",), ("metrics",)),
    "among_best": (("strategies", "k"), ("metrics",)),
    "among_worst": (("strategies", "k"), ("metrics",)),
    "more_data": (("steps",), ("significant",)),
    "spread": (("steps",), ()),
    "mixed": (("pairs",), ()),
    "gain": (("after", "before"), ("at_least", "at_most")),
    "share_of_gain": (("after", "whole", "before", "at_least"), ()),
    "growing_lead": (("pairs", "steps"), ()),
    "parameters_and_dice": (("at_most",), ()),
    "same_ranks": (("at_least",), ("metrics", "why")),
    "above": (("strategies", "published"), ("metrics", "why")),
    "fewer_parameters": (("pairs", "at_least"), ()),
    "fails": (("strategies",), ()),
    "untested": (("why",), ()),
}


@dataclass(frozen=True)
class Claim:
    """One claim; docs/claims.md says what each kind means and needs.

    Attributes
    ----------
    paper
        Who says so: a paper, or the study itself.
    datasets, percents
        Where it is said to hold; None for everywhere.
    needs
        Strategies that a study has if the claim is about it, besides those compared.
    significant
        Where the paper finds it significant (``datasets`` and ``percents`` within), or None if it
        does not say.
    """

    id: str
    says: str
    kind: str
    paper: str
    datasets: tuple[str, ...] | None = None
    percents: tuple[float, ...] | None = None
    needs: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ("dice",)
    lower_is_better: bool = False
    strategies: tuple[str, ...] = ()
    k: int = 0
    pairs: tuple[tuple[str, str], ...] = ()
    steps: tuple[tuple[float, float], ...] = ()
    after: Mapping[str, Any] | None = None
    before: Mapping[str, Any] | None = None
    whole: Mapping[str, Any] | None = None
    at_least: float | None = None
    at_most: float | None = None
    margin: float | None = None
    published: float | None = None
    significant: Mapping[str, Any] | None = None
    why: str = ""

    def needed(self) -> list[str]:
        """Every strategy that is named."""
        points = [one["strategy"] for one in (self.after, self.before, self.whole) if one]
        return list(dict.fromkeys([*self.needs, *self.strategies, *sum(self.pairs, ()), *points]))


def papers_claims() -> list[Claim]:
    """The claims of both papers, and the question across them."""
    claims = []
    for paper in PAPERS:
        text = Path(__file__).with_name(f"{paper}.yaml").read_text("utf-8")
        claims += declare(yaml.safe_load(text), paper)
    return claims


def declare(claims: Iterable[Mapping[str, Any]], paper: str) -> list[Claim]:
    """Read claims, checking them.

    Raises
    ------
    SonotuneError
        Naming the claim: an unknown kind or key, one that is missing, or one of the wrong shape.
    """
    declared = [_declare(one, paper) for one in claims]
    names = [one.id for one in declared]
    if twice := {name for name in names if names.count(name) > 1}:
        raise SonotuneError(f"claims: {min(twice)}: two claims have this id")
    return declared


def _declare(given: Mapping[str, Any], paper: str) -> Claim:
    name = given.get("id", "?")
    for key in ("id", "says", "kind"):
        if not isinstance(given.get(key), str):
            raise SonotuneError(f"claims: {name}: needs the key {key!r}, a text")
    if given["kind"] not in KINDS:
        raise SonotuneError(
            f"claims: {name}: kind: there is no {given['kind']!r}; allowed: {', '.join(KINDS)}"
        )
    needed, possible = KINDS[given["kind"]]
    if lacking := [key for key in needed if key not in given]:
        raise SonotuneError(f"claims: {name}: {given['kind']} needs the key {lacking[0]!r}")
    allowed = (*COMMON, *needed, *possible)
    if unknown := [key for key in given if key not in allowed]:
        raise SonotuneError(
            f"claims: {name}: {unknown[0]}: there is no such key for {given['kind']}; allowed: "
            + ", ".join(allowed)
        )
    if given["kind"] == "gain" and ("at_least" in given) == ("at_most" in given):
        raise SonotuneError(f"claims: {name}: gain needs either at_least or at_most")
    try:
        return Claim(paper=paper, **{key: _frozen(key, value) for key, value in given.items()})
    except (TypeError, ValueError, KeyError):
        raise SonotuneError(
            f"claims: {name}: cannot be read; docs/claims.md shows how each key is written"
        ) from None


def _frozen(key: str, value: Any) -> Any:
    if key == "pairs":
        return tuple((str(first), str(second)) for first, second in value)
    if key == "steps":
        return tuple((float(first), float(second)) for first, second in value)
    if key == "percents":
        return tuple(map(float, value))
    if key in ("datasets", "metrics", "needs", "strategies"):
        if isinstance(value, str):
            raise ValueError
        return tuple(map(str, value))
    if key in ("after", "before", "whole"):
        return {"strategy": str(value["strategy"]), "percent": float(value["percent"])}
    if key in ("at_least", "at_most", "margin", "published"):
        return float(value)
    return int(value) if key == "k" else value
