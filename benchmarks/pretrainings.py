"""How often equal strategies are called worse when each differs by its pre-trained network.

python benchmarks/pretrainings.py [--studies 1000]

writes results/benchmarks/pretrainings.csv with a row per number of strategies, networks and folds
and per standard deviation between networks: the share of studies in which the decision's comparison
calls a strategy worse, from folds alone (folds_alone) and with the variance between networks
(decision).
"""

from itertools import product

import numpy as np

from benchmarks.measure import options, tell
from sonotune.statistics.pairs import compare

FOLD_SD, RUN_SD = 0.02, 0.03  # fold x strategy; fold x strategy x network


def called_worse(scores: np.ndarray, by_pretraining: np.ndarray | None = None) -> float:
    """Share of studies, float64 [B,F,S], in which some strategy is called worse."""
    return float((compare(scores, by_pretraining).bounds()[0] > 0).any((1, 2)).mean())


def main() -> None:
    studies = options(__doc__, studies=1000).parse_args().studies
    random, rows = np.random.default_rng(3), []
    for strategies, networks, folds, sd in product((13, 4), (2, 3, 5), (3, 5), (0, 0.02, 0.05)):
        runs = FOLD_SD * random.normal(size=(studies, 1, folds, strategies))
        runs = runs + sd * random.normal(size=(studies, networks, 1, strategies))
        runs += RUN_SD * random.normal(size=(studies, networks, folds, strategies))
        scores = runs.mean(1)
        rows.append(
            {"strategies": strategies, "networks": networks, "folds": folds, "network_sd": sd}
            | {"folds_alone": called_worse(scores), "decision": called_worse(scores, runs.mean(2))}
        )
    tell("pretrainings.csv", rows)


if __name__ == "__main__":
    main()
