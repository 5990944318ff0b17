"""What a mean hides: images on which a strategy fails."""

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from sonotune.statistics.pairs import LEVEL

LOW_DICE = 0.5
WORST = 0.1
COLUMNS = ("strategy", "folds", "images", "share_low", "lower", "upper", "worst_tenth")


def low_scores(scores: pd.DataFrame) -> pd.DataFrame:
    """Share of test images with a low Dice, and the mean Dice of the worst tenth.

    Parameters
    ----------
    scores
        One row per (strategy, fold, image) of one data set and fraction: strategy, fold, dice in
        [0, 1] without NaN.

    Returns
    -------
    DataFrame
        One row per strategy: folds; images; share_low, the mean over folds of the share of images
        below `LOW_DICE`, with its 95 % t interval over folds cut to [0, 1] (lower, upper; NaN for
        one fold); worst_tenth, the mean over folds of the mean Dice of the worst tenth of the
        images, at least one.
    """
    rows = []
    for strategy, part in scores.groupby("strategy", sort=False):
        by_fold = part.groupby("fold")["dice"]
        shares = by_fold.agg(lambda dice: float((dice < LOW_DICE).mean())).to_numpy()
        worst = by_fold.agg(_worst_tenth).to_numpy()
        reach = np.nan
        if len(shares) > 1:
            reach = stdtrit(len(shares) - 1, 1 - LEVEL / 2) * shares.std(ddof=1)
            reach = reach / np.sqrt(len(shares))
        share = shares.mean()
        lower, upper = np.maximum(share - reach, 0.0), np.minimum(share + reach, 1.0)
        rows.append((strategy, len(shares), len(part), share, lower, upper, worst.mean()))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _worst_tenth(dice: pd.Series) -> float:
    number = max(round(WORST * len(dice)), 1)
    return float(np.sort(dice.to_numpy())[:number].mean())
