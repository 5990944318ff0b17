"""Claims that are judged by counting: what varies more, goes both ways, tunes less, or fails."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from scipy.stats import binomtest

from sonotune.report.claims.declare import Claim
from sonotune.report.claims.facts import Facts
from sonotune.report.claims.ranks import Place
from sonotune.report.claims.verdict import LEVEL, Verdict, decide, paper_difference


def judge_spread(claim: Claim, facts: Facts, datasets: Iterable[str]) -> Iterator[Verdict]:
    """Folds vary more at the first percent of a step than at the second."""
    runs = facts.runs("dice")
    for dataset in datasets:
        mine = runs[(runs["dataset"] == dataset) & (runs["percent"] > 0)]
        spread = mine.groupby(["strategy", "percent"])["value"].std().unstack()
        for first, second in claim.steps:
            if first not in spread or second not in spread:
                continue
            gaps = (spread[first] - spread[second]).dropna()
            gaps = gaps[gaps != 0]
            wider = int((gaps > 0).sum())
            p = float(binomtest(wider, len(gaps)).pvalue) if len(gaps) else np.nan
            share = wider / len(gaps) if len(gaps) else np.nan
            yield Verdict.of(
                claim,
                dataset=dataset,
                source=facts.source(dataset),
                comparison=f"share of strategies that vary more at {first:g} than at {second:g} %",
                verdict=decide(p < LEVEL and share > 0.5, p < LEVEL and share < 0.5),
                value=share,
                p=p,
                rule="sign test over strategies, p < .05",
                note="" if len(gaps) else "one fold does not vary",
            )


def judge_mixed(claim: Claim, facts: Facts, places: Iterable[Place]) -> Iterator[Verdict]:
    """Neither of a pair is better throughout."""
    where = [place[1:] for place in places]
    for first, second in claim.pairs:
        found = [facts.difference("dice", *place, first, second) for place in where]
        known = [one for one in found if not np.isnan(one.p)]
        better = sum(one.p < LEVEL and one.value > 0 for one in known)
        worse = sum(one.p < LEVEL and one.value < 0 for one in known)
        one_way = bool(known) and len(known) in (better, worse)
        gaps = [
            paper_difference(claim, dataset, percent, "dice", first, second)
            for dataset, percent in where
        ]
        printed = [gap for gap in gaps if gap is not None]
        yield Verdict.of(
            claim,
            comparison=f"{first} - {second}",
            verdict=decide(better > 0 and worse > 0, one_way),
            value=float(np.mean([one.value > 0 for one in known])) if known else np.nan,
            rule="significant both ways; fails if everywhere one way",
            note=f"significantly better {better} and worse {worse} of {len(known)} times",
            paper_supports=""
            if not printed
            else "yes"
            if min(printed) < 0 < max(printed)
            else "no",
        )


def judge_fewer_parameters(claim: Claim, facts: Facts) -> Iterator[Verdict]:
    """The first of each pair tunes so many parameters fewer."""
    assert claim.at_least is not None
    tuned = facts.all_runs.groupby("strategy")["tuned_parameters"].first()
    for first, second in claim.pairs:
        fewer = 1 - float(tuned[first]) / float(tuned[second])
        yield Verdict.of(
            claim,
            comparison=f"1 - parameters of {first} / of {second}",
            verdict=decide(fewer >= claim.at_least, fewer < claim.at_least),
            value=fewer,
            rule=f"at least {claim.at_least:g}",
        )


def judge_fails(claim: Claim, facts: Facts, datasets: Iterable[str]) -> Iterator[Verdict]:
    """Some runs of these strategies fail, and no other."""
    for dataset in datasets:
        runs = facts.all_runs
        runs = runs[(runs["dataset"] == dataset) & (runs["percent"] > 0)]
        named = runs["strategy"].isin(claim.strategies)
        own, others = int(runs[named]["failed"].sum()), int(runs[~named]["failed"].sum())
        yield Verdict.of(
            claim,
            dataset=dataset,
            source=facts.source(dataset),
            comparison="failed runs",
            verdict=decide(own > 0 and not others, others > 0),
            value=float(own),
            rule="some of these fail and no other",
            note=f"{own} of {named.sum()} runs of {', '.join(claim.strategies)} failed, and "
            f"{others} of {(~named).sum()} others",
        )
