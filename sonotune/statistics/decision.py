"""The one decision of a study: which strategies are worse, about as good, and recommended.

Rules and thresholds are those of docs/decision.md; their error rates are measured by
benchmarks/decisions.py. Summary, claims, pages and figures take every such statement from here.
"""

from collections.abc import Mapping
from dataclasses import asdict
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd

from sonotune.errors import SonotuneError
from sonotune.evaluation.tables import read_table
from sonotune.statistics.choice import (
    CHOICE_FOLDS,
    MARGIN,
    VERDICT_FOLDS,
    choose,
    expected_dice,
)
from sonotune.statistics.decision_types import Comparison, Decision, Reason, Strategy
from sonotune.statistics.pairs import gap_bounds
from sonotune.statistics.planning import folds_to_show
from sonotune.statistics.runs import FoldScores, fold_scores

TABLES = ("decisions", "strategies", "comparisons")


def decide(
    table: pd.DataFrame,
    margins: Mapping[str, float] | None = None,
    cost: str = "tuned_parameters",
    raced: bool = False,
) -> list[Decision]:
    """Decide for every data set and fraction of a study.

    Parameters
    ----------
    table
        One row per run; columns as for `sonotune.statistics.runs.fold_scores`.
    margins
        By data set, the difference in Dice that counts as none, at least 0; `MARGIN` for others.
    cost
        Column of the table that is to be small among strategies that are about as good.
    raced
        Whether the study was a race: a strategy that lacks folds was left out of them. It may be
        the best, but only one that was trained in all folds is recommended.
    """
    return [
        decide_one(scores, (margins or {}).get(scores.dataset, MARGIN), cost, raced)
        for scores in fold_scores(table, cost)
    ]


def decide_one(data: FoldScores, margin: float, cost: str, raced: bool = False) -> Decision:
    """Decide for one data set at one fraction (parameters as for `decide`).

    Parameters
    ----------
    data
        Scores of the folds.
    margin
        Difference in Dice that counts as none.
    cost
        Name of the cost that is to be small.
    raced
        Whether strategies were dropped on the way.
    """
    # The numerical functions take many studies; this is one.
    scores = data.scores[None]
    folds, number = data.scores.shape
    complete = np.isfinite(data.scores).all(0)
    sound = (data.failed + data.collapsed + data.blank == 0) & (complete | raced) & (folds > 0)
    costs = np.where(np.isfinite(data.costs), data.costs, np.inf)
    networks = data.by_pretraining
    by_pretraining = networks[None] if len(networks) > 1 else None
    choices = choose(scores, sound[None], costs, margin, complete[None], by_pretraining)
    pairs, model = choices.pairs, choices.posterior
    lower, upper = pairs.bounds()
    single_lower, single_upper = pairs.single_bounds()
    p = pairs.p_values()[0]
    if folds < VERDICT_FOLDS:
        lower, upper, p = (np.full_like(values, np.nan) for values in (lower, upper, p))
    known = np.isfinite(pairs.means[0])
    # Where no strategy may be recommended, the best of all is what the others are behind.
    reference = sound if sound.any() else known
    gap_lower, gap_upper = gap_bounds(lower, upper, reference[None])
    best = pairs.means[0][reference].max() if reference.any() else np.nan
    names = data.strategies
    with np.errstate(invalid="ignore"):
        means = np.nansum(data.scores, 0) / np.isfinite(data.scores).sum(0)
    verdicts = known & (folds >= VERDICT_FOLDS)
    picked = int(choices.recommended[0])
    beaten = lower[0] > 0  # the first (axis 0) is shown to be better
    inconclusive = sound & ~beaten.any(0) & (np.arange(number) != picked) & (picked >= 0)
    columns = {
        "mean": means,
        "adjusted_mean": pairs.means[0],
        "runs": data.runs,
        "failed": data.failed,
        "collapsed": data.collapsed,
        "blank": data.blank,
        "cost": data.costs,
        "gap": np.maximum(best - pairs.means[0], 0.0),
        "gap_lower": np.where(verdicts, gap_lower[0], np.nan),
        "gap_upper": np.where(verdicts, gap_upper[0], np.nan),
        "most_lost": np.where(verdicts, choices.most_lost[0], np.nan),
        "about_as_good": choices.about_as_good[0],
        "expected_regret": np.where(folds >= CHOICE_FOLDS, model.regret[0], np.nan),
        "within_margin": np.where(folds >= CHOICE_FOLDS, model.within[0], np.nan),
        "candidate": sound,
        "inconclusive": inconclusive,
    }
    strategies = tuple(
        Strategy(
            name=names[i],
            worse_than=tuple(names[j] for j in np.flatnonzero(beaten[:, i])),
            folds_to_show=folds_to_show(
                abs(pairs.difference[0, picked, i]), pairs.error[0, picked, i], folds, number
            )
            if inconclusive[i]
            else None,
            **{column: values[i].item() for column, values in columns.items()},
        )
        for i in np.argsort(-pairs.means[0], kind="stable")  # those without a mean are last
    )
    estimates = {
        **{"difference": pairs.difference[0], "lower": lower[0], "upper": upper[0], "p": p},
        **{"single_lower": single_lower[0], "single_upper": single_upper[0]},
    }
    comparisons = tuple(
        Comparison(
            first=names[i],
            second=names[j],
            folds=int(pairs.folds[0, i, j]),
            **{name: float(values[i, j]) for name, values in estimates.items()},
        )
        for i, j in combinations(range(number), 2)
    )
    reason: Reason = "none"
    if picked >= 0:
        reason = "about_as_good" if choices.about_as_good[0, picked] else "least_regret"
        if sound.sum() == 1:
            reason = "only_candidate"
    dice, dice_lower, dice_upper = expected_dice(scores, sound[None], costs, margin, choices)
    return Decision(
        data.dataset,
        data.fraction,
        folds,
        data.pretrainings,
        margin,
        cost,
        strategies,
        comparisons,
        names[picked] if picked >= 0 else None,
        reason,
        float(dice[0]),
        # Two folds that happen to agree would give an interval of no width.
        float(np.maximum(dice_lower[0], 0.0)) if folds >= VERDICT_FOLDS else np.nan,
        float(np.minimum(dice_upper[0], 1.0)) if folds >= VERDICT_FOLDS else np.nan,
    )


