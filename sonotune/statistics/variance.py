"""Where the variance of a single image's Dice comes from."""

from __future__ import annotations

import numpy as np
import pandas as pd

PARTS = ("fold", "image", "run", "rest")


def variance_parts(scores: pd.DataFrame) -> dict[str, float]:
    """Variance components of the mixed model of `sonotune.statistics.contrasts`, by moments.

    The model is Dice = strategy (fixed) + fold + image within fold + run (fold x strategy) + rest,
    in which all strategies are tested on the same images of a fold. Each component follows from
    the mean squares of the analysis of variance (Searle, Casella, McCulloch, Variance Components,
    1992, chapter 4); one that comes out negative is 0, as in restricted maximum likelihood.

    Parameters
    ----------
    scores
        A row a (strategy, fold, image) of one data set and percent: strategy, fold, name, dice.
        Strategies that lack a fold are left out.

    Returns
    -------
    dict
        ``fold``, ``image``, ``run``, ``rest``: variances of Dice; nan where they cannot be told
        apart (fewer than two strategies or folds, or images in a fold).
    """
    lacking = dict.fromkeys(PARTS, np.nan)
    folds = []
    whole = scores.groupby("strategy")["fold"].nunique()
    whole = whole[whole == scores["fold"].nunique()].index
    kept = scores[scores["strategy"].isin(whole)]
    for _, one in kept.groupby("fold"):
        folds.append(one.pivot(index="name", columns="strategy", values="dice").dropna().to_numpy())
    strategies = len(whole)
    if strategies < 2 or len(folds) < 2 or min(map(len, folds), default=0) < 2:
        return lacking
    images = np.array([len(one) for one in folds], float)
    typical = _harmonic(images)
    runs = np.array([one.mean(axis=0) for one in folds])
    # Mean squares, each per image of a fold: of folds, runs, images within folds, and what is left.
    ms_fold = strategies * runs.mean(axis=1).var(ddof=1)
    centred = runs - runs.mean(axis=1, keepdims=True) - runs.mean(axis=0) + runs.mean()
    ms_run = (centred**2).sum() / ((len(folds) - 1) * (strategies - 1))
    within_images, within_rest = 0.0, 0.0
    for one in folds:
        by_image = one.mean(axis=1, keepdims=True) - one.mean()
        within_images += strategies * float((by_image**2).sum())
        rest = one - one.mean(axis=1, keepdims=True) - one.mean(axis=0) + one.mean()
        within_rest += float((rest**2).sum())
    df = images.sum() - len(folds)
    ms_image, ms_rest = within_images / df, within_rest / (df * (strategies - 1))
    image = max((ms_image - ms_rest) / strategies, 0)
    run = max(ms_run - ms_rest / typical, 0)
    fold = max((ms_fold - ms_run - strategies * image / typical) / strategies, 0)
    return {"fold": fold, "image": image, "run": run, "rest": ms_rest}


def _harmonic(values: np.ndarray) -> float:
    return float(len(values) / (1 / values).sum())
