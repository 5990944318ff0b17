"""What a study's page shows, as plain values for its template."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sonotune.data.audit_files import describe_problems
from sonotune.evaluation.averages import training_seconds
from sonotune.evaluation.tables import read_table
from sonotune.layout import format_percent, fraction_text
from sonotune.report.display_options import DisplayOptions, sources_of
from sonotune.report.names import dataset_title, time_text
from sonotune.report.page.details import entry_key
from sonotune.report.page.drawing import BOX, draw_network
from sonotune.report.palette import shade
from sonotune.report.recommend import cost_text
from sonotune.report.tables import DASH, short_count
from sonotune.statistics.choice import VERDICT_FOLDS
from sonotune.statistics.decision import Comparison, Decision
from sonotune.statistics.sentences import basis, decision_sentences, headline

SMALL = 64  # pixels: smaller than networks in use are trained on
VERDICTS = ("holds", "fails", "undecided")


def number(value: float, digits: int = 3) -> str:
    """A number, or a dash.

    Parameters
    ----------
    value
        A number; NaN gives the dash.
    digits
        Digits after the point.
    """
    return f"{value:.{digits}f}" if np.isfinite(value) else DASH


def signed(value: float) -> str:
    """A difference with its sign.

    Parameters
    ----------
    value
        A difference.
    """
    if not np.isfinite(value):
        return DASH
    return ("+" if value >= 0 else "−") + f"{abs(value):.3f}"  # noqa: RUF001


def p_text(p: float) -> str:
    """A p value, or nothing.

    Parameters
    ----------
    p
        P value, or NaN.
    """
    return "" if not np.isfinite(p) else "< 0.001" if p < 0.001 else f"{p:.3f}"


def describe_conditions(
    decisions: Sequence[Decision],
    runs: pd.DataFrame,
    images: Mapping[str, int],
    display: DisplayOptions,
    networks: Sequence[tuple[Sequence[str], Sequence[tuple[str, str, str, Sequence[str]]]]],
) -> list[dict[str, Any]]:
    """Each data set and fraction: its answer, its strategies and all pairs of them.

    Parameters
    ----------
    decisions
        Decisions, one per data set and fraction.
    runs
        Rows of ``cells.csv`` of trainings.
    images
        Number of images of each data set.
    display
        Strategies and data sets to show, with their titles.
    networks
        Stages of each network, with name, title, start and tuned stages of its strategies.
    """

    def label(name: str) -> str:
        return display.strategies.get(name, name)

    conditions = []
    for decision in decisions:
        own = runs[(runs["dataset"] == decision.dataset) & (runs["fraction"] == decision.fraction)]
        costs = (
            own.assign(seconds=training_seconds(own))
            .groupby("strategy")[["tuned_parameters", "seconds"]]
            .mean()
        )
        rows = [_row(strategy, decision, costs, label) for strategy in decision.strategies]
        sentences = decision_sentences(decision, label)
        if decision.recommended is not None:
            sentences.insert(1, cost_text(runs, decision))
        conditions.append(
            {
                "dataset": decision.dataset,
                "title": display.datasets.get(decision.dataset, decision.dataset),
                "fraction": format_percent(decision.fraction),
                "key": f"{decision.dataset}-{fraction_text(decision.fraction)}",
                "decision": decision,
                "headline": headline(decision, label),
                "basis": basis(decision, len(own), images[decision.dataset]),
                "sentences": sentences,
                "rows": rows,
                "matrix": _matrix(decision, label),
                "network": _network_of(decision.recommended, networks),
                "strategy": label(decision.recommended) if decision.recommended else DASH,
                "reach": _reach(decision),
                "seconds": next((row["time"] for row in rows if row["recommended"]), DASH),
                "parameters": next((row["tuned"] for row in rows if row["recommended"]), DASH),
                "gap": next((row["gap"] for row in rows if row["recommended"]), DASH),
                "alike": [
                    label(name) for name in decision.inconclusive if name not in decision.untested
                ],
            }
        )
    return conditions


def _row(
    strategy: Any, decision: Decision, costs: pd.DataFrame, label: Callable[[str], str]
) -> dict[str, Any]:
    cost = costs.loc[strategy.name]
    if strategy.name == decision.recommended:
        verdict = "recommended" if decision.verdicts else "provisional choice"
    elif not strategy.candidate:
        verdict = "not considered"
    elif not decision.tested or strategy.name in decision.untested:
        verdict = "too few folds"
    elif strategy.about_as_good:
        verdict = "about as good"
    elif strategy.significantly_worse:
        verdict = "worse"
    else:
        verdict = "no significant difference"
    return {
        "name": strategy.name,
        "label": label(strategy.name),
        "recommended": strategy.name == decision.recommended,
        "key": entry_key(decision.dataset, strategy.name, decision.fraction),
        "dice": number(strategy.adjusted_mean),
        "gap": number(strategy.gap),
        "interval": f"{number(strategy.gap_lower)} to {number(strategy.gap_upper)}"
        if np.isfinite(strategy.gap_upper)
        else DASH,
        "bar": _bar(strategy, decision),
        "runs": strategy.runs,
        "failed": strategy.failed,
        "tuned": short_count(cost["tuned_parameters"]),
        "time": time_text(cost["seconds"]),
        "verdict": verdict,
    }


def _bar(strategy: Any, decision: Decision) -> dict[str, float | None] | None:
    """Where the interval behind the best lies on a line of 100 units; nothing without one."""
    reach = _reach(decision)
    if not np.isfinite(strategy.gap) or not reach:
        return None
    bounds = (strategy.gap_lower, strategy.gap, strategy.gap_upper)
    low, middle, high = (
        float(100 * np.clip(value / reach, 0, 1)) if np.isfinite(value) else None
        for value in bounds
    )
    return {"low": low, "middle": middle, "high": high}


def _reach(decision: Decision) -> float:
    ends = [
        value
        for strategy in decision.strategies
        for value in (strategy.gap, strategy.gap_upper)
        if np.isfinite(value)
    ]
    return max(ends, default=0.0)


def _matrix(decision: Decision, label: Callable[[str], str]) -> dict[str, Any] | None:
    """Row minus column for every pair, best strategies first."""
    names = [
        strategy.name for strategy in decision.strategies if np.isfinite(strategy.adjusted_mean)
    ]
    if len(names) < 2:
        return None
    pairs: dict[tuple[str, str], Comparison] = {}
    for pair in decision.comparisons:
        pairs[pair.first, pair.second] = pair
    rows = []
    for first in names:
        cells: list[dict[str, Any] | None] = []
        for second in names:
            comparison, sign = pairs.get((first, second)), 1
            if comparison is None:
                comparison, sign = pairs.get((second, first)), -1
            if comparison is None or not np.isfinite(comparison.difference):
                cells.append(None)
                continue
            clear = np.isfinite(comparison.p) and comparison.p < 0.05
            cells.append(
                {
                    "difference": signed(sign * comparison.difference),
                    "p": p_text(comparison.p),
                    "shown": (1 if sign * comparison.difference > 0 else -1) if clear else 0,
                    "second": second,
                    "label": label(second),
                }
            )
        rows.append({"name": first, "label": label(first), "cells": cells})
    return {"columns": [label(name) for name in names], "rows": rows}


def _network_of(
    name: str | None,
    networks: Sequence[tuple[Sequence[str], Sequence[tuple[str, str, str, Sequence[str]]]]],
) -> dict[str, Any] | None:
    """The network of a strategy as a drawing."""
    for stages, strategies in networks:
        for strategy, title, start, tuned in strategies:
            if strategy == name:
                random = {
                    "random": stages,
                    "encoder": [stage for stage in stages if not stage.startswith("encoder")],
                }.get(start, ())
                return {
                    "name": strategy,
                    "label": title,
                    "drawing": draw_network(stages, set(tuned), set(random)),
                    "box": BOX,
                    "tuned": [stage for stage in stages if stage in tuned],
                    "frozen": [stage for stage in stages if stage not in tuned],
                    "random": bool(random),
                }
    return None


def describe_tables(
    averages: pd.DataFrame, decisions: Sequence[Decision], display: DisplayOptions
) -> list[dict[str, Any]]:
    """Table II of each data set: strategies as rows, fractions as columns.

    Parameters
    ----------
    averages
        Rows of ``averages.csv``, the unchanged network included.
    decisions
        Decisions, one per data set and fraction.
    display
        Strategies and data sets to show, with their titles.
    """
    sources = sources_of(averages)
    known = {(decision.dataset, decision.fraction): decision for decision in decisions}
    tables = []
    for dataset in (name for name in display.datasets if name in set(averages["dataset"])):
        part = averages[averages["dataset"] == dataset]
        fractions = sorted((p for p in part["fraction"].unique() if p > 0), reverse=True)
        rows = []
        for strategy in (name for name in display.strategies if name in set(part["strategy"])):
            own = part[part["strategy"] == strategy].set_index("fraction")
            entries: list[dict[str, Any] | None] = []
            for fraction in fractions or [0]:
                at = fraction if fraction in own.index else 0
                column = part[part["fraction"].isin([fraction, 0])]["dice_mean"].dropna()
                if at not in own.index:
                    entries.append(None)
                    continue
                entries.append(
                    _entry(
                        own.loc[at],
                        entry_key(dataset, strategy, at),
                        (float(column.min()), float(column.max())),
                        known.get((dataset, fraction)) if at else None,
                    )
                )
            rows.append(
                {
                    "label": display.strategies[strategy],
                    "untuned": set(own.index) == {0},
                    "entries": entries,
                }
            )
        tables.append(
            {
                "title": dataset_title(dataset, display.datasets, sources),
                "dataset": dataset,
                "columns": list(map(format_percent, fractions)) or ["not fine-tuned"],
                "rows": rows,
                "verdicts": any(
                    decision.tested for key, decision in known.items() if key[0] == dataset
                ),
            }
        )
    return tables


def _entry(
    average: pd.Series, key: str, ends: tuple[float, float], decision: Decision | None
) -> dict[str, Any]:
    strategy, mean = str(average["strategy"]) if "strategy" in average else "", average["dice_mean"]
    measured = np.isfinite(mean)
    low, high = ends
    mark = ""
    if measured and decision is not None and decision.tested:
        strategy_result = decision.strategy(strategy)
        if strategy_result.candidate and not strategy_result.significantly_worse:
            mark = "≈"
    return {
        "key": key,
        "mean": number(mean),
        "value": float(mean) if measured else -1.0,
        "deviation": number(average["dice_std"]),
        **{name: int(average[name]) for name in ("n", "folds", "runs", "failed", "collapsed")},
        "shade": shade((mean - low) / (high - low)) if measured and high > low else "",
        "mark": mark,
    }


def describe_costs(runs: pd.DataFrame, display: DisplayOptions) -> list[dict[str, str]]:
    """Parameters, epochs and time of each strategy, over all its trainings.

    Parameters
    ----------
    runs
        Runs, as `sonotune.statistics.tables.read_runs` gives them.
    display
        Strategies and data sets to show, with their titles.
    """
    rows = []
    measured = runs.assign(seconds=training_seconds(runs))
    for strategy in (name for name in display.strategies if name in set(measured["strategy"])):
        own = measured[measured["strategy"] == strategy]
        rows.append(
            {
                "label": display.strategies[strategy],
                "tuned": short_count(own["tuned_parameters"].iloc[0]),
                "share": f"{own['tuned_parameters'].iloc[0] / own['total_parameters'].iloc[0]:.1%}",
                "epochs": number(own["epochs"].mean(), 0),
                "time": time_text(own["seconds"].mean()),
                "all": time_text(own["seconds"].sum()),
            }
        )
    return rows


def describe_low_scores(
    path: Path, runs: pd.DataFrame, display: DisplayOptions
) -> list[dict[str, Any]]:
    """Images on which a strategy fails, and healthy ones on which it marks something.

    Parameters
    ----------
    path
        Table of low scores.
    runs
        Runs, as `sonotune.statistics.tables.read_runs` gives them.
    display
        Strategies and data sets to show, with their titles.
    """
    table = read_table(path)
    healthy = runs.groupby(["dataset", "fraction", "strategy"])[["healthy", "healthy_marked"]].sum()
    rows = []
    for row in table.to_dict("records"):
        without = healthy.loc[(row["dataset"], row["fraction"], row["strategy"])]
        interval = (
            f" ({row['lower']:.1%} to {row['upper']:.1%})" if np.isfinite(row["lower"]) else ""
        )
        rows.append(
            {
                "dataset": display.datasets.get(row["dataset"], row["dataset"]),
                "fraction": format_percent(row["fraction"]),
                "label": display.strategies.get(row["strategy"], row["strategy"]),
                "images": int(row["images"]),
                "low": f"{row['share_low']:.1%}{interval}",
                "worst": number(row["worst_tenth"]),
                "healthy": int(without["healthy"]),
                "marked": int(without["healthy_marked"]),
            }
        )
    return rows


def describe_claims(path: Path, datasets: Mapping[str, str]) -> dict[str, Any] | None:
    """Verdicts that are decided, and how many there are of each kind; None without any.

    Parameters
    ----------
    path
        The study's ``claims.csv``.
    datasets
        Titles of the data sets, by name.
    """
    if not path.is_file():
        return None
    table = read_table(path).fillna("")
    table = table[table["verdict"].isin(VERDICTS)]
    if not len(table):
        return None
    counts = Counter(table["verdict"])
    rows = []
    for verdict in table[table["verdict"] != "undecided"].to_dict("records"):
        known = [verdict.get(name, "") != "" for name in ("value", "lower", "upper")]
        value = number(float(verdict["value"])) if known[0] else DASH
        if all(known):
            value += f" ({float(verdict['lower']):.3f} to {float(verdict['upper']):.3f})"
        dataset = str(verdict.get("dataset", ""))
        where = [datasets.get(dataset, dataset)]
        if verdict.get("fraction", "") != "":
            where.append(format_percent(float(verdict["fraction"])))
        rows.append(
            {
                "claim": verdict["claim"],
                "verdict": verdict["verdict"],
                "says": verdict.get("says", ""),
                "where": ", ".join(filter(None, where)) or "whole study",
                "value": value,
            }
        )
    return {"counts": [(counts[word], word) for word in VERDICTS if counts[word]], "rows": rows}


def describe_audits(
    audits: Mapping[str, str | Path], titles: Mapping[str, str]
) -> list[dict[str, str]]:
    """Each data set's audit in words, with the address of its page.

    Parameters
    ----------
    audits
        Table of each data set's audit, by name.
    titles
        Titles of the data sets, by name.
    """
    return [
        {
            "title": titles.get(name, name),
            "verdict": describe_problems(file) or "nothing suspicious",
            "page": f"../datasets/{Path(file).parent.name}/audit.html",
        }
        for name, file in audits.items()
    ]


def describe_banners(
    decisions: Sequence[Decision], size: int, simulated: bool, study: str
) -> list[str]:
    """Warnings at the top of the page.

    Parameters
    ----------
    decisions
        Decisions, one per data set and fraction.
    size
        Side of the images in pixels.
    simulated
        Whether all images are simulated.
    study
        Name of a study.
    """
    banners = []
    fewest = min((decision.folds for decision in decisions), default=0)
    if simulated and size <= SMALL:
        banners.append(
            f"Demonstration: simulated images of {size} × {size} pixels. "  # noqa: RUF001
            "It shows how a study works; do not act on its answer."
        )
    elif size <= SMALL:
        banners.append(
            f"Images of {size} × {size} pixels: the order of the strategies may differ at the "  # noqa: RUF001
            "size that you will use."
        )
    if fewest < VERDICT_FOLDS:
        number_of = "one fold" if fewest == 1 else f"{fewest} folds"
        banners.append(
            f"Only {number_of}: too few to call any strategy worse or about as good. "
            f"Run at least {VERDICT_FOLDS}, preferably five."
        )
    return banners
