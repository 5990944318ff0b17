"""Race simulated and stored studies by the rule of docs/racing.md.

python benchmarks/race.py [--studies 2000] [--margin 0.01]

writes results/benchmarks/race.csv with a row per scenario (or stored study), fraction and rule:
seconds_share (of the full grid's), regret_true and regret_grid (true loss of what the race and the
full grid recommend; replays take the full grid's means for the truth), within_02 (share in which
the recommended strategy is within .02 of the full grid's), false_worse (share in which the truly
best strategy had been left out at the end). Of simulated races without `budget: grid` also what the
decision states of the raced runs: called_worse (share of studies in which it calls a strategy worse
than one that is not better) and coverage (of its simultaneous intervals of all pairs).

It also writes results/benchmarks/race_limits.csv: what it costs if the best of the first fold train
on, and no others, as far as a budget of .4 goes (docs/racing.md).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.decision_scenarios import SCENARIOS
from benchmarks.measure import options, tell
from sonotune.statistics.choice import choose
from sonotune.statistics.pairs import compare
from sonotune.statistics.race import next_round, standing
from sonotune.statistics.runs import FoldScores, fold_scores

ROOT = Path(__file__).resolve().parents[1]
STORED = ("published_sus", "published_sus_patient", "published_sus_seen")
GRID_FOLDS = 5
MARGIN = 0.02  # of the decision
BUDGET = 0.4  # of the full grid


@dataclass(frozen=True)
class Outcome:
    """How races ended.

    Attributes
    ----------
    picked : int [B]
        The recommended strategies.
    spent : float64 [B]
        What the runs cost.
    last : bool [B,S]
        Strategies of the last round.
    runs : float64 [B,F,S]
        NaN where none was trained.
    """

    picked: np.ndarray
    spent: np.ndarray
    last: np.ndarray
    runs: np.ndarray


def race(
    scores: np.ndarray,
    clean: np.ndarray,
    costs: np.ndarray,
    run_sd: float,
    margin: float,
    budget: float | None = None,
) -> Outcome:
    """Race studies. With a budget, given in full grids, each race runs until it is spent.

    Parameters
    ----------
    scores : float64 [B,F,S]
        Every run that could be trained.
    clean : bool [B,S]
        Strategies that may be recommended.
    costs : float64 [S]
        Of a run.
    """
    studies, folds, strategies = scores.shape
    known = np.full(scores.shape, np.nan)
    training = np.ones((studies, strategies), bool)
    running = np.ones(studies, bool)
    last = training.copy()
    spent = np.zeros(studies)
    price = np.broadcast_to(costs, training.shape)
    limit = (budget or BUDGET) * costs.sum() * GRID_FOLDS
    for fold in range(folds):
        known[:, fold] = np.where(training, scores[:, fold], np.nan)
        spent += (training * price).sum(1)
        last = np.where(running[:, None], training, last)
        now = standing(known[:, : fold + 1], clean, run_sd)
        running &= (now.regret >= margin) | (budget is not None)
        training = next_round(now, training.sum(1), price, limit - spent, margin)
        training &= running[:, None]
        running = training.any(1)
    return Outcome(now.leader, spent, last, known)


def verdicts(runs: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Error rates of what the decision states of raced runs [B,F,S]; truth float [B,S] or [S]."""
    lower, upper = compare(runs).bounds()
    truth = np.broadcast_to(truth, (len(runs), runs.shape[2]))
    difference = truth[:, :, None] - truth[:, None, :]
    wrong = (lower > 0) & (difference < 1e-9)
    outside = (lower > difference + 1e-12) | (upper < difference - 1e-12)
    return {
        "called_worse": float(wrong.any((1, 2)).mean()),
        "coverage": float(1 - outside.any((1, 2)).mean()),
    }


def row_of(outcome: Outcome, truth: np.ndarray, grid: np.ndarray, full: float) -> dict[str, float]:
    """Measures of races; truth float [B,S] or [S], grid int [B] is the full grid's choice."""
    rows = np.arange(len(grid))
    truth = np.broadcast_to(truth, (len(grid), np.shape(truth)[-1]))
    best = truth.max(1)
    of_race, of_grid = truth[rows, outcome.picked], truth[rows, grid]
    lost = ~outcome.last[rows, truth.argmax(1)]
    unique = (truth > best[:, None] - 1e-9).sum(1) == 1
    return {
        "seconds_share": float(outcome.spent.mean() / full),
        "regret_true": float((best - of_race).mean()),
        "regret_grid": float((best - of_grid).mean()),
        "within_02": float((of_race >= of_grid - 0.02).mean()),
        "false_worse": float((lost & unique).mean()),
    }


