"""Claims as they are declared: in the papers' files, and in a study's configuration."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import yaml
from pydantic import BeforeValidator, TypeAdapter, ValidationError

from sonotune.errors import SonotuneError

PAPERS = ("amiri2020", "wang2023", "across")

COMMON = ("id", "says", "kind", "datasets", "fractions", "needs", "why")
# What each kind needs, and what it can have besides.
KINDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "better": (
        ("pairs",),
        ("metrics", "at_least", "at_most", "smallest", "overall", "significant"),
    ),
    "equivalent": (("pairs",), ("metrics", "margin")),
    "not_worse": (("pairs",), ("metrics", "margin")),
    "best": (("strategies",), ("metrics", "k", "overall")),
    "worst": (("strategies",), ("metrics", "k", "overall")),
    "contrast": (("terms",), ("metrics", "at_least", "at_most", "given")),
    "more_data": (("steps",), ("smallest", "significant")),
    "more_variable": (("steps",), ()),
    "mixed": (("pairs",), ()),
    "not_by_parameters": (("strategies",), ()),
    "fewer_parameters": (("pairs", "at_least"), ("baseline_parameters",)),
    "fails_to_converge": (("strategies",), ()),
    "untested": (("why",), ()),
}
# One of several, that the study need not have all.
SOME = ("not_by_parameters",)
Metric = Literal["dice", "iou", "pixel_accuracy", "seconds", "seconds_per_epoch"]
METRICS = get_args(Metric)
# Weight, strategy and, unless it is that of each place, the fraction.
Term = Annotated[
    tuple[float, str, float | None],
    BeforeValidator(lambda term: (*term, None) if len(term) == 2 else term),
]


@dataclass(frozen=True)
class Claim:
    """One claim; docs/claims.md says what each kind means and needs.

    Attributes
    ----------
    id
        Short name, such as ``A7``.
    says
        The claim, one sentence.
    kind
        What is claimed, such as ``better`` or ``equivalent``.
    paper
        Who says so: a paper, or the study itself.
    datasets, fractions
        Where it is claimed to hold; None for everywhere.
    needs
        Strategies that a study has if the claim is about it, besides those compared.
    metrics
        Columns of ``cells.csv``.
    strategies
        Strategies that the claim is about.
    k
        How many places count as the top.
    overall
        One statement over all data sets and fractions.
    smallest
        The smallest of several differences counts: that to the best of the others.
    pairs
        Pairs of strategies that are compared.
    steps
        Pairs of fractions that are compared.
    terms
        Weight, strategy and fraction (None for each fraction of the study) of a sum of means.
    given
        Another such sum, which must be shown to be above 0: there is no share of a gain without a
        gain.
    at_least, at_most
        Bounds of the value: one number, or one for each metric.
    margin
        Difference that counts as none; None for that of the metric.
    baseline_parameters
        Parameters of the second of a pair in the paper; with others the claim does not apply.
    significant
        Where the paper finds it significant (``datasets`` and ``fractions`` within), or None if it
        does not say.
    why
        A remark for the reader, such as why it is untested.
    """

    id: str
    says: str
    kind: str
    paper: str
    datasets: tuple[str, ...] | None = None
    fractions: tuple[float, ...] | None = None
    needs: tuple[str, ...] = ()
    metrics: tuple[Metric, ...] = ("dice",)
    strategies: tuple[str, ...] = ()
    k: int = 0
    overall: bool = False
    smallest: bool = False
    pairs: tuple[tuple[str, str], ...] = ()
    steps: tuple[tuple[float, float], ...] = ()
    terms: tuple[Term, ...] = ()
    given: tuple[Term, ...] = ()
    at_least: float | Mapping[str, float] | None = None
    at_most: float | Mapping[str, float] | None = None
    margin: float | None = None
    baseline_parameters: int = 0
    significant: Mapping[str, Any] | None = None
    why: str = ""

    def needed(self) -> list[str]:
        """Every strategy that the study has if the claim is about it."""
        named = () if self.kind in SOME else self.strategies
        terms = [strategy for _, strategy, _ in (*self.terms, *self.given)]
        return list(dict.fromkeys([*self.needs, *named, *sum(self.pairs, ()), *terms]))


READER = TypeAdapter(Claim)


def paper_claims() -> list[Claim]:
    """The claims of both papers, and the question across them."""
    claims = []
    for paper in PAPERS:
        text = Path(__file__).with_name(f"{paper}.yaml").read_text("utf-8")
        claims += parse_claims(yaml.safe_load(text), paper)
    return claims


def parse_claims(claims: Iterable[Mapping[str, Any]], paper: str) -> list[Claim]:
    """Read claims, checking them.

    Parameters
    ----------
    claims
        Claims as YAML holds them.
    paper
        Who says so.

    Raises
    ------
    SonotuneError
        Naming the claim: an unknown kind or key, one that is missing, or one of the wrong shape.
    """
    declared = [_parse_claim(claim, paper) for claim in claims]
    names = [claim.id for claim in declared]
    if twice := {name for name in names if names.count(name) > 1}:
        raise SonotuneError(f"claims: {min(twice)}: two claims have this id")
    return declared


def _parse_claim(given: Mapping[str, Any], paper: str) -> Claim:
    def refuse(problem: str) -> SonotuneError:
        return SonotuneError(f"claims: {given.get('id', '?')}: {problem}")

    for key in ("id", "says", "kind"):
        if not isinstance(given.get(key), str):
            raise refuse(f"needs the key {key!r}, a text")
    kind = given["kind"]
    if kind not in KINDS:
        raise refuse(f"kind: there is no {kind!r}; allowed: {', '.join(KINDS)}")
    needed, possible = KINDS[kind]
    if lacking := [key for key in needed if key not in given]:
        raise refuse(f"{kind} needs the key {lacking[0]!r}")
    allowed = (*COMMON, *needed, *possible)
    if unknown := [key for key in given if key not in allowed]:
        keys = ", ".join(allowed)
        raise refuse(f"{unknown[0]}: there is no such key for {kind}; allowed: {keys}")
    if kind == "contrast" and not {"at_least", "at_most"} & set(given):
        raise refuse("contrast needs at_least or at_most")
    try:
        claim = READER.validate_python({"paper": paper, **given})
    except ValidationError as error:
        keys = ", ".join(dict.fromkeys(str(mistake["loc"][0]) for mistake in error.errors()))
        raise refuse(
            f"cannot be read: {keys}; docs/claims.md shows how each key is written"
        ) from None
    terms = [fraction for *_, fraction in claim.terms if fraction is not None]
    for fraction in (*(claim.fractions or ()), *chain(*claim.steps), *terms):
        if fraction >= 1:
            found, meant = f"{fraction:g}", f"{fraction / 100:g}"
            raise refuse(f"a fraction must be below 1; found {found}: write {meant}")
    return claim
