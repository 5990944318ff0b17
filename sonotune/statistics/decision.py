"""The one decision of a study: which strategies are worse, about as good, and recommended.

Rules and thresholds are those of docs/decision.md; their error rates are measured by
benchmarks/decisions.py. Summary, claims, pages and figures take every such statement from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from sonotune.errors import SonotuneError
from sonotune.evaluation.tables import read_table
from sonotune.statistics.choice import CHOICE_FOLDS, VERDICT_FOLDS, choose, expected_dice
from sonotune.statistics.pairs import gap_bounds
from sonotune.statistics.planning import folds_to_show
from sonotune.statistics.runs import FoldScores, fold_scores

MARGIN = 0.02

# Columns of the tables that hold names.
Reason = Literal["about_as_good", "least_regret", "only_candidate", "none"]


@dataclass(frozen=True)
class Comparison:
    """Two strategies, paired by fold.

    NaN where no test is possible.

    Attributes
    ----------
    first, second
        Names of the strategies.
    difference
        Adjusted mean of the first minus that of the second.
    lower, upper
        Simultaneous 95 % interval of all pairs.
    single_lower, single_upper
        95 % interval of this pair by itself.
    p
        P value adjusted for all pairs.
    folds
        Number of folds that have a score of both.
    """

    first: str
    second: str
    difference: float
    lower: float
    upper: float
    single_lower: float
    single_upper: float
    p: float
    folds: int


@dataclass(frozen=True)
class Strategy:
    """What is known of a strategy at one data set and fraction.

    Attributes
    ----------
    name
        Its name.
    mean
        Over its runs that ended, as in the papers' tables.
    adjusted_mean
        Least squares over folds: what every comparison uses.
    runs, failed, collapsed, blank
        Numbers of runs: all, failed, with constant predictions, marking nothing in any image.
    cost
        Mean cost of a run, in the unit of the column that was asked for.
    gap, gap_lower, gap_upper
        How far it is behind the best candidate, with the simultaneous 95 % interval; at least 0.
        The upper end is infinite where a possible best has no test.
    worse_than
        Strategies that are shown to be better.
    most_lost
        Upper one-sided 95 % bound of what is lost against the best candidate.
    about_as_good
        Whether that bound lies within the margin.
    expected_regret
        Expected loss against the best candidate.
    within_margin
        Probability that the loss is at most the margin.
    candidate
        Whether it may be the best that is sought: all its runs ended, none collapsed or marked
        nothing.
    """

    name: str
    mean: float
    adjusted_mean: float
    runs: int
    failed: int
    collapsed: int
    blank: int
    cost: float
    gap: float
    gap_lower: float
    gap_upper: float
    worse_than: tuple[str, ...]
    most_lost: float
    about_as_good: bool
    expected_regret: float
    within_margin: float
    candidate: bool

    @property
    def significantly_worse(self) -> bool:
        """Whether it is shown to be worse than the best."""
        return bool(self.worse_than)


@dataclass(frozen=True)
class Decision:
    """The decision at one data set and fraction.

    Attributes
    ----------
    dataset, fraction
        The place.
    folds
        Number of folds that have a score.
    pretrainings
        Number of pre-trained networks behind the runs.
    margin
        Difference in Dice that counts as none.
    cost
        Name of the cost that is to be small.
    strategies
        Highest adjusted mean first; those without a score last.
    comparisons
        All pairs of strategies, in the order of the table.
    recommended
        Name, or None.
    reason
        ``about_as_good``: the cheapest shown to be about as good as the best. ``least_regret``:
        none is shown to be, so that of least expected regret. ``only_candidate``: no other may be
        recommended. ``none``: no recommendation.
    dice, dice_lower, dice_upper
        Dice to expect of it over new folds and new trainings that neither fail nor collapse, with
        its 95 % interval, cut to [0, 1].
    inconclusive
        Candidates that are not shown to be worse than any other strategy, so that they cannot be
        told from the recommended one, and the number of folds that would show a true difference
        as large as the one seen (80 % power); None for more than
        `sonotune.statistics.planning.MOST_FOLDS`.
    """

    dataset: str
    fraction: float
    folds: int
    pretrainings: int
    margin: float
    cost: str
    strategies: tuple[Strategy, ...]
    comparisons: tuple[Comparison, ...]
    recommended: str | None
    reason: Reason
    dice: float
    dice_lower: float
    dice_upper: float
    inconclusive: Mapping[str, int | None]

    def strategy(self, name: str) -> Strategy:
        """The strategy of that name.

        Parameters
        ----------
        name
            Name of a strategy that is compared.
        """
        return next(strategy for strategy in self.strategies if strategy.name == name)

    @property
    def verdicts(self) -> bool:
        """Whether there are enough folds to call a strategy worse or about as good."""
        return self.folds >= VERDICT_FOLDS

    @property
    def tested(self) -> bool:
        """Whether any pair could be tested: enough folds, and differences that vary."""
        return any(np.isfinite(pair.p) for pair in self.comparisons)

    @property
    def untested(self) -> tuple[str, ...]:
        """Those of `inconclusive` that no test compares with the recommended strategy.

        They share fewer than two folds with it, as strategies that a race has dropped do.
        """
        compared = {
            frozenset((pair.first, pair.second)) for pair in self.comparisons if np.isfinite(pair.p)
        }
        return tuple(name for name in self.inconclusive if {self.recommended, name} not in compared)


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

    Raises
    ------
    SonotuneError
        If a column is missing, or a run is listed twice.
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
    strategies = [
        Strategy(
            name=names[i],
            mean=float(means[i]),
            adjusted_mean=float(pairs.means[0, i]),
            runs=int(data.runs[i]),
            failed=int(data.failed[i]),
            collapsed=int(data.collapsed[i]),
            blank=int(data.blank[i]),
            cost=float(data.costs[i]),
            gap=float(np.maximum(best - pairs.means[0, i], 0.0)),
            gap_lower=float(gap_lower[0, i]) if verdicts[i] else np.nan,
            gap_upper=float(gap_upper[0, i]) if verdicts[i] else np.nan,
            worse_than=tuple(names[j] for j in range(number) if lower[0, j, i] > 0),
            most_lost=float(choices.most_lost[0, i]) if verdicts[i] else np.nan,
            about_as_good=bool(choices.about_as_good[0, i]),
            expected_regret=float(model.regret[0, i]) if folds >= CHOICE_FOLDS else np.nan,
            within_margin=float(model.within[0, i]) if folds >= CHOICE_FOLDS else np.nan,
            candidate=bool(sound[i]),
        )
        for i in range(number)
    ]
    comparisons = tuple(
        Comparison(
            names[i],
            names[j],
            float(pairs.difference[0, i, j]),
            float(lower[0, i, j]),
            float(upper[0, i, j]),
            float(single_lower[0, i, j]),
            float(single_upper[0, i, j]),
            float(p[i, j]),
            int(pairs.folds[0, i, j]),
        )
        for i, j in combinations(range(number), 2)
    )
    picked = int(choices.recommended[0])
    reason: Reason = "none"
    if picked >= 0:
        reason = "about_as_good" if choices.about_as_good[0, picked] else "least_regret"
        if sound.sum() == 1:
            reason = "only_candidate"
    dice = expected_dice(scores, sound[None], costs, margin, choices)
    inconclusive = {
        names[j]: folds_to_show(
            abs(pairs.difference[0, picked, j]), pairs.error[0, picked, j], folds, number
        )
        for j in range(number)
        if picked >= 0 and j != picked and sound[j] and not (lower[0, :, j] > 0).any()
    }
    return Decision(
        data.dataset,
        data.fraction,
        folds,
        data.pretrainings,
        margin,
        cost,
        tuple(sorted(strategies, key=_rank)),
        comparisons,
        names[picked] if picked >= 0 else None,
        reason,
        float(dice.mean[0]),
        # Two folds that happen to agree would give an interval of no width.
        float(np.maximum(dice.lower[0], 0.0)) if folds >= VERDICT_FOLDS else np.nan,
        float(np.minimum(dice.upper[0], 1.0)) if folds >= VERDICT_FOLDS else np.nan,
        inconclusive,
    )


def _rank(strategy: Strategy) -> float:
    return -strategy.adjusted_mean if np.isfinite(strategy.adjusted_mean) else np.inf


def decision_tables(decisions: list[Decision]) -> dict[str, pd.DataFrame]:
    """The decisions as tables for files: ``decisions``, ``strategies`` and ``comparisons``.

    Each row begins with dataset and fraction. ``worse_than`` is joined by semicolons;
    ``inconclusive`` says whether a strategy is not shown to be worse than the recommended one, and
    ``folds_to_show`` how many folds would (see `Decision`).

    Parameters
    ----------
    decisions
        Decisions, one per data set and fraction.
    """
    names = ("decisions", "strategies", "comparisons")
    tables: dict[str, list[dict[str, object]]] = {name: [] for name in names}
    for decision in decisions:
        key: dict[str, object] = {"dataset": decision.dataset, "fraction": decision.fraction}
        excluded = ("strategies", "comparisons", "inconclusive")
        own = {name: value for name, value in vars(decision).items() if name not in excluded}
        tables["decisions"].append(own)
        for strategy in decision.strategies:
            row = asdict(strategy) | {"worse_than": ";".join(strategy.worse_than)}
            row["inconclusive"] = strategy.name in decision.inconclusive
            row["folds_to_show"] = decision.inconclusive.get(strategy.name)
            tables["strategies"].append(key | {"strategy": row.pop("name")} | row)
        tables["comparisons"] += [key | asdict(pair) for pair in decision.comparisons]
    key_columns = ["dataset", "fraction"]
    return {
        name: pd.DataFrame(rows, columns=None if rows else key_columns)
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
    for name in ("decisions", "strategies", "comparisons"):
        file = Path(folder) / f"{name}.csv"
        if not file.is_file():
            raise SonotuneError(f"{file} is missing; run the study first")
        tables[name] = read_table(file)
    decisions = []
    for row in tables["decisions"].to_dict("records"):
        parts = [
            table[(table["dataset"] == row["dataset"]) & (table["fraction"] == row["fraction"])]
            for table in (tables["strategies"], tables["comparisons"])
        ]
        strategies, comparisons = (
            part.drop(columns=["dataset", "fraction"]).to_dict("records") for part in parts
        )
        inconclusive = {}
        for fields in strategies:
            number = fields.pop("folds_to_show")
            if fields.pop("inconclusive"):
                inconclusive[fields["strategy"]] = None if np.isnan(number) else int(number)
            fields["name"] = fields.pop("strategy")
            worse = fields["worse_than"]
            fields["worse_than"] = tuple(worse.split(";")) if isinstance(worse, str) else ()
        recommended = row["recommended"]
        row["recommended"] = recommended if isinstance(recommended, str) else None
        decisions.append(
            Decision(
                **row,
                strategies=tuple(Strategy(**fields) for fields in strategies),
                comparisons=tuple(Comparison(**fields) for fields in comparisons),
                inconclusive=inconclusive,
            )
        )
    return decisions
