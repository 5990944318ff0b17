"""Per-run scores as statistics needs them: the one place that knows the columns of the table.

The table has one row per training (``cells.csv``). Several seeds or pre-trainings of a fold share
its images, so they are averaged: a fold is the unit of every decision.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

FAILED_OUTCOMES = ("no_early_stop", "not_finite", "dead")
# Of runs whose table does not have the column.
USUAL = {
    **{"failed": False, "outcome": "", "collapsed": False, "pretraining": 1},
    **{"images": 1, "no_component": 0},
}


@dataclass(frozen=True)
class FoldScores:
    """Scores of all strategies of one data set at one fraction; F folds, S strategies.

    Attributes
    ----------
    dataset, fraction
        What the scores are of; the fraction in (0, 1].
    folds, strategies
        Names, in the order of the axes below.
    scores : float64 [F,S]
        Mean Dice over the test images, in [0, 1]; NaN where no run of the fold ended.
    failed, collapsed, blank : int64 [S]
        Number of runs that failed, that predict a constant, and that mark nothing in any image.
    runs : int64 [S]
        Number of runs, failed ones included.
    costs : float64 [S]
        Mean cost of a run; NaN where none is known.
    by_pretraining : float64 [P,S]
        Mean over folds of the runs from each of P pre-trained networks. With several networks, NaN
        for a strategy that does not start from each of them.
    """

    dataset: str
    fraction: float
    folds: tuple[object, ...]
    strategies: tuple[str, ...]
    scores: np.ndarray
    failed: np.ndarray
    collapsed: np.ndarray
    blank: np.ndarray
    runs: np.ndarray
    costs: np.ndarray
    by_pretraining: np.ndarray

    @property
    def pretrainings(self) -> int:
        """Number of pre-trained networks behind the runs."""
        return len(self.by_pretraining)


def fold_scores(table: pd.DataFrame, cost: str) -> list[FoldScores]:
    """Scores of every data set and fraction, in the order of the table.

    Parameters
    ----------
    table
        One row per run: dataset, strategy, fraction, fold, dice; outcome (or failed);
        optional: collapsed, images and no_component (images in which nothing is marked),
        pretraining, and costs. The network that is tuned nowhere (fraction 0) is left out.
    cost
        Column that says what a run costs.
    """
    runs = _standard_columns(table, cost)
    groups = runs.groupby(["dataset", "fraction"], sort=False)
    return [_of_group(str(name), float(share), part) for (name, share), part in groups]


def _standard_columns(table: pd.DataFrame, cost: str) -> pd.DataFrame:
    runs = table.assign(**{name: value for name, value in USUAL.items() if name not in table})
    failed = runs["failed"].eq(True) | runs["outcome"].isin(FAILED_OUTCOMES)
    runs = runs.assign(
        failed=failed,
        collapsed=runs["collapsed"].eq(True),
        blank=runs["no_component"] >= runs["images"],
        cost=runs[cost].astype(float),
        score=runs["dice"].astype(float).where(~failed),
    )
    return runs[runs["fraction"] > 0]


def _of_group(dataset: str, fraction: float, runs: pd.DataFrame) -> FoldScores:
    strategies = tuple(dict.fromkeys(runs["strategy"]))
    scores = runs.pivot_table(
        index="fold", columns="strategy", values="score", aggfunc="mean", dropna=False
    ).reindex(columns=list(strategies))
    scores = scores.dropna(how="all")
    counted = runs.groupby("strategy", sort=False).agg(
        failed=("failed", "sum"),
        collapsed=("collapsed", "sum"),
        blank=("blank", "sum"),
        runs=("failed", "size"),
        costs=("cost", "mean"),
    )
    return FoldScores(
        dataset,
        fraction,
        tuple(scores.index),
        strategies,
        scores.to_numpy(float),
        **{str(name): column.to_numpy() for name, column in counted.items()},
        by_pretraining=_by_pretraining(runs, strategies),
    )


def _by_pretraining(runs: pd.DataFrame, strategies: tuple[str, ...]) -> np.ndarray:
    folds = runs.groupby(["pretraining", "strategy", "fold"])["score"].mean()
    means = folds.groupby(level=[0, 1]).mean().unstack("strategy")
    return np.asarray(means.reindex(columns=list(strategies)), float)
