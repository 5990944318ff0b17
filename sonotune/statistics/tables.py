"""What a study writes under ``statistics/``."""

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd

from sonotune.evaluation.averages import CONDITION, ExcludeRuns, is_excluded, read_cells
from sonotune.evaluation.calibration import BINNED, expected_calibration_error
from sonotune.evaluation.tables import read_table, save_csv
from sonotune.layout import RUN
from sonotune.seeds import generator
from sonotune.statistics.decision import TABLES as DECISION_TABLES
from sonotune.statistics.decision import decision_tables
from sonotune.statistics.friedman import nemenyi, rank_strategies
from sonotune.statistics.learning import forecast_table
from sonotune.statistics.runs import fold_scores
from sonotune.statistics.tails import COLUMNS as TAIL_COLUMNS
from sonotune.statistics.tails import low_scores
from sonotune.statistics.tukey import COLUMNS, tukey_pairs
from sonotune.statistics.variance import COMPONENTS, variance_components

LOW_SCORES = ["dataset", "fraction", *TAIL_COLUMNS]
FRIEDMAN = [
    *("fraction", "strategy", "mean_rank"),
    *("sets", "statistic", "p", "kendall_w", "critical_difference", "says"),
]


def read_runs(
    cells: str | Path, strategies: Sequence[str], exclude_runs: ExcludeRuns
) -> pd.DataFrame:
    """Read ``cells.csv`` for tests.

    Parameters
    ----------
    cells
        The study's ``cells.csv``.
    strategies
        Those to keep, in their order.
    exclude_runs
        See `sonotune.evaluation.averages.is_excluded`.

    Returns
    -------
    DataFrame
        One row per run, with ``value``: the Dice, NaN where the run does not count.
    """
    runs = read_cells(cells)
    runs = runs[runs["strategy"].isin(strategies)]
    runs = runs.assign(value=runs["dice"].mask(is_excluded(runs, exclude_runs)))
    order = list(strategies)
    runs = runs.sort_values("strategy", key=lambda names: names.map(order.index), kind="stable")
    return runs.reset_index(drop=True)


def included_scores(runs: pd.DataFrame, file: str | Path) -> pd.DataFrame:
    """One row per image and run that counts, of one data set.

    Parameters
    ----------
    runs
        Of `read_runs`.
    file
        The scores of a data set.
    """
    scores = read_table(file)
    key = list(RUN)
    counting = runs.loc[runs["value"].notna(), key]
    counting = counting[counting["dataset"].isin(scores["dataset"].unique())]
    return counting.merge(scores, on=key, how="left", validate="one_to_many")


def write_statistics(
    cells: str | Path,
    scores: Sequence[str | Path],
    calibration: Sequence[str | Path],
    folder: str | Path,
    *,
    strategy_names: Sequence[str],
    exclude_runs: ExcludeRuns,
    seed: int,
    margins: Mapping[str, float],
    cost: str,
    raced: bool = False,
) -> None:
    """Write every statistical result of a study.

    Parameters
    ----------
    cells, scores, calibration
        ``cells.csv``, and the scores and the reliability of each data set.
    folder
        Gets ``decisions.csv``, ``strategies.csv``, ``comparisons.csv`` (docs/decision.md),
        ``tukey.csv``, ``variance.csv``, ``low_scores.csv``, ``calibration.csv``,
        ``friedman.csv`` and ``nemenyi.csv`` (docs/statistics.md).
    strategy_names
        In the order of the tables; the decision leaves out those that train nothing.
    exclude_runs
        Runs that averages leave out; the decision's own rules are fixed.
    seed
        Of the intervals of variance components.
    margins
        By data set, the difference in Dice that counts as none.
    cost
        Column of ``cells.csv`` that is to be small.
    raced
        Whether the study was a race.
    """
    runs = read_runs(cells, strategy_names, exclude_runs)
    images = pd.concat([included_scores(runs, file) for file in scores])
    images = images[images["fraction"] > 0]
    tables = {
        **decision_tables(runs, margins, cost, raced),
        "learning": forecast_table(fold_scores(runs, cost)),
        "tukey": _tukey(runs),
        "variance": _variance(images, seed),
        "low_scores": _by_condition(images, low_scores).reindex(columns=LOW_SCORES),
        "calibration": _calibration(runs, calibration),
        **rank_tables(runs),
    }
    sources = runs.groupby("dataset")["source"].first()
    for name, table in tables.items():
        of_decision = name in DECISION_TABLES
        if "dataset" in table and not of_decision:
            position = table.columns.get_loc("dataset") + 1
            table.insert(position, "source", table["dataset"].map(sources))
        save_csv(table, Path(folder) / f"{name}.csv", digits=None if of_decision else 6)


