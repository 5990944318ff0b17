"""Bootstrap of mean Dice in two levels: training runs, then examinations.

The chance in a study's means has two sources: which folds were cut and trained on, and which
patients were tested. Each replicate draws folds with replacement (and with them the runs of all
strategies) and, in every fold drawn, its examinations with replacement; all strategies and percents
get the same draws, so differences are paired (Davison and Hinkley, Bootstrap Methods, 1997,
section 3.8). With few folds the first level is coarse: with one it is left out, and intervals hold
for these very networks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sonotune.seeds import generator

REPLICATES = 2000
DIFFERENCES = ["percent", "first", "second", "difference", "lower", "upper", "probability"]
RANKS = ["percent", "strategy", "mean", "lower", "upper"]
RANKS += ["rank", "rank_lower", "rank_upper", "best", "best_three"]

# A strategy and a percent: what is compared.
Key = tuple[str, float]


@dataclass(frozen=True)
class Replicates:
    """Mean Dice of every strategy and percent of a data set, again and again.

    Attributes
    ----------
    keys
        (strategy, percent), in the order of the columns.
    means : float64 [C]
        Of the study itself: over folds, of the means over their images.
    drawn : float64 [B,C]
        Of the replicates; nan where all folds drawn lack the run.
    folds
        How many folds there are.
    """

    keys: tuple[Key, ...]
    means: np.ndarray
    drawn: np.ndarray
    folds: int

    def column(self, key: Key) -> int | None:
        """Where a strategy and percent stand, or None if they have no run that counts."""
        return self.keys.index(key) if key in self.keys else None

    def interval(self, values: np.ndarray) -> tuple[float, float]:
        """95 % percentile interval of a function of the replicates, float64 [B]."""
        values = values[np.isfinite(values)]
        if not len(values):
            return np.nan, np.nan
        lower, upper = np.quantile(values, [0.025, 0.975])
        return float(lower), float(upper)


def bootstrap_means(
    scores: pd.DataFrame,
    seed: int,
    metric: str = "dice",
    replicates: int = REPLICATES,
    *,
    paired: bool = True,
) -> Replicates:
    """Draw folds and examinations of one data set again.

    Parameters
    ----------
    scores
        A row a (strategy, percent, fold, image) of the runs that count: strategy, percent, fold,
        name, group and the metric.
    seed
        The same seed gives the same replicates.
    paired
        Whether all strategies and percents get the same draws. If not, each gets its own, as if
        folds and examinations were drawn anew for every one of them.
    """
    if not paired:
        parts = [
            _draw(part, (key,), generator(seed, "bootstrap", *map(str, key)), metric, replicates)
            for key, part in scores.groupby(["strategy", "percent"], sort=False)
        ]
        return Replicates(
            tuple(key for part in parts for key in part.keys),
            np.concatenate([part.means for part in parts]),
            np.concatenate([part.drawn for part in parts], 1),
            max(part.folds for part in parts),
        )
    keys = tuple(
        scores[["strategy", "percent"]].drop_duplicates().itertuples(index=False, name=None)
    )
    return _draw(scores, keys, generator(seed, "bootstrap"), metric, replicates)


def _draw(
    scores: pd.DataFrame,
    keys: tuple[Key, ...],
    random: np.random.Generator,
    metric: str,
    replicates: int,
) -> Replicates:
    folds = sorted(scores["fold"].unique())
    picks = (
        random.integers(len(folds), size=(replicates, len(folds)))
        if len(folds) > 1
        else np.zeros((replicates, 1), int)
    )
    drawn = np.empty((replicates, picks.shape[1], len(keys)))
    means = []
    for number, fold in enumerate(folds):
        sums, sizes = _by_group(scores[scores["fold"] == fold], keys, metric)
        means.append(sums.sum(0) / sizes.sum(0))
        picked = picks == number
        groups = len(sums)
        counts = random.multinomial(groups, np.full(groups, 1 / groups), size=int(picked.sum()))
        with np.errstate(invalid="ignore"):
            drawn[picked] = (counts @ sums) / (counts @ sizes)
    return Replicates(
        keys, _mean_of_known(np.array(means), 0), _mean_of_known(drawn, 1), len(folds)
    )


def _by_group(
    scores: pd.DataFrame, keys: tuple[Key, ...], metric: str
) -> tuple[np.ndarray, np.ndarray]:
    """Sums over images and their numbers, float64 [G,C]; nan where a run is missing."""
    table = scores.groupby(["group", "strategy", "percent"], sort=False)[metric].agg(
        ["sum", "size"]
    )
    wide = table.unstack(["strategy", "percent"])
    sums = wide["sum"].reindex(columns=pd.MultiIndex.from_tuples(keys))
    sizes = wide["size"].reindex(columns=pd.MultiIndex.from_tuples(keys))
    return sums.to_numpy(float), sizes.to_numpy(float)


def _mean_of_known(values: np.ndarray, axis: int) -> np.ndarray:
    known = np.isfinite(values)
    total = np.where(known, values, 0).sum(axis)
    count = known.sum(axis)
    return np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)


def bootstrap_differences(replicates: Replicates) -> pd.DataFrame:
    """Every pair of strategies of one percent, with 95 % intervals that are not adjusted.

    Returns
    -------
    DataFrame
        percent, first, second, difference, lower, upper, probability (share of the replicates in
        which first is better; ties count half).
    """
    rows = []
    for percent in sorted({percent for _, percent in replicates.keys}, reverse=True):
        columns = [i for i, key in enumerate(replicates.keys) if key[1] == percent]
        for place, one in enumerate(columns):
            for two in columns[place + 1 :]:
                drawn = replicates.drawn[:, one] - replicates.drawn[:, two]
                lower, upper = replicates.interval(drawn)
                rows.append(
                    {
                        "percent": percent,
                        "first": replicates.keys[one][0],
                        "second": replicates.keys[two][0],
                        "difference": replicates.means[one] - replicates.means[two],
                        "lower": lower,
                        "upper": upper,
                        "probability": share(drawn > 0, drawn == 0),
                    }
                )
    return pd.DataFrame(rows, columns=DIFFERENCES)


def bootstrap_ranks(replicates: Replicates) -> pd.DataFrame:
    """Mean of every strategy and percent with its interval, and how often it ranks where.

    Returns
    -------
    DataFrame
        percent, strategy, mean, lower, upper, rank (1 is best), rank_lower, rank_upper,
        best, best_three (shares of the replicates).
    """
    rows = []
    for percent in sorted({percent for _, percent in replicates.keys}, reverse=True):
        columns = [i for i, key in enumerate(replicates.keys) if key[1] == percent]
        ranks = ranks_of(replicates.drawn[:, columns])
        own = ranks_of(replicates.means[None, columns])[0]
        for place, column in enumerate(columns):
            lower, upper = replicates.interval(replicates.drawn[:, column])
            rank_lower, rank_upper = replicates.interval(ranks[:, place])
            rows.append(
                {
                    "percent": percent,
                    "strategy": replicates.keys[column][0],
                    "mean": replicates.means[column],
                    "lower": lower,
                    "upper": upper,
                    "rank": own[place],
                    "rank_lower": rank_lower,
                    "rank_upper": rank_upper,
                    "best": float((ranks[:, place] <= 1).mean()),
                    "best_three": float((ranks[:, place] <= 3).mean()),
                }
            )
    return pd.DataFrame(rows, columns=RANKS)


def ranks_of(values: np.ndarray) -> np.ndarray:
    """Ranks along the last axis, 1 for the largest, mean ranks for ties; nan for nan."""
    from scipy.stats import rankdata

    return rankdata(-values, axis=-1, nan_policy="omit")


def share(true: np.ndarray, half: np.ndarray | None = None) -> float:
    """Share of replicates in which something is true, those of ``half`` counted half."""
    return float(true.mean() + (0 if half is None else half.mean() / 2))


def runs_that_count(
    scores: pd.DataFrame, left_out: Mapping[tuple[str, float, int], bool]
) -> pd.DataFrame:
    """Scores without those of runs that averages leave out."""
    keys = scores[["strategy", "percent", "fold"]].itertuples(index=False, name=None)
    return scores[[not left_out.get(key, False) for key in keys]]
