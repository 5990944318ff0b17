"""The A/A test: one strategy under several names must not be called worse than itself.

python benchmarks/same_strategy.py cells.csv [--folds 5]

``cells.csv`` is that of a study of one strategy with several seeds (``resampling: {seeds: 13}``)
and more folds than a study usually has. Each seed counts as a strategy of its own, and every choice
of ``--folds`` folds as a study. Studies that share folds are not independent, so the share has no
simple error. With several pre-trained networks, each is a row; what they change is printed below.
"""

from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.measure import options, table
from sonotune.evaluation.averages import read_cells
from sonotune.statistics.pairs import compare
from sonotune.statistics.runs import fold_scores


def called_worse(scores: np.ndarray, folds: int) -> tuple[float, int]:
    """Share of the studies in which some strategy is called worse, and their number.

    Parameters
    ----------
    scores : float64 [F,S]
        Mean Dice of each run; NaN where it failed.
    folds
        Folds of a study, at most F.
    """
    choices = [list(rows) for rows in combinations(range(len(scores)), folds)]
    lower = compare(scores[np.array(choices)]).bounds()[0]
    return float((lower > 0).any((1, 2)).mean()), len(choices)


def seeds_as_strategies(cells: pd.DataFrame) -> dict[int, pd.DataFrame]:
    """The runs of each pre-trained network, with a strategy's seeds as strategies.

    Parameters
    ----------
    cells
        Rows of ``cells.csv``.
    """
    named = cells.assign(strategy=cells["strategy"] + ", seed " + cells["seed"].astype(str))
    return {
        int(network): runs.assign(seed=0, pretraining=0)
        for network, runs in named.groupby("pretraining")
    }


def between(cells: pd.DataFrame, first: int, second: int) -> tuple[float, float]:
    """Mean difference of Dice from one pre-trained network to another, and its standard error.

    Parameters
    ----------
    cells
        Rows of ``cells.csv``; runs are averaged by fold, which both networks share.
    first, second
        Numbers of the pre-trained networks.
    """
    means = cells.pivot_table(values="dice", index="fold", columns="pretraining")
    change = (means[second] - means[first]).dropna()
    return float(change.mean()), float(change.std(ddof=1) / len(change) ** 0.5)


def main() -> None:
    """Print the share for every data set, fraction and pre-trained network of the table."""
    parser = options(__doc__, folds=5)
    parser.add_argument("cells", type=Path)
    asked = parser.parse_args()
    cells = read_cells(asked.cells)
    rows: list[tuple[object, ...]] = []
    for network, runs in seeds_as_strategies(cells).items():
        for data in fold_scores(runs, "tuned_parameters"):
            share, studies = called_worse(data.scores, asked.folds)
            deviation = float(np.nanstd(data.scores, axis=1, ddof=1).mean())
            rows.append(
                (data.dataset, data.fraction, network, len(data.strategies), len(data.folds),
                 float(np.nanmean(data.scores)), deviation, studies, share)
            )  # fmt: skip
    names = ["data set", "fraction", "pre-training", "seeds", "folds", "mean Dice"]
    print(table(rows, [*names, "SD of a fold's runs", "studies", "some called worse"]))
    groups = cells[~cells["failed"]].groupby(["dataset", "fraction"])
    for (dataset, fraction), runs in groups:
        for first, second in combinations(sorted(runs["pretraining"].unique()), 2):
            change, error = between(runs, first, second)
            print(
                f"{dataset}, {fraction}: pre-training {second} minus {first}: "
                f"{change:+.4f} Dice (standard error over folds {error:.4f})"
            )


if __name__ == "__main__":
    main()
