"""Each claim against a study: holds, fails, or undecided with this many folds.

The rules were fixed before any run (docs/claims.md): *better* holds at an adjusted p < .05 in the
claimed direction and fails at p < .05 in the other; *no difference* fails at p < .05 and holds only
if the adjusted 95 % interval lies within the margin, so that too few folds are never agreement;
what is said of ranks or of several means at once holds at a bootstrap probability of .95 or with
the whole 95 % interval on the claimed side.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from sonotune.report.claims.correlations import judge_parameters, judge_same_ranks
from sonotune.report.claims.counts import (
    judge_fails,
    judge_fewer_parameters,
    judge_mixed,
    judge_spread,
)
from sonotune.report.claims.declare import Claim
from sonotune.report.claims.facts import Difference, Facts
from sonotune.report.claims.ranks import (
    judge_above,
    judge_gain,
    judge_growing_lead,
    judge_rank,
    judge_share_of_gain,
)
from sonotune.report.claims.verdict import (
    LEVEL,
    NOT_APPLICABLE,
    UNTESTED,
    Verdict,
    decide,
    paper_difference,
    supported,
)
from sonotune.report.published import published_mean


def judge(claim: Claim, facts: Facts) -> list[Verdict]:
    """Judge a claim wherever it applies.

    Returns
    -------
    list of Verdict
        One a (metric, data set, percent, comparison); a claim that does not apply to the study, or
        that no run can test, gives one that says why.
    """
    if claim.kind == "untested":
        return [Verdict.of(claim, verdict=UNTESTED, note=claim.why)]
    if claim.datasets is not None and not set(claim.datasets) & set(facts.datasets):
        why = f"is said of {', '.join(claim.datasets)}, which the study does not have"
        return [Verdict.of(claim, verdict=NOT_APPLICABLE, note=why)]
    missing = [name for name in claim.needed() if name not in facts.strategies]
    if missing:
        why = f"the study does not have the strategy {', '.join(missing)}"
        return [Verdict.of(claim, verdict=NOT_APPLICABLE, note=why)]
    found = list(KINDS[claim.kind](claim, facts))
    if not found:
        why = "the study does not have what is compared"
        return [Verdict.of(claim, verdict=NOT_APPLICABLE, note=why)]
    return found


def _places(claim: Claim, facts: Facts) -> Iterator[tuple[str, str, float]]:
    """Metrics, data sets and percents that a claim is about."""
    for metric in claim.metrics:
        for dataset in _datasets(claim, facts):
            for percent in facts.percents(dataset):
                if claim.percents is None or percent in claim.percents:
                    yield metric, dataset, percent


def _datasets(claim: Claim, facts: Facts) -> list[str]:
    return [name for name in facts.datasets if claim.datasets is None or name in claim.datasets]


def _better(claim: Claim, facts: Facts) -> Iterator[Verdict]:
    sign = -1 if claim.lower_is_better else 1
    for metric, dataset, percent in _places(claim, facts):
        for first, second in claim.pairs:
            found = facts.difference(metric, dataset, percent, first, second)
            sure = found.p < LEVEL
            right = sign * found.value > 0
            paper = paper_difference(claim, dataset, percent, metric, first, second)
            yield _with_significance(
                _of_difference(claim, found, metric, dataset, percent, f"{first} - {second}"),
                claim,
                facts,
                verdict=decide(sure and right, sure and not right),
                significant=sure and right,
                rule="better at p < .05",
                paper_value=paper,
                paper_supports=supported(paper, lambda value: sign * value > 0),
            )


def _alike(claim: Claim, facts: Facts) -> Iterator[Verdict]:
    for metric, dataset, percent in _places(claim, facts):
        margin = facts.margin(dataset) if claim.margin is None else claim.margin
        for first, second in claim.pairs:
            found = facts.difference(metric, dataset, percent, first, second)
            within = -margin <= found.lower and found.upper <= margin
            sure = found.p < LEVEL
            paper = paper_difference(claim, dataset, percent, metric, first, second)
            row = _of_difference(claim, found, metric, dataset, percent, f"{first} - {second}")
            yield replace(
                row,
                source=facts.source(dataset),
                verdict=decide(within and not sure, sure),
                rule=f"interval within {margin:g}",
                paper_value=paper,
                paper_supports=supported(paper, partial(_is_within, margin)),
                paper_significant="no",
                as_paper_found="" if np.isnan(found.p) else "no" if sure else "yes",
            )


def _is_within(margin: float, value: float) -> bool:
    return abs(value) <= margin


def _more_data(claim: Claim, facts: Facts) -> Iterator[Verdict]:
    for dataset in _datasets(claim, facts):
        known = facts.percents(dataset)
        for first, second in claim.steps:
            if first not in known or second not in known:
                continue
            found = facts.step(dataset, first, second)
            sure, right = found.p < LEVEL, found.value > 0
            gaps = _paper_steps(claim, facts, dataset, first, second)
            paper = float(np.mean(gaps)) if gaps else None
            row = _of_difference(claim, found, "dice", dataset, None, f"{first:g} % - {second:g} %")
            falls = sum(gap <= 0 for gap in gaps)
            printed = f"in the paper {falls} of {len(gaps)} strategies do not rise" if falls else ""
            yield _with_significance(
                replace(row, note="; ".join(filter(None, [row.note, printed]))),
                claim,
                facts,
                verdict=decide(sure and right, sure and not right),
                significant=sure and right,
                rule="better at p < .05, over all strategies",
                paper_value=paper,
                paper_supports="" if paper is None else "yes" if min(gaps) > 0 else "no",
            )


def _paper_steps(
    claim: Claim, facts: Facts, dataset: str, first: float, second: float
) -> list[float]:
    """The paper's difference of two percents, for every strategy of which it prints both."""
    gaps = []
    for strategy in facts.strategies:
        one, two = (
            published_mean(claim.paper, dataset, strategy, percent, "dice")
            for percent in (first, second)
        )
        if one is not None and two is not None:
            gaps.append(one - two)
    return gaps


