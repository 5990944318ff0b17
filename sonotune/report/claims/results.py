"""What a study measured, looked up as claims need it."""

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import product

import numpy as np
import pandas as pd

from sonotune.report.claims.parse import Claim
from sonotune.report.published import published_table
from sonotune.statistics.pairs import PairwiseDifferences, compare

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
        parameters = self.runs.groupby("strategy")[["tuned_parameters", "total_parameters"]].first()
        self.tuned = parameters["tuned_parameters"].to_dict()
        self.total = parameters["total_parameters"].to_dict()
        # Cached for each study, not for all of them.
        self.scores = cache(self._scores)
        self.pairs = cache(self._pairs)
        self.rivals = cache(self._rivals)

    def datasets_of(self, claim: Claim) -> list[str]:
        """Data sets that a claim is about.

        Parameters
        ----------
        claim
            The claim.
        """
        return [name for name in self.datasets if claim.datasets is None or name in claim.datasets]

    def places(self, claim: Claim) -> list[tuple[str, str, float]]:
        """Metrics, data sets and fractions that a claim is about.

        Parameters
        ----------
        claim
            The claim.
        """
        return [
            (metric, dataset, fraction)
            for metric, dataset in product(claim.metrics, self.datasets_of(claim))
            for fraction in self.fractions(dataset)
            if claim.fractions is None or fraction in claim.fractions
        ]

    def fractions(self, dataset: str) -> list[float]:
        """Fractions that were trained with, the largest first.

        Parameters
        ----------
        dataset
            Name of a data set.
        """
        own = self.runs[(self.runs["dataset"] == dataset) & (self.runs["fraction"] > 0)]
        return sorted(map(float, own["fraction"].unique()), reverse=True)

    def _rivals(self, paper: str) -> tuple[str, ...]:
        """Strategies that a paper's claims are about, and all that a claim of one's own can be.

        Only the paper's own and of one network, so that a strategy that a user adds, or a second
        network in the study, changes no verdict on the paper.
        """
        if paper not in TABLES:
            tuned = set(self.runs.loc[self.runs["fraction"] > 0, "strategy"])
            return tuple(name for name in self.strategies if name in tuned)
        table, column = TABLES[paper]
        printed = set(published_table(table)[column])
        names = [name for name in self.strategies if name in printed]
        networks = [self.total[name] for name in names if name != BASELINE]
        usual = max(networks, key=networks.count) if networks else None
        return tuple(name for name in names if name == BASELINE or self.total[name] == usual)

    def _scores(self, metric: str, dataset: str) -> pd.DataFrame:
        """Scores by fraction and strategy (rows) and fold, NaN without one; of times the logarithm.

        Several runs of a fold share its images, so their mean is its score.
        """
        runs = self.runs[self.runs["dataset"] == dataset]
        values = runs["seconds"] / runs["epochs"] if metric == "seconds_per_epoch" else runs[metric]
        values = values.mask(runs["failed"])
        if metric in TIMES:
            values = np.log(values.where(values > 0))
        keys = [runs[name] for name in ("fraction", "strategy", "fold")]
        return values.where(np.isfinite(values)).groupby(keys).mean().unstack()

    def matrix(
        self, metric: str, dataset: str, fraction: float, strategies: Sequence[str]
    ) -> np.ndarray:
        """Scores, float64 [F,S]; NaN for a run that failed or that the study does not have.

        Parameters
        ----------
        metric
            Column of ``cells.csv``.
        dataset
            Name of a data set.
        fraction
            Share of the whole data set that is drawn for training and validation, in (0,1].
        strategies
            Names of the strategies, in the order of the columns.
        """
        rows = pd.MultiIndex.from_product([[fraction], strategies])
        scores = self.scores(metric, dataset).reindex(rows)
        return np.asarray(scores, float).T

    def _pairs(
        self, metric: str, dataset: str, fraction: float, strategies: tuple[str, ...]
    ) -> PairwiseDifferences:
        """All pairs of strategies at one data set and fraction."""
        return compare(self.matrix(metric, dataset, fraction, strategies)[None])
