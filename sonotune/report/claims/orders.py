"""Claims about the order of strategies: best, worst, better here and worse there; and counts."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from scipy.stats import rankdata

from sonotune.report.claims.parse import Claim
from sonotune.report.claims.results import BASELINE, StudyResults
from sonotune.report.claims.verdict import NOT_APPLICABLE, NOWHERE, Place, Verdict, decide
from sonotune.report.published import published_mean
from sonotune.seeds import generator
from sonotune.statistics.choice import VERDICT_FOLDS
from sonotune.statistics.claims import (
    evaluate_top,
    fails_more_often,
    mean_ranks,
    significantly_better,
)
from sonotune.statistics.pairs import LEVEL, PairwiseDifferences, compare

FEW_FOLDS = f"fewer than {VERDICT_FOLDS} folds: nothing is decided"
RULE_OF_ORDER = "all pairs: holds if each other is shown to be beyond, fails if another comes first"


def _extremes(claim: Claim, results: StudyResults) -> Iterator[Verdict]:
    """Best and worst, in each place or over all of them."""
    names = results.rivals(claim.paper)
    outsiders = len(names) - len(claim.strategies)
    best, k = claim.kind == "best", max(claim.k, len(claim.strategies))
    # As many others as may come first belong to no claim that could fail.
    if outsiders <= k - len(claim.strategies):
        note = "there are too few other strategies to compare with"
        yield Verdict.of(claim, verdict=NOT_APPLICABLE, note=note)
        return
    claimed = [names.index(name) for name in claim.strategies]
    orders = (
        [_overall(claim, results, names)]
        if claim.overall
        else [
            (place, results.pairs(*place, names), _printed(claim, names, *place))
            for place in results.places(claim)
        ]
    )
    tests = len(claimed) * outsiders * len(orders)
    what = "in mean rank" if claim.overall else "in the mean"
    for place, pairs, printed in orders:
        merit = pairs.means[0] if best else -pairs.means[0]
        better = significantly_better(pairs, tests)
        holds, fails = evaluate_top(better if best else better.transpose(0, 2, 1), claimed, k)
        notes = []
        if np.isfinite(merit).any():
            first = [names[i] for i in np.argsort(-merit)[: max(3, k)]]
            notes.append(f"the {claim.kind} are {', '.join(first)}")
        if pairs.folds.max(initial=0) < VERDICT_FOLDS:
            notes.append(FEW_FOLDS)
        known = np.isfinite(printed).all()
        ahead = _ahead(printed if best else -printed, claimed, k) if known else np.nan
        yield Verdict.of(
            claim,
            place,
            comparison=f"least distance of {', '.join(claim.strategies)} to the others {what}",
            verdict=decide(bool(holds[0]), bool(fails[0])),
            value=_ahead(merit, claimed, k),
            rule=RULE_OF_ORDER,
            paper_value=ahead,
            paper_supports=ahead >= 0 if known else None,
            note="; ".join(notes),
        )


def _overall(
    claim: Claim, results: StudyResults, names: Sequence[str]
) -> tuple[Place, PairwiseDifferences, np.ndarray]:
    """All pairs of mean ranks, and the paper's mean ranks, NaN without any."""
    places = results.places(claim)
    scores = [
        np.array([results.matrix(m, d, p, names) for m, d, p in places if d == dataset])
        for dataset in results.datasets_of(claim)
    ]
    merits = mean_ranks([part for part in scores if len(part)])
    printed = [_printed(claim, names, *place) for place in places]
    ranks = [rankdata(means) for means in printed if np.isfinite(means).all()]
    nothing = np.full(len(names), np.nan)
    return NOWHERE, compare(merits[None]), np.mean(ranks or [nothing], axis=0)


def _printed(
    claim: Claim, names: Sequence[str], metric: str, dataset: str, fraction: float
) -> np.ndarray:
    """The paper's means, NaN where it prints none."""
    means = [published_mean(claim.paper, dataset, name, fraction, metric) for name in names]
    return np.array(means)


def _ahead(merit: np.ndarray, claimed: list[int], k: int) -> float:
    """How far the last of those claimed is ahead of the first other that must not be."""
    others = np.sort(np.delete(merit, claimed))[::-1]
    return float(merit[claimed].min() - others[k - len(claimed)])