def _of_difference(
    claim: Claim,
    found: Difference,
    metric: str,
    dataset: str,
    percent: float | None,
    comparison: str,
) -> Verdict:
    return Verdict.of(
        claim,
        metric=metric,
        dataset=dataset,
        percent=percent,
        comparison=comparison,
        value=found.value,
        lower=found.lower,
        upper=found.upper,
        p=found.p,
        note=found.note,
    )


def _with_significance(
    row: Verdict, claim: Claim, facts: Facts, *, significant: bool, **more: object
) -> Verdict:
    """Add what the paper says of significance here, and whether the run finds the same."""
    said = ""
    if claim.significant is not None:
        datasets = claim.significant.get("datasets", [row.dataset])
        percents = claim.significant.get("percents", [row.percent])
        said = "yes" if row.dataset in datasets and row.percent in percents else "no"
    agrees = (
        "" if not said or np.isnan(row.p) else "yes" if significant == (said == "yes") else "no"
    )
    return replace(
        row,
        source=facts.source(row.dataset),
        paper_significant=said,
        as_paper_found=agrees,
        **more,  # type: ignore[arg-type]
    )


KINDS: dict[str, Callable[[Claim, Facts], Iterator[Verdict]]] = {
    "better": _better,
    "alike": _alike,
    "best": lambda claim, facts: judge_rank(claim, facts, _places(claim, facts)),
    "worst": lambda claim, facts: judge_rank(claim, facts, _places(claim, facts)),
    "among_best": lambda claim, facts: judge_rank(claim, facts, _places(claim, facts)),
    "among_worst": lambda claim, facts: judge_rank(claim, facts, _places(claim, facts)),
    "more_data": _more_data,
    "spread": lambda claim, facts: judge_spread(claim, facts, _datasets(claim, facts)),
    "mixed": lambda claim, facts: judge_mixed(claim, facts, _places(claim, facts)),
    "gain": lambda claim, facts: judge_gain(claim, facts, _datasets(claim, facts)),
    "share_of_gain": lambda claim, facts: judge_share_of_gain(
        claim, facts, _datasets(claim, facts)
    ),
    "growing_lead": lambda claim, facts: judge_growing_lead(claim, facts, _datasets(claim, facts)),
    "parameters_and_dice": lambda claim, facts: judge_parameters(
        claim, facts, _places(claim, facts)
    ),
    "same_ranks": lambda claim, facts: judge_same_ranks(claim, facts, _places(claim, facts)),
    "above": lambda claim, facts: judge_above(claim, facts, _places(claim, facts)),
    "fewer_parameters": judge_fewer_parameters,
    "fails": lambda claim, facts: judge_fails(claim, facts, _datasets(claim, facts)),
}