def simulated(studies: int, margin: float) -> Iterator[dict[str, object]]:
    """A row per scenario and rule."""
    for name, (folds, draw) in SCENARIOS.items():
        if GRID_FOLDS not in folds:
            continue
        run_sd = 0.12 if "SD .11" in name else 0.05
        sample = draw(studies, 6 * GRID_FOLDS, np.random.default_rng(7))
        if not np.isfinite(sample.truth).all():
            continue
        costs = np.ones(sample.scores.shape[2])
        grid = choose(sample.scores[:, :GRID_FOLDS], sample.clean, 0 * costs, MARGIN).recommended
        there = grid >= 0
        scores, clean = sample.scores[there], sample.clean[there]
        raced = race(scores[:, :GRID_FOLDS], clean, costs, run_sd, margin)
        whole = race(scores, clean, costs, run_sd, margin, 1.0)
        stated = verdicts(raced.runs, sample.truth)
        fraction = 0.05 if run_sd > 0.1 else 0.8
        for budget, found, more in (("", raced, stated), (", budget: grid", whole, {})):
            row = row_of(found, sample.truth, grid[there], GRID_FOLDS * costs.sum())
            rule = f"expected gain{budget}"
            yield {"scenario": name, "fraction": fraction, "rule": rule} | row | more


def replayed(margin: float) -> Iterator[dict[str, object]]:
    """A row per stored study, fraction and rule, over all orders of folds."""
    for name, data, orders in stored():
        scores = data.scores[orders]
        clean = np.broadcast_to(
            (data.failed + data.collapsed + data.blank == 0), (len(orders), len(data.costs))
        )
        grid = choose(data.scores[None], clean[:1], np.zeros(len(data.costs)), MARGIN)
        truth = np.where(clean[0], grid.pairs.means[0], -np.inf)
        picked = np.repeat(grid.recommended, len(orders))
        run_sd = 0.12 if data.fraction < 0.25 else 0.05
        full = len(data.folds) * data.costs.sum()
        found = race(scores, clean, data.costs, run_sd, margin)
        row = row_of(found, truth, picked, full)
        yield {"scenario": name, "fraction": data.fraction, "rule": "expected gain"} | row


def one_cut(scores: np.ndarray, kept: int) -> tuple[np.ndarray, int, np.ndarray]:
    """Race studies in which the best of the first fold train on as far as the budget goes.

    Parameters
    ----------
    scores : float64 [B,F,S]
        Every run that could be trained; -inf for strategies that may not be recommended.
    kept
        How many train on.

    Returns
    -------
    int [B,S]
        Rank in the first fold, from 0.
    int
        Further folds.
    int [B]
        The recommended strategies.
    """
    strategies = scores.shape[2]
    rank = (-scores[:, 0]).argsort(1, kind="stable").argsort(1)
    more = min(GRID_FOLDS - 1, int(strategies * (BUDGET * GRID_FOLDS - 1) / kept + 1e-9))
    means = np.where(rank < kept, scores[:, : 1 + more].mean(1), -np.inf)
    return rank, more, means.argmax(1)


def limits(studies: int) -> Iterator[dict[str, object]]:
    """A row per scenario (or stored study at .05) and number of strategies that train on.

    No rule that keeps the same number of strategies drops the truly best one less often, because
    errors are normal and have the same spread for all strategies.
    """
    for name in ("one best by .02, SD .03", "three best by .10, SD .11"):
        sample = SCENARIOS[name][1](studies, GRID_FOLDS, np.random.default_rng(7))
        scores, truth = sample.scores, sample.truth
        full = truth[scores.mean(1).argmax(1)].mean()
        for kept in range(2, len(truth) + 1):
            rank, more, picked = one_cut(scores, kept)
            dropped = (rank[:, truth == truth.max()] >= kept).all(1).mean()
            yield {"scenario": name, "continue": kept, "further_folds": more} | {
                "best_dropped": float(dropped),
                "regret_difference": float(full - truth[picked].mean()),
            }
    for name, data, orders in stored():
        if data.fraction > 0.05:
            continue
        clean = data.failed + data.collapsed + data.blank == 0
        means = np.where(clean, data.scores.mean(0), -np.inf)
        for kept in range(2, len(clean) + 1):
            _, more, picked = one_cut(np.where(clean, data.scores, -np.inf)[orders], kept)
            yield {"scenario": name, "continue": kept, "further_folds": more} | {
                "within_02": float((means[picked] >= means.max() - 0.02).mean())
            }


def stored() -> Iterator[tuple[str, FoldScores, np.ndarray]]:
    """Each stored study's runs at each fraction, with all orders of its folds."""
    for name in STORED:
        cells = pd.read_csv(ROOT / f"docs/results/{name}/cells.csv")
        for data in fold_scores(cells, "seconds"):
            yield name, data, np.array(list(permutations(range(len(data.folds)))))


def main() -> None:
    asked = options(__doc__, studies=2000, margin=0.01).parse_args()
    tell("race_limits.csv", limits(10 * asked.studies))
    rows = [*simulated(asked.studies, asked.margin), *replayed(asked.margin)]
    tell("race.csv", rows)


if __name__ == "__main__":
    main()
