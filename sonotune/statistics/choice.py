"""Which strategy to recommend, and the Dice to expect of it, for many studies at once.

B studies, F folds, S strategies. `sonotune.statistics.decision` puts this into words for one study.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from sonotune.statistics.pairs import LEVEL, Pairs, compare, most_lost
from sonotune.statistics.regret import Posterior, error_variances, posterior

# With fewer folds nothing is recommended.
CHOICE_FOLDS = 2
# With fewer folds nothing is called worse or about as good.
VERDICT_FOLDS = 3
# The choice adds to the variance of the estimate; see the benchmark.
WIDENING = 1.1


@dataclass(frozen=True)
class Choices:
    """What is recommended in each study.

    Attributes
    ----------
    recommended : int64 [B]
        Index of the strategy; -1 for none.
    about_as_good : bool [B,S]
        Whether a candidate is shown to lose at most the margin.
    most_lost : float64 [B,S]
        Upper 95 % bound of what is lost; infinite without a test.
    pairs
        All comparisons.
    posterior
        Expected regret and what goes with it.
    """

    recommended: np.ndarray
    about_as_good: np.ndarray
    most_lost: np.ndarray
    pairs: Pairs
    posterior: Posterior


def choose(scores: np.ndarray, candidates: np.ndarray, costs: np.ndarray, margin: float) -> Choices:
    """Recommend the cheapest candidate about as good as the best, else that of least regret.

    Parameters
    ----------
    scores : float64 [B,F,S]
        Mean Dice of each run; NaN where it is missing or failed.
    candidates : bool [B,S]
        Strategies that may be recommended.
    costs : float64 [S]
        What is to be small among strategies that are about as good.
    margin
        Difference in Dice that counts as none, at least 0.
    """
    pairs = compare(scores)
    candidates = candidates & np.isfinite(pairs.means)
    model = posterior(pairs.means, error_variances(pairs.error), candidates, margin)
    lost = most_lost(pairs, candidates)
    good = candidates & (lost <= margin)
    if scores.shape[1] < VERDICT_FOLDS:
        good = np.zeros_like(good)
    # Among equally cheap ones, that of least regret.
    regret = np.where(candidates, model.regret, np.inf)
    price = np.where(good, costs, np.inf)
    cheapest = np.where(price == price.min(1, keepdims=True), regret, np.inf)
    recommended = np.where(good.any(1), cheapest.argmin(1), regret.argmin(1))
    decided = candidates.any(1) & (scores.shape[1] >= CHOICE_FOLDS)
    recommended = np.where(decided, recommended, -1)
    return Choices(recommended, good, lost, pairs, model)


@dataclass(frozen=True)
class ExpectedDice:
    """Mean Dice of the recommended strategy over new folds and new trainings, float64 [B] each."""

    mean: np.ndarray
    lower: np.ndarray
    upper: np.ndarray


def expected_dice(
    scores: np.ndarray, candidates: np.ndarray, costs: np.ndarray, margin: float, choices: Choices
) -> ExpectedDice:
    """Dice to expect of the recommended strategies, without the optimism of having chosen them.

    The mean of two estimates. One makes the choice again without each fold and looks up the score
    of what was chosen in that fold; it is unbiased but varies with the choice. The other is the
    hierarchical model's, which is steadier but pulls means together. The interval is that of the
    strategy's own folds (t distribution), a tenth wider, around this mean.

    Parameters
    ----------
    scores, candidates, costs, margin
        As for `choose`.
    choices
        What `choose` made of them.

    Returns
    -------
    ExpectedDice
        NaN where nothing is recommended, from fewer than two folds.
    """
    studies, folds, _ = scores.shape
    rows = np.arange(studies)
    picked = np.maximum(choices.recommended, 0)
    own = scores[rows, :, picked]
    out = np.full((studies, folds), np.nan)
    if folds > 1:
        for fold in range(folds):
            rest = np.delete(scores, fold, axis=1)
            there = candidates & np.isfinite(scores[:, fold])
            if folds > CHOICE_FOLDS:
                again = choose(rest, there, costs, margin).recommended
            else:
                known = there & np.isfinite(rest[:, 0])
                again = np.where(known, rest[:, 0], -np.inf).argmax(1)
                again = np.where(known.any(1), again, -1)
            out[:, fold] = np.where(again >= 0, scores[rows, fold, np.maximum(again, 0)], np.nan)
    mean = (out.mean(1) + choices.posterior.means[rows, picked]) / 2
    mean = np.where(choices.recommended >= 0, mean, np.nan)
    reach = np.full(studies, np.nan)
    if folds > 1:
        error = WIDENING * own.std(1, ddof=1) / np.sqrt(folds)
        reach = stdtrit(folds - 1, 1 - LEVEL / 2) * error
    return ExpectedDice(mean, mean - reach, mean + reach)
