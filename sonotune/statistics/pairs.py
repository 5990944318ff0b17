"""All pairs of strategies, paired by fold, each with its own error, adjusted for their number.

The functions take many studies at once, so that the benchmark can put thousands of simulated
studies through the code that decides real ones. An array of scores is float64 [studies, folds,
strategies]; NaN marks a run without a score.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import digamma, polygamma, stdtr, stdtrit

LEVEL = 0.05
# Variances of differences in Dice below this are rounding.
NO_VARIATION = 1e-14


@dataclass(frozen=True)
class PairwiseDifferences:
    """Differences of adjusted means and their errors; B studies, F folds, S strategies.

    Attributes
    ----------
    means : float64 [B,S]
        Adjusted means: least squares of strategy plus fold. NaN for a strategy without a score.
    difference : float64 [B,S,S]
        Mean of the first (axis 1) minus mean of the second (axis 2).
    error : float64 [B,S,S]
        Standard error of the difference. NaN where no test is possible.
    df : float64 [B,S,S]
        Degrees of freedom of the error.
    folds : int64 [B,S,S]
        Number of folds that have a score of both.
    """

    means: np.ndarray
    difference: np.ndarray
    error: np.ndarray
    df: np.ndarray
    folds: np.ndarray

    @property
    def compared(self) -> np.ndarray:
        """Number of strategies of each study that have a test, int64 [B]; 1 if there is none."""
        return np.asarray(np.maximum(np.isfinite(self.error).any(2).sum(1), 1))

    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Simultaneous 95 % intervals of all pairs, two float64 [B,S,S]; NaN without a test."""
        reach = self.reach(np.maximum(self.compared, 2), critical_ratio)
        return self.difference - reach, self.difference + reach

    def reach(
        self, numbers: np.ndarray, ratio: Callable[[int, np.ndarray], np.ndarray]
    ) -> np.ndarray:
        """Distance of bounds from each difference, float64 [B,S,S]; NaN without a test.

        Parameters
        ----------
        numbers : int64 [B]
            Of comparisons in each study.
        ratio
            From such a number and degrees of freedom, errors between a difference and its bound.
        """
        ratios = np.empty(self.df.shape)
        for number in np.unique(numbers):
            rows = numbers == number
            ratios[rows] = ratio(int(number), self.df[rows])
        return np.asarray(ratios * self.error)

    def single_bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """95 % intervals of each pair by itself, two float64 [B,S,S]."""
        reach = t_quantile(self.df, 1 - LEVEL / 2) * self.error
        return self.difference - reach, self.difference + reach

    def p_values(self) -> np.ndarray:
        """P values adjusted for all pairs of a study, float64 [B,S,S]; NaN without a test."""
        tests = self.compared * (self.compared - 1) / 2
        single = 2 * stdtr(self.df, -np.abs(self.difference) / self.error)
        logs = tests[:, None, None] * np.log1p(-np.minimum(single, 1 - 1e-16))
        return np.asarray(-np.expm1(logs))


def compare(scores: np.ndarray, by_pretraining: np.ndarray | None = None) -> PairwiseDifferences:
    """Compare all strategies of each study, with a moderated error for each pair.

    The error of a pair comes from the differences over the folds that both have. Its variance is
    combined with that typical of the study's pairs (Smyth 2004); how much is borrowed depends on
    how alike the variances are. It is never taken below the pair's own. At most as many degrees of
    freedom are claimed as pooling all runs would give.

    Parameters
    ----------
    scores : float64 [B,F,S]
        Mean Dice of each run, in [0, 1]; NaN where it is missing or failed.
    by_pretraining : float64 [B,P,S]
        Mean over the folds of the runs from each of P pre-trained networks; NaN for a strategy that
        starts from none. If it is given, errors are of means over new networks, too
        (`add_pretrainings`).

    Returns
    -------
    PairwiseDifferences
        Pairs that share fewer than two folds, or whose differences do not vary, have no error.
    """
    known = np.isfinite(scores)
    values = np.where(known, scores, 0.0)
    means, contrast_variance = _least_squares(values, known)
    both = (known[:, :, :, None] & known[:, :, None, :]).sum(1)
    variance = _difference_variance(values, known, both)
    moderated, df = _moderate(variance, both - 1.0, known)
    difference = means[:, :, None] - means[:, None, :]
    # In a complete study this is the variance over the number of folds.
    error = np.sqrt(moderated * contrast_variance / 2)
    if by_pretraining is not None:
        error, df = add_pretrainings(error, df, by_pretraining)
    return PairwiseDifferences(means, difference, error, df, both)