def _tukey(runs: pd.DataFrame) -> pd.DataFrame:
    """Strategies within a data set and fraction, and fractions within a data set and strategy."""
    # Runs of one fold are tested on the same images.
    fold = ["dataset", "fraction", "strategy", "fold"]
    trained = runs[runs["fraction"] > 0].groupby(fold, sort=False)["value"].mean().reset_index()
    parts = []
    names = {"strategies": ("fraction", trained["strategy"])}
    names["fractions"] = ("strategy", trained["fraction"].map("{:g}".format))
    for family, (other, level) in names.items():
        groups = trained.assign(level=level).groupby(["dataset", other], sort=False)
        for (dataset, value), part in groups:
            where = {"family": family, "dataset": dataset, "fraction": np.nan, "strategy": ""}
            parts.append(tukey_pairs(part).assign(**where | {other: value}))
    columns = ["family", "dataset", "fraction", "strategy", *COLUMNS]
    parts = [part for part in parts if len(part)]
    return pd.concat(parts)[columns] if parts else pd.DataFrame(columns=columns)


def _by_condition(
    images: pd.DataFrame, table_of: Callable[[pd.DataFrame], pd.DataFrame]
) -> pd.DataFrame:
    key = ["dataset", "fraction"]
    parts = {where: table_of(part) for where, part in images.groupby(key, sort=False)}
    if not parts:
        return pd.DataFrame(columns=key)
    return pd.concat(parts, names=key).reset_index(level=key)


def _variance(images: pd.DataFrame, seed: int) -> pd.DataFrame:
    columns = [f"{name}{end}" for name in COMPONENTS for end in ("", "_lower", "_upper")]

    def parts_of(part: pd.DataFrame) -> pd.DataFrame:
        # The model has one score of an image per strategy: the mean over the runs of its fold.
        part = part.groupby(["strategy", "fold", "name"], sort=False)["dice"].mean().reset_index()
        found = variance_components(part, generator(seed, "variance"))
        return pd.DataFrame([np.ravel([*found.values()])], columns=columns)

    return _by_condition(images, parts_of).reindex(columns=["dataset", "fraction", *columns])


def _calibration(runs: pd.DataFrame, files: Sequence[str | Path]) -> pd.DataFrame:
    """Expected calibration error of each strategy, all pixels of all its runs that count."""
    bins = pd.concat(map(read_table, files))
    counting = runs.loc[runs["value"].notna() & (runs["fraction"] > 0), list(RUN)]
    sums = counting.merge(bins, on=list(RUN), how="left")
    sums = sums.groupby([*CONDITION, "bin"], sort=False)[BINNED].sum().reset_index("bin")
    rows = [
        (*condition, expected_calibration_error(part))
        for condition, part in sums.groupby(CONDITION, sort=False)
    ]
    return pd.DataFrame(rows, columns=[*CONDITION, "calibration_error"])


def rank_tables(runs: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Ranks of the strategies over data sets at every fraction, and tests of all pairs.

    Parameters
    ----------
    runs
        Of `read_runs`.

    Returns
    -------
    dict
        The tables ``friedman`` and ``nemenyi``.
    """
    tests, pairs = [], []
    for fraction, part in runs[runs["fraction"] > 0].groupby("fraction", sort=False):
        by_set = part.groupby(["dataset", "strategy"], sort=False)["value"]
        means = by_set.mean().unstack(sort=False)
        ranking = rank_strategies(means)
        tests.append(ranking.assign(fraction=fraction))
        if ranking["p"].notna().any():
            p, ranks = nemenyi(means), ranking.set_index("strategy")["mean_rank"]
            pairs += [
                (fraction, first, second, ranks[first] - ranks[second], p.loc[first, second])
                for first, second in combinations(p, 2)
            ]
    columns = ["fraction", "first", "second", "rank_difference", "p"]
    return {
        "friedman": pd.concat([*tests, pd.DataFrame()]).reindex(columns=FRIEDMAN),
        "nemenyi": pd.DataFrame(pairs, columns=columns),
    }
