"""Judge a claim wherever it applies.

Most claims say that a difference, or another sum of means, lies on one side of a bound or within
two; they are judged here. The others are about an order of strategies, or counts.
"""

from collections.abc import Mapping

import numpy as np

from sonotune.report.claims.orders import FEW_FOLDS, ORDERS
from sonotune.report.claims.parse import Claim
from sonotune.report.claims.results import TIMES, StudyResults
from sonotune.report.claims.rows import ROWS, Row
from sonotune.report.claims.verdict import NOT_APPLICABLE, UNDECIDED, UNTESTED, Verdict, decide
from sonotune.statistics.choice import VERDICT_FOLDS
from sonotune.statistics.claims import folds_for_equivalence
from sonotune.statistics.planning import MOST_FOLDS


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
    verdicts = [] if why else list(ORDERS.get(claim.kind, _evaluate_bounds)(claim, results))
    why = why or "the study does not have the strategies that are compared"
    return verdicts or [Verdict.of(claim, verdict=NOT_APPLICABLE, note=why)]


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


def _evaluate_bounds(claim: Claim, results: StudyResults) -> list[Verdict]:
    """Judge a claim whose kind is one of `ROWS`, with bounds adjusted for all its rows."""
    rows = [(row, _region(claim, results, row)) for row in ROWS[claim.kind](claim, results)]
    tests = sum(len(row.estimates) * int(np.isfinite(region).sum()) for row, region in rows)
    return [_judge(claim, row, region, tests) for row, region in rows]


def _region(claim: Claim, results: StudyResults, row: Row) -> tuple[float, float]:
    """Where the claim says that the value is."""
    metric, dataset, _ = row.place
    if claim.kind in ("equivalent", "not_worse"):
        usual = results.margins.get(dataset, results.margins[""])
        margin = usual if claim.margin is None else claim.margin
        return -margin, margin if claim.kind == "equivalent" else np.inf
    low, high = (
        given.get(metric) if isinstance(given, Mapping) else given
        for given in (claim.at_least, claim.at_most)
    )
    if metric in TIMES:
        return -np.inf, float(np.log(1.0 if high is None else high))
    usual = 0.0 if claim.at_most is None or claim.at_least is not None else -np.inf
    return usual if low is None else low, np.inf if high is None else high


def _judge(claim: Claim, row: Row, region: tuple[float, float], tests: int) -> Verdict:
    low, high = region
    reaches = np.array([estimate.reach(tests) for estimate in row.estimates])
    values = np.array([estimate.value for estimate in row.estimates])
    lower, upper = (values - reaches).min(), (values + reaches).min()
    note = row.note or claim.why
    verdict = decide(lower >= low and upper <= high, upper < low or lower > high)
    if verdict == UNDECIDED:
        note = "; ".join(filter(None, [note, _why_undecided(claim, row, region, tests)]))
    elif row.premise is not None and not row.premise.value > row.premise.reach(1):
        verdict, note = UNDECIDED, "it is a share of a gain that is not shown"
    shape = np.exp if row.place[0] in TIMES else float
    said = _paper_finds_significant(claim, row)
    return Verdict.of(
        claim,
        row.place,
        comparison=row.comparison,
        verdict=verdict,
        value=float(shape(values.min())),
        lower=float(shape(lower)),
        upper=float(shape(upper)),
        rule=_rule(float(shape(low)), float(shape(high))),
        paper_value=float(shape(row.paper)),
        paper_supports=None if np.isnan(row.paper) else low < row.paper <= high,
        paper_significant=said,
        as_paper_found=_as_found(claim, row, said, reaches[0], high <= 0),
        note=note,
    )


def _rule(low: float, high: float) -> str:
    if np.isfinite(low) and low != 0 and np.isfinite(high):
        return f"bounds within {low:g} and {high:g}"
    return f"bounds at least {low:g}" if not np.isfinite(high) else f"bounds at most {high:g}"


def _why_undecided(claim: Claim, row: Row, region: tuple[float, float], tests: int) -> str:
    if not all(np.isfinite(estimate.value) for estimate in row.estimates):
        return "no run of one of them counts"
    if min(estimate.folds for estimate in row.estimates) < VERDICT_FOLDS:
        return FEW_FOLDS
    if not all(np.isfinite(estimate.error) for estimate in row.estimates):
        return "too few folds of a data set, or runs that do not vary: no test"
    two_sided = bool(np.isfinite(region).all())
    if claim.kind != "not_worse" and not two_sided:
        return ""
    width = (region[1] - region[0]) / 2 if two_sided else -region[0]
    needed = max(folds_for_equivalence(width, estimate, tests) for estimate in row.estimates)
    if needed > MOST_FOLDS:
        return f"no feasible number of folds (up to {MOST_FOLDS}) could show it: runs vary too much"
    return f"can hold from about {needed:.0f} folds on" if needed > row.estimates[0].folds else ""


def _paper_finds_significant(claim: Claim, row: Row) -> bool | None:
    """Whether the paper calls it significant; None if it does not say."""
    if claim.kind == "equivalent":
        return False if claim.paper != "own" else None
    if claim.significant is None:
        return None
    _, dataset, fraction = row.place
    datasets = claim.significant.get("datasets", [dataset])
    return dataset in datasets and fraction in claim.significant.get("fractions", [fraction])


def _as_found(
    claim: Claim, row: Row, said: bool | None, reach: float, falling: bool
) -> bool | None:
    """Whether the run finds the significance that the paper found; None if it could not have."""
    if said is None or not np.isfinite(reach):
        return None
    estimate = row.estimates[0]
    up, down = estimate.value > reach, estimate.value < -reach
    significant = up or down if claim.kind == "equivalent" else down if falling else up
    able = estimate.has_power(row.paper, reach) or abs(estimate.value - row.paper) > reach
    return significant == said if significant or able else None