def decision_tables(decisions: list[Decision]) -> dict[str, pd.DataFrame]:
    """The decisions as tables for files: ``decisions``, ``strategies`` and ``comparisons``.

    Each row begins with dataset and fraction. ``worse_than`` is joined by semicolons.

    Parameters
    ----------
    decisions
        Decisions, one per data set and fraction.
    """
    tables: dict[str, list[dict[str, object]]] = {name: [] for name in TABLES}
    for decision in decisions:
        own = dict(vars(decision))
        key = {"dataset": decision.dataset, "fraction": decision.fraction}
        for strategy in own.pop("strategies"):
            row = asdict(strategy) | {"worse_than": ";".join(strategy.worse_than)}
            tables["strategies"].append(key | {"strategy": row.pop("name")} | row)
        tables["comparisons"] += [key | asdict(pair) for pair in own.pop("comparisons")]
        tables["decisions"].append(own)
    return {
        name: pd.DataFrame(rows, columns=None if rows else ["dataset", "fraction"])
        for name, rows in tables.items()
    }


def read_decisions(folder: str | Path) -> list[Decision]:
    """Read the decisions of a study from its folder ``statistics``.

    Parameters
    ----------
    folder
        Folder of the study's statistics.

    Raises
    ------
    SonotuneError
        If a table is missing.
    """
    tables = {}
    for name in TABLES:
        file = Path(folder) / f"{name}.csv"
        if not file.is_file():
            raise SonotuneError(f"{file} is missing; run the study first")
        tables[name] = read_table(file)
    decisions = []
    for row in tables["decisions"].to_dict("records"):
        strategies, comparisons = (
            table[(table["dataset"] == row["dataset"]) & (table["fraction"] == row["fraction"])]
            .drop(columns=["dataset", "fraction"])
            .to_dict("records")
            for table in (tables["strategies"], tables["comparisons"])
        )
        for fields in strategies:
            worse, number = fields["worse_than"], fields["folds_to_show"]
            fields["name"] = fields.pop("strategy")
            fields["worse_than"] = () if pd.isna(worse) else tuple(worse.split(";"))
            fields["folds_to_show"] = None if pd.isna(number) else int(number)
        row["recommended"] = None if pd.isna(row["recommended"]) else row["recommended"]
        row["strategies"] = tuple(Strategy(**fields) for fields in strategies)
        row["comparisons"] = tuple(Comparison(**fields) for fields in comparisons)
        decisions.append(Decision(**row))
    return decisions
