"""Verdicts as a table of data and as a page for people."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import pandas as pd

from sonotune.evaluation.averages import read_cells
from sonotune.evaluation.tables import save_csv
from sonotune.layout import format_percent
from sonotune.report.claims.evaluate import evaluate_claim
from sonotune.report.claims.parse import paper_claims, parse_claims
from sonotune.report.claims.results import StudyResults
from sonotune.report.claims.verdict import VERDICTS, Verdict
from sonotune.report.tables import DASH
from sonotune.report.template import write_template

TITLES = {
    "amiri2020": "Amiri, Brooks and Rivaz 2020",
    "wang2023": "Wang, Silvestre and Curran 2023",
    "across": "Across both papers",
    "own": "Claims of this study",
}


def write_claims(
    cells: str | Path,
    csv: str | Path,
    html: str | Path,
    *,
    strategy_names: Sequence[str],
    decision: Mapping[str, Any],
    own_claims: Sequence[Mapping[str, Any]],
) -> None:
    """Judge what the papers, and a study itself, say of its results.

    Parameters
    ----------
    cells
        ``cells.csv`` of the study.
    csv, html
        Get one row per verdict, and a page.
    strategy_names
        Names of all the study's strategies, in its order.
    decision
        Key ``decision`` of the study: what difference counts as none.
    own_claims
        Of the study, as `sonotune.report.claims.parse.parse_claims` reads them.
    """
    margins = {"": decision["margin"], **decision["margins"]}
    runs = read_cells(cells)
    results = StudyResults(runs, strategy_names, margins)
    claims = [*parse_claims(own_claims, "own"), *paper_claims()]
    verdicts = [verdict for claim in claims for verdict in evaluate_claim(claim, results)]
    table = pd.DataFrame(verdicts)
    sources = {"": "", **runs.groupby("dataset")["source"].first()}
    table.insert(table.columns.get_loc("dataset") + 1, "source", table["dataset"].map(sources))
    save_csv(table, csv, digits=6)
    papers = [
        (TITLES[paper], [list(rows) for _, rows in groupby(part, lambda verdict: verdict.claim)])
        for paper, part in groupby(verdicts, lambda verdict: verdict.paper)
    ]
    parts = ", ".join(f"{word} {count}" for word, count in _counted(verdicts))
    short = f"{len(claims)} claims, {len(verdicts)} verdicts: {parts}."
    shown = {"counted": _counted, "where": partial(_where, sources), "number": _number}
    write_template("claims/page.html", html, short=short, papers=papers, **shown)


def _counted(verdicts: Sequence[Verdict]) -> list[tuple[str, int]]:
    counts = Counter(verdict.verdict for verdict in verdicts)
    return [(word, counts[word]) for word in VERDICTS if counts[word]]


def _where(sources: Mapping[str, str], verdict: Verdict) -> str:
    source = sources[verdict.dataset]
    source = f" ({source})" if source not in ("", verdict.dataset) else ""
    fraction = "" if verdict.fraction is None else format_percent(verdict.fraction)
    metric = "" if verdict.metric == "dice" else verdict.metric.replace("_", " ")
    return ", ".join(filter(None, [verdict.dataset + source, fraction, metric])) or "whole study"


def _number(value: float) -> str:
    if math.isnan(value):
        return DASH
    return f"{value:.3f}" if value == 0 or abs(value) >= 0.0005 else f"{value:.1e}"
