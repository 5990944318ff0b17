"""The tests of a study: which strategies and percents really differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from sonotune.evaluation.averages import LeaveOut, is_left_out, read_cells
from sonotune.evaluation.scores import read_scores
from sonotune.runtime.files import atomic
from sonotune.statistics.bootstrap import (
    DIFFERENCES,
    RANKS,
    Replicates,
    bootstrap_differences,
    bootstrap_means,
    bootstrap_ranks,
)
from sonotune.statistics.contrasts import CONTRASTS, contrasts, corrected_p
from sonotune.statistics.friedman import Ranking, nemenyi, rank_strategies
from sonotune.statistics.variance import PARTS, variance_parts

WHERE = ("family", "dataset", "percent", "strategy")
OF_RANKING = ("sets", "statistic", "p", "kendall_w", "critical_difference", "says")
STRATEGIES, PERCENTS, POOLED = "strategies", "percents", "percents, all strategies"


@dataclass(frozen=True)
class Evidence:
    """What a study measured, as far as it counts.

    Attributes
    ----------
    runs
        A row a training run: dataset, percent, strategy, fold and the metric, which is nan for
        runs that averages leave out; strategies in the order of the tables.
    scores
        By data set, a row an image and run that counts.
    """

    runs: pd.DataFrame
    scores: Mapping[str, pd.DataFrame]


def read_evidence(
    cells: str | Path,
    scores: Mapping[str, str | Path],
    strategies: Sequence[str],
    leave_out: LeaveOut,
    metric: str = "dice",
) -> Evidence:
    """Read ``cells.csv`` and each data set's scores; leave out what averages leave out.

    Parameters
    ----------
    strategies
        Their order.
    """
    runs = read_runs(cells, strategies, leave_out, metric)
    key = ["strategy", "percent", "fold"]
    kept = {}
    for dataset, file in scores.items():
        table = read_scores(file)
        counting = runs[(runs["dataset"] == dataset) & runs["value"].notna()]
        kept[dataset] = counting[key].merge(table, on=key, how="left", validate="one_to_many")
    return Evidence(runs, kept)


def read_runs(
    cells: str | Path, strategies: Sequence[str], leave_out: LeaveOut, metric: str = "dice"
) -> pd.DataFrame:
    """Read the runs of ``cells.csv``: see `Evidence`."""
    runs = read_cells(cells)
    runs = runs[runs["strategy"].isin(strategies)]
    order = {name: number for number, name in enumerate(strategies)}
    runs = runs.assign(value=runs[metric].mask(is_left_out(runs, leave_out)))
    runs = runs.sort_values("strategy", key=lambda names: names.map(order), kind="stable")
    return runs.reset_index(drop=True)


def replicates_of(evidence: Evidence, seed: int, metric: str = "dice") -> dict[str, Replicates]:
    """The bootstrap of every data set; the same wherever it is asked for."""
    return {
        dataset: bootstrap_means(table, seed, metric)
        for dataset, table in evidence.scores.items()
        if len(table)
    }


def compare_runs(runs: pd.DataFrame, blocked: bool) -> pd.DataFrame:
    """All families of contrasts of a study.

    Families are the strategies within a data set and percent; the percents within a data set and
    strategy; and the percents over all strategies of a data set.

    Parameters
    ----------
    runs
        As in `Evidence`; the unchanged network (percent 0) is no run and is left out.
    blocked
        Whether folds (in the last family, folds of a strategy) are blocks.

    Returns
    -------
    DataFrame
        `WHERE` and `CONTRASTS`; percent or strategy is empty where a family spans it.
    """
    trained = runs[runs["percent"] > 0]
    parts = [
        contrasts(family, blocked).assign(**where)
        for where, family in _families(trained)
        if family["level"].nunique() > 1
    ]
    columns = [*WHERE, *CONTRASTS]
    return pd.concat(parts)[columns] if parts else pd.DataFrame(columns=columns)


def _families(runs: pd.DataFrame) -> Iterator[tuple[dict[str, object], pd.DataFrame]]:
    named = runs.assign(text=runs["percent"].map("{:g}".format))
    columns = ["level", "block", "value"]
    for (dataset, percent), part in named.groupby(["dataset", "percent"], sort=False):
        where = {"family": STRATEGIES, "dataset": dataset, "percent": percent, "strategy": ""}
        yield where, part.assign(level=part["strategy"], block=part["fold"])[columns]
    for (dataset, strategy), part in named.groupby(["dataset", "strategy"], sort=False):
        where = {"family": PERCENTS, "dataset": dataset, "percent": np.nan, "strategy": strategy}
        yield where, part.assign(level=part["text"], block=part["fold"])[columns]
    for dataset, part in named.groupby("dataset", sort=False):
        where = {"family": POOLED, "dataset": dataset, "percent": np.nan, "strategy": ""}
        block = part["strategy"] + part["fold"].map("/{}".format)
        yield where, part.assign(level=part["text"], block=block)[columns]


def add_corrected(
    tukey: pd.DataFrame, runs: pd.DataFrame, folds: int, validation: float
) -> pd.DataFrame:
    """Add ``p_corrected``, for overlapping training sets, to the families of strategies."""
    found = pd.Series(np.nan, index=tukey.index)
    families = tukey[tukey["family"] == STRATEGIES].groupby(["dataset", "percent"], sort=False)
    for (dataset, percent), part in families:
        mine = runs[(runs["dataset"] == dataset) & (runs["percent"] == percent)]
        table = mine.assign(level=mine["strategy"], block=mine["fold"])
        trained_on = percent * (1 - validation / 100)
        found[part.index] = corrected_p(table, part, test_share=100 / folds / trained_on)
    return tukey.assign(p_corrected=found)


def rankings(runs: pd.DataFrame) -> Iterator[tuple[float, pd.DataFrame, Ranking]]:
    """For every percent, the means (data sets x strategies) and their ranking."""
    for percent, part in runs[runs["percent"] > 0].groupby("percent", sort=False):
        means = (
            part.groupby(["dataset", "strategy"], sort=False)["value"].mean().unstack(sort=False)
        )
        yield float(percent), means, rank_strategies(means)


def write_statistics(
    evidence: Evidence, folder: str | Path, seed: int, folds: int, validation: float
) -> None:
    """Write every test of a study.

    Parameters
    ----------
    folder
        Gets ``tukey.csv``, ``mixed.csv``, ``variance.csv``, ``bootstrap.csv``, ``ranks.csv``,
        ``friedman.csv`` and ``nemenyi.csv``; docs/claims.md says what is in them. Those with a row
        for each data set say what stands behind its name.
    seed
        Of the bootstrap.
    folds, validation
        How the data were cut: the number of folds, and the share of the drawn images that
        validates, in percent.
    """
    tukey = compare_runs(evidence.runs, blocked=False).reset_index(drop=True)
    tables = {
        "tukey": add_corrected(tukey, evidence.runs, folds, validation),
        "mixed": compare_runs(evidence.runs, blocked=True),
        "variance": _variances(evidence),
        **_bootstrap(evidence, seed),
        **_ranks(evidence.runs),
    }
    sources = evidence.runs.groupby("dataset")["source"].first()
    for name, table in tables.items():
        if "dataset" in table:
            place = table.columns.get_loc("dataset") + 1
            table.insert(place, "source", table["dataset"].map(sources))
        with atomic(Path(folder) / f"{name}.csv") as temporary:
            table.to_csv(temporary, index=False, lineterminator="\n", float_format="%.6g")


def _variances(evidence: Evidence) -> pd.DataFrame:
    rows = [
        {"dataset": dataset, "percent": percent, **variance_parts(part)}
        for dataset, table in evidence.scores.items()
        for percent, part in table[table["percent"] > 0].groupby("percent", sort=False)
    ]
    return pd.DataFrame(rows, columns=["dataset", "percent", *PARTS])


def _bootstrap(evidence: Evidence, seed: int) -> dict[str, pd.DataFrame]:
    differences, ranks = [], []
    for dataset, replicates in replicates_of(evidence, seed).items():
        level = "runs and examinations" if replicates.folds > 1 else "examinations, given the runs"
        differences.append(bootstrap_differences(replicates).assign(dataset=dataset, levels=level))
        ranks.append(bootstrap_ranks(replicates).assign(dataset=dataset, levels=level))
    return {
        "bootstrap": _joined(differences, ["dataset", *DIFFERENCES, "levels"]),
        "ranks": _joined(ranks, ["dataset", *RANKS, "levels"]),
    }


def _joined(parts: list[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    """Tables, one below the other; a study in which no run counts has none."""
    return pd.concat(parts)[columns] if parts else pd.DataFrame(columns=columns)


def _ranks(runs: pd.DataFrame) -> dict[str, pd.DataFrame]:
    tests: list[dict[str, object]] = []
    pairs: list[dict[str, object]] = []
    for percent, means, ranking in rankings(runs):
        for strategy, rank in ranking.ranks.items():
            row = {"percent": percent, "strategy": strategy, "mean_rank": rank}
            row |= {name: getattr(ranking, name) for name in OF_RANKING}
            tests.append(row)
        p = nemenyi(means)
        for number, first in enumerate(p):
            for second in list(p)[number + 1 :]:
                gap = ranking.ranks[first] - ranking.ranks[second]
                row = {"percent": percent, "first": first, "second": second}
                pairs.append({**row, "rank_difference": gap, "p": p.loc[first, second]})
    columns = ["percent", "strategy", "mean_rank", *OF_RANKING]
    names = ["percent", "first", "second", "rank_difference", "p"]
    tables = {"friedman": pd.DataFrame(tests, columns=columns)}
    return {**tables, "nemenyi": pd.DataFrame(pairs, columns=names)}
