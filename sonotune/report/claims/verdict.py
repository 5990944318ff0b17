"""What a judgement consists of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from sonotune.report.claims.declare import Claim
from sonotune.report.published import published_mean

LEVEL = 0.05
# Shares of the bootstrap's replicates.
SURE = 0.95

HOLDS, FAILS, UNDECIDED = "holds", "fails", "undecided"
NOT_APPLICABLE, UNTESTED = "not applicable", "untested"
VERDICTS = (HOLDS, FAILS, UNDECIDED, NOT_APPLICABLE, UNTESTED)


@dataclass(frozen=True)
class Verdict:
    """A claim judged at one place.

    Attributes
    ----------
    comparison
        What ``value`` is: a difference, a probability, a share.
    lower, upper, p
        Adjusted 95 % interval and p value of ``value``, or those of the bootstrap.
    rule
        What decided.
    paper_value, paper_supports
        The same from the means that the paper printed, and whether they are as claimed.
    paper_significant, as_paper_found
        Whether the paper calls it significant, and whether this run finds the same.
    """

    claim: str
    paper: str
    says: str
    kind: str
    metric: str = "dice"
    dataset: str = ""
    source: str = ""
    percent: float | None = None
    comparison: str = ""
    verdict: str = UNDECIDED
    value: float = np.nan
    lower: float = np.nan
    upper: float = np.nan
    p: float = np.nan
    rule: str = ""
    paper_value: float | None = None
    paper_supports: str = ""
    paper_significant: str = ""
    as_paper_found: str = ""
    note: str = ""

    @staticmethod
    def of(claim: Claim, **what: Any) -> Verdict:
        """A verdict on a claim."""
        return Verdict(claim.id, claim.paper, claim.says, claim.kind, **what)


def decide(holds: bool, fails: bool) -> str:
    """The word for it; neither is undecided."""
    return FAILS if fails else HOLDS if holds else UNDECIDED


def supported(value: float | None, claimed: Callable[[float], bool]) -> str:
    """Whether the paper's own numbers are as it says: yes, no, or nothing where it prints none."""
    return "" if value is None else "yes" if claimed(value) else "no"


def paper_difference(
    claim: Claim, dataset: str, percent: float, metric: str, first: str, second: str
) -> float | None:
    """First less second, from the means that the paper printed; None where one is missing."""
    one, two = (
        published_mean(claim.paper, dataset, strategy, percent, metric)
        for strategy in (first, second)
    )
    return None if one is None or two is None else one - two