def _mixed(claim: Claim, results: StudyResults) -> Iterator[Verdict]:
    """Neither of a pair is better throughout."""
    names, places = results.rivals(claim.paper), results.places(claim)
    tables = [results.pairs(*place, names) for place in places]

    def shown(first: str, second: str, *how: int) -> list[bool]:
        at = 0, names.index(first), names.index(second)
        return [bool(significantly_better(table, *how)[at]) for table in tables]

    for pair in claim.pairs:
        ways = pair, pair[::-1]
        better, worse = (shown(*way, 2 * len(places) * len(claim.pairs)) for way in ways)
        # Only if all places say so does it fail: each is tested by itself, both ways.
        one_way = any(all(shown(*way, 2 * len(claim.pairs), 1)) for way in ways)
        printed = [_printed(claim, pair, *place) for place in places]
        gaps = [float(means[0] - means[1]) for means in printed if np.isfinite(means).all()]
        yield Verdict.of(
            claim,
            comparison=" - ".join(pair),
            verdict=decide(any(better) and any(worse), one_way and len(places) > 1),
            rule="shown to be better here and worse there; fails if one way at every place",
            note=f"better at {sum(better)} and worse at {sum(worse)} of {len(places)} places",
            paper_supports=min(gaps) < 0 < max(gaps) if gaps else None,
        )


def _not_by_parameters(claim: Claim, results: StudyResults) -> Iterator[Verdict]:
    """Some strategy is shown to be better than one that tunes more parameters."""
    rivals = results.rivals(claim.paper)
    names = tuple(name for name in claim.strategies if name in rivals and name != BASELINE)
    tuned = np.array([float(results.tuned[name]) for name in names])
    fewer = tuned[:, None] < tuned[None, :]
    places = results.places(claim) if fewer.any() else []
    for place in places:
        pairs = results.pairs(*place, names)
        better = significantly_better(pairs, int(fewer.sum()) * len(places))[0]
        exceptions = [f"{names[i]} over {names[j]}" for i, j in np.argwhere(better & fewer)]
        ordered = significantly_better(pairs, len(places), 1)[0].T[fewer].all()
        means = _printed(claim, names, *place)
        against = means[:, None] > means[None, :]
        yield Verdict.of(
            claim,
            place,
            comparison="strategies that are better than one that tunes more",
            verdict=decide(bool(exceptions), bool(ordered)),
            rule="all pairs: holds if one is shown, fails if all are shown the other way",
            paper_supports=bool((against & fewer).any()) if np.isfinite(means).all() else None,
            note=f"{len(exceptions)} of {fewer.sum()} pairs"
            + (f", such as {exceptions[0]}" if exceptions else ""),
        )


def _fewer_parameters(claim: Claim, results: StudyResults) -> Iterator[Verdict]:
    """The first of each pair tunes fewer parameters, by a share: a fact of the configuration."""
    for first, second in claim.pairs:
        here, paper = results.tuned[second], claim.baseline_parameters
        if paper and here != paper:
            why = f"{second} tunes {here:,} parameters here, in the paper {paper:,}"
            yield Verdict.of(claim, verdict=NOT_APPLICABLE, note=why)
            continue
        fewer = 1 - float(results.tuned[first]) / float(here)
        least = float(claim.at_least)  # type: ignore[arg-type]
        yield Verdict.of(
            claim,
            comparison=f"1 - parameters of {first} / of {second}",
            verdict=decide(fewer >= least, fewer < least),
            value=fewer,
            rule=f"at least {least:g}",
        )


def _failures(claim: Claim, results: StudyResults) -> Iterator[Verdict]:
    """Some strategies fail more often than the others."""
    names = list(results.rivals(claim.paper))
    runs = results.runs[results.runs["strategy"].isin(names) & (results.runs["fraction"] > 0)]
    runs = runs[runs["dataset"].isin(results.datasets_of(claim))]
    counts = runs.pivot_table(
        index=["dataset", "fold"], columns="strategy", values="failed", aggfunc="sum", fill_value=0
    )[names]
    claimed = [names.index(name) for name in claim.strategies]
    own = runs["strategy"].isin(claim.strategies)
    note = (
        f"{runs[own]['failed'].sum()} of {own.sum()} runs of {', '.join(claim.strategies)} failed, "
        f"and {runs[~own]['failed'].sum()} of {(~own).sum()} others"
    )
    more = less = 1.0
    if counts.groupby("dataset").size().min() >= VERDICT_FOLDS:
        random = generator(1, "claims", claim.id)
        more, less = fails_more_often(counts.to_numpy(int), claimed, random)
    else:
        note = f"{note}; {FEW_FOLDS}"
    yield Verdict.of(
        claim,
        comparison="share of runs that fail, above that of the others",
        verdict=decide(more <= LEVEL, less <= LEVEL),
        value=float(runs[own]["failed"].mean() - runs[~own]["failed"].mean()),
        rule="permutation test over folds at 5 %",
        note=note,
    )


ORDERS: dict[str, Callable[[Claim, StudyResults], Iterator[Verdict]]] = {
    "best": _extremes,
    "worst": _extremes,
    "mixed": _mixed,
    "not_by_parameters": _not_by_parameters,
    "fewer_parameters": _fewer_parameters,
    "fails_to_converge": _failures,
}
