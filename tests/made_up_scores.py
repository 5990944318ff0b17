"""Scores of every image of a study that nobody ran, with effects that are known."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from sonotune.layout import RUN
from sonotune.statistics.tables import write_statistics


def made_up_scores(
    means: Mapping[tuple[str, str, float], float],
    folds: int = 5,
    images: int = 20,
    spread: Mapping[str, float] | None = None,
    seed: int = 1,
) -> pd.DataFrame:
    """A row per run and image.

    Parameters
    ----------
    means
        Mean Dice by (data set, strategy, fraction).
    images
        In a fold's test set; two of an examination.
    spread
        Standard deviations of ``fold``, ``image``, ``run`` and ``rest``.
    """
    sd = {"fold": 0.01, "image": 0.05, "run": 0.01, "rest": 0.03, **(spread or {})}
    random = np.random.default_rng(seed)
    rows = []
    for dataset in dict.fromkeys(name for name, _, _ in means):
        of_fold = random.normal(0, sd["fold"], folds)
        of_image = random.normal(0, sd["image"], (folds, images))
        for (name, strategy, fraction), mean in means.items():
            if name != dataset:
                continue
            for fold in range(folds):
                run = random.normal(0, sd["run"])
                dice = mean + of_fold[fold] + of_image[fold] + run
                dice = dice + random.normal(0, sd["rest"], images)
                key = (dataset, strategy, fraction, fold, 1, 1)
                names = [(f"{fold}_{i}", f"{fold}_{i // 2}") for i in range(images)]
                rows += [(*key, *name, value) for name, value in zip(names, dice, strict=True)]
    return pd.DataFrame(rows, columns=[*RUN, "name", "group", "dice"])


def cells_of_scores(scores: pd.DataFrame, **columns: object) -> pd.DataFrame:
    """A row a run, as in ``cells.csv``; ``columns`` are the same for all."""
    cells = scores.groupby(list(RUN), sort=False)["dice"].mean().reset_index()
    about = {
        "source": cells["dataset"],
        "failed": False,
        "collapsed": False,
        "outcome": "converged",
        "tuned_parameters": 10,
        "total_parameters": 10,
        "seconds": 60.0,
        "device": "cpu",
        "precision": "fp32",
    }
    return cells.assign(**{**about, **columns})


def write_calibration(cells: pd.DataFrame, folder) -> list[str]:
    """Write a file of ten bins for each data set, in which the upper half is too sure."""
    files = []
    for dataset, part in cells.groupby("dataset", sort=False):
        bins = pd.DataFrame({"bin": range(10), "pixels": 100})
        bins["probability"] = 100 * (bins["bin"] + 0.5) / 10
        bins["foreground"] = bins["probability"] - 4.0 * (bins["bin"] >= 5)
        key = part[list(RUN)]
        files.append(str(folder / f"{dataset}_calibration.csv"))
        key.merge(bins, how="cross").to_csv(files[-1], index=False)
    return files


def write_study(scores: pd.DataFrame, cells: pd.DataFrame, folder) -> tuple[str, dict[str, str]]:
    """Write ``cells.csv`` and a file of scores for each data set; give their paths."""
    cells.to_csv(folder / "cells.csv", index=False)
    files = {}
    for dataset, part in scores.groupby("dataset", sort=False):
        files[str(dataset)] = str(folder / f"{dataset}.csv")
        part.to_csv(files[str(dataset)], index=False)
    return str(folder / "cells.csv"), files


def write_tables(scores: pd.DataFrame, cells: pd.DataFrame, folder, exclude_runs="failed"):
    """Write the tables of statistics below ``folder`` as the workflow does; give their folder."""
    table, files = write_study(scores, cells, folder)
    write_statistics(
        table,
        list(files.values()),
        write_calibration(cells, folder),
        folder / "statistics",
        strategy_names=list(dict.fromkeys(scores["strategy"])),
        exclude_runs=exclude_runs,
        seed=1,
        margins={},
        cost="tuned_parameters",
    )
    return folder / "statistics"


def with_strategies(names: Sequence[str], step: float = 0.02, fraction: float = 0.8) -> dict:
    """Means of one data set that fall by ``step`` from each strategy to the next."""
    return {("sus", name, fraction): 0.8 - step * i for i, name in enumerate(names)}
