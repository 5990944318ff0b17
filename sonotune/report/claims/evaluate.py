"""Judge a claim wherever it applies."""

from __future__ import annotations

from sonotune.report.claims.bounds import evaluate_bounds
from sonotune.report.claims.orders import ORDERS
from sonotune.report.claims.parse import Claim
from sonotune.report.claims.results import StudyResults
from sonotune.report.claims.rows import ROWS
from sonotune.report.claims.verdict import NOT_APPLICABLE, UNTESTED, Verdict


def evaluate_claim(claim: Claim, results: StudyResults) -> list[Verdict]:
    """Judge a claim wherever it applies.

    Parameters
    ----------
    claim
        The claim.
    results
        What the study found.

    Returns
    -------
    list of Verdict
        One per metric, data set, fraction and comparison. A claim that does not apply to the study,
        or that no run can test, gives one that says why.
    """
    if claim.datasets is not None and not set(claim.datasets) & set(results.datasets):
        why = f"is about {', '.join(claim.datasets)}, which the study does not have"
        return [Verdict.of(claim, verdict=NOT_APPLICABLE, note=why)]
    if missing := _missing(claim, results):
        return [Verdict.of(claim, verdict=NOT_APPLICABLE, note=missing)]
    if claim.kind == "untested":
        return [Verdict.of(claim, verdict=UNTESTED, note=claim.why)]
    known = claim.kind in ROWS
    verdicts = (
        evaluate_bounds(claim, results) if known else list(ORDERS[claim.kind](claim, results))
    )
    if not verdicts:
        why = "the study does not have the strategies that are compared"
        return [Verdict.of(claim, verdict=NOT_APPLICABLE, note=why)]
    return verdicts


def _missing(claim: Claim, results: StudyResults) -> str:
    """Why a claim cannot be about this study, or nothing."""
    needed, rivals = claim.needed(), results.rivals(claim.paper)
    if lacking := [name for name in needed if name not in results.strategies]:
        return f"the study does not have the strategy {', '.join(lacking)}"
    compared = {*claim.strategies, *sum(claim.pairs, ())} & set(needed)
    if other := [name for name in needed if name in compared and name not in rivals]:
        return f"{', '.join(other)} has another network, or is not tuned"
    return ""
