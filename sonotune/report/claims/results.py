"""What a study measured, looked up as claims need it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np
import pandas as pd

from sonotune.report.claims.declare import METRICS
from sonotune.report.published import published_table
from sonotune.statistics.pairs import Pairs, compare

# Where each paper lists its strategies.
TABLES = {"amiri2020": ("amiri2020_table2", "strategy"), "wang2023": ("wang2023_results", "row")}
# The one that its paper itself trains with another network.
BASELINE = "scratch_unet"
TIMES = ("seconds", "seconds_per_epoch")


class StudyResults:
    """Runs of a study.

    Parameters
    ----------
    cells
        As `sonotune.evaluation.averages.read_cells` gives them. Runs that failed have no score.
    strategies
        All of the study, in the order of its tables.
    margins
        Difference in a metric that counts as none, by data set; ``""`` for all others.
    """

    def __init__(
        self, cells: pd.DataFrame, strategies: Sequence[str], margins: Mapping[str, float]
    ) -> None:
        self.runs = cells[cells["strategy"].isin(strategies)]
        self.strategies = [name for name in strategies if (self.runs["strategy"] == name).any()]
        self.margins = margins
        self.datasets = list(dict.fromkeys(self.runs["dataset"]))
        self.sources = self.runs.groupby("dataset")["source"].first().to_dict()
        parameters = self.runs.groupby("strategy")[["tuned_parameters", "total_parameters"]].first()
        self.tuned = parameters["tuned_parameters"].to_dict()
        self.total = parameters["total_parameters"].to_dict()
        # Cached for each study, not for all of them.
        self.scores = cache(self._scores)
        self.pairs = cache(self._pairs)

    def percents(self, dataset: str) -> list[float]:
        """Percents that were trained with, the largest first."""
        own = self.runs[(self.runs["dataset"] == dataset) & (self.runs["percent"] > 0)]
        return sorted(map(float, own["percent"].unique()), reverse=True)

    def rivals(self, paper: str) -> list[str]:
        """Strategies that a paper's claims are about, and all that a claim of one's own can be.

        Only the paper's own and of one network, so that a strategy that a user adds, or a second
        network in the study, changes no verdict on the paper.
        """
        if paper not in TABLES:
            return [name for name in self.strategies if self._is_tuned(name)]
        table, column = TABLES[paper]
        printed = set(published_table(table)[column])
        names = [name for name in self.strategies if name in printed]
        networks = [self.total[name] for name in names if name != BASELINE]
        usual = max(networks, key=networks.count) if networks else None
        return [name for name in names if name == BASELINE or self.total[name] == usual]

    def _is_tuned(self, strategy: str) -> bool:
        own = self.runs[self.runs["strategy"] == strategy]
        return bool((own["percent"] > 0).any())

    def _scores(self, metric: str, dataset: str) -> pd.DataFrame:
        """Mean score of each run, in the logarithm for times: folds x (percent, strategy)."""
        runs = self.runs[self.runs["dataset"] == dataset]
        if metric not in METRICS:
            raise ValueError(f"unknown metric {metric!r}")
        values = runs["seconds"] / runs["epochs"] if metric == "seconds_per_epoch" else runs[metric]
        values = values.where(~runs["failed"])
        if metric in TIMES:
            values = np.log(values.where(values > 0))
        table = runs.assign(value=values).pivot_table(
            index="fold", columns=["percent", "strategy"], values="value", dropna=False
        )
        return table.dropna(how="all")

    def matrix(
        self, metric: str, dataset: str, percent: float, strategies: Sequence[str]
    ) -> np.ndarray:
        """Scores, float64 [F,S]; NaN for a run that failed or that the study does not have."""
        table = self.scores(metric, dataset)
        columns = pd.MultiIndex.from_product([[percent], strategies])
        return table.reindex(columns=columns).to_numpy(float)

    def _pairs(
        self, metric: str, dataset: str, percent: float, strategies: tuple[str, ...]
    ) -> Pairs:
        """All pairs of strategies at one data set and percent."""
        return compare(self.matrix(metric, dataset, percent, strategies)[None])
