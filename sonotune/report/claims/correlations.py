"""Claims about rank correlations of strategies, judged by the bootstrap."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from scipy.stats import rankdata

from sonotune.report.claims.declare import Claim
from sonotune.report.claims.facts import Facts
from sonotune.report.claims.ranks import Place, against_bound, bound
from sonotune.report.claims.verdict import Verdict, supported
from sonotune.report.published import published_mean
from sonotune.statistics.bootstrap import Replicates


def judge_parameters(claim: Claim, facts: Facts, places: Iterable[Place]) -> Iterator[Verdict]:
    """Rank correlation of tuned parameters and Dice over strategies."""
    tuned = facts.all_runs.groupby("strategy")["tuned_parameters"].first()
    for metric, dataset, percent in places:
        replicates = facts.replicates(metric, dataset)
        names = [n for n in facts.strategies if replicates.column((n, percent)) is not None]
        if len(names) < 3:
            yield Verdict.of(
                claim, dataset=dataset, percent=percent, note="fewer than 3 strategies"
            )
            continue
        counts = np.array([float(tuned[name]) for name in names])
        printed = [published_mean(claim.paper, dataset, n, percent, metric) for n in names]
        paper = (
            float(_rank_correlation(counts, np.array([printed], float))[0])
            if None not in printed
            else None
        )
        columns = _columns(replicates, names, percent)
        lower, upper = replicates.interval(_rank_correlation(counts, replicates.drawn[:, columns]))
        yield Verdict.of(
            claim,
            metric=metric,
            dataset=dataset,
            source=facts.source(dataset),
            percent=percent,
            comparison="rank correlation of tuned parameters and mean",
            value=float(_rank_correlation(counts, replicates.means[None, columns])[0]),
            lower=lower,
            upper=upper,
            verdict=against_bound(claim, lower, upper),
            rule=bound(claim),
            paper_value=paper,
            paper_supports=supported(paper, lambda rho: rho <= (claim.at_most or 0)),
        )


def judge_same_ranks(claim: Claim, facts: Facts, places: Iterable[Place]) -> Iterator[Verdict]:
    """Rank correlation of the study's means with those of folds drawn anew for every strategy."""
    for metric, dataset, percent in places:
        replicates = facts.replicates(metric, dataset, False)
        names = [n for n in facts.strategies if replicates.column((n, percent)) is not None]
        about: dict[str, Any] = {
            "metric": metric,
            "dataset": dataset,
            "source": facts.source(dataset),
            "percent": percent,
        }
        if len(names) < 3 or replicates.folds < 2:
            yield Verdict.of(claim, **about, note="fewer than 3 strategies, or one fold")
            continue
        columns = _columns(replicates, names, percent)
        own = replicates.means[columns]
        correlations = _rank_correlation(own, replicates.drawn[:, columns])
        lower, upper = replicates.interval(correlations)
        yield Verdict.of(
            claim,
            **about,
            comparison="rank correlation with folds drawn anew for every strategy",
            value=float(np.nanmedian(correlations)),
            lower=lower,
            upper=upper,
            verdict=against_bound(claim, lower, upper),
            rule=bound(claim),
            note=claim.why,
        )


def _columns(replicates: Replicates, names: list[str], percent: float) -> list[int]:
    return [replicates.keys.index((name, percent)) for name in names]


def _rank_correlation(counts: np.ndarray, means: np.ndarray) -> np.ndarray:
    """Spearman's, of each row of means with the counts."""
    one, two = rankdata(counts), rankdata(means, axis=1)
    one, two = one - one.mean(), two - two.mean(axis=1, keepdims=True)
    norms = np.sqrt((one**2).sum() * (two**2).sum(axis=1))
    return np.divide(two @ one, norms, out=np.full(len(means), np.nan), where=norms > 0)
