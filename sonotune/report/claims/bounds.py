"""Claims that a difference, or another sum of means, lies on one side of a bound or within two."""

from collections.abc import Sequence

import numpy as np

from sonotune.report.claims.parse import Claim
from sonotune.report.claims.results import TIMES, StudyResults
from sonotune.report.claims.rows import ROWS, Row
from sonotune.report.claims.verdict import UNDECIDED, Verdict, decide
from sonotune.statistics.choice import VERDICT_FOLDS
from sonotune.statistics.claims import folds_for_equivalence
from sonotune.statistics.planning import MOST_FOLDS

FEW_FOLDS = f"fewer than {VERDICT_FOLDS} folds: nothing is decided"


def evaluate_bounds(claim: Claim, results: StudyResults) -> list[Verdict]:
    """Judge a claim whose kind is one of `ROWS`, with bounds adjusted for all its rows.

    Parameters
    ----------
    claim
        The claim.
    results
        What the study found.
    """
    rows = list(ROWS[claim.kind](claim, results))
    sides = [sum(np.isfinite(_region(claim, results, row))) for row in rows]
    tests = int(sum(len(row.estimates) * n for row, n in zip(rows, sides, strict=True)))
    return [_judge(claim, results, row, tests) for row in rows]


def _region(claim: Claim, results: StudyResults, row: Row) -> tuple[float, float]:
    """Where the claim says that the value is."""

    def bound(given: object, otherwise: float) -> float:
        value = given.get(row.metric) if isinstance(given, dict) else given
        return otherwise if value is None else float(value)  # type: ignore[arg-type]

    if claim.kind in ("equivalent", "not_worse"):
        usual = results.margins.get(row.dataset, results.margins[""])
        margin = usual if claim.margin is None else claim.margin
        return -margin, margin if claim.kind == "equivalent" else np.inf
    if row.metric in TIMES:
        return -np.inf, float(np.log(bound(claim.at_most, 1.0)))
    one_sided = claim.at_least is None and claim.at_most is not None
    return bound(claim.at_least, -np.inf if one_sided else 0.0), bound(claim.at_most, np.inf)


def _judge(claim: Claim, results: StudyResults, row: Row, tests: int) -> Verdict:
    low, high = _region(claim, results, row)
    reaches = [estimate.reach(tests, row.strategies) for estimate in row.estimates]
    values = np.array([estimate.value for estimate in row.estimates])
    lower, upper = float((values - reaches).min()), float((values + reaches).min())
    note = row.note or claim.why
    verdict = decide(lower >= low and upper <= high, upper < low or lower > high)
    if verdict == UNDECIDED:
        note = "; ".join(filter(None, [note, _why_undecided(claim, row, (low, high), tests)]))
    elif row.premise is not None and not row.premise.value > row.premise.reach(1):
        verdict, note = UNDECIDED, "it is a share of a gain that is not shown"
    said = _paper_finds_significant(claim, row)
    shape = np.exp if row.metric in TIMES else np.asarray
    return Verdict.of(
        claim,
        **results.place(row.metric, row.dataset, row.fraction),
        comparison=row.comparison,
        verdict=verdict,
        value=float(shape(values.min())),
        lower=float(shape(lower)),
        upper=float(shape(upper)),
        rule=_rule(float(shape(low)), float(shape(high))),
        paper_value=None if row.paper is None else float(shape(row.paper)),
        paper_supports=None if row.paper is None else low < row.paper <= high,
        paper_significant=said,
        as_paper_found=_as_found(row, said, reaches, high <= 0, claim),
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
    width = (region[1] - region[0]) / 2 if np.isfinite(region).all() else -region[0]
    if claim.kind not in ("equivalent", "not_worse") and not np.isfinite(region).all():
        return ""
    needed = [
        folds_for_equivalence(width, estimate, tests, row.strategies) for estimate in row.estimates
    ]
    if None in needed:
        return f"no feasible number of folds (up to {MOST_FOLDS}) could show it: runs vary too much"
    most = max(number for number in needed if number is not None)
    return f"can hold from about {most} folds on" if most > row.estimates[0].folds else ""


def _paper_finds_significant(claim: Claim, row: Row) -> bool | None:
    """Whether the paper calls it significant; None if it does not say."""
    if claim.kind == "equivalent":
        return False if claim.paper != "own" else None
    if claim.significant is None:
        return None
    datasets = claim.significant.get("datasets", [row.dataset])
    fractions = claim.significant.get("fractions", [row.fraction])
    return row.dataset in datasets and row.fraction in fractions


def _as_found(
    row: Row, said: bool | None, reaches: Sequence[float], falling: bool, claim: Claim
) -> bool | None:
    """Whether the run finds the significance that the paper found; None if it could not have."""
    (estimate, *_), (reach, *_) = row.estimates, reaches
    if said is None or not np.isfinite(reach):
        return None
    up, down = estimate.value > reach, estimate.value < -reach
    significant = up or down if claim.kind == "equivalent" else down if falling else up
    able = row.paper is not None and (
        estimate.has_power(row.paper, reach) or abs(estimate.value - row.paper) > reach
    )
    return significant == said if significant or able else None
