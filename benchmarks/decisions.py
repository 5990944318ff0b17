"""Put simulated studies through sonotune's own decision, and count how often it is wrong.

python benchmarks/decisions.py [--studies 4000] [--only TEXT]

Writes two tables to results/benchmarks/:

decisions.csv         one row per scenario and number of folds
decisions_regret.csv  stated and true regret of the recommendation, by fifths of the stated

A strategy counts as beyond the margin from a true loss of exactly the margin on. A true claim is
that the truly best (three, where they tie) are the best. A false one has a strategy in it that is
truly .10 worse than one outside.
"""

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from benchmarks.decision_scenarios import SCENARIOS, Draw, Sample
from benchmarks.measure import options, table, write
from sonotune.seeds import generator
from sonotune.statistics.choice import VERDICT_FOLDS, Choices, choose, expected_dice
from sonotune.statistics.claims import evaluate_top, significantly_better
from sonotune.statistics.pairs import PairwiseDifferences, gap_bounds

MARGIN = 0.02
NEAR = 0.005
FALSE_BY = 0.10
# Another seed than that of the runs by which the rule was set (1).
SEED = 2
# Studies that are simulated at once: few enough to stay in the processor's cache.
CHUNK = 200
COLUMNS = (
    *("any_worse", "coverage_simultaneous", "coverage_pair", "coverage_recommended"),
    *("width_recommended", "bias_recommended", "false_equivalent", "true_equivalent"),
    *("false_claim_fails", "true_claim_fails", "recommended", "regret_stated", "regret_true"),
    "power",
)
FIFTHS = ("regret_stated", "regret_true", "within_stated", "within_true")


def measure(
    name: str, folds: int, draw: Draw, studies: int
) -> tuple[dict[str, object], list[dict[str, object]]]:
    """One row of decisions.csv, and the rows of the other table that belong to it."""
    random = generator(SEED, "decisions", name, folds)
    samples = [
        draw(min(CHUNK, studies - begun), folds, random) for begun in range(0, studies, CHUNK)
    ]
    truth = samples[0].truth
    if np.isnan(truth).any():
        truth = np.full(len(truth), np.mean([sample.scores.mean() for sample in samples]))
    chunks = [_one_chunk(sample, truth) for sample in samples]
    found = {key: np.concatenate([chunk[key] for chunk in chunks]) for key in chunks[0]}
    means = {
        key: float(np.nanmean(values)) if np.isfinite(values).any() else np.nan
        for key, values in found.items()
    }
    means["width_recommended"] = means["half_width"] / means["oracle_width"]
    row: dict[str, object] = {"scenario": name, "folds": folds, "studies": studies}
    return row | {key: means[key] for key in COLUMNS}, _fifths(name, folds, found)


def _recommended(choices: Choices, loss: np.ndarray) -> dict[str, np.ndarray]:
    """Stated and true regret of what is recommended; loss float [B,S], NaN where nothing is."""
    rows, picked = np.arange(len(loss)), choices.recommended
    counted = {
        "regret_stated": choices.posterior.regret[rows, picked],
        "regret_true": loss[rows, picked],
        "within_stated": choices.posterior.within[rows, picked],
        "within_true": loss[rows, picked] <= MARGIN,
    }
    return {key: np.where(picked >= 0, values, np.nan) for key, values in counted.items()}


def _one_chunk(sample: Sample, truth: np.ndarray) -> dict[str, np.ndarray]:
    """What is counted, one value per study; NaN where it does not apply."""
    scores, clean = sample.scores, sample.clean
    studies, folds, strategies = scores.shape
    costs = np.arange(strategies, dtype=float)[::-1]  # later ones are cheaper, and often worse
    choices = choose(scores, clean, costs, MARGIN)
    picked, there = choices.recommended, choices.recommended >= 0
    dice, lower, upper = expected_dice(scores, clean, costs, MARGIN, choices)
    target = np.where(there, truth[picked], np.nan)
    counted = _recommended(choices, np.tile(truth.max() - truth, (studies, 1))) | {
        "recommended": there.astype(float),
        "bias_recommended": dice - target,
        "half_width": (upper - lower) / 2,
    }
    inside = (lower <= target) & (target <= upper)
    counted["coverage_recommended"] = np.where(np.isfinite(lower), inside, np.nan)
    # Somebody who knew the strategy beforehand would take the t interval of its folds.
    width = np.full(studies, np.nan)
    if folds > 1:
        variance = np.where(clean, scores.var(1, ddof=1), np.nan)
        spread = np.sqrt(np.nanmean(variance, 0)) * _c4(folds)
        width = stdtrit(folds - 1, 0.975) * spread[picked] / np.sqrt(folds)
    counted["oracle_width"] = np.where(there, width, np.nan)
    return counted | _verdicts(choices.pairs, choices.about_as_good, truth, folds)


