"""Which strategy to use for a data set at a size, what it costs and how sure that is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sonotune.evaluation.averages import LeaveOut, is_left_out, read_cells


@dataclass(frozen=True)
class Option:
    """A strategy for a data set and percent.

    Attributes
    ----------
    dice, lower, upper
        Mean over folds and its 95 % bootstrap interval.
    best
        Share of the bootstrap's draws in which it is the best strategy.
    behind, behind_lower, behind_upper
        How much better the recommended strategy is, with its 95 % interval; NaN for itself.
    tuned, total
        Numbers of parameters.
    seconds
        Mean time of a training.
    failed
        Number of runs that failed, collapsed, or marked nothing in any image.
    healthy, healthy_marked
        Test images with an empty mask, and those of them in which something is marked; all folds
        together.
    """

    strategy: str
    dice: float
    lower: float
    upper: float
    best: float
    behind: float
    behind_lower: float
    behind_upper: float
    tuned: int
    total: int
    seconds: float
    failed: int
    healthy: int = 0
    healthy_marked: int = 0

    @property
    def is_worse(self) -> bool:
        """Whether its interval says that the recommended strategy is better."""
        return self.behind_lower > 0


@dataclass(frozen=True)
class Advice:
    """What to do with a data set at one percent.

    Attributes
    ----------
    use
        The strategy with the highest mean Dice among those of which no run failed, collapsed or
        marked nothing; None if there is none.
    smaller
        The one with the fewest tuned parameters whose mean is at most the margin behind that of
        `use`, if it tunes less; no run of it failed.
    options
        All strategies that have a mean, best first.
    failed
        By strategy of which runs failed, collapsed or marked nothing, how many did and how many
        runs there are.
    unchanged
        Mean Dice of the network that is tuned nowhere, if the study has one.
    given_runs
        Whether intervals hold for these very networks only (one fold).
    """

    dataset: str
    percent: float
    use: Option | None
    smaller: Option | None
    options: tuple[Option, ...]
    failed: Mapping[str, tuple[int, int]]
    unchanged: float | None
    given_runs: bool

    @property
    def worse(self) -> list[Option]:
        """Strategies that are known to be worse than the recommended one."""
        return [one for one in self.options if one is not self.use and one.is_worse]

    @property
    def open(self) -> list[Option]:
        """Strategies of which it is not known whether they are worse."""
        return [one for one in self.options if one is not self.use and not one.is_worse]


def read_advice(
    cells: str | Path,
    differences: str | Path,
    ranks: str | Path,
    margins: Mapping[str, float],
    leave_out: LeaveOut = "failed",
) -> list[Advice]:
    """Advice for every data set, in the order given, and percent, falling.

    Parameters
    ----------
    cells
        ``cells.csv`` of a study.
    differences, ranks
        ``bootstrap.csv`` (every pair of strategies) and ``ranks.csv`` (every strategy) of its
        statistics.
    margins
        By data set, a difference in Dice that counts as none.
    leave_out
        See `sonotune.evaluation.averages.is_left_out`; the bootstrap has left out the same.
    """
    runs = read_cells(cells)
    runs = runs[runs["percent"] > 0].assign(unusable=_unusable)
    pairs, means = pd.read_csv(differences), pd.read_csv(ranks)
    found = []
    for dataset, margin in margins.items():
        mine = means[means["dataset"] == dataset]
        bare = mine.loc[mine["percent"] == 0, "mean"]
        of_set = runs[runs["dataset"] == dataset]
        for percent in sorted(of_set["percent"].unique(), reverse=True):
            here = mine[mine["percent"] == percent]
            its_runs = of_set[of_set["percent"] == percent]
            its_pairs = pairs[(pairs["dataset"] == dataset) & (pairs["percent"] == percent)]
            options = sorted(
                _options(here, its_runs, its_pairs, leave_out), key=lambda one: -one.dice
            )
            use = next((one for one in options if not one.failed), None)
            found.append(
                Advice(
                    dataset,
                    float(percent),
                    use,
                    _smaller(use, options, margin),
                    tuple(options),
                    _failed(its_runs),
                    float(bare.max()) if len(bare) else None,
                    bool(here["levels"].str.contains("given the runs").any()),
                )
            )
    return found


def _options(
    means: pd.DataFrame, runs: pd.DataFrame, pairs: pd.DataFrame, leave_out: LeaveOut
) -> Iterator[Option]:
    failed = runs.groupby("strategy")["unusable"].sum()
    sure = means[means["strategy"].map(failed).eq(0)]
    best = sure.loc[sure["mean"].idxmax(), "strategy"] if len(sure) else None
    behind = _behind(best, pairs)
    counting = runs[~is_left_out(runs, leave_out)]
    for row in means.to_dict("records"):
        strategy = row["strategy"]
        of_it = runs[runs["strategy"] == strategy]
        yield Option(
            strategy,
            row["mean"],
            row["lower"],
            row["upper"],
            row["best"],
            *behind.get(strategy, (np.nan, np.nan, np.nan)),
            tuned=int(of_it["tuned_parameters"].iloc[0]),
            total=int(of_it["total_parameters"].iloc[0]),
            seconds=float(counting.loc[counting["strategy"] == strategy, "seconds"].mean()),
            failed=int(of_it["unusable"].sum()),
            **{
                name: int(of_it[name].sum())
                for name in ("healthy", "healthy_marked")
                if name in of_it
            },
        )


def _unusable(runs: pd.DataFrame) -> pd.Series:
    """Runs that nobody should rely on: failed, collapsed, or without a mark in any image."""
    bad = runs["failed"] | runs["collapsed"]
    if {"no_component", "images"} <= set(runs):
        bad |= runs["no_component"] == runs["images"]
    return bad


def _failed(runs: pd.DataFrame) -> dict[str, tuple[int, int]]:
    counts = runs.groupby("strategy", sort=False)["unusable"].agg(["sum", "size"])
    return {
        name: (int(row["sum"]), int(row["size"])) for name, row in counts.iterrows() if row["sum"]
    }


def _behind(best: str | None, pairs: pd.DataFrame) -> Mapping[Any, tuple[float, float, float]]:
    """By strategy, how far it is behind the best one, with the interval."""
    found = {}
    for row in pairs.to_dict("records"):
        if row["first"] == best:
            found[row["second"]] = row["difference"], row["lower"], row["upper"]
        elif row["second"] == best:
            found[row["first"]] = -row["difference"], -row["upper"], -row["lower"]
    return found


def _smaller(use: Option | None, options: Sequence[Option], margin: float) -> Option | None:
    if use is None:
        return None
    close = [
        one for one in options if one.tuned < use.tuned and not one.failed and one.behind <= margin
    ]
    return min(close, key=lambda one: one.tuned, default=None)
