"""Tests behind the claims of the papers, with the fold as the independent unit.

Each gives two answers: whether a claim *holds* and whether it *fails*. Both need evidence, at 5 %
one-sided for a single statement; what has neither is undecided. Claims about which strategies are
best go through `sonotune.statistics.pairs.judge_best`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit
from scipy.stats import rankdata, spearmanr

from sonotune.statistics.choice import VERDICT_FOLDS
from sonotune.statistics.pairs import LEVEL, NO_VARIATION, compare, judge_best


@dataclass(frozen=True)
class Judgement:
    """What a test says of a claim.

    Attributes
    ----------
    holds, fails
        At most one is true. Both are false where the claim is undecided.
    value
        The estimate that was tested; NaN where there is none.
    lower, upper
        One-sided 95 % bounds of it, each by itself; NaN without a test.
    """

    holds: bool
    fails: bool
    value: float
    lower: float
    upper: float


def judge_at_least(values: np.ndarray, bound: float) -> Judgement:
    """Whether the mean of one value per fold is at least ``bound`` (one-sample t bounds).

    It holds where the lower bound reaches ``bound``, and fails where the upper one stays below.
    "Better" is a bound of 0, non-inferiority ("competitive") a bound of minus the margin. "A third
    of the time" is a bound of log 3 for the differences of log seconds, "at most" the same with the
    signs of values and bound changed.

    Parameters
    ----------
    values : float64 [F]
        One per fold, such as the difference of two strategies; NaN where a run is missing.
    bound
        In the unit of the values.
    """
    values = values[np.isfinite(values)]
    value = float(values.mean()) if len(values) else np.nan
    if len(values) < VERDICT_FOLDS or values.var(ddof=1) <= NO_VARIATION:
        return Judgement(False, False, value, np.nan, np.nan)
    error = values.std(ddof=1) / np.sqrt(len(values))
    reach = float(stdtrit(len(values) - 1, 1 - LEVEL) * error)
    lower, upper = value - reach, value + reach
    return Judgement(lower >= bound, upper < bound, value, lower, upper)


def judge_mean_ranks(
    scores: Sequence[np.ndarray], claimed: Sequence[int], best: bool = True
) -> Judgement:
    """Whether some strategies have the best (or worst) mean ranks over all data sets together.

    In each fold of each data set strategies are ranked by their Dice. The folds of all data sets
    are the units of an adjusted comparison of all pairs. The claim is of these data sets, over new
    folds and trainings.

    Parameters
    ----------
    scores : sequence of float64 [F,S]
        Of every data set and fraction, with the same S strategies. NaN in a fold leaves that
        fold out, since ranks among fewer strategies are others.
    claimed
        Indices of the strategies.

    Returns
    -------
    Judgement
        The value is how much better the claimed strategies' worst mean rank is than the best of
        the others; the bounds are NaN, since many pairs are tested at once.
    """
    complete = [part[np.isfinite(part).all(1)] for part in scores]
    merits = np.concatenate([rankdata(part, axis=1) for part in complete if len(part)] or [[]])
    if len(merits) < VERDICT_FOLDS:
        return Judgement(False, False, np.nan, np.nan, np.nan)
    merits = merits if best else -merits
    mask = np.isin(np.arange(merits.shape[1]), list(claimed))
    pairs = compare(merits[None])
    holds, fails = judge_best(pairs.bounds()[0], mask)
    value = float(pairs.means[0, mask].min() - pairs.means[0, ~mask].max())
    return Judgement(bool(holds[0]), bool(fails[0]), value, np.nan, np.nan)


def judge_more_variable(first: np.ndarray, second: np.ndarray) -> Judgement:
    """Whether scores vary more over folds under the first condition, all strategies together.

    For paired values of equal variance, their sum and difference are uncorrelated (Pitman 1939,
    Morgan 1939). Strategies of one fold are not independent, so each fold gives one value: the mean
    over strategies of (first - its mean) squared minus (second - its mean) squared, tested as in
    `judge_at_least`.

    Parameters
    ----------
    first, second : float64 [F,S]
        Scores of the same folds and strategies under two conditions; NaN where a run is missing.
    """
    both = np.isfinite(first) & np.isfinite(second)
    used = both.sum(0) > 1
    if not used.any():
        return Judgement(False, False, np.nan, np.nan, np.nan)
    squares = []
    for values in (first[:, used], second[:, used]):
        kept = np.where(both[:, used], values, np.nan)
        count = both[:, used].sum(0)
        squares.append((kept - np.nanmean(kept, 0)) ** 2 * count / (count - 1))
    difference = squares[0] - squares[1]
    per_fold = [row[np.isfinite(row)].mean() for row in difference if np.isfinite(row).any()]
    return judge_at_least(np.array(per_fold), 0.0)


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
    means, published : float64 [S]
        Own adjusted means and the paper's, in the same order, without NaN.
    errors : float64 [S]
        Standard errors of the own means, fold effects taken out.
    draws
        Number of simulated studies.
    """
    value = float(spearmanr(means, published).statistic)
    simulated = published + random.normal(size=(draws, len(published))) * errors
    ranks = rankdata(simulated, axis=1)
    target = rankdata(published)
    ranks = ranks - ranks.mean(1, keepdims=True)
    target = target - target.mean()
    correlations = ranks @ target / np.sqrt((ranks**2).sum(1) * (target**2).sum())
    low, middle, high = np.quantile(correlations, [0.05, 0.5, 0.95])
    share = float((correlations <= value + 1e-12).mean())
    return Correlation(value, float(middle), float(low), float(high), share)


def can_hold(bound_width: float, run_sd: float, folds: int) -> bool:
    """Whether an equivalence or non-inferiority claim can hold at all with so many folds.

    Parameters
    ----------
    bound_width
        Margin in Dice.
    run_sd
        Standard deviation of a run, fold effects taken out.
    folds
        Number of folds, at least 2.

    Returns
    -------
    bool
        Whether the claim would hold with a probability of at least 1/2 if the true difference
        were 0.
    """
    reach = -stdtrit(folds - 1, LEVEL) * run_sd * np.sqrt(2 / folds)
    return bool(folds >= VERDICT_FOLDS and reach <= bound_width)
