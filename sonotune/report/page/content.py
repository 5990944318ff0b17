"""What a study's page shows, as plain values, which its template formats."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sonotune.data.audit_files import describe_problems
from sonotune.evaluation.averages import CONDITION, training_seconds
from sonotune.evaluation.tables import read_table
from sonotune.layout import format_percent, fraction_text
from sonotune.report.display_options import DisplayOptions, sources_of
from sonotune.report.page.details import entry_key
from sonotune.report.palette import shade
from sonotune.report.recommend import cost_text
from sonotune.statistics.choice import VERDICT_FOLDS
from sonotune.statistics.decision_types import Decision, Strategy
from sonotune.statistics.sentences import basis, decision_sentences, headline

SMALL = 64  # pixels: smaller than networks in use are trained on
VERDICTS = ("holds", "fails", "undecided")


def describe_conditions(
    decisions: Sequence[Decision],
    runs: pd.DataFrame,
    images: Mapping[str, int],
    display: DisplayOptions,
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
    """
    timed = runs.assign(seconds=training_seconds(runs))
    conditions = []
    for decision in decisions:
        own = timed[runs["dataset"].eq(decision.dataset) & runs["fraction"].eq(decision.fraction)]
        costs = own.groupby("strategy")[["tuned_parameters", "seconds"]].mean()
        rows = [
            {
                "strategy": strategy,
                "label": display.label(strategy.name),
                "key": entry_key(decision.dataset, strategy.name, decision.fraction),
                "bar": _bar(strategy, decision.furthest),
                "verdict": _verdict(strategy, decision),
                **costs.loc[strategy.name],
            }
            for strategy in decision.strategies
        ]
        sentences = decision_sentences(decision, display.label)
        if decision.recommended is not None:
            sentences.insert(1, cost_text(runs, decision))
        named = {row["strategy"].name: row for row in rows}
        conditions.append(
            {
                "dataset": decision.dataset,
                "title": display.datasets.get(decision.dataset, decision.dataset),
                "fraction": format_percent(decision.fraction),
                "key": f"{decision.dataset}-{fraction_text(decision.fraction)}",
                "decision": decision,
                "headline": headline(decision, display.label),
                "basis": basis(decision, len(own), images[decision.dataset]),
                "sentences": sentences,
                "rows": rows,
                "recommended": named.get(decision.recommended or ""),
                "pairs": _differences(decision),
                "alike": [
                    display.label(name)
                    for name in decision.inconclusive
                    if name not in decision.untested
                ],
            }
        )
    return conditions


def _verdict(strategy: Strategy, decision: Decision) -> str:
    if strategy.name == decision.recommended:
        return "recommended" if decision.verdicts else "provisional choice"
    if not strategy.candidate:
        return "not considered"
    if not decision.tested or strategy.name in decision.untested:
        return "too few folds"
    if strategy.about_as_good:
        return "about as good"
    return "worse" if strategy.significantly_worse else "no significant difference"


def _bar(strategy: Strategy, reach: float) -> tuple[float, float, float] | None:
    """Where the interval behind the best lies on a line of 100 units; nothing without one."""
    if not np.isfinite(strategy.gap) or not reach:
        return None
    bounds = np.array([strategy.gap_lower, strategy.gap, strategy.gap_upper])
    low, middle, high = np.where(np.isfinite(bounds), 100 * np.clip(bounds / reach, 0, 1), np.nan)
    return low, middle, high


