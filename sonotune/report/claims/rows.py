"""Differences, and other sums of means, that claims are about, from a study's results."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd

from sonotune.layout import format_percent
from sonotune.report.claims.parse import Claim
from sonotune.report.claims.results import TIMES, StudyResults
from sonotune.report.claims.verdict import Place
from sonotune.report.published import published_mean
from sonotune.statistics.claims import (
    NOTHING,
    Estimate,
    estimate_mean,
    estimate_pair,
    variance_difference,
)

PlacedTerm = tuple[float, str, float]  # weight, strategy, fraction


@dataclass(frozen=True)
class Row:
    """What is judged at one place.

    Attributes
    ----------
    place
        Where.
    comparison
        What the estimates are, in words.
    estimates
        One, or several if the smallest counts. For times, of their logarithm.
    paper
        The same from the paper's means; NaN if one is missing.
    note
        A remark for the reader.
    premise
        What must be shown to be above 0 for the claim to be decided, or None.
    """

    place: Place
    comparison: str
    estimates: Sequence[Estimate]
    paper: float = np.nan
    note: str = ""
    premise: Estimate | None = None


def _paper_sum(claim: Claim, dataset: str, metric: str, terms: Sequence[PlacedTerm]) -> float:
    """A sum of the paper's means, of times of their logarithms; NaN where one is missing."""
    total = 0.0
    for weight, strategy, fraction in terms:
        mean = published_mean(claim.paper, dataset, strategy, fraction, metric)
        total += weight * (float(np.log(mean)) if metric in TIMES else mean)
    return total


def _difference(pair: Sequence[str], fraction: float) -> list[PlacedTerm]:
    return [(1.0, pair[0], fraction), (-1.0, pair[1], fraction)]


def _pair_rows(claim: Claim, results: StudyResults) -> Iterator[Row]:
    if claim.overall:
        yield from _overall_rows(claim, results)
        return
    names = results.rivals(claim.paper)
    groups = [claim.pairs] if claim.smallest else [(pair,) for pair in claim.pairs]
    for place, group in product(results.places(claim), groups):
        (metric, dataset, fraction), pairs = place, results.pairs(*place, names)
        others = ", ".join(second for _, second in group)
        paper = [_paper_sum(claim, dataset, metric, _difference(pair, fraction)) for pair in group]
        yield Row(
            place,
            f"{group[0][0]}{_minus(metric)}{'the better of ' * (len(group) > 1)}{others}",
            [estimate_pair(pairs, *map(names.index, pair)) for pair in group],
            float(np.min(paper)),
        )


def _minus(metric: str) -> str:
    return " / " if metric in TIMES else " - "


def _overall_rows(claim: Claim, results: StudyResults) -> Iterator[Row]:
    """Averages over fractions in each fold, and over data sets."""
    for metric, pair in product(claim.metrics, claim.pairs):
        gaps: dict[str, list[np.ndarray]] = {}
        paper = []
        for place in results.places(claim):
            if place[0] == metric:
                _, dataset, fraction = place
                first, second = results.matrix(*place, pair).T
                gaps.setdefault(dataset, []).append(first - second)
                paper.append(_paper_sum(claim, dataset, metric, _difference(pair, fraction)))
        estimate = estimate_mean([np.mean(parts, axis=0) for parts in gaps.values()])
        name = f"{_minus(metric).join(pair)}, mean of all"
        yield Row((metric, "", None), name, [estimate], pd.Series(paper).mean())


def _contrast_rows(claim: Claim, results: StudyResults) -> Iterator[Row]:
    everywhere = any(fraction is None for _, _, fraction in claim.terms)
    anywhere = product(claim.metrics, results.datasets_of(claim), [None])
    places: Iterable[Place] = results.places(claim) if everywhere else anywhere
    for metric, dataset, at in places:
        terms, given = (
            [(w, name, (at or 0.0) if fraction is None else fraction) for w, name, fraction in part]
            for part in (claim.terms, claim.given)
        )
        scores = results.scores(metric, dataset)
        if not all((fraction, name) in scores.index for _, name, fraction in (*terms, *given)):
            continue
        total, premise = (
            sum(weight * scores.loc[(fraction, name)].to_numpy() for weight, name, fraction in part)
            for part in (terms, given)
        )
        yield Row(
            (metric, dataset, at),
            " ".join(_term(number, *term) for number, term in enumerate(terms)),
            [estimate_mean([total])],
            _paper_sum(claim, dataset, metric, terms),
            premise=estimate_mean([premise]) if given else None,
        )


def _term(number: int, weight: float, strategy: str, fraction: float | None) -> str:
    sign = "- " if weight < 0 else "+ " if number else ""
    size = "" if abs(weight) == 1 else f"{abs(weight):g} x "
    return f"{sign}{size}{strategy}" + (f" at {format_percent(fraction)}" if fraction else "")


def _steps(
    claim: Claim, results: StudyResults
) -> Iterator[tuple[str, tuple[float, float], list[np.ndarray]]]:
    """Data sets and steps, with the scores of all strategies at both fractions."""
    names = results.rivals(claim.paper)
    for dataset, step in product(results.datasets_of(claim), claim.steps):
        if names and set(step) <= set(results.fractions(dataset)):
            yield dataset, step, [results.matrix("dice", dataset, p, names) for p in step]


def _data_rows(claim: Claim, results: StudyResults) -> Iterator[Row]:
    for dataset, (first, second), (at_first, at_second) in _steps(claim, results):
        rises = at_first - at_second
        known = np.isfinite(rises)
        rises = rises[known.any(1)][:, known.any(0)]
        means = np.array([np.nanmean(column) for column in rises.T])
        if not rises.size:
            estimates = [NOTHING]
        elif claim.smallest:
            estimates = [estimate_mean([column]) for column in rises.T]
        else:
            # Strategies weigh equally, also in folds in which one has failed.
            estimates = [estimate_mean([np.nanmean(rises - means, axis=1) + means.mean()])]
        terms = [[(1.0, name, first), (-1.0, name, second)] for name in results.rivals(claim.paper)]
        paper = pd.Series([_paper_sum(claim, dataset, "dice", both) for both in terms], dtype=float)
        note = f"{(means <= 0).sum()} of {len(means)} strategies do not rise"
        if number := paper.count():
            note += f"; in the paper {(paper <= 0).sum()} of {number}"
        what = "smallest rise of a strategy" if claim.smallest else "mean of all strategies"
        name = f"{format_percent(first)} - {format_percent(second)}, {what}"
        printed = paper.min() if claim.smallest else paper.mean()
        yield Row(("dice", dataset, None), name, estimates, printed, note)


def _variance_rows(claim: Claim, results: StudyResults) -> Iterator[Row]:
    for dataset, (first, second), scores in _steps(claim, results):
        estimate = estimate_mean([variance_difference(*scores)])
        name = f"variance over folds at {format_percent(first)} - at {format_percent(second)}"
        yield Row(("dice", dataset, None), name, [estimate])


ROWS: dict[str, Callable[[Claim, StudyResults], Iterator[Row]]] = {
    "better": _pair_rows,
    "equivalent": _pair_rows,
    "not_worse": _pair_rows,
    "contrast": _contrast_rows,
    "more_data": _data_rows,
    "more_variable": _variance_rows,
}
