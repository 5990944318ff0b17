"""Put simulated studies through sonotune's own decision, and count how often it is wrong.

python benchmarks/decisions.py [--studies 4000] [--only TEXT]

Writes two tables to results/benchmarks/:

decisions.csv         one row per scenario and number of folds
decisions_regret.csv  stated and true regret of the recommendation, by fifths of the stated

A strategy counts as beyond the margin from a true loss of exactly the margin on. A true claim is
that the truly best (three, where they tie) are the best. A false one has a strategy in it that is
truly .10 worse than one outside.
"""

from collections import defaultdict

import numpy as np
from scipy.special import stdtrit

from benchmarks.decision_scenarios import SCENARIOS, Draw, Sample
from benchmarks.measure import options, table, write
from sonotune.seeds import generator
from sonotune.statistics.choice import VERDICT_FOLDS, choose, expected_dice
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


def _one_chunk(sample: Sample, truth: np.ndarray) -> dict[str, np.ndarray]:
    """What is counted, one value per study; NaN where it does not apply."""
    scores, clean = sample.scores, sample.clean
    studies, folds, strategies = scores.shape
    loss = truth.max() - truth
    costs = np.arange(strategies, dtype=float)[::-1]  # later ones are cheaper, and often worse
    choices = choose(scores, clean, costs, MARGIN)
    pairs, picked = choices.pairs, choices.recommended
    rows, there = np.arange(studies), picked >= 0
    dice, lower, upper = expected_dice(scores, clean, costs, MARGIN, choices)
    nothing = np.full(studies, np.nan)
    target = np.where(there, truth[picked], np.nan)
    counted = {
        "recommended": there.astype(float),
        "bias_recommended": dice - target,
        "half_width": (upper - lower) / 2,
        "regret_stated": np.where(there, choices.posterior.regret[rows, picked], np.nan),
        "regret_true": np.where(there, loss[picked], np.nan),
        "within_stated": np.where(there, choices.posterior.within[rows, picked], np.nan),
        "within_true": np.where(there, loss[picked] <= MARGIN, np.nan),
    }
    inside = (lower <= target) & (target <= upper)
    counted["coverage_recommended"] = np.where(np.isfinite(lower), inside, np.nan)
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