def _differences(decision: Decision) -> dict[tuple[str, str], tuple[float, float]]:
    """First minus second and p value, by the names of both, either way round."""
    known = [pair for pair in decision.comparisons if np.isfinite(pair.difference)]
    turned = {(pair.second, pair.first): (-pair.difference, pair.p) for pair in known}
    return {(pair.first, pair.second): (pair.difference, pair.p) for pair in known} | turned


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
    titles, _ = display.name_datasets(sources_of(averages))
    known = {(decision.dataset, decision.fraction): decision for decision in decisions}
    tables = []
    for dataset, title in titles.items():
        part = averages[averages["dataset"] == dataset]
        fractions = sorted((p for p in part["fraction"].unique() if p > 0), reverse=True)
        means = {(row["strategy"], row["fraction"]): row for row in part.to_dict("records")}
        rows = []
        for strategy, label in display.strategies_of(part).items():
            entries: list[dict[str, Any] | None] = []
            for fraction in fractions or [0]:
                row = means.get((strategy, fraction)) or means.get((strategy, 0))
                column = part.loc[part["fraction"].isin([fraction, 0]), "dice_mean"]
                entries.append(row and _entry(row, column, known.get((dataset, row["fraction"]))))
            untuned = set(part.loc[part["strategy"] == strategy, "fraction"]) == {0}
            rows.append({"label": label, "untuned": untuned, "entries": entries})
        tables.append(
            {
                "title": title,
                "dataset": dataset,
                "columns": list(map(format_percent, fractions)) or ["not fine-tuned"],
                "rows": rows,
                "verdicts": any(d.tested for d in decisions if d.dataset == dataset),
            }
        )
    return tables


def _entry(average: dict[str, Any], column: pd.Series, decision: Decision | None) -> dict[str, Any]:
    mean, low, high = average["dice_mean"], column.min(), column.max()
    measured = bool(np.isfinite(mean))
    mark = ""
    if measured and decision is not None and decision.tested:
        strategy = decision.strategy(average["strategy"])
        mark = "≈" if strategy.candidate and not strategy.significantly_worse else ""
    return average | {
        "key": entry_key(average["dataset"], average["strategy"], average["fraction"]),
        "shade": shade((mean - low) / (high - low)) if measured and high > low else "",
        "mark": mark,
    }


def describe_costs(runs: pd.DataFrame, display: DisplayOptions) -> list[dict[str, Any]]:
    """Parameters, epochs and time of each strategy, over all its trainings.

    Parameters
    ----------
    runs
        Runs, as `sonotune.statistics.tables.read_runs` gives them.
    display
        Strategies and data sets to show, with their titles.
    """
    groups = runs.assign(seconds=training_seconds(runs)).groupby("strategy")
    costs = groups.agg(
        tuned=("tuned_parameters", "first"),
        total=("total_parameters", "first"),
        epochs=("epochs", "mean"),
        time=("seconds", "mean"),
        all=("seconds", "sum"),
    )
    return [
        {"label": title, **costs.loc[strategy]}
        for strategy, title in display.strategies_of(runs).items()
    ]


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
    healthy = runs.groupby(CONDITION)[["healthy", "healthy_marked"]].sum()
    table = read_table(path).join(healthy, on=CONDITION)
    titles = [display.datasets.get(name, name) for name in table["dataset"]]
    labels = map(display.label, table["strategy"])
    return [*table.assign(title=titles, label=list(labels)).to_dict("records")]


def describe_claims(path: Path, datasets: Mapping[str, str]) -> dict[str, Any] | None:
    """Verdicts that are decided, and how many there are of each kind; None without any.

    Parameters
    ----------
    path
        The study's ``claims.csv``.
    datasets
        Titles of the data sets, by name.
    """
    table = read_table(path)
    counts = Counter(table["verdict"])
    if not counts.keys() & set(VERDICTS):
        return None
    rows = []
    for verdict in table[table["verdict"].isin(["holds", "fails"])].to_dict("records"):
        dataset, fraction = verdict["dataset"], verdict["fraction"]
        where = [] if pd.isna(dataset) else [datasets.get(dataset, dataset)]
        where += [] if pd.isna(fraction) else [format_percent(fraction)]
        rows.append(verdict | {"where": ", ".join(where) or "whole study"})
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


def describe_banners(decisions: Sequence[Decision], size: int, simulated: bool) -> list[str]:
    """Warnings at the top of the page.

    Parameters
    ----------
    decisions
        Decisions, one per data set and fraction.
    size
        Side of the images in pixels.
    simulated
        Whether all images are simulated.
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
