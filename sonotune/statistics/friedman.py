"""Strategies ranked over data sets: Friedman's test and Nemenyi's critical difference.

After Demsar, Statistical comparisons of classifiers over multiple data sets, JMLR 7, 2006: each
data set ranks the strategies by their mean Dice, whatever its scale; mean ranks that differ by
more than the critical difference differ significantly.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import friedmanchisquare, rankdata, studentized_range

LEVEL = 0.05


@dataclass(frozen=True)
class Ranking:
    """Mean ranks of strategies over data sets, 1 for the best.

    Attributes
    ----------
    ranks
        By strategy, best first.
    sets
        Data sets in which all these strategies have a mean.
    statistic, p
        Friedman's chi-squared and its p value; nan where it cannot be computed.
    kendall_w
        Agreement of the data sets, 0 to 1: the effect size.
    critical_difference
        Of two mean ranks, at the level .05; nan where there is no test.
    says
        In a sentence, what the test can show.
    """

    ranks: pd.Series
    sets: int
    statistic: float
    p: float
    kendall_w: float
    critical_difference: float
    says: str


def rank_strategies(means: pd.DataFrame) -> Ranking:
    """Rank strategies over data sets.

    Parameters
    ----------
    means
        Mean Dice, a row per data set, a column per strategy. Strategies without a mean in some data
        set are left out, and the sentence says so.
    """
    whole = means.dropna(axis=1)
    missing = [name for name in means if name not in whole]
    sets, number = whole.shape
    ranks = pd.Series(
        rankdata(-whole.to_numpy(), axis=1).mean(axis=0) if number else [], whole.columns, float
    ).sort_values(kind="stable")
    spread = number - 1
    statistic = p = agreement = critical = np.nan
    if sets < 2 or number < 3:
        says = (
            f"Not tested ({sets} data set{'s' * (sets != 1)}, {number} "
            f"strateg{'ies' if number != 1 else 'y'}): this needs at least two data sets and three "
            "strategies."
        )
    elif np.ptp(whole.to_numpy(), axis=1).max() == 0:
        says = "All strategies are equal in all data sets: no test."
    else:
        statistic, p = map(float, friedmanchisquare(*whole.to_numpy().T))
        agreement = statistic / (sets * spread)
        critical = critical_difference(number, sets)
        says = (
            f"With {sets} data sets and {number} strategies, mean ranks must differ by "
            f"{critical:.2f} to differ significantly, "
        )
        if critical > spread:
            says += "so no difference at all could be significant."
        elif critical > spread / 2:
            says += f"of at most {spread}, so only strategies near opposite ends can differ "
            says += "significantly."
        else:
            says += f"of at most {spread}."
    if missing:
        says += f" Left out, without a mean in some data set: {', '.join(missing)}."
    return Ranking(ranks, sets, statistic, p, agreement, critical, says)


def critical_difference(strategies: int, sets: int) -> float:
    """Nemenyi's critical difference of mean ranks at the level .05 (Demsar 2006, section 3.2.2).

    Parameters
    ----------
    strategies
        Number of strategies, at least 2.
    sets
        Number of data sets.
    """
    q = studentized_range.ppf(1 - LEVEL, strategies, np.inf) / np.sqrt(2)
    return float(q * np.sqrt(strategies * (strategies + 1) / (6 * sets)))


def nemenyi(means: pd.DataFrame) -> pd.DataFrame:
    """P values of every pair of strategies, square, by scikit-posthocs.

    Parameters
    ----------
    means
        Mean of each strategy (columns) on each data set (rows), of which `rank_strategies` makes a
        test.
    """
    from scikit_posthocs import posthoc_nemenyi_friedman

    whole = means.dropna(axis=1)
    p_values = posthoc_nemenyi_friedman(whole.to_numpy())
    return pd.DataFrame(p_values.to_numpy(), whole.columns, whole.columns)
