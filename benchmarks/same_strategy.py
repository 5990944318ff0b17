"""The A/A test: one strategy under several names must not be called worse than itself.

python benchmarks/same_strategy.py cells.csv [--folds 5]

``cells.csv`` holds real runs of one strategy that differ in their seed (or pre-training) only, each
seed under a strategy name of its own, in more folds than a study has. Every choice of ``--folds``
folds is a study. Studies that share folds are not independent, so the share has no simple error.
"""

from __future__ import annotations

import argparse
import sys
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.measure import table  # noqa: E402
from sonotune.statistics.pairs import compare  # noqa: E402
from sonotune.statistics.runs import fold_scores  # noqa: E402


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


def main() -> None:
    """Print the share for every data set and fraction of the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cells", type=Path)
    parser.add_argument("--folds", type=int, default=5)
    options = parser.parse_args()
    rows = []
    for data in fold_scores(pd.read_csv(options.cells), "tuned_parameters"):
        share, studies = called_worse(data.scores, options.folds)
        rows.append((data.dataset, data.fraction, len(data.strategies), studies, share))
    print(table(["data set", "fraction", "strategies", "studies", "some called worse"], rows))


if __name__ == "__main__":
    main()
