"""All pairwise differences of fold means, adjusted for their number by Tukey's method.

Two analyses share this code. Amiri et al. 2020 (section II-E) compare strategies as if every run
were independent: Tukey's HSD, Tukey-Kramer where runs failed. But all strategies are trained and
tested on the same folds, and a hard fold is hard for all of them: with ``blocks``, the folds' own
differences are taken out first.

The blocked analysis is that of the mixed model of every image's Dice with strategy as fixed effect
and fold, image within fold, and training run (fold x strategy) as random effects. Where all
strategies are tested on the same images, a contrast of strategies in that model has as its error
the mean square of runs, on (folds - 1)(strategies - 1) degrees of freedom, which is the
randomised-block analysis of fold means (Montgomery, Design and Analysis of Experiments, section
4.1; Pinheiro and Bates 2000, section 1.3). Images are so never counted as replicates of a
strategy: one trained network made all of a fold's scores.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.stats import studentized_range
from statsmodels.api import OLS

LEVEL = 0.05

CONTRASTS = (
    "first",
    "second",
    "difference",
    "lower",
    "upper",
    "p",
    "effect",
    "first_runs",
    "second_runs",
    "note",
)


@dataclass(frozen=True)
class Fit:
    """Means of a factor's levels, their covariance, and the error behind it.

    Attributes
    ----------
    levels
        The factor's levels that were fitted.
    means : float64 [L]
        Least-squares means.
    covariance : float64 [L,L]
    error_sd
        Standard deviation of a run, once all that the model knows is taken out.
    df
        Degrees of freedom of the error.
    """

    levels: tuple[str, ...]
    means: np.ndarray
    covariance: np.ndarray
    error_sd: float
    df: int


def fit_means(runs: pd.DataFrame, blocked: bool) -> Fit | str:
    """Least-squares means of each level, or in words why there are none.

    Parameters
    ----------
    runs
        A row a training run: ``level``, ``block`` and ``value``.
    blocked
        Whether blocks differ on their own account.
    """
    runs = runs.dropna(subset="value")
    counts = runs["level"].value_counts()
    if len(counts) < 2:
        return "fewer than two have a run that counts"
    levels = list(dict.fromkeys(runs["level"]))
    design = pd.get_dummies(runs["level"])[levels].to_numpy(float)
    if blocked:
        # Sum-to-zero, so that a level's coefficient is its mean over all blocks.
        blocks = pd.get_dummies(runs["block"]).to_numpy(float)
        design = np.hstack([design, blocks[:, :-1] - blocks[:, -1:]])
    if np.linalg.matrix_rank(design) < design.shape[1]:
        return "too few runs have a partner in the same fold"
    df = len(runs) - design.shape[1]
    if df < 1:
        return "one run each: nothing to tell chance from difference by"
    fitted = OLS(runs["value"].to_numpy(float), design).fit()
    error_sd = float(np.sqrt(max(fitted.scale, 0.0)))
    if error_sd < 1e-12:
        return "the runs do not vary: no test is possible"
    number = len(levels)
    return Fit(
        tuple(levels),
        fitted.params[:number],
        fitted.cov_params()[:number, :number],
        error_sd,
        df,
    )


def contrasts(runs: pd.DataFrame, blocked: bool) -> pd.DataFrame:
    """Every pair of levels: first less second.

    Parameters
    ----------
    runs, blocked
        As for `fit_means`; levels in the order of the table.

    Returns
    -------
    DataFrame
        With the columns `CONTRASTS`: ``lower`` and ``upper`` are the simultaneous 95 % interval
        of all pairs, ``p`` is adjusted likewise, ``effect`` is the difference in standard
        deviations of a run (Cohen's d with the model's error). Where no test is possible these
        are empty, and ``note`` says why.
    """
    levels = list(dict.fromkeys(runs["level"]))
    counts = runs.dropna(subset="value").groupby("level")["value"].agg(["size", "mean"])
    fit = fit_means(runs, blocked)
    known = {} if isinstance(fit, str) else {name: i for i, name in enumerate(fit.levels)}
    pairs = list(combinations(levels, 2))
    rows = []
    for first, second in pairs:
        row: dict[str, object] = {"first": first, "second": second, "note": ""}
        for side, name in (("first", first), ("second", second)):
            row[f"{side}_runs"] = int(counts["size"].get(name, 0))
        row["difference"] = counts["mean"].get(first, np.nan) - counts["mean"].get(second, np.nan)
        if isinstance(fit, str):
            row["note"] = fit
        elif first not in known or second not in known:
            row["note"] = "no run counts"
        else:
            one, two = known[first], known[second]
            row["difference"] = fit.means[one] - fit.means[two]
            row["error"] = np.sqrt(
                fit.covariance[one, one] + fit.covariance[two, two] - 2 * fit.covariance[one, two]
            )
        rows.append(row)
    table = pd.DataFrame(rows)
    if isinstance(fit, str) or "error" not in table:
        return table.reindex(columns=CONTRASTS)
    # The studentised range is of means, whose differences have an error larger by sqrt(2).
    scale = np.sqrt(2)
    ratio = scale * table["difference"].abs() / table["error"]
    reach = studentized_range.ppf(1 - LEVEL, len(fit.levels), fit.df) * table["error"] / scale
    table["p"] = np.minimum(studentized_range.sf(ratio, len(fit.levels), fit.df), 1.0)
    table["lower"], table["upper"] = table["difference"] - reach, table["difference"] + reach
    table["effect"] = table["difference"] / fit.error_sd
    return table.reindex(columns=CONTRASTS)


def corrected_p(runs: pd.DataFrame, pairs: pd.DataFrame, test_share: float) -> pd.Series:
    """P values of the paired differences of two levels, for training sets that overlap.

    Folds that share training images are not independent; Nadeau and Bengio (Machine Learning
    52, 2003) widen the variance of the mean of J differences from 1/J to 1/J + n_test/n_train.
    Adjusted for the number of pairs by Holm's method.

    Parameters
    ----------
    runs
        As for `fit_means`.
    pairs
        With the columns ``first`` and ``second``.
    test_share
        Test images of a fold for each image that was trained on.

    Returns
    -------
    Series
        One p value a pair, empty where fewer than two folds have both or differences do not vary.
    """
    from scipy.stats import t
    from statsmodels.stats.multitest import multipletests

    wide = runs.pivot_table(index="block", columns="level", values="value", dropna=False)
    found = np.full(len(pairs), np.nan)
    for number, (first, second) in enumerate(pairs[["first", "second"]].itertuples(index=False)):
        if first not in wide or second not in wide:
            continue
        differences = (wide[first] - wide[second]).dropna().to_numpy()
        count = len(differences)
        variance = differences.var(ddof=1) if count > 1 else 0.0
        if variance > 1e-20:
            ratio = differences.mean() / np.sqrt(variance * (1 / count + test_share))
            found[number] = 2 * t.sf(abs(ratio), count - 1)
    tested = ~np.isnan(found)
    if tested.any():
        found[tested] = multipletests(found[tested], method="holm")[1]
    return pd.Series(found, index=pairs.index)
