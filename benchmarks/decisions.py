"""Put simulated studies through sonotune's own decision, and count how often it is wrong.

python benchmarks/decisions.py [--studies 4000] [--only TEXT]

Writes three tables to results/benchmarks/:

decisions.csv         one row per scenario and number of folds
decisions_regret.csv  stated and true regret of the recommendation, by fifths of the stated
decisions_pairs.csv   the rule for pairs of strategies beside others that were considered

A strategy counts as beyond the margin from a true loss of exactly the margin on. A true claim is
that the truly best (three, where they tie) are the best. A false one has a strategy in it that is
truly .10 worse than one outside.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.special import stdtr, stdtrit
from scipy.stats import studentized_range

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.decision_scenarios import SCENARIOS, Draw, Sample  # noqa: E402
from benchmarks.measure import table, write  # noqa: E402
from sonotune.seeds import generator  # noqa: E402
from sonotune.statistics.choice import VERDICT_FOLDS, choose, expected_dice  # noqa: E402
from sonotune.statistics.claims import judge_top, shown_better  # noqa: E402
from sonotune.statistics.pairs import (  # noqa: E402
    Pairs,
    behind_bounds,
    compare,
    critical_ratio,
    t_quantile,
)

MARGIN = 0.02
NEAR = 0.005
FALSE_BY = 0.10
# Another seed than that of the runs by which the rule was set (1).
SEED = 2
# Studies that are simulated at once: few enough to stay in the processor's cache.
CHUNK = 200
# The other rules for pairs are compared on the first studies only.
PAIR_STUDIES = 1000
PAIR_RULES = ("moderated, Sidak", "moderated, studentised range", "paired t, Holm", "Games-Howell")


def measure(
    name: str, folds: int, draw: Draw, studies: int, pair_studies: int = PAIR_STUDIES
) -> tuple[dict[str, object], list[dict[str, object]], list[dict[str, object]]]:
    """One row of decisions.csv, and the rows of the other two tables that belong to it.

    ``pair_studies`` of the studies, at least 1, are judged by the other rules for pairs as well.
    """
    counts: dict[str, list[np.ndarray]] = defaultdict(list)
    rules: dict[tuple[str, str], list[np.ndarray]] = defaultdict(list)
    random = generator(SEED, "decisions", name, folds)
    samples = [
        draw(min(CHUNK, studies - begun), folds, random) for begun in range(0, studies, CHUNK)
    ]
    truth = samples[0].truth
    if np.isnan(truth).any():
        truth = np.full(len(truth), np.mean([sample.scores.mean() for sample in samples]))
    for begun, sample in enumerate(samples):
        for key, values in _one_chunk(sample, truth).items():
            counts[key].append(values)
        if folds >= VERDICT_FOLDS and begun * CHUNK < pair_studies:
            for key_pair, values in _pair_rules(sample, truth).items():
                rules[key_pair].append(values)
    found = {key: np.concatenate(values) for key, values in counts.items()}

    def mean(key: str) -> float:
        values = found[key]
        return float(np.nanmean(values)) if np.isfinite(values).any() else np.nan

    half, oracle = found["half_width"], found["oracle_width"]
    row: dict[str, object] = {"scenario": name, "folds": folds, "studies": studies}
    row |= {key: mean(key) for key in ("any_worse", "coverage_simultaneous", "coverage_pair")}
    row |= {
        "coverage_recommended": mean("coverage_recommended"),
        "width_recommended": float(np.nanmean(half) / np.nanmean(oracle)) if folds > 1 else np.nan,
        "bias_recommended": mean("bias_recommended"),
    }
    for key in ("false_equivalent", "true_equivalent", "false_claim_fails", "true_claim_fails"):
        row[key] = mean(key)
    row |= {key: mean(key) for key in ("recommended", "regret_stated", "regret_true", "power")}
    pair_rows = [
        {"scenario": name, "folds": folds, **_pair_row(rules, rule)} for rule in PAIR_RULES if rules
    ]
    return row, _fifths(name, folds, found), pair_rows


def _one_chunk(sample: Sample, truth: np.ndarray) -> dict[str, np.ndarray]:
    """What is counted, one value per study; NaN where it does not apply."""
    scores, clean = sample.scores, sample.clean
    studies, folds, strategies = scores.shape
    loss = truth.max() - truth
    costs = np.arange(strategies, dtype=float)[::-1]  # later ones are cheaper, and often worse
    choices = choose(scores, clean, costs, MARGIN)
    pairs, picked = choices.pairs, choices.recommended
    rows, there = np.arange(studies), picked >= 0
    dice = expected_dice(scores, clean, costs, MARGIN, choices)
    nothing = np.full(studies, np.nan)
    target = np.where(there, truth[picked], np.nan)
    counted = {
        "recommended": there.astype(float),
        "bias_recommended": dice.mean - target,
        "half_width": (dice.upper - dice.lower) / 2,
        "regret_stated": np.where(there, choices.posterior.regret[rows, picked], np.nan),
        "regret_true": np.where(there, loss[picked], np.nan),
        "within_stated": np.where(there, choices.posterior.within[rows, picked], np.nan),
        "within_true": np.where(there, loss[picked] <= MARGIN, np.nan),
    }
    inside = (dice.lower <= target) & (target <= dice.upper)
    counted["coverage_recommended"] = np.where(np.isfinite(dice.lower), inside, np.nan)
    # Somebody who knew the strategy beforehand would take the t interval of its folds.
    width = nothing
    if folds > 1:
        variance = np.where(clean, scores.var(1, ddof=1), np.nan)
        spread = np.sqrt(np.nanmean(variance, 0)) * _c4(folds)
        width = stdtrit(folds - 1, 0.975) * spread[picked] / np.sqrt(folds)
    counted["oracle_width"] = np.where(there, width, np.nan)
    counted |= _verdicts(pairs, choices.about_as_good, truth, folds)
    return counted


def _verdicts(
    pairs: Pairs, good: np.ndarray, truth: np.ndarray, folds: int
) -> dict[str, np.ndarray]:
    studies, strategies = pairs.means.shape
    loss = truth.max() - truth
    nothing = np.full(studies, np.nan)
    if folds < VERDICT_FOLDS:
        lower = upper = np.full(pairs.error.shape, np.nan)
    else:
        lower, upper = pairs.bounds()
    worse = behind_bounds(lower, upper, np.ones((studies, strategies), bool))[0] > 0
    counted = {"any_worse": worse[:, loss == 0].any(1).astype(float)}
    counted["power"] = worse[:, loss > 0].mean(1) if (loss > 0).any() else nothing
    difference = truth[:, None] - truth[None, :]
    first, second = np.triu_indices(strategies, 1)
    tested = np.isfinite(lower)[:, first, second].any(1)
    missed = ((lower > difference) | (upper < difference)).any((1, 2))
    counted["coverage_simultaneous"] = np.where(tested, ~missed, np.nan)
    single_lower, single_upper = pairs.single_bounds()
    covered = ((single_lower <= difference) & (difference <= single_upper)).astype(float)
    covered = np.where(np.isfinite(lower), covered, np.nan)[:, first, second]
    counted["coverage_pair"] = np.where(
        tested, np.nanmean(np.where(tested[:, None], covered, 0), 1), np.nan
    )
    beyond, near = loss >= MARGIN - 1e-9, loss <= NEAR + 1e-9
    counted["false_equivalent"] = good[:, beyond].any(1).astype(float) if beyond.any() else nothing
    counted["true_equivalent"] = good[:, near].mean(1)
    best = np.argsort(-truth, kind="stable")[: 1 if (loss == 0).sum() == 1 else 3]
    better = shown_better(pairs, len(best) * (strategies - len(best)))
    counted["true_claim_fails"] = judge_top(better, best, len(best))[1].astype(float)
    wrong = np.flatnonzero(np.abs(loss - FALSE_BY) < 0.015)
    counted["false_claim_fails"] = nothing
    if len(wrong):
        best[0] = wrong[0]
        counted["false_claim_fails"] = judge_top(better, best, len(best))[1].astype(float)
    return counted


def _c4(folds: int) -> float:
    """What a standard deviation from a few normal values is on average, for a true one of 1."""
    return 1 - 1 / (4 * (folds - 1) + 1)


def _fifths(name: str, folds: int, found: dict[str, np.ndarray]) -> list[dict[str, object]]:
    there = np.isfinite(found["regret_stated"])
    stated, true = found["regret_stated"][there], found["regret_true"][there]
    rows: list[dict[str, object]] = []
    for number, part in enumerate(np.array_split(np.argsort(stated, kind="stable"), 5)):
        if not len(part):
            continue
        said, real = float(stated[part].mean()), float(true[part].mean())
        rows.append(
            {
                "scenario": name,
                "folds": folds,
                "fifth": number + 1,
                "regret_stated": said,
                "regret_true": real,
                "within_stated": float(found["within_stated"][there][part].mean()),
                "within_true": float(found["within_true"][there][part].mean()),
                "as_asked": abs(said - real) <= max(0.005, 0.25 * real),
            }
        )
    return rows


def _pair_rules(sample: Sample, truth: np.ndarray) -> dict[tuple[str, str], np.ndarray]:
    """The rule that decides beside others that were considered, one value per study."""
    pairs = compare(sample.scores)
    number = len(truth)
    own_error, own_df = _own_errors(sample.scores)
    residual_error, residual_df = _games_howell(pairs)
    rules = {
        PAIR_RULES[0]: (pairs.error, pairs.df, critical_ratio(number, pairs.df)),
        PAIR_RULES[1]: (pairs.error, pairs.df, _range_ratio(number, pairs.df)),
        PAIR_RULES[2]: (own_error, own_df, critical_ratio(number, own_df)),
        PAIR_RULES[3]: (residual_error, residual_df, _range_ratio(number, residual_df)),
    }
    loss = truth.max() - truth
    off = np.abs(pairs.difference - (truth[:, None] - truth[None, :]))
    first, second = np.triu_indices(number, 1)
    counted = {}
    for rule, (error, df, critical) in rules.items():
        better = pairs.difference > critical * error
        if "Holm" in rule:
            better = _holm(pairs.difference, error, df)
        worse = better.any(1)
        covered = np.where(np.isfinite(error), off <= t_quantile(df, 0.975) * error, np.nan)
        covered = covered[:, first, second]
        nothing = np.full(len(error), np.nan)
        counted[rule, "any_worse"] = worse[:, loss == 0].any(1).astype(float)
        counted[rule, "power"] = worse[:, loss > 0].mean(1) if (loss > 0).any() else nothing
        counted[rule, "coverage_simultaneous"] = 1.0 - (off > critical * error).any((1, 2))
        counted[rule, "coverage_pairs"] = covered
    return counted


def _own_errors(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Standard error and degrees of freedom of each pair from its own differences alone."""
    differences = scores[:, :, :, None] - scores[:, :, None, :]
    count = np.isfinite(differences).sum(1)
    centred = differences - np.nansum(differences, 1, keepdims=True) / np.maximum(count, 1)[:, None]
    variance = np.nansum(centred**2, 1) / np.maximum(count - 1, 1)
    error = np.where(variance > 0, np.sqrt(variance / np.maximum(count, 1)), np.nan)
    return error, np.maximum(count - 1.0, 1.0)


