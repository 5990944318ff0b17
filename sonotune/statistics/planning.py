"""What a number of runs can show: for `sonotune plan`, before a study is run.

Everything is computed by sending simulated studies through the project's own decision, so that it
holds for that decision and not for a textbook test.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from sonotune.seeds import generator
from sonotune.statistics.choice import MARGIN, VERDICT_FOLDS, choose
from sonotune.statistics.pairs import compare, critical_ratio

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
    detectable
        True difference of two strategies that is shown with 80 % power, for the median pair.
    regret
        Expected loss of the recommended strategy against the best.
    """

    detectable: float
    regret: float


def plan_folds(
    folds: int, run_sd: Sequence[float] | np.ndarray, studies: int = 200, seed: int = 1
) -> Plan:
    """What a number of folds can show, with one training of each strategy in each.

    Parameters
    ----------
    folds
        Number of folds, at least `sonotune.statistics.choice.VERDICT_FOLDS`.
    run_sd : float [S]
        Standard deviation of each strategy's runs, fold effects taken out, above 0; S at least 2.
    studies
        Number of simulated studies. Each draws its own true means, normal with the standard
        deviation `TYPICAL_SPREAD`.
    seed
        Seed of the simulation.
    """
    strategies = len(run_sd)
    random = generator(seed, "planning", folds)
    true_means = random.normal(0.0, TYPICAL_SPREAD, (studies, strategies))
    noise = random.normal(size=(studies, folds, strategies)) * np.asarray(run_sd, float)
    # Equal strategies: what would have to be added to each difference for it to be shown.
    first, second = np.triu_indices(strategies, 1)
    lacking = -compare(noise).bounds()[0][:, first, second]
    detectable = float(np.nanmedian(np.nanquantile(lacking, POWER, axis=0)))
    everyone = np.ones((studies, strategies), bool)
    choices = choose(true_means[:, None, :] + noise, everyone, np.zeros(strategies), MARGIN)
    loss = true_means.max(1) - true_means[np.arange(studies), choices.recommended]
    return Plan(detectable, float(loss.mean()))


def folds_to_show(difference: float, error: float, folds: int, strategies: int) -> float:
    """Folds with which a true difference of that size would be shown with 80 % power.

    Parameters
    ----------
    difference
        True difference in Dice, at least 0.
    error
        Standard error of the difference from ``folds`` folds; NaN gives NaN.
    folds
        Folds behind the error.
    strategies
        Strategies that are compared, at least 2.

    Returns
    -------
    float
        NaN for more than `MOST_FOLDS`.
    """
    number = np.arange(max(folds, VERDICT_FOLDS), MOST_FOLDS + 1)
    df = (number - 1.0) * (strategies - 1)
    needed = critical_ratio(strategies, df) + stdtrit(df, POWER)
    enough = difference >= needed * error * np.sqrt(folds / number)
    return min(map(float, number[enough]), default=np.nan)
