"""Tests behind the claims of the papers, with the fold as the independent unit.

Whatever a claim is about, it comes down to estimates with an error that is known from folds, and to
simultaneous bounds of them. A claim *holds* where the bounds lie where it says, and *fails* where
they lie elsewhere; what has neither is undecided. The bounds of a claim are adjusted for the number
of its statements (Bonferroni): if it is true everywhere, it is called failed anywhere in at most
5 % of studies.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import cdist
from scipy.special import stdtrit
from scipy.stats import rankdata, spearmanr

from sonotune.statistics.choice import VERDICT_FOLDS
from sonotune.statistics.pairs import LEVEL, NO_VARIATION, PairwiseDifferences, critical_ratio
from sonotune.statistics.planning import MOST_FOLDS, POWER


@dataclass(frozen=True)
class Estimate:
    """A mean over folds, such as that of a difference.

    Attributes
    ----------
    value
        NaN where a run is missing.
    error
        Its standard error; NaN where too few folds are known, or where they do not vary.
    df
        Degrees of freedom of the error.
    folds
        Number of folds behind it.
    compared
        If it is the difference of two strategies, among how many they are compared.
    """

    value: float
    error: float
    df: float
    folds: int
    compared: int = 1

    def reach(self, tests: int) -> float:
        """Distance of the simultaneous bounds from the value, see `critical`.

        Parameters
        ----------
        tests
            Number of one-sided statements of the claim, at least 1.
        """
        return float(critical(np.array([self.df]), tests, self.compared)[0] * self.error)

    def has_power(self, difference: float, reach: float) -> bool:
        """Whether a true difference of that size would be shown with a probability of 80 %.

        Parameters
        ----------
        difference
            The true difference.
        reach
            Distance of the bounds from the value.
        """
        return bool(abs(difference) >= reach + stdtrit(self.df, POWER) * self.error)


NOTHING = Estimate(np.nan, np.nan, np.nan, 0)


def critical(df: np.ndarray, tests: int, strategies: int = 1) -> np.ndarray:
    """Errors between an estimate and its bounds, float64 as ``df``.

    Parameters
    ----------
    df
        Degrees of freedom; NaN gives NaN.
    tests
        Number of one-sided statements of a claim, at least 1. Each is tested at 5 % divided by it.
    strategies
        If the estimate is a difference of two of this many strategies, the bounds are also at least
        as far away as those for all pairs. So no claim calls a pair different that the comparison
        of all pairs does not.
    """
    ratio = stdtrit(df, 1 - LEVEL / tests)
    return np.asarray(
        ratio if strategies < 2 else np.maximum(ratio, critical_ratio(strategies, df))
    )


def estimate_mean(values: Sequence[np.ndarray]) -> Estimate:
    """Mean of one value per fold, over one or several data sets.

    Data sets weigh equally and are taken as they are: the error is that of their folds alone, with
    the degrees of freedom of Welch and Satterthwaite.

    Parameters
    ----------
    values : sequence of float64 [F]
        Of each data set; NaN where a run is missing. Each data set needs three folds.
    """
    known = [part[np.isfinite(part)] for part in values]
    folds = sum(map(len, known))
    if not known or not all(map(len, known)):
        return NOTHING
    value = float(np.mean([part.mean() for part in known]))
    if min(map(len, known)) < VERDICT_FOLDS:
        return Estimate(value, np.nan, np.nan, folds)
    parts = np.array([part.var(ddof=1) / len(part) for part in known]) / len(known) ** 2
    if parts.sum() <= NO_VARIATION:
        return Estimate(value, np.nan, np.nan, folds)
    freedom = np.array([len(part) - 1 for part in known])
    df = float(parts.sum() ** 2 / (parts**2 / freedom).sum())
    return Estimate(value, float(np.sqrt(parts.sum())), df, folds)


def estimate_pair(pairs: PairwiseDifferences, first: int, second: int) -> Estimate:
    """Difference of two strategies of one study (the only one of ``pairs``).

    Parameters
    ----------
    pairs
        Pairs of one study.
    first, second
        Numbers of the strategies.
    """
    folds, compared = int(pairs.folds[0, first, second]), int(pairs.compared[0])
    value, error, df = (
        float(array[0, first, second]) for array in (pairs.difference, pairs.error, pairs.df)
    )
    if folds < VERDICT_FOLDS:
        error = df = np.nan
    return Estimate(value, error, df, folds, compared)


def significantly_better(
    pairs: PairwiseDifferences, tests: int, strategies: int | None = None
) -> np.ndarray:
    """Which strategies (axis 1) are shown to be better than which others (axis 2), bool [B,S,S].

    Parameters
    ----------
    pairs
        Pairs of B studies.
    tests, strategies
        As for `critical`; the default is the number of strategies that have a test. A statement
        that needs *every* pair to be shown is tested at its own level, not at that of all pairs.
    """
    numbers = pairs.compared if strategies is None else np.full(len(pairs.df), strategies)
    reach = pairs.reach(numbers, lambda number, df: critical(df, tests, number))
    with np.errstate(invalid="ignore"):
        return (pairs.difference > reach) & (pairs.folds >= VERDICT_FOLDS)


def evaluate_top(
    better: np.ndarray, claimed: Sequence[int], k: int
) -> tuple[np.ndarray, np.ndarray]:
    """Whether it holds, and whether it fails, that some strategies are among the best k.

    It holds where enough of the others are shown to be worse than each of them. It fails where
    too many others are shown to be better than one of them. With k strategies that means: all
    others worse than each, and some other one better.

    Parameters
    ----------
    better : bool [B,S,S]
        As from `significantly_better`; transposed for the worst k.
    claimed
        Indices of the strategies, at most k.
    k
        How many places count as the top.

    Returns
    -------
    holds, fails : bool [B]
    """
    inside = np.isin(np.arange(better.shape[1]), list(claimed))
    spare = k - int(inside.sum())
    beaten = better[:, inside][:, :, ~inside].sum(2)
    above = better[:, ~inside][:, :, inside].sum(1)
    return (beaten >= (~inside).sum() - spare).all(1), (above > spare).any(1)


def mean_ranks(scores: Sequence[np.ndarray]) -> np.ndarray:
    """Ranks of strategies in each fold, the best highest, averaged over a data set's fractions.

    Folds of all data sets are the units. Fractions of a fold share its images, so they are not.

    Parameters
    ----------
    scores : sequence of float64 [P,F,S]
        Of each data set: fractions, folds, strategies. NaN in a fold leaves that fold out, since
        ranks among fewer strategies are others.

    Returns
    -------
    float64 [N,S]
        One row per fold. No row if a data set has fewer than three complete folds.
    """
    complete = [part[:, np.isfinite(part).all((0, 2))] for part in scores]
    if not complete or min(part.shape[1] for part in complete) < VERDICT_FOLDS:
        return np.empty((0, scores[0].shape[2] if scores else 0))
    return np.concatenate([rankdata(part, axis=2).mean(0) for part in complete])


def variance_difference(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """By how much more scores vary over folds under the first condition, one value per fold.

    For paired values of equal variance, their sum and difference are uncorrelated (Pitman 1939,
    Morgan 1939). Strategies of one fold are not independent, so each fold gives one value: the mean
    over strategies of (first - its mean) squared minus (second - its mean) squared.

    Parameters
    ----------
    first, second : float64 [F,S]
        Scores of the same folds and strategies under two conditions; NaN where a run is missing.

    Returns
    -------
    float64 [F]
        Their mean is the difference of the two variances; NaN for a fold without a pair.
    """
    both = np.isfinite(first) & np.isfinite(second)
    both &= both.sum(0) > 1
    count = np.where(both.any(0), both.sum(0), np.nan)
    squares = []
    for values in (first, second):
        kept = np.where(both, values, 0.0)
        squares.append((kept - kept.sum(0) / count) ** 2 * count / (count - 1))
    difference = np.where(both, squares[0] - squares[1], 0.0)
    pairs = both.sum(1)
    return np.where(pairs > 0, difference.sum(1) / np.maximum(pairs, 1), np.nan)


def fails_more_often(
    failures: np.ndarray, claimed: Sequence[int], random: np.random.Generator, draws: int = 20_000
) -> tuple[float, float]:
    """P values that some strategies fail more often than the others, and that they fail less often.

    A permutation test: within each fold the strategies' counts of failures are exchanged.

    Parameters
    ----------
    failures : int64 [F,S]
        Failed runs of each strategy in each fold.
    claimed
        Indices of the strategies.
    random
        Source of random numbers.
    draws
        Number of permutations.
    """
    seen = failures[:, list(claimed)].sum()
    total = np.zeros(draws, int)
    for row in failures:
        shuffled = random.permuted(np.broadcast_to(row, (draws, len(row))), axis=1)
        total += shuffled[:, : len(claimed)].sum(1)
    more, less = (total >= seen).sum(), (total <= seen).sum()
    return float((more + 1) / (draws + 1)), float((less + 1) / (draws + 1))


@dataclass(frozen=True)
class Correlation:
    """A rank correlation beside the one to expect if the other means were the truth.

    Attributes
    ----------
    value
        Spearman's rank correlation of the two sets of means.
    expected, expected_lower, expected_upper
        Median and central 90 % of the correlations that such errors would leave.
    share_below
        Share of those that are at most the value: small where the truth differs.
    """

    value: float
    expected: float
    expected_lower: float
    expected_upper: float
    share_below: float


def attainable_correlation(
    means: np.ndarray,
    errors: np.ndarray,
    published: np.ndarray,
    random: np.random.Generator,
    draws: int = 2000,
) -> Correlation:
    """Rank correlation with published means, and what it could be at most.

    Parameters
    ----------
    means : float64 [S]
        Own adjusted means, without NaN.
    errors : float64 [S]
        Their standard errors, fold effects taken out.
    published : float64 [S]
        The paper's means, in the same order, without NaN.
    random
        Source of random numbers.
    draws
        Number of simulated studies.
    """
    value = float(spearmanr(means, published).statistic)
    simulated = published + random.normal(size=(draws, len(published))) * errors
    ranks, target = rankdata(simulated, axis=1), rankdata(published)
    correlations = 1 - cdist(ranks, target[None], "correlation")
    low, middle, high = np.quantile(correlations, [0.05, 0.5, 0.95])
    share = float((correlations <= value + 1e-12).mean())
    return Correlation(value, float(middle), float(low), float(high), share)


def folds_for_equivalence(width: float, estimate: Estimate, tests: int) -> float:
    """Folds with which an equivalence or non-inferiority claim could hold at all.

    Parameters
    ----------
    width
        Distance from the most favourable truth to the claim's bound, above 0.
    estimate
        Of the present folds, with an error.
    tests
        As for `critical`.

    Returns
    -------
    float
        The smallest number with which it would hold with a probability of 1/2 in the most
        favourable case; infinite for more than `sonotune.statistics.planning.MOST_FOLDS`.
    """
    folds = np.arange(VERDICT_FOLDS, MOST_FOLDS + 1)
    df = estimate.df * (folds - 1) / max(estimate.folds - 1, 1)
    error = estimate.error * np.sqrt(estimate.folds / folds)
    possible = critical(df, tests, estimate.compared) * error <= width
    return min(map(float, folds[possible]), default=np.inf)