def _verdicts(
    pairs: PairwiseDifferences, good: np.ndarray, truth: np.ndarray, folds: int
) -> dict[str, np.ndarray]:
    studies, strategies = pairs.means.shape
    loss = truth.max() - truth
    nothing = np.full(studies, np.nan)
    if folds < VERDICT_FOLDS:
        lower = upper = np.full(pairs.error.shape, np.nan)
    else:
        lower, upper = pairs.bounds()
    worse = gap_bounds(lower, upper, np.ones((studies, strategies), bool))[0] > 0
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
    better = significantly_better(pairs, len(best) * (strategies - len(best)))
    counted["true_claim_fails"] = evaluate_top(better, best, len(best))[1].astype(float)
    wrong = np.flatnonzero(np.abs(loss - FALSE_BY) < 0.015)
    counted["false_claim_fails"] = nothing
    if len(wrong):
        best[0] = wrong[0]
        counted["false_claim_fails"] = evaluate_top(better, best, len(best))[1].astype(float)
    return counted


def _c4(folds: int) -> float:
    """What a standard deviation from a few normal values is on average, for a true one of 1."""
    return 1 - 1 / (4 * (folds - 1) + 1)


def _fifths(name: str, folds: int, found: dict[str, np.ndarray]) -> list[dict[str, object]]:
    counted = pd.DataFrame({key: found[key] for key in FIFTHS}).dropna()
    counted = counted.sort_values("regret_stated", kind="stable")
    rows: list[dict[str, object]] = []
    for number, part in enumerate(np.array_split(np.arange(len(counted)), 5), 1):
        if len(part):
            means = counted.iloc[part].mean()
            off = abs(means["regret_stated"] - means["regret_true"])
            asked = off <= max(0.005, 0.25 * means["regret_true"])
            key = {"scenario": name, "folds": folds, "fifth": number}
            rows.append({**key, **means, "as_asked": bool(asked)})
    return rows


def plausible_regret(folds: int, studies: int) -> list[dict[str, object]]:
    """Rows of decisions_regret.csv for studies that each have true means of their own.

    The true means of 13 strategies are normal; their standard deviation is 0, .01, .02, .04 or .08
    and that of a run .03 or .11, all alike often. This is what a model can be right about: no
    statement can be right for each single truth.
    """
    random = generator(SEED, "decisions", "plausible truths", folds)
    parts = []
    for _ in range(0, studies, CHUNK):
        spread = random.choice([0.0, 0.01, 0.02, 0.04, 0.08], (CHUNK, 1))
        run_sd = random.choice([0.03, 0.11], (CHUNK, 1, 1))
        truth = 0.7 + spread * random.normal(size=(CHUNK, 13))
        noise = run_sd * random.normal(size=(CHUNK, folds, 13))
        scores = truth[:, None, :] + noise
        choices = choose(scores, np.ones(truth.shape, bool), np.zeros(13), MARGIN)
        parts.append(_recommended(choices, truth.max(1, keepdims=True) - truth))
    joined = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
    return _fifths("plausible truths", folds, joined)


def main() -> None:
    """Write the tables after every row, so that an early end loses nothing."""
    asked = options(__doc__, studies=4000, only="").parse_args()
    rows, fifths = [], []
    for folds in (2, 5, 10):
        fifths += plausible_regret(folds, asked.studies)
    for name, (numbers, draw) in SCENARIOS.items():
        for folds in numbers if asked.only in name else ():
            row, row_fifths = measure(name, folds, draw, asked.studies)
            rows.append(row)
            fifths += row_fifths
            write("decisions.csv", rows)
            write("decisions_regret.csv", fifths)
            print(table([row]), flush=True)


if __name__ == "__main__":
    main()
