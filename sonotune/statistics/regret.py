"""A hierarchical model of the strategies' mean Dice: expected regret, and who is near the best.

The adjusted mean of a strategy is its true mean plus an error whose variance comes from the runs:
fold x strategy, and images within folds. The folds' own differences are common to all strategies
and have been taken out. The true means of a study's strategies come from one distribution on a
grid, which is estimated by a few steps of the EM algorithm from a flat start. Many steps would give
the nonparametric maximum likelihood estimate (Koenker and Mizera, JASA 109, 2014), a few points
that suit the data too well; few steps keep it smooth.

Strategies whose differences are no larger than their errors are so pulled together. That takes out
the optimism of looking at the best of many.

All functions take many studies at once: B studies, S strategies.
"""

from dataclasses import dataclass

import numpy as np

GRID = 161
STEPS = 20


@dataclass(frozen=True)
class Posterior:
    """What the model says of each strategy; NaN where a strategy has no score.

    Attributes
    ----------
    means : float64 [B,S]
        Expected true mean Dice.
    regret : float64 [B,S]
        Expected loss against the best candidate, at least 0.
    within : float64 [B,S]
        Probability that the loss is at most the margin.
    """

    means: np.ndarray
    regret: np.ndarray
    within: np.ndarray


def error_variances(error: np.ndarray) -> np.ndarray:
    """Variance of each strategy's mean, from the errors of all pairs.

    The variance of a difference is the sum of two strategies' variances. The sums are fitted to
    those of the pairs by maximum likelihood, as for gamma variables, by multiplicative steps that
    keep them positive.

    Parameters
    ----------
    error : float64 [B,S,S]
        Standard errors of `sonotune.statistics.pairs.PairwiseDifferences`; NaN where there is none.

    Returns
    -------
    float64 [B,S]
        NaN for a strategy without an error.
    """
    known = np.isfinite(error)
    squares = np.where(known, error, 0.0) ** 2
    count = known.sum(2)
    variances = squares.sum(2) / np.maximum(count, 1) / 2
    for _ in range(25):
        sums = np.where(known, variances[:, :, None] + variances[:, None, :], 1.0)
        sums = np.maximum(sums, 1e-300)
        ratio = (squares / sums**2).sum(2) / np.maximum((known / sums).sum(2), 1e-300)
        variances = variances * ratio
    return np.where(count > 0, variances, np.nan)


def posterior(
    means: np.ndarray, variances: np.ndarray, candidates: np.ndarray, margin: float
) -> Posterior:
    """Expected true means, regret, and probability of being within the margin of the best.

    Parameters
    ----------
    means : float64 [B,S]
        Adjusted means, NaN for a strategy without a score.
    variances : float64 [B,S]
        Of their errors. A study in which none is known gets its means back as they are.
    candidates : bool [B,S]
        Strategies among which the best is sought.
    margin
        Difference in Dice that counts as none, at least 0.
    """
    scored = np.isfinite(means)
    grid, mass = _true_means(means, variances)
    expected = expected_means(means, variances, (grid, mass))
    regret, within = _against_best(mass, grid, expected, scored & candidates, margin)
    best = np.where(scored & candidates, means, -np.inf).max(1, keepdims=True)
    raw = ~np.isfinite(variances).any(1)[:, None]
    regret = np.where(raw, np.maximum(best - means, 0.0), regret)
    return Posterior(
        expected, np.where(scored, regret, np.nan), np.where(scored & ~raw, within, np.nan)
    )


def expected_means(
    means: np.ndarray,
    variances: np.ndarray,
    fitted: tuple[np.ndarray, np.ndarray] | None = None,
) -> np.ndarray:
    """Expected true means alone, float64 [B,S]; parameters as for `posterior`.

    Parameters
    ----------
    means
        Means, float64 [B,S].
    variances
        Their variances, float64 [B,S].
    fitted
        Grid of true means, float64 [B,G], and probabilities on it, float64 [B,S,G]; None to fit
        them.
    """
    grid, mass = fitted or _true_means(means, variances)
    expected = (mass @ grid[:, :, None])[:, :, 0]
    raw = ~np.isfinite(variances).any(1)[:, None]
    return np.where(np.isfinite(means) & ~raw, expected, means)


def _true_means(means: np.ndarray, variances: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Grid of true means [B,G], and each strategy's probabilities on it [B,S,G]."""
    scored = np.isfinite(means)
    known = scored & np.isfinite(variances)
    errors = np.sqrt(np.where(known, variances, 0.0))
    # A strategy without a known error, in a study that knows some, gets the largest.
    errors = np.where(known, errors, errors.max(1, keepdims=True))
    low = np.where(scored, means - 3 * errors, np.inf).min(1, initial=np.inf)
    high = np.where(scored, means + 3 * errors, -np.inf).max(1, initial=-np.inf)
    low, high = np.where(scored.any(1), low, 0.0), np.where(scored.any(1), high, 1.0)
    width = np.maximum(high - low, 1e-6)
    grid = low[:, None] + width[:, None] * np.linspace(0, 1, GRID)
    # An error below the grid's step would fall between two points.
    errors = np.maximum(errors, 1.2 * width[:, None] / GRID)
    distance = (grid[:, None, :] - np.where(scored, means, 0.0)[:, :, None]) / errors[:, :, None]
    likelihood = np.where(scored[:, :, None], np.exp(-0.5 * distance**2), 0.0)
    # Single precision is enough for a distribution that is smooth by intention, and twice as fast.
    short = likelihood.astype(np.float32)
    prior = np.full(grid.shape, 1 / GRID, np.float32)
    share = (scored / np.maximum(scored.sum(1, keepdims=True), 1)).astype(np.float32)
    for _ in range(STEPS):
        density = (short @ prior[:, :, None])[:, :, 0]
        weight = share / np.maximum(density, 1e-30)
        prior = prior * (weight[:, None, :] @ short)[:, 0]
    mass = likelihood * prior[:, None, :]
    return grid, mass / np.maximum(mass.sum(2, keepdims=True), 1e-300)


def _against_best(
    mass: np.ndarray,
    grid: np.ndarray,
    expected: np.ndarray,
    candidates: np.ndarray,
    margin: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Expected loss against the best candidate, and probability that it is within the margin."""
    logs = np.log(np.clip(np.cumsum(mass, 2), 1e-300, 1.0))
    logs = np.where(candidates[:, :, None], logs, 0.0)
    total = logs.sum(1)
    step = np.diff(grid, axis=1)
    best = grid[:, -1] - (np.exp(total[:, :-1]) * step).sum(1)
    # Every other candidate is at most the margin above: their distribution, shifted.
    shift = np.floor(margin / step[:, :1] + 1e-9).astype(int)
    index = np.minimum(np.arange(grid.shape[1])[None] + shift, grid.shape[1] - 1)
    others = total[:, None, :] - logs
    others = np.take_along_axis(others, np.broadcast_to(index[:, None, :], others.shape), 2)
    within = (mass * np.exp(others)).sum(2)
    return np.maximum(best[:, None] - expected, 0.0), within