def add_pretrainings(
    error: np.ndarray, df: np.ndarray, by_pretraining: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Add to the errors of pairs how much strategies differ between pre-trained networks.

    All folds share the networks, so their differences do not tell. The variance is that of the
    means that each strategy reaches from each network, less what strategy and network add; it is
    one for all strategies. Its degrees of freedom are combined with those of the pair
    (Satterthwaite 1946). It contains a part of the runs' own variance, so errors are somewhat too
    large rather than too small.

    Parameters
    ----------
    error, df : float64 [B,S,S]
        Of `PairwiseDifferences`, from folds alone.
    by_pretraining : float64 [B,P,S]
        As for `compare`, P at least 2.

    Returns
    -------
    error, df : float64 [B,S,S]
        As they were where fewer than two strategies have a mean from every network.
    """
    networks = by_pretraining.shape[1]
    started = np.isfinite(by_pretraining).all(1)
    number = started.sum(1)
    means = np.where(started[:, None], by_pretraining, 0.0)
    weight = started / np.maximum(number, 1)[:, None]
    effects = means - (means * weight[:, None]).sum(2, keepdims=True)
    residuals = np.where(started[:, None], effects - effects.mean(1, keepdims=True), 0.0)
    own_df = np.maximum((number - 1) * (networks - 1), 1).astype(float)
    variance = np.where(number > 1, (residuals**2).sum((1, 2)) / own_df, 0.0) / networks
    times = started[:, :, None].astype(float) + started[:, None, :]
    added = times * variance[:, None, None]
    total = error**2 + added
    with np.errstate(invalid="ignore", divide="ignore"):
        joined = total**2 / (error**4 / df + added**2 / own_df[:, None, None])
    return np.sqrt(total), np.where(added > 0, joined, df)


def _least_squares(values: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Adjusted means, and variances of their differences in units of a run's variance."""
    weight = known.astype(float)
    per_fold = np.maximum(weight.sum(2), 1)
    shared = np.einsum("bfi,bfj->bij", weight / per_fold[:, :, None], weight)
    information = -shared
    index = np.arange(values.shape[2])
    information[:, index, index] += weight.sum(1)
    fold_means = values.sum(2) / per_fold
    total = (weight * (values - fold_means[:, :, None])).sum(1)
    inverse = np.linalg.pinv(information, rcond=1e-9, hermitian=True)
    effects = np.einsum("bij,bj->bi", inverse, total)
    diagonal = inverse[:, index, index]
    variance = diagonal[:, :, None] + diagonal[:, None, :] - 2 * inverse
    # The level is that of the average fold: strategy effects plus the mean of fold effects.
    fold_effects = (weight * (values - effects[:, None, :])).sum(2) / per_fold
    used = weight.any(2)
    level = (fold_effects * used).sum(1) / np.maximum(used.sum(1), 1)
    means = np.where(weight.any(1), effects + level[:, None], np.nan)
    return means, np.maximum(variance, 0.0)


def _difference_variance(values: np.ndarray, known: np.ndarray, both: np.ndarray) -> np.ndarray:
    """Variance of each pair's differences over their common folds; NaN from fewer than two."""
    total = np.zeros(both.shape)
    squares = np.zeros(both.shape)
    for fold in range(values.shape[1]):
        here = known[:, fold, :, None] & known[:, fold, None, :]
        difference = np.where(here, values[:, fold, :, None] - values[:, fold, None, :], 0.0)
        total += difference
        squares += difference**2
    with np.errstate(invalid="ignore", divide="ignore"):
        variance = (squares - total**2 / both) / (both - 1.0)
    return np.where(both > 1, np.maximum(variance, 0.0), np.nan)


def _moderate(
    variance: np.ndarray, df: np.ndarray, known: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Moderated variance and degrees of freedom of each pair (Smyth 2004, section 6.2)."""
    strategies = variance.shape[1]
    first, second = np.triu_indices(strategies, 1)
    own, own_df = variance[:, first, second], df[:, first, second]
    usable = np.isfinite(own) & (own > NO_VARIATION)
    own_df = np.where(usable, own_df, 1.0)
    half = own_df / 2
    logs = np.where(usable, np.log(np.where(usable, own, 1.0)) - digamma(half) + np.log(half), 0.0)
    count = np.maximum(usable.sum(1), 1)
    centre = logs.sum(1) / count
    spread = np.where(usable, (logs - centre[:, None]) ** 2, 0.0).sum(1)
    spread = spread / np.maximum(count - 1, 1)
    expected = np.where(usable, polygamma(1, half), 0.0).sum(1) / count
    prior_df = 2 * inverse_trigamma(spread - expected)
    # What pooling all runs of the study would give; a prior from one pair is no prior.
    folds, columns = known.any(2).sum(1), known.any(1).sum(1)
    pooled = np.maximum(known.sum((1, 2)) - folds - columns + 1, 1)
    prior_df = np.where(count > 2, np.minimum(prior_df, 1e6), 0.0)
    half_prior = np.maximum(prior_df, 1e-9) / 2
    prior = np.exp(np.minimum(centre + digamma(half_prior) - np.log(half_prior), 50.0))
    prior = np.where(prior_df > 0, prior, 0.0)
    mixed = (prior_df[:, None] * prior[:, None] + own_df * own) / (prior_df[:, None] + own_df)
    total_df = np.minimum(prior_df[:, None] + own_df, np.maximum(pooled[:, None], own_df))
    result = np.full(variance.shape, np.nan)
    result_df = np.full(variance.shape, np.nan)
    for a, b in ((first, second), (second, first)):
        result[:, a, b] = np.where(usable, np.maximum(mixed, own), np.nan)
        result_df[:, a, b] = np.where(usable, total_df, np.nan)
    return result, result_df


def inverse_trigamma(value: np.ndarray) -> np.ndarray:
    """Argument at which the trigamma function has a value; infinite for values not above 0.

    Parameters
    ----------
    value
        Values of the trigamma function.
    """
    value = np.asarray(value, float)
    positive = np.clip(value, 1e-6, 1e6)
    guess = 0.5 + 1 / positive
    for _ in range(20):
        trigamma = polygamma(1, guess)
        guess = guess + trigamma * (1 - trigamma / positive) / polygamma(2, guess)
    return np.where(value > 1e-6, guess, np.inf)


def critical_ratio(number: int, df: np.ndarray) -> np.ndarray:
    """Errors that a difference must exceed at 5 % for all pairs of this many strategies (Sidak).

    Parameters
    ----------
    number
        Strategies compared, at least 2.
    df : float64 [...]
        Degrees of freedom, above 0; NaN gives NaN.
    """
    tests = number * (number - 1) / 2
    return -t_quantile(df, -np.expm1(np.log1p(-LEVEL) / tests) / 2)


def t_quantile(df: np.ndarray, probability: float) -> np.ndarray:
    """Quantile of Student's t; each number of degrees of freedom is looked up once.

    Parameters
    ----------
    df
        Degrees of freedom, above 0; NaN gives NaN.
    probability
        In (0,1).
    """
    values, where = np.unique(df, return_inverse=True)
    return np.asarray(stdtrit(values, probability))[where].reshape(np.shape(df))


def gap_bounds(
    lower: np.ndarray, upper: np.ndarray, candidates: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Simultaneous intervals of how far each strategy is behind the best, two float64 [B,S].

    If all intervals of pairs hold, so do these (Edwards and Hsu 1983). A strategy that is shown to
    be worse than a candidate cannot be the best candidate, however uncertain its mean is.

    Parameters
    ----------
    lower, upper : float64 [B,S,S]
        Of `PairwiseDifferences.bounds`: first minus second.
    candidates : bool [B,S]
        Strategies among which the best is sought.
    """
    own = np.eye(lower.shape[1], dtype=bool)[None]
    # Entry [i, j] is i minus j: how far j is behind i.
    against = candidates[:, :, None] & ~own
    least = np.where(against & ~np.isnan(lower), lower, 0.0).max(1)
    possible = candidates & ~(least > 0)
    against = possible[:, :, None] & ~own
    most = np.where(against, np.where(np.isnan(upper), np.inf, upper), 0.0).max(1)
    return np.maximum(least, 0.0), np.maximum(most, 0.0)


def most_lost(pairs: PairwiseDifferences, candidates: np.ndarray) -> np.ndarray:
    """Upper one-sided 95 % bound of what each strategy loses against the best, float64 [B,S].

    Adjusted (Sidak) for comparing every strategy with the one unknown best, so that all bounds
    of a study hold together in 95 % of studies.

    Parameters
    ----------
    pairs
        Pairs of B studies.
    candidates : bool [B,S]
        Strategies among which the best is sought.
    """
    others = np.maximum(candidates.sum(1) - 1, 1)
    reach = pairs.reach(others, lambda n, df: t_quantile(df, (1 - LEVEL) ** (1 / n)))
    bound = pairs.difference + np.where(np.isnan(reach), np.inf, reach)
    own = np.eye(bound.shape[1], dtype=bool)[None]
    bound = np.where(own | ~candidates[:, :, None], 0.0, bound)
    return np.asarray(np.maximum(bound.max(1), 0.0))
