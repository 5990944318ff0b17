"""What a number of runs can show: for `sonotune plan`, before a study is run.

Everything is computed by sending simulated studies through the project's own decision, so that it
holds for that decision and not for a textbook test.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from sonotune.seeds import generator
from sonotune.statistics.choice import VERDICT_FOLDS, choose
from sonotune.statistics.pairs import compare, critical_ratio
from sonotune.statistics.regret import error_variances, expected_means

POWER = 0.8
MOST_FOLDS = 200
# Standard deviation of a run's mean Dice, fold x strategy, as measured in the five-fold studies of
# docs/results: .041 to .056 at fractions of .8 and .5, .110 to .131 at .05.
TYPICAL_RUN_SD = {0.8: 0.05, 0.5: 0.05, 0.05: 0.12}
# Standard deviation of the true means: .068 and .071 in Table II of Amiri et al. 2020, SUS, at
# fractions of .8 and .05.
TYPICAL_SPREAD = 0.07


def typical_run_sd(fraction: float) -> float:
    """The entry of `TYPICAL_RUN_SD` that is nearest to a fraction.

    Parameters
    ----------
    fraction
        Share of the whole data set that is drawn for training and validation, in (0,1].
    """
    return TYPICAL_RUN_SD[min(TYPICAL_RUN_SD, key=lambda known: abs(known - fraction))]


@dataclass(frozen=True)
class Plan:
    """What a number of folds can show.

    Attributes
    ----------
    folds
        Number of folds, one training of each strategy in each.
    detectable
        True difference of two strategies that is shown with 80 % power, for the median pair; NaN
        where too few folds are run for a verdict.
    regret
        Expected loss of the recommended strategy against the best; NaN without a recommendation.
    within_margin
        Probability that this loss is at most the margin; NaN likewise.
    """

    folds: int
    detectable: float
    regret: float
    within_margin: float


def plan_folds(
    folds: Sequence[int],
    run_sd: Sequence[float] | np.ndarray,
    means: Sequence[float] | np.ndarray | None = None,
    margin: float = 0.02,
    studies: int = 200,
    seed: int = 1,
) -> list[Plan]:
    """What each number of folds can show.

    Parameters
    ----------
    folds
        Numbers of folds, at least 1 each.
    run_sd : float [S]
        Standard deviation of each strategy's runs, fold effects taken out, above 0; S at least 2.
    means : float [S], optional
        Plausible true means, such as a pilot's. Without them each simulated study draws its own,
        normal with the standard deviation `TYPICAL_SPREAD`.
    margin
        Difference in Dice that counts as none.
    studies
        Number of simulated studies for each number of folds.
    seed
        Seed of the simulation.
    """
    shape = (studies, len(run_sd))
    plans = []
    for number in folds:
        if number < 2:
            plans.append(Plan(number, np.nan, np.nan, np.nan))
            continue
        random = generator(seed, "planning", number)
        if means is None:
            true_means = random.normal(0.0, TYPICAL_SPREAD, shape)
        else:
            true_means = np.broadcast_to(np.asarray(means, float), shape)
        noise = random.normal(size=(studies, number, len(run_sd))) * np.asarray(run_sd, float)
        plans.append(_plan(true_means, noise, margin))
    return plans


def _plan(true_means: np.ndarray, noise: np.ndarray, margin: float) -> Plan:
    """What studies of these true means, float64 [B,S], and errors, float64 [B,F,S], can show."""
    studies, folds, strategies = noise.shape
    detectable = np.nan
    if folds >= VERDICT_FOLDS:
        # Equal strategies: what would have to be added to each difference for it to be shown.
        pairs = compare(noise)
        first, second = np.triu_indices(strategies, 1)
        lacking = -pairs.bounds()[0][:, first, second]
        detectable = float(np.nanmedian(np.nanquantile(lacking, POWER, axis=0)))
    everyone = np.ones((studies, strategies), bool)
    choices = choose(true_means[:, None, :] + noise, everyone, np.zeros(strategies), margin)
    loss = true_means.max(1) - true_means[np.arange(studies), choices.recommended]
    return Plan(folds, detectable, float(loss.mean()), float((loss <= margin).mean()))


def pilot(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Standard deviation of a run and plausible true mean of each strategy, from a pilot study.

    Parameters
    ----------
    scores : float64 [F,S]
        Mean Dice of each run, at least two folds; NaN where it is missing or failed.

    Returns
    -------
    run_sd, means : float64 [S]
        NaN for a strategy that shares fewer than two folds with any other.
    """
    pairs = compare(scores[None])
    variances = error_variances(pairs.error)
    runs = np.isfinite(scores).sum(0)
    return np.sqrt(variances[0] * runs), expected_means(pairs.means, variances)[0]


def folds_to_show(difference: float, error: float, folds: int, strategies: int) -> int | None:
    """Folds with which a true difference of that size would be shown with 80 % power.

    Parameters
    ----------
    difference
        True difference in Dice, at least 0.
    error
        Standard error of the difference from ``folds`` folds; NaN gives None.
    folds
        Folds behind the error.
    strategies
        Strategies that are compared, at least 2.

    Returns
    -------
    int or None
        None for more than `MOST_FOLDS`.
    """
    if not np.isfinite(error) or strategies < 2:
        return None
    number = np.arange(max(folds, VERDICT_FOLDS), MOST_FOLDS + 1)
    df = (number - 1.0) * (strategies - 1)
    needed = critical_ratio(strategies, df) + stdtrit(df, POWER)
    enough = difference >= needed * error * np.sqrt(folds / number)
    return int(number[enough.argmax()]) if enough.any() else None
