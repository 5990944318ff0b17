"""Cells of a study that nobody ran: plausible Dice around the means of Amiri 2020, Table II."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from sonotune.evaluation.averages import read_cells, write_averages
from sonotune.statistics.tables import rank_tables, read_runs

STRATEGIES = {
    "whole": "Whole network",
    "contracting": "Contracting",
    "expanding": "Expanding",
    "except_5": "Except block 5",
    "block_5": "Block 5",
    "blocks_1289": "Blocks 1, 2, 8, 9",
    "blocks_3to7": "Blocks 3–7",  # noqa: RUF001
    "block_1": "Block 1",
    "block_9": "Block 9",
    "blocks_19": "Blocks 1, 9",
    "blocks_12": "Blocks 1, 2",
    "blocks_34": "Blocks 3, 4",
    "scratch": "From scratch",
}
DATASETS = {"sus": "SUS", "bus": "BUS"}
PARAMETERS = (
    31031685, 9403840, 21626753, 16872769, 14157824, 976449, 30054144, 37568, 143617, 181185,
    259008, 4425216, 31031685,
)  # fmt: skip
# Dice in thousandths, strategies in the order above.
MEANS = {
    ("sus", 0.8): (834, 823, 830, 826, 661, 787, 799, 620, 711, 754, 744, 718, 788),
    ("sus", 0.5): (797, 775, 772, 789, 638, 784, 773, 550, 666, 638, 716, 707, 777),
    ("sus", 0.05): (749, 743, 710, 754, 549, 748, 700, 560, 609, 731, 712, 696, 670),
    ("bus", 0.8): (774, 767, 705, 785, 699, 771, 759, 670, 446, 683, 699, 691, 763),
    ("bus", 0.5): (769, 762, 720, 784, 633, 729, 759, 600, 374, 603, 705, 723, 639),
    ("bus", 0.05): (663, 625, 517, 666, 469, 592, 628, 570, 462, 606, 637, 556, 550),
}


def made_up_cells(folds: int = 5) -> pd.DataFrame:
    """13 strategies x 3 fractions x ``folds`` x 2 data sets: some failed, one collapsed."""
    rng = np.random.default_rng(1)
    rows = []
    for (dataset, fraction), means in MEANS.items():
        for strategy, parameters, mean in zip(STRATEGIES, PARAMETERS, means, strict=True):
            for fold in range(folds):
                failures = 2 if fraction == 0.05 else dataset == "bus"
                failed = strategy == "scratch" and fold < failures
                collapsed = (dataset, fraction, strategy, fold) == ("bus", 0.05, "block_9", 1)
                dice = mean / 1000 + rng.normal(0, 0.04)
                rows.append(
                    {
                        "dataset": dataset,
                        "source": "busi" if dataset == "bus" else dataset,
                        "strategy": strategy,
                        "fraction": fraction,
                        "fold": fold,
                        "dice": 0.0 if collapsed else round(0.2 if failed else dice, 6),
                        "outcome": "no_early_stop" if failed else "converged",
                        "failed": failed,
                        "collapsed": collapsed,
                        "tuned_parameters": parameters,
                        "total_parameters": PARAMETERS[0],
                        "device": "cpu",
                        "precision": "fp32",
                        "torch": "2.14.1",
                    }
                )
    return pd.DataFrame(rows)


def write_cells(cells: pd.DataFrame, folder: Path) -> Path:
    """Write ``cells.csv`` as the workflow does."""
    path = folder / "cells.csv"
    cells.to_csv(path, index=False)
    return path


def ranks_of(cells: Path) -> dict[str, Path]:
    """Write the ranks of strategies beside ``cells.csv`` as the workflow does."""
    strategies = list(dict.fromkeys(read_cells(cells)["strategy"]))
    paths = {}
    for name, table in rank_tables(read_runs(cells, strategies, "failed")).items():
        paths[name] = cells.with_name(f"{name}.csv")
        table.to_csv(paths[name], index=False)
    return paths


def averages_of(cells: Path, exclude_runs: str = "failed", ddof: int = 1) -> Path:
    """Write ``averages.csv`` beside ``cells.csv`` as the workflow does."""
    path = cells.with_name("averages.csv")
    write_averages(cells, path, exclude_runs, ddof)
    return path