def _games_howell(pairs: Pairs) -> tuple[np.ndarray, np.ndarray]:
    """Errors from each strategy's own residuals once folds are taken out, with Welch's df."""
    strategies = pairs.means.shape[1]
    count = np.maximum(np.isfinite(pairs.residuals).sum(1), 2)
    variance = np.nansum(pairs.residuals**2, 1) / (count - 1) * strategies / (strategies - 1)
    part = variance / count
    both = part[:, :, None] + part[:, None, :]
    square = part**2 / (count - 1)
    return np.sqrt(both), both**2 / (square[:, :, None] + square[:, None, :])


@lru_cache(maxsize=8)
def _range_curve(number: int) -> CubicSpline:
    inverse = np.array([1e-6, 0.01, 0.03, 0.06, 0.1, 0.17, 0.25, 1 / 3, 0.5, 0.75, 1.0])
    return CubicSpline(inverse, np.log(studentized_range.ppf(0.95, number, 1 / inverse)))


def _range_ratio(number: int, df: np.ndarray) -> np.ndarray:
    """Errors that a difference must exceed by the studentised range."""
    return np.exp(_range_curve(number)(1 / df)) / np.sqrt(2)


def _holm(difference: np.ndarray, error: np.ndarray, df: np.ndarray) -> np.ndarray:
    """Which first strategy is better than which second one by Holm's method over all pairs."""
    first, second = np.triu_indices(difference.shape[1], 1)
    p = 2 * stdtr(df, -np.abs(difference) / error)[:, first, second]
    p = np.where(np.isfinite(p), p, 1.0)
    order = np.argsort(p, 1)
    tests = p.shape[1]
    stopped = np.take_along_axis(p, order, 1) * (tests - np.arange(tests)) > 0.05
    passed = np.logical_not(np.logical_or.accumulate(stopped, 1))
    significant = np.empty_like(passed)
    np.put_along_axis(significant, order, passed, 1)
    better = np.zeros(difference.shape, bool)
    better[:, first, second] = significant & (difference[:, first, second] > 0)
    better[:, second, first] = significant & (difference[:, second, first] > 0)
    return better


