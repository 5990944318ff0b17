"""Where the variance of a single image's Dice comes from."""

import numpy as np
import pandas as pd
from scipy.stats import hmean

COMPONENTS = ("fold", "image", "run", "rest")


def variance_components(
    scores: pd.DataFrame, random: np.random.Generator, draws: int = 10_000
) -> dict[str, tuple[float, float, float]]:
    """Variance components of a mixed model of every image's Dice, by moments.

    The model is Dice = strategy (fixed) + fold + image within fold + run (fold x strategy) + rest,
    in which all strategies are tested on the same images of a fold. Each component follows from
    the mean squares of the analysis of variance (Searle, Casella, McCulloch, Variance Components,
    1992, chapter 4); one that comes out negative is 0, as in restricted maximum likelihood.

    The intervals are generalised ones (Weerahandi, JASA 88, 1993): each mean square is divided by a
    draw of the chi-squared variable it is proportional to, and the components follow from these.

    Parameters
    ----------
    scores
        A row a (strategy, fold, image) of one data set and fraction: strategy, fold, name, dice.
        Strategies that lack a fold are left out.
    random
        Source of random numbers.
    draws
        Number of draws, at least 1.

    Returns
    -------
    dict
        ``fold``, ``image``, ``run``, ``rest``: variances of Dice, each with the ends of its 95 %
        interval; nan where they cannot be separated (fewer than two strategies or folds, or images
        in a fold).
    """
    squares = _mean_squares(scores)
    if squares is None:
        return dict.fromkeys(COMPONENTS, (np.nan, np.nan, np.nan))
    observed, df, strategies, images = squares
    ratio = random.chisquare(df, (draws, len(df))) / df
    drawn = _components((observed / ratio).T, strategies, images)
    found = {}
    for name, value in _components(observed, strategies, images).items():
        low, high = np.quantile(drawn[name], [0.025, 0.975])
        found[name] = float(value), float(low), float(high)
    return found


def _components(squares: np.ndarray, strategies: int, images: float) -> dict[str, np.ndarray]:
    """Variance components from mean squares, float64 [4,...]; a negative one is 0."""
    ms_fold, ms_image, ms_run, ms_rest = squares
    image = np.maximum((ms_image - ms_rest) / strategies, 0)
    run = np.maximum(ms_run - ms_rest / images, 0)
    fold = np.maximum((ms_fold - ms_run - strategies * image / images) / strategies, 0)
    return {"fold": fold, "image": image, "run": run, "rest": ms_rest}


def _mean_squares(scores: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, int, float] | None:
    """Mean squares of folds, images within folds, runs and the rest, as far as told apart.

    Those of folds and runs are of means over a fold's images. With them their degrees of freedom,
    the number of strategies, and the typical (harmonic mean) number of images of a fold.
    """
    whole = scores.groupby("strategy")["fold"].nunique()
    whole = whole[whole == scores["fold"].nunique()].index
    kept = scores[scores["strategy"].isin(whole)]
    folds = [
        part.pivot(index="name", columns="strategy", values="dice").dropna().to_numpy()
        for _, part in kept.groupby("fold")
    ]
    strategies = len(whole)
    if strategies < 2 or len(folds) < 2 or min(map(len, folds), default=0) < 2:
        return None
    images = np.array([len(part) for part in folds], float)
    runs = np.array([part.mean(axis=0) for part in folds])
    run_df = (len(folds) - 1) * (strategies - 1)
    image_df = images.sum() - len(folds)
    df = np.array([len(folds) - 1, image_df, run_df, image_df * (strategies - 1)])
    ms_fold = strategies * runs.mean(axis=1).var(ddof=1)
    within_images = sum(strategies * ((p.mean(axis=1) - p.mean()) ** 2).sum() for p in folds)
    within_rest = sum((_interaction(part) ** 2).sum() for part in folds)
    squares = np.array([ms_fold, within_images, (_interaction(runs) ** 2).sum(), within_rest])
    return squares / [1, *df[1:]], df, strategies, float(hmean(images))


def _interaction(values: np.ndarray) -> np.ndarray:
    """What neither a row nor a column adds."""
    rows, columns = values.mean(axis=1, keepdims=True), values.mean(axis=0)
    return np.asarray(values - rows - columns + values.mean())
