"""Claims about ranks, gains and several means at once, judged by the bootstrap."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from sonotune.report.claims.declare import Claim
from sonotune.report.claims.facts import Facts
from sonotune.report.claims.verdict import SURE, Verdict, decide, supported
from sonotune.report.published import published_mean

Place = tuple[str, str, float]
# Means of strategies at a percent, one a row: a replicate, the paper, or the study itself.
Means = Mapping[str, np.ndarray]


def judge_rank(claim: Claim, facts: Facts, places: Iterable[Place]) -> Iterator[Verdict]:
    """Best, worst, and among the best or worst k, at each percent."""
    for metric, dataset, percent in places:
        replicates = facts.replicates(metric, dataset)
        columns = {
            name: column
            for name in facts.strategies
            if (column := replicates.column((name, percent))) is not None
        }
        named = [name for name in claim.strategies if name in columns]
        if len(columns) <= max(len(claim.strategies), claim.k) or len(named) < len(
            claim.strategies
        ):
            yield Verdict.of(
                claim,
                metric=metric,
                dataset=dataset,
                source=facts.source(dataset),
                percent=percent,
                note="too few strategies have runs that count",
            )
            continue
        drawn = {name: replicates.drawn[:, column] for name, column in columns.items()}
        own = {name: replicates.means[[column]] for name, column in columns.items()}
        probability = float(np.mean(_rank_share(claim, drawn)))
        order = sorted(own, key=lambda name: -own[name][0])
        first = claim.kind.endswith("best")
        shown = order[: max(3, claim.k)] if first else order[::-1][: max(3, claim.k)]
        printed = {
            name: np.array([mean])
            for name in columns
            if (mean := published_mean(claim.paper, dataset, name, percent, metric)) is not None
        }
        whole = len(printed) == len(columns)
        yield Verdict.of(
            claim,
            metric=metric,
            dataset=dataset,
            source=facts.source(dataset),
            percent=percent,
            comparison=f"probability that {', '.join(claim.strategies)} {_words(claim)}",
            verdict=decide(probability >= SURE, probability <= 1 - SURE),
            value=probability,
            rule=f"holds from {SURE:g}, fails to {1 - SURE:.2g}",
            note=f"the {'best' if first else 'worst'} are {', '.join(shown)}",
            paper_supports=(
                supported(float(_rank_share(claim, printed)[0]), lambda share: share >= 0.5)
                if whole
                else ""
            ),
        )


def _words(claim: Claim) -> str:
    several = len(claim.strategies) > 1
    verb = "are" if several else "is"
    if claim.kind.startswith("among"):
        return f"{verb} among the {claim.k} {claim.kind.removeprefix('among_')}"
    return f"{verb} the {len(claim.strategies) if several else ''} {claim.kind}".replace("  ", " ")


def _rank_share(claim: Claim, means: Means) -> np.ndarray:
    """In each row, whether the ranks are as claimed; a tie counts half."""
    sign = 1 if claim.kind.endswith("best") else -1
    named = np.array([sign * means[name] for name in claim.strategies])
    rest = np.array([sign * mean for name, mean in means.items() if name not in claim.strategies])
    # So many of the others may be above the last of those named, and no more.
    others = (claim.k or len(claim.strategies)) - len(claim.strategies)
    bar = np.sort(rest, axis=0)[-1 - others]
    least = named.min(axis=0)
    return (least > bar) + (least == bar) / 2


def judge_gain(claim: Claim, facts: Facts, datasets: Iterable[str]) -> Iterator[Verdict]:
    """The difference of two (strategy, percent) is at least, or at most, so much."""
    assert claim.after is not None
    assert claim.before is not None
    after, before = claim.after, claim.before
    for dataset in datasets:
        yield from _bounded(
            claim,
            facts,
            dataset,
            [after, before],
            lambda means: means[0] - means[1],
            f"{_point(after)} - {_point(before)}",
        )


def judge_share_of_gain(claim: Claim, facts: Facts, datasets: Iterable[str]) -> Iterator[Verdict]:
    """A strategy's gain as a share of another's is at least so much."""
    assert claim.after is not None
    assert claim.before is not None
    assert claim.whole is not None

    def ratio(means: list[np.ndarray]) -> np.ndarray:
        after, before, whole = means
        gain = np.where(whole > before, whole - before, np.nan)
        return (after - before) / gain

    for dataset in datasets:
        yield from _bounded(
            claim,
            facts,
            dataset,
            [claim.after, claim.before, claim.whole],
            ratio,
            f"gain of {_point(claim.after)} / of {_point(claim.whole)}",
        )


def judge_growing_lead(claim: Claim, facts: Facts, datasets: Iterable[str]) -> Iterator[Verdict]:
    """One strategy's lead over another is larger at the first percent than at the second."""
    for dataset in datasets:
        for first, second in claim.pairs:
            for few, many in claim.steps:
                points = [
                    {"strategy": name, "percent": percent}
                    for percent in (few, many)
                    for name in (first, second)
                ]
                yield from _bounded(
                    claim,
                    facts,
                    dataset,
                    points,
                    lambda means: means[0] - means[1] - (means[2] - means[3]),
                    f"{first} - {second} at {few:g} % less that at {many:g} %",
                )


