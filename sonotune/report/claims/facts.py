"""What a study knows that a claim can be judged by."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sonotune.evaluation.averages import LeaveOut
from sonotune.statistics.bootstrap import Replicates, bootstrap_means
from sonotune.statistics.contrasts import contrasts
from sonotune.statistics.tables import POOLED, STRATEGIES, read_evidence, read_runs

SCORED = ("dice", "iou", "pixel_accuracy")


@dataclass(frozen=True)
class Difference:
    """Of two means, adjusted for its family: nan where it cannot be tested, with the reason."""

    value: float
    lower: float
    upper: float
    p: float
    note: str = ""

    def turned(self) -> Difference:
        """The other way round."""
        return Difference(-self.value, -self.upper, -self.lower, self.p, self.note)


class Facts:
    """A study's results, looked up as claims need them.

    Parameters
    ----------
    cells, scores
        ``cells.csv`` and each data set's scores.
    mixed
        ``mixed.csv``: the contrasts of Dice.
    strategies
        All of the study, in the order of its tables.
    margins
        Difference in a metric that counts as none, by data set; ``""`` for all others.
    """

    def __init__(
        self,
        cells: str | Path,
        scores: Mapping[str, str | Path],
        mixed: str | Path,
        *,
        strategies: Sequence[str],
        leave_out: LeaveOut,
        seed: int,
        margins: Mapping[str, float],
    ) -> None:
        self.cells, self.files, self.seed = cells, scores, seed
        self.strategies, self.leave_out, self.margins = list(strategies), leave_out, margins
        self.all_runs = self._runs("dice")
        self.datasets = [name for name in scores if name in set(self.all_runs["dataset"])]
        self._mixed = pd.read_csv(mixed, dtype={"first": str, "second": str, "strategy": str})
        # Cached a Facts, not for all of them.
        self.evidence = cache(self._evidence)
        self._family: Callable[..., pd.DataFrame] = cache(self._contrasts)
        self.replicates: Callable[..., Replicates] = cache(self._replicates)
        self.runs: Callable[[str], pd.DataFrame] = cache(self._runs)

    def percents(self, dataset: str) -> list[float]:
        """Percents that were trained with, the largest first."""
        mine = self.all_runs[(self.all_runs["dataset"] == dataset) & (self.all_runs["percent"] > 0)]
        return sorted(map(float, mine["percent"].unique()), reverse=True)

    def has(self, dataset: str, strategy: str, percent: float | None = None) -> bool:
        """Whether the study has such runs, counted or not."""
        mine = self.all_runs[
            (self.all_runs["dataset"] == dataset) & (self.all_runs["strategy"] == strategy)
        ]
        return bool(len(mine) if percent is None else (mine["percent"] == percent).any())

    def source(self, dataset: str) -> str:
        """What stands behind a data set's name."""
        return str(self.all_runs.loc[self.all_runs["dataset"] == dataset, "source"].iloc[0])

    def margin(self, dataset: str) -> float:
        """What counts as no difference."""
        return self.margins.get(dataset, self.margins[""])

    def difference(
        self, metric: str, dataset: str, percent: float, first: str, second: str
    ) -> Difference:
        """Of two strategies, by the blocked analysis (`sonotune.statistics.contrasts`)."""
        return _find(self._family(metric, dataset, percent), first, second)

    def step(self, dataset: str, first: float, second: float) -> Difference:
        """Of two percents, over all strategies of a data set."""
        family = self._mixed[
            (self._mixed["family"] == POOLED) & (self._mixed["dataset"] == dataset)
        ]
        return _find(family, f"{first:g}", f"{second:g}")

    def _contrasts(self, metric: str, dataset: str, percent: float) -> pd.DataFrame:
        if metric == "dice":
            table = self._mixed
            return table[
                (table["family"] == STRATEGIES)
                & (table["dataset"] == dataset)
                & (table["percent"] == percent)
            ]
        runs = self.runs(metric)
        runs = runs[(runs["dataset"] == dataset) & (runs["percent"] == percent)]
        return contrasts(runs.assign(level=runs["strategy"], block=runs["fold"]), blocked=True)

    def _evidence(self, metric: str) -> Any:
        return read_evidence(self.cells, self.files, self.strategies, self.leave_out, metric)

    def _runs(self, metric: str) -> pd.DataFrame:
        if metric != "seconds_per_epoch":
            return read_runs(self.cells, self.strategies, self.leave_out, metric)
        runs = read_runs(self.cells, self.strategies, self.leave_out, "seconds")
        return runs.assign(value=runs["value"] / runs["epochs"])

    def _replicates(self, metric: str, dataset: str, paired: bool = True) -> Replicates:
        scores = self.evidence(metric).scores[dataset]
        return bootstrap_means(scores, self.seed, metric, paired=paired)


def _find(family: pd.DataFrame, first: str, second: str) -> Difference:
    for one, two in ((first, second), (second, first)):
        rows = family[(family["first"] == one) & (family["second"] == two)]
        if len(rows):
            row = rows.iloc[0]
            note = row["note"] if isinstance(row["note"], str) else ""
            found = Difference(row["difference"], row["lower"], row["upper"], row["p"], note)
            return found if one == first else found.turned()
    return Difference(np.nan, np.nan, np.nan, np.nan, "not compared")
