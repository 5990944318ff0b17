"""Which strategies a race trains next, and when it stops (docs/racing.md).

A run's mean Dice is the strategy's true mean, plus an effect of its fold on all strategies, plus an
error. True means come from one normal distribution, and fold effects are free. Each strategy has
its own error variance, shrunk towards the pooled one and towards that typical of such runs. In each
round one more fold is trained by the strategies that may still turn out better than the leader.

Functions take many studies at once: B studies, F folds, S strategies.
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

# Degrees of freedom that the typical run SD counts for.
PRIOR_DF = 4.0
# Least standard deviation of true means.
LEAST_SPREAD = 0.02
# A strategy continues if it is expected to gain at least this share of the margin over the leader.
WORTH = 0.1
# At most this share of the strategies of a round train in the next.
KEPT = 0.5
DRAWS = 512


@dataclass(frozen=True)
class Standing:
    """What is known after some rounds.

    Attributes
    ----------
    means : float64 [B,S]
        Expected true mean Dice, up to a constant of the study.
    leader : int64 [B]
        Index of the candidate with the highest expected mean.
    regret : float64 [B]
        Expected loss of the leader against the best candidate.
    gain : float64 [B,S]
        Expected gain over the leader, if the strategy is better: E[max(difference, 0)]. Infinite
        for the leader, 0 for strategies that are not candidates.
    """

    means: np.ndarray
    leader: np.ndarray
    regret: np.ndarray
    gain: np.ndarray


def standing(scores: np.ndarray, candidates: np.ndarray, run_sd: float) -> Standing:
    """Judge the runs so far.

    Parameters
    ----------
    scores : float64 [B,F,S]
        Mean Dice of each run; NaN where it was not trained or failed.
    candidates : bool [B,S]
        Strategies without a failed or collapsed run; at least one in each study has a score.
    run_sd
        Typical standard deviation of a run, above 0.
    """
    known = np.isfinite(scores)
    candidates = candidates & known.any(1)
    values = np.where(known, scores, 0.0)
    variances, spread = _variances(values, known, run_sd)
    means, covariance = _solve(values, known, 1 / variances, 1 / spread)
    rows = np.arange(len(scores))
    leader = np.where(candidates, means, -np.inf).argmax(1)
    diagonal = np.diagonal(covariance, axis1=1, axis2=2)
    with_leader = covariance[rows, leader]
    difference = means - means[rows, leader][:, None]
    error = np.sqrt(np.maximum(diagonal + diagonal[rows, leader][:, None] - 2 * with_leader, 1e-12))
    ratio = difference / error
    gain = difference * norm.cdf(ratio) + error * norm.pdf(ratio)
    gain = np.where(candidates, gain, 0.0)
    gain[rows, leader] = np.inf
    return Standing(means, leader, _regret(means, covariance, candidates, leader), gain)


def next_round(
    now: Standing, trained: np.ndarray, costs: np.ndarray, budget: np.ndarray, margin: float
) -> np.ndarray:
    """Strategies that train in the next fold, bool [B,S]; none where the race is over.

    Parameters
    ----------
    now
        Where the races stand.
    trained : int [B]
        How many trained in the last fold.
    costs : float64 [B,S]
        Cost of one more run, above 0.
    budget : float64 [B]
        What may still be spent, in the unit of the costs.
    margin
        Largest difference in Dice that does not matter, above 0.
    """
    order = np.argsort(-now.gain, axis=1)
    sorted_gain = np.take_along_axis(now.gain, order, 1)
    spent = np.cumsum(np.take_along_axis(costs, order, 1), 1)
    worth = (sorted_gain >= WORTH * margin) & (spent <= budget[:, None])
    most = np.maximum(np.ceil(KEPT * trained), 2)
    worth &= np.arange(order.shape[1]) < most[:, None]
    # One strategy alone in a fold shows nothing about the others.
    worth &= worth[:, 1:2]
    chosen = np.zeros(worth.shape, bool)
    np.put_along_axis(chosen, order, worth, 1)
    return chosen


def _variances(
    values: np.ndarray, known: np.ndarray, run_sd: float
) -> tuple[np.ndarray, np.ndarray]:
    """Variance of each strategy's runs [B,S], and of true means [B,1]."""
    ones = np.ones((len(values), values.shape[2]))
    # Least squares: nearly no prior.
    means, _ = _solve(values, known, ones, np.full((len(values), 1), 1e-6))
    centred = np.where(known, values - means[:, None, :], 0.0)
    per_fold = np.maximum(known.sum(2), 1)
    residuals = np.where(known, centred - (centred.sum(2) / per_fold)[:, :, None], 0.0)
    squares, runs = (residuals**2).sum(1), known.sum(1)
    df = np.maximum(known.sum((1, 2)) - (runs > 0).sum(1) - known.any(2).sum(1) + 1, 0)
    pooled = (PRIOR_DF * run_sd**2 + squares.sum(1)) / (PRIOR_DF + df)
    own_df = np.maximum(runs - 1, 0)
    variances = (PRIOR_DF * pooled[:, None] + squares) / (PRIOR_DF + own_df)
    there = runs > 0
    number = np.maximum(there.sum(1, keepdims=True), 2)
    level = np.where(there, means, 0.0).sum(1, keepdims=True) / number
    spread = np.where(there, (means - level) ** 2, 0.0).sum(1, keepdims=True) / (number - 1)
    noise = np.where(there, variances / np.maximum(runs, 1), 0.0).sum(1, keepdims=True) / number
    return variances, np.maximum(spread - noise, LEAST_SPREAD**2)


def _solve(
    values: np.ndarray, known: np.ndarray, weight: np.ndarray, prior: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Posterior means [B,S] and covariance [B,S,S] of true means, folds free."""
    weights = known * weight[:, None, :]
    total = weights.sum(2)
    share = weights / np.where(total > 0, total, 1.0)[:, :, None]
    precision = -np.einsum("bfi,bfj->bij", share, weights)
    index = np.arange(values.shape[2])
    precision[:, index, index] += weights.sum(1) + prior
    fold_means = (share * values).sum(2)
    right = (weights * (values - fold_means[:, :, None])).sum(1)
    covariance = np.linalg.inv(precision)
    return np.einsum("bij,bj->bi", covariance, right), covariance


def _regret(
    means: np.ndarray, covariance: np.ndarray, candidates: np.ndarray, leader: np.ndarray
) -> np.ndarray:
    """Expected loss of the leader, by the same draws for every study."""
    draws = np.random.default_rng(1).normal(size=(DRAWS, means.shape[1]))
    draws = np.concatenate([draws, -draws])
    factor = np.linalg.cholesky(covariance)
    drawn = means[:, None, :] + np.einsum("bij,dj->bdi", factor, draws)
    best = np.where(candidates[:, None, :], drawn, -np.inf).max(2)
    return np.asarray((best - drawn[np.arange(len(means)), :, leader]).mean(1))
