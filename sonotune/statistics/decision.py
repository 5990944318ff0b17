"""The one decision of a study: which strategies are worse, about as good, and recommended.

Rules and thresholds are those of docs/decision.md; their error rates are measured by
benchmarks/decisions.py. Summary, claims, pages and figures take every such statement from here.
"""

from collections.abc import Mapping
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
KEY = ["dataset", "fraction"]


def decide(
    table: pd.DataFrame,
    margins: Mapping[str, float] | None = None,
    cost: str = "tuned_parameters",
    raced: bool = False,
) -> list[Decision]:
    """Decide for every data set and fraction of a study; parameters as for `decision_tables`.

    Parameters
    ----------
    table
        One row per run.
    margins
        By data set, the difference in Dice that counts as none.
    cost
        What is to be small.
    raced
        Whether strategies were left out on the way.
    """
    return _from_tables(*decision_tables(table, margins, cost, raced).values())


def decision_tables(
    table: pd.DataFrame,
    margins: Mapping[str, float] | None = None,
    cost: str = "tuned_parameters",
    raced: bool = False,
) -> dict[str, pd.DataFrame]:
    """The decisions at every data set and fraction, as tables by the names of `TABLES`.

    Their columns are the attributes of `Decision`, `Strategy` and `Comparison`, after data set and
    fraction. ``worse_than`` is joined by semicolons.

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
    parts = [
        _decide(scores, (margins or {}).get(scores.dataset, MARGIN), cost, raced)
        for scores in fold_scores(table, cost)
    ]
    if not parts:
        return {name: pd.DataFrame(columns=KEY) for name in TABLES}
    return {
        name: pd.concat(rows, ignore_index=True)
        for name, rows in zip(TABLES, zip(*parts, strict=True), strict=True)
    }


def _decide(data: FoldScores, margin: float, cost: str, raced: bool) -> list[pd.DataFrame]:
    """Rows of `TABLES` for one data set at one fraction."""
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
    difference, means = pairs.difference[0], pairs.means[0]
    enough = folds >= VERDICT_FOLDS
    lower, upper, p = (
        np.where(enough, values[0], np.nan) for values in (*pairs.bounds(), pairs.p_values())
    )
    single_lower, single_upper = (values[0] for values in pairs.single_bounds())
    known = np.isfinite(means)
    # Where no strategy may be recommended, the best of all is what the others are behind.
    reference = sound if sound.any() else known
    gap_lower, gap_upper = gap_bounds(lower[None], upper[None], reference[None])
    best = means[reference].max() if reference.any() else np.nan
    names = np.array(data.strategies, object)
    with np.errstate(invalid="ignore"):
        plain_means = np.nansum(data.scores, 0) / np.isfinite(data.scores).sum(0)
    picked = int(choices.recommended[0])
    beaten = lower > 0  # the first (axis 0) is shown to be better
    inconclusive = sound & ~beaten.any(0) & (np.arange(number) != picked) & (picked >= 0)
    needed = np.full(number, np.nan)
    for i in np.flatnonzero(inconclusive):
        gap, error = abs(difference[picked, i]), pairs.error[0, picked, i]
        needed[i] = folds_to_show(gap, error, folds, number)
    verdicts, modelled = known & enough, folds >= CHOICE_FOLDS
    strategies = {
        "strategy": names,
        "mean": plain_means,
        "adjusted_mean": means,
        "runs": data.runs,
        "failed": data.failed,
        "collapsed": data.collapsed,
        "blank": data.blank,
        "cost": data.costs,
        "gap": np.maximum(best - means, 0.0),
        "gap_lower": np.where(verdicts, gap_lower[0], np.nan),
        "gap_upper": np.where(verdicts, gap_upper[0], np.nan),
        "worse_than": [";".join(names[better]) for better in beaten.T],
        "most_lost": np.where(verdicts, choices.most_lost[0], np.nan),
        "about_as_good": choices.about_as_good[0],
        "expected_regret": np.where(modelled, model.regret[0], np.nan),
        "within_margin": np.where(modelled, model.within[0], np.nan),
        "candidate": sound,
        "inconclusive": inconclusive,
        "folds_to_show": needed,
    }
    first, second = np.triu_indices(number, 1)
    estimates = {
        **{"difference": difference, "lower": lower, "upper": upper},
        **{"single_lower": single_lower, "single_upper": single_upper},
        **{"p": p, "folds": pairs.folds[0]},
    }
    comparisons = {
        **{"first": names[first], "second": names[second]},
        **{name: values[first, second] for name, values in estimates.items()},
    }
    reason: Reason = "none"
    if picked >= 0:
        reason = "about_as_good" if choices.about_as_good[0, picked] else "least_regret"
        if sound.sum() == 1:
            reason = "only_candidate"
    dice, dice_lower, dice_upper = expected_dice(scores, sound[None], costs, margin, choices)
    decision = {
        "folds": folds,
        "pretrainings": data.pretrainings,
        "margin": margin,
        "cost": cost,
        "recommended": names[picked] if picked >= 0 else None,
        "reason": reason,
        "dice": dice,
        # Two folds that happen to agree would give an interval of no width.
        "dice_lower": np.maximum(dice_lower, 0.0) if enough else np.nan,
        "dice_upper": np.minimum(dice_upper, 1.0) if enough else np.nan,
    }
    place = dict(zip(KEY, (data.dataset, data.fraction), strict=True))
    order = np.argsort(-means, kind="stable")  # those without a mean are last
    return [
        pd.DataFrame(place | decision),
        pd.DataFrame(place | strategies).iloc[order],
        pd.DataFrame(place | comparisons),
    ]


def _from_tables(decisions: pd.DataFrame, *others: pd.DataFrame) -> list[Decision]:
    read = []
    for row in decisions.to_dict("records"):
        strategies, comparisons = (
            table[(table[KEY] == [row[name] for name in KEY]).all(axis=1)].drop(columns=KEY)
            for table in others
        )
        strategies = strategies.rename(columns={"strategy": "name"}).fillna({"worse_than": ""})
        row["recommended"] = None if pd.isna(row["recommended"]) else row["recommended"]
        row["strategies"] = tuple(Strategy(**each) for each in strategies.to_dict("records"))
        row["comparisons"] = tuple(Comparison(**each) for each in comparisons.to_dict("records"))
        read.append(Decision(**row))
    return read


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
    files = [Path(folder) / f"{name}.csv" for name in TABLES]
    if missing := [file for file in files if not file.is_file()]:
        raise SonotuneError(f"{missing[0]} is missing; run the study first")
    return _from_tables(*map(read_table, files))
