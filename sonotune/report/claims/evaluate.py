"""Judge a claim wherever it applies."""

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
    why = _missing(claim, results)
    if claim.kind == "untested" and not why:
        return [Verdict.of(claim, verdict=UNTESTED, note=claim.why)]
    if not why:
        evaluate = evaluate_bounds if claim.kind in ROWS else ORDERS[claim.kind]
        if verdicts := list(evaluate(claim, results)):
            return verdicts
        why = "the study does not have the strategies that are compared"
    return [Verdict.of(claim, verdict=NOT_APPLICABLE, note=why)]


def _missing(claim: Claim, results: StudyResults) -> str:
    """Why a claim cannot be about this study, or nothing."""
    if claim.datasets is not None and not set(claim.datasets) & set(results.datasets):
        return f"is about {', '.join(claim.datasets)}, which the study does not have"
    needed, rivals = claim.needed(), results.rivals(claim.paper)
    if lacking := [name for name in needed if name not in results.strategies]:
        return f"the study does not have the strategy {', '.join(lacking)}"
    compared = {*claim.strategies, *sum(claim.pairs, ())} & set(needed)
    if other := [name for name in needed if name in compared and name not in rivals]:
        return f"{', '.join(other)} has another network, or is not tuned"
    return ""