def judge_above(claim: Claim, facts: Facts, places: Iterable[Place]) -> Iterator[Verdict]:
    """A strategy's mean is above a number that somebody published."""
    assert claim.published is not None
    published = claim.published
    for metric, dataset, percent in places:
        for name in claim.strategies:
            for one in _bounded(
                claim,
                facts,
                dataset,
                [{"strategy": name, "percent": percent}],
                lambda means: means[0] / published - 1,
                f"{name} / {published:g} - 1",
                metric,
            ):
                note = "; ".join(filter(None, [one.note, claim.why]))
                yield replace(one, percent=percent, note=note)


def _bounded(
    claim: Claim,
    facts: Facts,
    dataset: str,
    points: list[Any],
    what: Callable[[list[np.ndarray]], np.ndarray],
    comparison: str,
    metric: str = "dice",
) -> Iterator[Verdict]:
    """A function of some means against a bound, by the bootstrap's 95 % interval."""
    if not all(facts.has(dataset, one["strategy"], one["percent"]) for one in points):
        return
    replicates = facts.replicates(metric, dataset)
    keys = [(one["strategy"], one["percent"]) for one in points]
    about: dict[str, Any] = {
        "metric": metric,
        "dataset": dataset,
        "source": facts.source(dataset),
        "comparison": comparison,
    }
    if not set(keys) <= set(replicates.keys):
        yield Verdict.of(claim, **about, note="no run of one of them counts")
        return
    columns = [replicates.keys.index(key) for key in keys]
    lower, upper = replicates.interval(what([replicates.drawn[:, c] for c in columns]))
    printed = [
        published_mean(claim.paper, dataset, one["strategy"], one["percent"], metric)
        for one in points
    ]
    known = [np.array([mean]) for mean in printed if mean is not None]
    paper = float(what(known)[0]) if len(known) == len(points) else None
    value = float(what([replicates.means[[c]] for c in columns])[0])
    yield Verdict.of(
        claim,
        **about,
        value=value,
        lower=lower,
        upper=upper,
        verdict=against_bound(claim, lower, upper),
        rule=bound(claim),
        paper_value=paper,
        paper_supports=supported(
            paper, lambda mean: against_bound(claim, mean, mean) != "fails" and mean == mean
        ),
    )


def against_bound(claim: Claim, lower: float, upper: float) -> str:
    """The verdict of an interval against ``at_least`` or ``at_most``."""
    if claim.at_most is not None:
        return decide(upper <= claim.at_most, lower > claim.at_most)
    least = 0.0 if claim.at_least is None else claim.at_least
    return decide(lower >= least, upper < least)


def bound(claim: Claim) -> str:
    """The rule in words."""
    if claim.at_most is not None:
        return f"interval at most {claim.at_most:g}"
    return f"interval at least {0 if claim.at_least is None else claim.at_least:g}"


def _point(point: Mapping[str, Any]) -> str:
    return f"{point['strategy']} at {point['percent']:g} %"
