"""Which strategy to recommend, and the Dice to expect of it, for many studies at once.

B studies, F folds, S strategies. `sonotune.statistics.decision` puts this into words for one study.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from sonotune.statistics.pairs import LEVEL, PairwiseDifferences, compare, most_lost
from sonotune.statistics.regret import Posterior, error_variances, expected_means, posterior

# Difference in Dice that counts as none, unless a study says otherwise.
MARGIN = 0.02
# With fewer folds nothing is recommended.
CHOICE_FOLDS = 2
# With fewer folds nothing is called worse or about as good.
VERDICT_FOLDS = 3
# Of the model's estimate of the recommended strategy's Dice; the rest is the cross-fitted one's.
MODEL_WEIGHT = 0.4
# The choice adds to the variance of that estimate.
WIDENING = 1.15


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
    pairs: PairwiseDifferences
    posterior: Posterior


def choose(
    scores: np.ndarray,
    candidates: np.ndarray,
    costs: np.ndarray,
    margin: float,
    finalists: np.ndarray | None = None,
    by_pretraining: np.ndarray | None = None,
) -> Choices:
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
    finalists : bool [B,S]
        The candidates among which one is picked; all by default. The best, which they are compared
        with, is sought among all candidates.
    by_pretraining : float64 [B,P,S]
        As for `sonotune.statistics.pairs.compare`.
    """
    pairs = compare(scores, by_pretraining)
    candidates = candidates & np.isfinite(pairs.means)
    lost, good = _shown_good(pairs, candidates, margin, scores.shape[1])
    model = posterior(pairs.means, error_variances(pairs.error), candidates, margin)
    picked = candidates if finalists is None else candidates & finalists
    recommended = _pick(model.means, good & picked, picked, costs)
    if scores.shape[1] < CHOICE_FOLDS:
        recommended = np.full_like(recommended, -1)
    return Choices(recommended, good, lost, pairs, model)


def _shown_good(
    pairs: PairwiseDifferences, candidates: np.ndarray, margin: float, folds: int
) -> tuple[np.ndarray, np.ndarray]:
    lost = most_lost(pairs, candidates)
    # A single candidate has nothing to be as good as.
    several = candidates.sum(1, keepdims=True) > 1
    return lost, candidates & (lost <= margin) & several & (folds >= VERDICT_FOLDS)


def _pick(
    expected: np.ndarray, good: np.ndarray, candidates: np.ndarray, costs: np.ndarray
) -> np.ndarray:
    """Index of the cheapest good one, else of the highest expected mean; -1 without candidates."""
    value = np.where(candidates, expected, -np.inf)
    price = np.where(good, costs, np.inf)
    # Among equally cheap ones, the best.
    cheapest = np.where(good & (price == price.min(1, keepdims=True)), value, -np.inf)
    picked = np.where(good.any(1), cheapest.argmax(1), value.argmax(1))
    return np.where(candidates.any(1), picked, -1)


def expected_dice(
    scores: np.ndarray, candidates: np.ndarray, costs: np.ndarray, margin: float, choices: Choices
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Dice to expect of the recommended strategies, without the optimism of having chosen them.

    A weighted mean of two estimates. One makes the choice again without each fold and looks up the
    score of what was chosen in that fold; it is unbiased but varies with the choice. The other is
    the hierarchical model's, which is steadier but keeps some optimism. The interval is the t
    interval of the strategy's own folds around this mean, made wider. Weight and width were set by
    benchmarks/decisions.py.

    Parameters
    ----------
    scores, candidates, costs, margin
        As for `choose`.
    choices
        What `choose` made of them.

    Returns
    -------
    mean, lower, upper : float64 [B]
        Mean Dice over new folds and new trainings, and its 95 % interval; NaN where nothing is
        recommended, from fewer than two folds.
    """
    studies, folds, _ = scores.shape
    if folds < 2:
        nothing = np.full(studies, np.nan)
        return nothing, nothing, nothing
    rows = np.arange(studies)
    picked = np.maximum(choices.recommended, 0)
    own = scores[rows, :, picked]
    out = np.full((studies, folds), np.nan)
    for fold in range(folds):
        rest = np.delete(scores, fold, axis=1)
        there = candidates & np.isfinite(scores[:, fold])
        pairs = compare(rest)
        there &= np.isfinite(pairs.means)
        good = _shown_good(pairs, there, margin, folds - 1)[1]
        expected = expected_means(pairs.means, error_variances(pairs.error))
        again = _pick(expected, good, there, costs)
        out[:, fold] = np.where(again >= 0, scores[rows, fold, np.maximum(again, 0)], np.nan)
    model = choices.posterior.means[rows, picked]
    mean = MODEL_WEIGHT * model + (1 - MODEL_WEIGHT) * out.mean(1)
    mean = np.where(choices.recommended >= 0, mean, np.nan)
    error = WIDENING * own.std(1, ddof=1) / np.sqrt(folds)
    reach = stdtrit(folds - 1, 1 - LEVEL / 2) * error
    return mean, mean - reach, mean + reach