def _pair_row(rules: dict[tuple[str, str], list[np.ndarray]], rule: str) -> dict[str, object]:
    row: dict[str, object] = {"rule": rule}
    for key in ("any_worse", "coverage_simultaneous", "power"):
        values = np.concatenate(rules[rule, key])
        row[key] = float(values.mean())
        row["studies"] = len(values)
    covered = np.concatenate(rules[rule, "coverage_pairs"])
    row["coverage_pair"] = float(np.nanmean(covered))
    row["coverage_worst_pair"] = float(np.nanmean(covered, 0).min())
    return row


def plausible_regret(folds: int, studies: int) -> list[dict[str, object]]:
    """Rows of decisions_regret.csv for studies that each have true means of their own.

    The true means of 13 strategies are normal; their standard deviation is 0, .01, .02, .04 or .08
    and that of a run .03 or .11, all alike often. This is what a model can be right about: no
    statement can be right for each single truth.
    """
    random = generator(SEED, "decisions", "plausible truths", folds)
    found: dict[str, list[np.ndarray]] = defaultdict(list)
    for _ in range(0, studies, CHUNK):
        spread = random.choice([0.0, 0.01, 0.02, 0.04, 0.08], (CHUNK, 1))
        run_sd = random.choice([0.03, 0.11], (CHUNK, 1, 1))
        truth = 0.7 + spread * random.normal(size=(CHUNK, 13))
        noise = run_sd * random.normal(size=(CHUNK, folds, 13))
        scores = truth[:, None, :] + noise
        choices = choose(scores, np.ones(truth.shape, bool), np.zeros(13), MARGIN)
        rows, picked = np.arange(CHUNK), choices.recommended
        loss = truth.max(1) - truth[rows, picked]
        found["regret_stated"].append(choices.posterior.regret[rows, picked])
        found["within_stated"].append(choices.posterior.within[rows, picked])
        found["regret_true"].append(loss)
        found["within_true"].append((loss <= MARGIN).astype(float))
    joined = {key: np.concatenate(values) for key, values in found.items()}
    return _fifths("plausible truths", folds, joined)


def run(studies: int, chosen: str = "") -> Iterable[tuple[dict, list[dict], list[dict]]]:
    """All scenarios whose name contains ``chosen``, one after the other."""
    for name, (folds, draw) in SCENARIOS.items():
        for number in folds:
            if chosen in name:
                yield measure(name, number, draw, studies)


def main() -> None:
    """Write the three tables after every row, so that an early end loses nothing."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, default=4000)
    parser.add_argument("--only", default="", help="scenarios whose name contains this")
    options = parser.parse_args()
    rows, fifths, pairs = [], [], []
    for folds in (2, 5, 10):
        fifths += plausible_regret(folds, options.studies)
    for row, row_fifths, row_pairs in run(options.studies, options.only):
        rows.append(row)
        fifths += row_fifths
        pairs += row_pairs
        write("decisions.csv", rows)
        if fifths:
            write("decisions_regret.csv", fifths)
        if pairs:
            write("decisions_pairs.csv", pairs)
        print(table(list(row), [list(row.values())]), flush=True)


if __name__ == "__main__":
    main()
