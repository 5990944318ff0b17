"""Race simulated and stored studies by the rule of docs/racing.md, and by two others.

python benchmarks/race.py [--studies 2000] [--margin 0.01]

writes results/benchmarks/race.csv with a row per scenario (or stored study), fraction and rule:
seconds_share (of the full grid's), regret_true and regret_grid (true loss of what the race and the
full grid recommend; replays take the full grid's means for the truth), within_02 (share in which
the recommended strategy is within .02 of the full grid's), false_worse (share in which the truly
best strategy had been left out at the end). For the workflow's rule also what the decision states
of the raced runs: called_worse (share of studies in which it calls a strategy worse than one that
is not better) and coverage (of its simultaneous intervals of all pairs).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.decision_scenarios import SCENARIOS  # noqa: E402
from benchmarks.measure import options, tell  # noqa: E402
from sonotune.statistics.choice import VERDICT_FOLDS, choose  # noqa: E402
from sonotune.statistics.pairs import compare  # noqa: E402
from sonotune.statistics.race import next_round, standing  # noqa: E402
from sonotune.statistics.runs import fold_scores  # noqa: E402

STORED = ("published_sus", "published_sus_patient", "published_sus_seen")
GRID_FOLDS = 5
MARGIN = 0.02  # of the decision
BUDGET = 0.4  # of the full grid


@dataclass(frozen=True)
class Outcome:
    """How races ended: picked int [B], spent float [B], the last round's strategies bool [B,S].

    And of the workflow's rule its runs, float64 [B,F,S], NaN where none was trained.
    """

    picked: np.ndarray
    spent: np.ndarray
    last: np.ndarray
    runs: np.ndarray | None = None


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
    """Error rates of what the decision states of raced runs (parameters as in `row_of`)."""
    lower, upper = compare(runs).bounds()
    truth = np.broadcast_to(truth, (len(runs), runs.shape[2]))
    difference = truth[:, :, None] - truth[:, None, :]
    wrong = (lower > 0) & (difference < 1e-9)
    outside = (lower > difference + 1e-12) | (upper < difference - 1e-12)
    return {
        "called_worse": float(wrong.any((1, 2)).mean()),
        "coverage": float(1 - outside.any((1, 2)).mean()),
    }


def dropping(scores: np.ndarray, clean: np.ndarray, costs: np.ndarray) -> Outcome:
    """Leave out what the decision's comparison of all pairs shows to be worse, from 3 folds on."""
    studies, folds, strategies = scores.shape
    known = np.full(scores.shape, np.nan)
    training = np.ones((studies, strategies), bool)
    spent = np.zeros(studies)
    for fold in range(folds):
        known[:, fold] = np.where(training, scores[:, fold], np.nan)
        spent += (training * costs).sum(1)
        if VERDICT_FOLDS - 1 <= fold < folds - 1:
            lower = compare(known[:, : fold + 1]).bounds()[0]
            training &= ~(np.nan_to_num(lower, nan=-1.0) > 0).any(1)
    choices = choose(known, clean & training, np.zeros(strategies), MARGIN)
    return Outcome(choices.recommended, spent, training)


def halving(scores: np.ndarray, clean: np.ndarray, costs: np.ndarray) -> Outcome:
    """Keep 13, 7, 4, 2 and 1 by the mean of the folds so far."""
    studies, folds, strategies = scores.shape
    training = np.ones((studies, strategies), bool)
    spent = np.zeros(studies)
    total = np.zeros((studies, strategies))
    number = strategies
    for fold in range(folds):
        total += np.where(training, np.nan_to_num(scores[:, fold]), 0.0)
        spent += (training * costs).sum(1)
        last = training
        if fold < folds - 1:
            number = (number + 1) // 2
            value = np.where(training & clean, total, -np.inf)
            place = (-value).argsort(1).argsort(1)
            training = training & (place < number)
    value = np.where(last & clean, total, -np.inf)
    return Outcome(value.argmax(1), spent, last)


def row_of(outcome: Outcome, truth: np.ndarray, grid: np.ndarray, full: float) -> dict[str, float]:
    """Measures of a rule; truth float [B,S] or [S], grid int [B] is the full grid's choice."""
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
        short = sample.scores[:, :GRID_FOLDS]
        costs = np.ones(short.shape[2])
        clean = sample.clean
        grid = choose(short, clean, np.zeros(len(costs)), MARGIN).recommended
        there = grid >= 0
        full = GRID_FOLDS * costs.sum()
        outcomes = {
            "expected gain": race(short, clean, costs, run_sd, margin),
            "expected gain, budget: grid": race(sample.scores, clean, costs, run_sd, margin, 1.0),
            "test": dropping(short, clean, costs),
            "halving": halving(short, clean, costs),
        }
        for rule, found in outcomes.items():
            kept = Outcome(found.picked[there], found.spent[there], found.last[there])
            row = row_of(kept, sample.truth, grid[there], full)
            if rule == "expected gain" and found.runs is not None:
                row |= verdicts(found.runs, sample.truth)
            yield {"scenario": name, "fraction": 0.05 if run_sd > 0.1 else 0.8, "rule": rule} | row


def replayed(margin: float) -> Iterator[dict[str, object]]:
    """A row per stored study, fraction and rule, over all orders of folds."""
    for name in STORED:
        cells = pd.read_csv(ROOT / f"docs/results/{name}/cells.csv")
        for data in fold_scores(cells, "seconds"):
            orders = np.array(list(permutations(range(len(data.folds)))))
            scores = data.scores[orders]
            clean = np.broadcast_to(
                (data.failed + data.collapsed + data.blank == 0), (len(orders), len(data.costs))
            )
            grid = choose(data.scores[None], clean[:1], np.zeros(len(data.costs)), MARGIN)
            truth = np.where(clean[0], grid.pairs.means[0], -np.inf)
            picked = np.repeat(grid.recommended, len(orders))
            run_sd = 0.12 if data.fraction < 0.25 else 0.05
            full = len(data.folds) * data.costs.sum()
            rules: dict[str, Outcome] = {
                "expected gain": race(scores, clean, data.costs, run_sd, margin),
                "test": dropping(scores, clean, data.costs),
                "halving": halving(scores, clean, data.costs),
            }
            for rule, found in rules.items():
                row = row_of(found, truth, picked, full)
                yield {"scenario": name, "fraction": data.fraction, "rule": rule} | row


def main() -> None:
    asked = options(__doc__, studies=2000, margin=0.01).parse_args()
    rows = [*simulated(asked.studies, asked.margin), *replayed(asked.margin)]
    head = max(rows, key=len)  # only the workflow's rule has what the decision states
    tell("race.csv", [dict.fromkeys(head, "") | row for row in rows])


if __name__ == "__main__":
    main()
