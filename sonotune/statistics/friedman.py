"""Strategies ranked over data sets: Friedman's test and Nemenyi's critical difference.

After Demsar, Statistical comparisons of classifiers over multiple data sets, JMLR 7, 2006: each
data set ranks the strategies by their mean Dice, whatever its scale; mean ranks that differ by
more than the critical difference differ significantly.
"""

import numpy as np
import pandas as pd
from scipy.stats import friedmanchisquare, studentized_range

LEVEL = 0.05


def rank_strategies(means: pd.DataFrame) -> pd.DataFrame:
    """Rank strategies over data sets.

    Parameters
    ----------
    means
        Mean Dice, a row per data set, a column per strategy. Strategies without a mean in some data
        set are left out, and the sentence says so.

    Returns
    -------
    DataFrame
        One row per strategy, best first, with its ``mean_rank``, 1 for the best, and what is the
        same for all: the number of ``sets`` in which they all have a mean; Friedman's chi-squared
        (``statistic``) and ``p``, NaN where they cannot be computed; the agreement of the data sets
        from 0 to 1 (``kendall_w``); ``critical_difference`` of two mean ranks at the level .05; and
        what the test can show, in a sentence (``says``).
    """
    whole = means.dropna(axis=1)
    missing = [name for name in means if name not in whole]
    sets, number = whole.shape
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
    ranks = whole.rank(axis=1, ascending=False).mean().sort_values(kind="stable")
    return (
        ranks.rename_axis("strategy")
        .reset_index(name="mean_rank")
        .assign(
            sets=sets,
            statistic=statistic,
            p=p,
            kendall_w=agreement,
            critical_difference=critical,
            says=says,
        )
    )


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
