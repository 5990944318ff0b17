"""Forecasts of learning curves against what was hidden, on simulated curves and stored studies.

    python benchmarks/learning.py [--curves 2000] [cells.csv ...]

The last fraction is hidden and forecast from those before it; of stored studies each further
fraction too, as long as enough are left. Beside it stands "the last value with its spread": the
mean of the largest fraction that is left, with the t interval of its folds. The interval score is
that of Gneiting and Raftery 2007: its width, and for what lies outside ten times the distance.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from benchmarks.measure import options, table
from sonotune.statistics.learning import FARTHEST, LEVEL, forecast, learning_curves, refusal
from sonotune.statistics.runs import fold_scores

FRACTIONS = np.array([0.05, 0.1, 0.2, 0.4, 0.8])
Curve = Callable[[np.ndarray, np.random.Generator], np.ndarray]

# Dice by fraction, [K]. "Straight in log n" and "late" are not of the form that is fitted.
CURVES: dict[str, Curve] = {
    "power to a floor": lambda f, r: (
        1 - r.uniform(0.03, 0.15) - r.uniform(0.2, 0.5) * (f / 0.05) ** -r.uniform(0.3, 1.2)
    ),
    "power": lambda f, r: 1 - r.uniform(0.15, 0.6) * (f / 0.05) ** -r.uniform(0.1, 0.8),
    "exponential": lambda f, r: (
        r.uniform(0.8, 0.97) - r.uniform(0.2, 0.5) * np.exp(-f / r.uniform(0.05, 0.4))
    ),
    "straight in log n": lambda f, r: (
        r.uniform(0.4, 0.7) + r.uniform(0.02, 0.06) * np.log2(f / 0.05)
    ),
    "late": lambda f, r: (
        0.3 + 0.6 / (1 + np.exp(-r.uniform(1, 2.5) * np.log2(f / r.uniform(0.07, 0.3))))
    ),
    "flat": lambda f, r: np.full(len(f), r.uniform(0.5, 0.95)),
}


def judged(scores: np.ndarray, fractions: np.ndarray) -> tuple[float, ...] | None:
    """Forecast the last fraction from those before; None where that is refused.

    Parameters
    ----------
    scores : float64 [F,K]
    fractions : float64 [K]
        Ascending.

    Returns
    -------
    tuple of float
        Whether the interval and the baseline's cover it, and the interval scores of both.
    """
    seen, known = scores[:, :-1], fractions[:-1]
    if refusal(seen, list(known)) or fractions[-1] > FARTHEST * known[-1] * (1 + 1e-9):
        return None
    truth = float(np.nanmean(scores[:, -1]))
    found = forecast(seen, list(known), fractions[-1])
    last = seen[np.isfinite(seen[:, -1]), -1]
    half = stdtrit(len(last) - 1, (1 + LEVEL) / 2) * last.std(ddof=1) / np.sqrt(len(last))
    intervals = (found.lower, found.upper), (last.mean() - half, last.mean() + half)
    covered = [float(low <= truth <= high) for low, high in intervals]
    return (*covered, *(_interval_score(low, high, truth) for low, high in intervals))


def _interval_score(low: float, high: float, truth: float) -> float:
    outside = max(low - truth, truth - high, 0.0)
    return high - low + 2 / (1 - LEVEL) * outside


def simulated(curves: int, folds: int, sd: float) -> Iterator[tuple[object, ...]]:
    """A row for every form of curve; noise is relative to the error, as stored runs have it."""
    for name, curve in CURVES.items():
        random = np.random.default_rng(2020)
        found = []
        for _ in range(curves):
            error = 1 - curve(FRACTIONS, random)
            noise = random.normal(0, sd, (folds, len(FRACTIONS)))
            of_fold = random.normal(0, sd, (folds, 1))
            scores = 1 - np.clip(error * np.exp(noise + of_fold), 0.001, 0.999)
            found.append(judged(scores, FRACTIONS))
        yield (name, folds, sd, *_summary(found))


def stored(file: Path) -> Iterator[tuple[object, ...]]:
    """A row for every data set of a table of runs."""
    found: dict[str, list[tuple[float, ...] | None]] = {}
    for dataset, _, curve in learning_curves(fold_scores(pd.read_csv(file), "tuned_parameters")):
        scores, fractions = curve.to_numpy(float), curve.columns.to_numpy(float)
        seen = range(2, len(fractions) + 1)
        found.setdefault(dataset, []).extend(judged(scores[:, :k], fractions[:k]) for k in seen)
    for dataset, forecasts in found.items():
        yield (f"{file.parent.name}: {dataset}", "", "", *_summary(forecasts))


def _summary(found: list[tuple[float, ...] | None]) -> tuple[object, ...]:
    made = np.array([one for one in found if one is not None])
    if not len(made):
        return (0, len(found), *[float("nan")] * 4)
    return (len(made), len(found) - len(made), *made.mean(0))


def main() -> None:
    """Print one row for every form of curve, number of folds and noise, and stored data set."""
    parser = options(__doc__, curves=2000)
    parser.add_argument("cells", nargs="*", type=Path)
    asked = parser.parse_args()
    rows: list[tuple[object, ...]] = []
    for folds, sd in ((5, 0.1), (5, 0.3), (3, 0.2), (10, 0.2)) if asked.curves else ():
        rows += simulated(asked.curves, folds, sd)
    for file in asked.cells:
        rows += stored(file)
    names = ["curves", "folds", "SD", "forecasts", "refused", "covered", "last covered"]
    print(table(rows, [*names, "interval score", "last's"]))


if __name__ == "__main__":
    main()
