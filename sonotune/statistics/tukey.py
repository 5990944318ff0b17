"""The paper's test: Tukey's HSD of fold means (Amiri et al. 2020, section II-E).

Every run counts as independent, with one error for all; Tukey-Kramer where runs failed. It is
reported because the paper uses it. No statement about a study rests on it: strategies share their
folds and vary differently, which `sonotune.statistics.decision` takes into account.
"""

from itertools import combinations

import numpy as np
import pandas as pd
from scipy.stats import studentized_range

LEVEL = 0.05
COLUMNS = ("first", "second", "difference", "lower", "upper", "p", "first_runs", "second_runs")


def tukey_pairs(runs: pd.DataFrame) -> pd.DataFrame:
    """Every pair of levels, first minus second.

    Parameters
    ----------
    runs
        One row per run: ``level``, in the order of the table, and ``value``, NaN where it does not
        count.

    Returns
    -------
    DataFrame
        With the columns `COLUMNS`: ``lower`` and ``upper`` are the simultaneous 95 % interval of
        all pairs and ``p`` is adjusted likewise; NaN where no test is possible (no level has two
        runs that count, or runs do not vary).
    """
    groups = runs.groupby("level", sort=False)["value"]
    counts, means = groups.count(), groups.mean()
    used = counts > 0
    df = int(counts.sum() - used.sum())
    squares = ((counts - 1) * groups.var())[counts > 1].sum()
    error = np.sqrt(squares / df) if df > 0 and squares > 1e-24 else np.nan
    table = pd.DataFrame(list(combinations(counts.index, 2)), columns=["first", "second"])
    table["difference"] = table["first"].map(means) - table["second"].map(means)
    for side in ("first", "second"):
        table[f"{side}_runs"] = table[side].map(counts)
    if np.isfinite(error) and len(table):
        # The studentised range is of means, whose differences have an error larger by sqrt(2).
        with np.errstate(divide="ignore"):
            scale = error * np.sqrt((1 / table["first_runs"] + 1 / table["second_runs"]) / 2)
        number = int(used.sum())
        reach = studentized_range.ppf(1 - LEVEL, number, df) * scale
        table["lower"], table["upper"] = table["difference"] - reach, table["difference"] + reach
        ratio = table["difference"].abs() / scale
        table["p"] = np.minimum(studentized_range.sf(ratio, number, df), 1.0)
    return table.reindex(columns=COLUMNS)
