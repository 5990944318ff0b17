"""What a judgement consists of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sonotune.report.claims.parse import Claim

# Metric, data set and fraction of a judgement; none of the latter two where it is about several.
Place = tuple[str, str, float | None]
NOWHERE: Place = ("dice", "", None)

HOLDS, FAILS, UNDECIDED = "holds", "fails", "undecided"
NOT_APPLICABLE, UNTESTED = "not applicable", "untested"
ANSWERS: dict[bool | None, str] = {None: "", True: "yes", False: "no"}
VERDICTS = (HOLDS, FAILS, UNDECIDED, NOT_APPLICABLE, UNTESTED)


@dataclass(frozen=True)
class Verdict:
    """A claim judged at one place.

    Attributes
    ----------
    claim, paper, says, kind
        Of the claim (`sonotune.report.claims.parse.Claim`).
    metric, dataset
        Where it was judged.
    fraction
        Share of the data set, or None if the claim is about several.
    comparison
        What ``value`` is: a difference, a ratio of times, a distance in ranks.
    verdict
        ``holds``, ``fails`` or a reason why neither is shown.
    value
        Estimate of what ``comparison`` names; NaN without one.
    lower, upper
        Bounds of the value, adjusted for all statements of the claim; NaN where it is not tested
        or where many pairs are tested at once.
    rule
        What decided.
    paper_value, paper_supports
        The same from the means that the paper printed, and whether they are as claimed.
    paper_significant, as_paper_found
        Whether the paper calls it significant, and whether this run finds the same; empty where
        the run could not have found the paper's difference.
    note
        A remark for the reader.
    """

    claim: str
    paper: str
    says: str
    kind: str
    metric: str
    dataset: str
    fraction: float | None
    comparison: str = ""
    verdict: str = UNDECIDED
    value: float = np.nan
    lower: float = np.nan
    upper: float = np.nan
    rule: str = ""
    paper_value: float = np.nan
    paper_supports: str = ""
    paper_significant: str = ""
    as_paper_found: str = ""
    note: str = ""

    @staticmethod
    def of(claim: Claim, place: Place = NOWHERE, **what: Any) -> Verdict:
        """A verdict on a claim.

        Parameters
        ----------
        claim
            The claim.
        place
            Where it was judged.
        **what
            The other fields. Answers may be True, False, or None where they are unknown.
        """
        for answer in ("paper_supports", "paper_significant", "as_paper_found"):
            what[answer] = ANSWERS[what.get(answer)]
        return Verdict(claim.id, claim.paper, claim.says, claim.kind, *place, **what)


def decide(holds: bool, fails: bool) -> str:
    """The word for it; neither is undecided.

    Parameters
    ----------
    holds, fails
        Whether the claim is shown to hold, and to fail.
    """
    return FAILS if fails else HOLDS if holds else UNDECIDED
