"""Verdicts as a table of data and as a page for people."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path

import pandas as pd

from sonotune.report.claims.verdict import VERDICTS, Verdict
from sonotune.report.layout import DASH
from sonotune.report.web import STYLE
from sonotune.runtime.files import atomic

TITLES = {
    "amiri2020": "Amiri, Brooks and Rivaz 2020",
    "wang2023": "Wang, Silvestre and Curran 2023",
    "across": "Across both papers",
    "own": "Claims of this study",
}
OWN_STYLE = """
h2 { margin: 1.6rem 0 .4rem; font-size: 1.15rem; }
details { border-top: 1px solid #ccc; padding: .35rem 0; max-width: 80rem; }
summary { cursor: pointer; }
summary b { display: inline-block; min-width: 3.1rem; }
.chip { border-radius: .7rem; padding: .05rem .55rem; margin-left: .35rem; font-size: 12px;
  white-space: nowrap; border: 1px solid #0003; }
.holds { background: #bcefbc; } .fails { background: #f09286; } .undecided { background: #f0c252; }
.not-applicable, .untested { background: #e4e4e4; }
details table { margin: .5rem 0 .5rem 2.6rem; font-size: 13px; }
details td, details th { text-align: left; }
details td.number { text-align: right; white-space: nowrap; }
p.rule { margin: .3rem 0 0 2.6rem; font-size: 13px; color: #333; }
p { max-width: 60rem; }
"""
HEAD = (
    "Where",
    "What",
    "Verdict",
    "Value",
    "95 % interval",
    "p",
    "In the paper",
    "Its table agrees",
    "Significance as found there",
    "Note",
)


def write_claims(verdicts: Sequence[Verdict], table: str | Path, page: str | Path) -> None:
    """Write ``claims.csv``, a row a verdict, and ``claims.html``."""
    with atomic(table) as temporary:
        frame = pd.DataFrame([asdict(one) for one in verdicts])
        frame.to_csv(temporary, index=False, lineterminator="\n", float_format="%.6g")
    with atomic(page) as temporary:
        temporary.write_text(claims_page(verdicts), "utf-8")


def claims_page(verdicts: Sequence[Verdict]) -> str:
    """One page of HTML that needs no other file: every claim, and its verdicts when opened."""
    lines = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        "<title>Claims</title>",
        f"<style>{STYLE}{OWN_STYLE}</style>",
        "</head>",
        "<body>",
        "<h1>What holds on this run</h1>",
        f"<p>{html.escape(_in_short(verdicts))} Open a claim to see where. <em>Better</em> holds "
        "at an adjusted p below .05 and fails at p below .05 the other way; <em>no difference</em> "
        "holds only where the whole adjusted interval lies within the margin; ranks hold at a "
        "bootstrap probability of .95. Everything else is undecided: with few folds that is no "
        "agreement.</p>",
    ]
    for paper, of_paper in groupby(verdicts, key=lambda one: one.paper):
        lines.append(f"<h2>{html.escape(TITLES.get(paper, paper))}</h2>")
        for _, of_claim in groupby(of_paper, key=lambda one: one.claim):
            lines += _claim(list(of_claim))
    return "\n".join([*lines, "</body>", "</html>"]) + "\n"


def _in_short(verdicts: Sequence[Verdict]) -> str:
    counts = Counter(one.verdict for one in verdicts)
    parts = [f"{counts[word]} {word}" for word in VERDICTS if counts[word]]
    return f"{len({one.claim for one in verdicts})} claims at {len(verdicts)} places: " + (
        ", ".join(parts) + "."
    )


def _claim(verdicts: Sequence[Verdict]) -> list[str]:
    first = verdicts[0]
    counts = Counter(one.verdict for one in verdicts)
    chips = "".join(
        f'<span class="chip {word.replace(" ", "-")}">{word}'
        f"{f' {counts[word]}' if len(verdicts) > 1 else ''}</span>"
        for word in VERDICTS
        if counts[word]
    )
    return [
        f'<details id="{html.escape(first.claim)}">',
        f"<summary><b>{html.escape(first.claim)}</b>{html.escape(first.says)}{chips}</summary>",
        *(f'<p class="rule">{html.escape(text)}</p>' for text in _rules(verdicts)),
        "<table>",
        "<thead><tr>",
        *(f'<th scope="col">{title}</th>' for title in HEAD),
        "</tr></thead>",
        "<tbody>",
        *map(_row, verdicts),
        "</tbody>",
        "</table>",
        "</details>",
    ]


def _rules(verdicts: Sequence[Verdict]) -> list[str]:
    rules = dict.fromkeys(one.rule for one in verdicts if one.rule)
    return [f"Rule: {'; '.join(rules)}."] if rules else []


def _row(one: Verdict) -> str:
    percent = "" if one.percent is None else f"{one.percent:g}\u00a0%"
    metric = "" if one.metric == "dice" else one.metric.replace("_", " ")
    where = ", ".join(filter(None, [_named(one), percent, metric])) or "whole study"
    interval = f"{_number(one.lower)} to {_number(one.upper)}" if one.lower == one.lower else DASH
    paper = DASH if one.paper_value is None else _number(one.paper_value)
    cells: Iterable[tuple[str, str]] = (
        ("", where),
        ("", one.comparison or DASH),
        (one.verdict.replace(" ", "-"), one.verdict),
        ("number", _number(one.value)),
        ("number", interval),
        ("number", _p(one.p)),
        ("number", paper),
        ("", one.paper_supports or DASH),
        ("", one.as_paper_found or DASH),
        ("", one.note),
    )
    inner = "".join(
        f'<td class="{name}">{html.escape(text)}</td>' if name else f"<td>{html.escape(text)}</td>"
        for name, text in cells
    )
    return f"<tr>{inner}</tr>"


def _named(one: Verdict) -> str:
    if not one.dataset or one.source in ("", one.dataset):
        return one.dataset
    return f"{one.dataset} ({one.source})"


def _number(value: float | None) -> str:
    return DASH if value is None or value != value else f"{value:.3f}"


def _p(value: float) -> str:
    return DASH if value != value else "< .001" if value < 0.001 else f"{value:.3f}"
