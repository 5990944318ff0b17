"""What more images would bring: learning curves from nested fractions.

The error (1 - Dice) of a strategy falls with the number of images to a floor, as a power of that
number, as an exponential of it, or in between:
``error(r) = first * (floor + (1 - floor) * exp(-rate * (r ** bend - 1) / bend))`` with r, how many
times the least number it is; a bend of 0 is the power law. All curves of this form are weighed by
how well they fit the folds' scores, in logarithms, so that an interval covers what is not known of
the curve as well as the noise of its points. That noise has a variance of its own at each fraction
and may be correlated between fractions, so that the last deviation tells of the next one (universal
kriging: Cressie, "Statistics for Spatial Data", 1993, section 3.4). Viering and
Loog, "The shape of learning curves: a review" (IEEE TPAMI, 2023), compare such forms.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
from scipy.optimize import brentq

from sonotune.statistics.runs import FoldScores

LEVEL = 0.8
# Fewer fractions or folds, or a narrower range of images, say too little of a curve's form.
LEAST_FRACTIONS, LEAST_FOLDS, LEAST_RANGE = 4, 3, 4.0
# No forecast goes beyond this many times the images of the study.
FARTHEST = 2.0
# How far a real curve deviates from the model while images double: a standard deviation, relative
# to its error.
OFF_THE_FORM = 0.07
# Between the deviations of fractions that a doubling of the images separates; weighed by evidence.
CORRELATIONS = (0.0, 0.3, 0.6, 0.9)
# Degrees of freedom by which the variance of a fraction is drawn towards that of all.
POOLED = 2
# Errors below are not told apart: a Dice of .9999.
SMALLEST_ERROR = 1e-4


@dataclass(frozen=True)
class Forecast:
    """Mean Dice to expect on the same test images with another number of training images.

    Attributes
    ----------
    expected
        Median of what to expect, in [0, 1].
    lower, upper
        Ends of the interval that holds it with a probability of `LEVEL`.
    """

    expected: float
    lower: float
    upper: float


def learning_curves(data: Sequence[FoldScores]) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """Scores of every data set and strategy by fold and fraction.

    Parameters
    ----------
    data
        Of `sonotune.statistics.runs.fold_scores`.

    Yields
    ------
    tuple of str, str and DataFrame
        Data set, strategy, and mean Dice in [0, 1], one row per fold and one column per fraction,
        ascending; NaN where no run ended.
    """
    conditions = dict.fromkeys(
        (fold_data.dataset, name) for fold_data in data for name in fold_data.strategies
    )
    for dataset, strategy in conditions:
        columns = {
            fold_data.fraction: pd.Series(
                fold_data.scores[:, fold_data.strategies.index(strategy)], fold_data.folds
            )
            for fold_data in data
            if fold_data.dataset == dataset and strategy in fold_data.strategies
        }
        yield dataset, strategy, pd.DataFrame(columns).sort_index(axis=1)


def forecast_table(data: Sequence[FoldScores]) -> pd.DataFrame:
    """What twice the images would bring each strategy.

    Parameters
    ----------
    data
        Of `sonotune.statistics.runs.fold_scores`.

    Returns
    -------
    DataFrame
        One row per data set and strategy: dataset, strategy, fraction (the largest), dice (its mean
        there), times (how many times the images), expected, lower, upper, and refused: why there is
        no forecast.
    """
    rows = []
    for dataset, strategy, curve in learning_curves(data):
        fractions = [float(name) for name in curve]
        scores, wanted = curve.to_numpy(float), FARTHEST * fractions[-1]
        refused = refusal(scores, fractions)
        nothing = Forecast(np.nan, np.nan, np.nan)
        last = scores[:, -1]
        rows.append(
            {
                "dataset": dataset,
                "strategy": strategy,
                "fraction": fractions[-1],
                "dice": float(np.nanmean(last)) if np.isfinite(last).any() else np.nan,
                "times": FARTHEST,
                **asdict(nothing if refused else forecast(scores, fractions, wanted)),
                "refused": refused,
            }
        )
    columns = ["dataset", "strategy", "fraction", "dice", "times"]
    return pd.DataFrame(rows, columns=[*columns, "expected", "lower", "upper", "refused"])


def refusal(scores: np.ndarray, images: Sequence[float]) -> str:
    """Why no forecast can be made, or an empty text.

    Parameters
    ----------
    scores : float64 [F,K]
        Mean Dice of F folds at K fractions, in [0, 1]; folds with NaN do not count.
    images
        Numbers of images of the K fractions, or the fractions themselves: only ratios count.
    """
    folds = int(np.isfinite(scores).all(axis=1).sum())
    if len(images) < LEAST_FRACTIONS:
        return f"needs {LEAST_FRACTIONS} fractions, has {len(images)}"
    if folds < LEAST_FOLDS:
        return f"needs {LEAST_FOLDS} folds that ended at every fraction, has {folds}"
    if max(images) < LEAST_RANGE * min(images):
        return f"the largest fraction must be at least {LEAST_RANGE:g} times the smallest"
    return ""


def forecast(scores: np.ndarray, images: Sequence[float], wanted: float) -> Forecast:
    """Dice to expect with a wanted number of images.

    Parameters
    ----------
    scores : float64 [F,K]
        Mean Dice of F folds at K fractions, in [0, 1]; folds with NaN are left out.
    images
        Numbers of images of the K fractions, or the fractions themselves: only ratios count.
    wanted
        In the same unit, at most `FARTHEST` times the largest.
    """
    errors = np.maximum(1 - scores[np.isfinite(scores).all(axis=1)], SMALLEST_ERROR)
    logs = np.log(errors)
    folds, fractions = logs.shape
    means = logs.mean(0)
    doublings = np.log2(np.append(np.asarray(images, float), wanted) / min(images))
    shapes = np.log(_shapes(2**doublings, max(images) / min(images)))
    spread = _relative_spread(logs)
    # A flat prior for the level of each fold and for the variance; both are integrated out.
    freedom = folds * (fractions - 1)
    centres, scales, evidence = [], [], []
    for correlation in CORRELATIONS:
        covariance = correlation ** np.abs(doublings[:, None] - doublings)
        covariance *= np.sqrt(spread[:, None] * spread)
        precision = np.linalg.inv(covariance[:-1, :-1])
        share = precision.sum(0) / precision.sum()  # of each fraction in a level
        above = means - shapes[..., :-1]
        level = above @ share
        above = above - level[..., None]
        noise = logs - means - ((logs - means) @ share)[:, None]
        residual = np.sum(noise @ precision * noise) + 1e-9
        residual = residual + folds * (above @ precision * above).sum(-1)
        # What the last deviations say of the next one.
        follows = precision @ covariance[:-1, -1]
        variance = covariance[-1, -1] - covariance[-1, :-1] @ follows
        variance += (1 - follows.sum()) ** 2 / precision.sum()
        centres.append(level + shapes[..., -1] + above @ follows)
        scales.append(np.sqrt(residual / freedom / folds * variance))
        determinants = np.linalg.slogdet(precision)[1] - np.log(precision.sum())
        evidence.append((folds * determinants - freedom * np.log(residual)) / 2)
    weights = np.exp(np.array(evidence) - np.max(evidence))
    used = weights > 1e-3
    weights = weights[used] / weights[used].sum()
    beyond = OFF_THE_FORM * max(0.0, doublings[-1] - doublings[:-1].max())
    # From the mean of logarithms to the logarithm of the mean.
    to_mean = np.log(np.mean(errors[:, -1]) / np.exp(means[-1]))
    mixture = (
        np.array(centres)[used] + to_mean,
        np.hypot(np.array(scales)[used], beyond),
        weights,
        min(freedom, folds - 1 + POOLED),
    )
    bounds = [_quantile(q, *mixture) for q in (0.5, (1 + LEVEL) / 2, (1 - LEVEL) / 2)]
    return Forecast(*(max(0.0, 1 - float(np.exp(bound))) for bound in bounds))


def _relative_spread(logs: np.ndarray) -> np.ndarray:
    """Variance between folds at each fraction, and at the wanted one, [K + 1], relative.

    The variance of few folds is drawn towards the mean of all fractions. At the wanted one it is
    that of the last.
    """
    more = len(logs) - 1
    own = logs.var(axis=0, ddof=1) + 1e-9
    spread = (more * own / own.mean() + POOLED) / (more + POOLED)
    return np.append(spread, spread[-1])


def _shapes(ratios: np.ndarray, largest: float) -> np.ndarray:
    """Error as a share of the first one, for every floor, rate and bend, [..., K].

    Rates are scaled so that one rate means the same fall up to the largest ratio for every bend.
    """
    floor = np.linspace(0, 1, 26)[:, None, None, None]
    rate = np.linspace(0, 2, 41)[:, None, None]
    bend = np.array([1e-6, 0.5, 1])[:, None]
    grown = (ratios**bend - 1) / (largest**bend - 1) * np.log(largest)
    shares: np.ndarray = np.maximum(floor + (1 - floor) * np.exp(-rate * grown), 1e-6)
    return shares


def _quantile(
    share: float, centres: np.ndarray, scales: np.ndarray, weights: np.ndarray, freedom: int
) -> float:
    """Of a mixture of t distributions."""
    ends = [float(end) for end in ((centres - 50 * scales).min(), (centres + 50 * scales).max())]

    def excess(at: float) -> float:
        return float((weights * _student(freedom, (at - centres) / scales)).sum()) - share

    return float(brentq(excess, *ends, xtol=1e-6))


def _student(freedom: int, t: np.ndarray) -> np.ndarray:
    """Student's distribution function by its finite sums, for ten times as many numbers a second.

    Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.3 and 26.7.4; at least two
    degrees of freedom.
    """
    tangent = t / np.sqrt(freedom)
    cosine2 = 1 / (1 + tangent**2)
    total = np.ones_like(t)
    for term in range(freedom - 2, 1, -2):
        total = 1 + (term - 1) / term * cosine2 * total
    if freedom % 2:
        within = (np.arctan(tangent) + tangent * cosine2 * total) * 2 / np.pi
    else:
        within = tangent * np.sqrt(cosine2) * total
    return np.asarray((1 + within) / 2)
