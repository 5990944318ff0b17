"""Put made-up studies through the judge of claims, and count how often it is wrong.

python benchmarks/claim_rates.py [--studies 1000] [--only A6]

Writes results/benchmarks/claims.csv, one row per claim, design and number of folds:

true_fails    studies in which a claim that is true, but only just, fails anywhere
false_holds   studies in which a claim that is false, but only just, holds anywhere
false_fails   studies in which a claim that is false by .10 fails anywhere
places_fail   share of the places at which it fails then

"Only just" is a truth on the claim's bound: strategies that do not differ where one is claimed to
be better. There both errors are the most likely. A run's Dice has an SD of .03, the rest is as in
decision_scenarios.py. Times are in the logarithm, so .10 is about 10 %.
"""

import numpy as np
import pandas as pd

from benchmarks.decision_scenarios import FOLD, IMAGE, IMAGES, REST
from benchmarks.measure import options, table, write
from sonotune.report.claims.evaluate import evaluate_claim
from sonotune.report.claims.parse import Claim, paper_claims
from sonotune.report.claims.results import TIMES, StudyResults
from sonotune.report.claims.verdict import FAILS, HOLDS
from sonotune.report.published import published_table
from sonotune.seeds import generator

FALSE_BY = 0.10
MARGINS = {"": 0.02, "fus": 0.005, "xray": 0.005}
DATASETS = ("sus", "bus", "fus", "xray")
AMIRI = tuple(dict.fromkeys(published_table("amiri2020_table2")["strategy"]))
WANG = tuple(published_table("wang2023_results")["row"])
# What is judged as a difference of Dice or of a time, so that "false by .10" means something.
MEASURED = ("better", "equivalent", "not_worse", "best", "worst", "contrast", "more_data", "mixed")

Means = dict[tuple[str, str, float], float]


def design(claim: Claim, datasets: int) -> tuple[list[str], list[str], list[float]]:
    """Data sets, strategies and fractions of a study that a claim is about."""
    wang = claim.paper == "wang2023"
    usual = ("hc18",) if wang or claim.paper == "across" else DATASETS
    least = max(datasets, 2 if claim.kind == "mixed" else 1)
    names = [name for name in usual if claim.datasets is None or name in claim.datasets][:least]
    strategies = [*(WANG if wang else AMIRI), *claim.needed()]
    fractions = [0.8] if usual == ("hc18",) else list(claim.fractions or (0.8, 0.5, 0.05))
    return names, list(dict.fromkeys(strategies)), fractions


def true_means(claim: Claim, by: float, datasets: int) -> Means:
    """Means that make a claim true by so much, or false if it is negative.

    For times, of the logarithm, around 0; for ``more_variable`` and counts they are all alike.
    """
    names, strategies, fractions = design(claim, datasets)
    means = {(d, s, p): 0.8 for d in names for s in strategies for p in fractions}
    means |= {(d, "unchanged", 0.0): 0.5 for d in names if "unchanged" in strategies}
    means = {key: value for key, value in means.items() if (key[1] == "unchanged") == (key[2] == 0)}

    def put(strategy: str, value: float, dataset: str | None = None) -> None:
        here = [key for key in means if key[1] == strategy and dataset in (None, key[0])]
        means.update(dict.fromkeys(here, 0.8 + value))

    if claim.kind in ("better", "equivalent", "not_worse"):
        for dataset in names:
            for first, _ in claim.pairs:
                put(first, _gap(claim, by, dataset), dataset)
    elif claim.kind in ("best", "worst"):
        sign = 1 if claim.kind == "best" else -1
        others = [name for name in strategies if name not in claim.strategies]
        spare = max(claim.k - len(claim.strategies), 0)
        # Those who are ahead of the rest; a false claim has one who should be, and is not.
        ahead = claim.strategies if by >= 0 else [*claim.strategies[:-1], *others[: spare + 1]]
        for name in ahead:
            put(name, sign * abs(by))
    elif claim.kind == "contrast":
        low = -np.inf if claim.at_least is None else float(claim.at_least)
        target = low + by if np.isfinite(low) else float(claim.at_most) - by
        (weight, strategy, fraction), *_ = claim.terms
        for dataset in names:
            for at in fractions if fraction is None else [fraction]:
                terms = [(w, s, at if p is None else p) for w, s, p in claim.terms]
                value = sum(w * means[dataset, s, p] for w, s, p in terms)
                means[dataset, strategy, at] += (target - value) / weight
    elif claim.kind == "more_data":
        for dataset, strategy, fraction in means:
            means[dataset, strategy, fraction] -= by * fractions.index(fraction)
    elif claim.kind == "mixed":
        (first, _), *_ = claim.pairs
        for number, dataset in enumerate(names):
            put(first, by * (-1) ** number if by > 0 else by, dataset)
    elif claim.kind == "not_by_parameters":
        for number, name in enumerate(claim.strategies):
            put(name, by * (number == 0) if by > 0 else -by * number)
    return means


def _gap(claim: Claim, by: float, dataset: str) -> float:
    """Difference of a pair."""
    if claim.kind in ("equivalent", "not_worse"):
        margin = MARGINS.get(dataset, MARGINS[""]) if claim.margin is None else claim.margin
        return -margin + (min(by, margin) if claim.kind == "equivalent" else by)
    if claim.metrics[0] in TIMES:
        return float(np.log(claim.at_most or 1.0)) - by
    if isinstance(claim.at_least, dict):
        least = max(claim.at_least.values()) if by > 0 else min(claim.at_least.values())
        return least + by
    most = np.inf if claim.at_most is None else float(claim.at_most)
    return float(claim.at_least or 0.0) + min(by, most / 2)


def made_up_cells(
    claim: Claim,
    by: float,
    random: np.random.Generator,
    folds: int = 5,
    run_sd: float = 0.03,
    subset_sd: float = 0.0,
    datasets: int = 4,
) -> pd.DataFrame:
    """Cells of a study in which a claim is true by so much, or false if it is negative.

    Parameters
    ----------
    run_sd
        Standard deviation of a run; that of its images comes on top, in proportion.
    subset_sd
        Of what a fold's images at one fraction have in common for all strategies.
    """
    means = true_means(claim, by, datasets)
    keys = pd.DataFrame(list(means), columns=["dataset", "strategy", "fraction"])
    cells = keys.merge(pd.DataFrame({"fold": range(folds)}), how="cross")
    scale = run_sd / 0.03
    fold_sd = scale * np.hypot(FOLD, IMAGE / np.sqrt(IMAGES))
    own_sd = np.hypot(run_sd, scale * REST / np.sqrt(IMAGES))
    subset = np.full(len(cells), subset_sd)
    if claim.kind == "more_variable" and by:
        wide = {first for first, _ in claim.steps} if by > 0 else {0.8}
        subset = np.where(cells["fraction"].isin(wide), abs(by), 0.0)
    shared = cells.groupby(["dataset", "fold"]).ngroup().to_numpy()
    drawn = cells.groupby(["dataset", "fold", "fraction"]).ngroup().to_numpy()
    value = np.repeat(list(means.values()), folds)
    value = value + fold_sd * random.normal(size=shared.max() + 1)[shared]
    value = value + subset * random.normal(size=drawn.max() + 1)[drawn]
    value = value + own_sd * random.normal(size=len(cells))
    time = claim.metrics[0] in TIMES
    parameters = {name: 10 * (1 + number) for number, name in enumerate(claim.strategies)}
    if claim.kind == "fewer_parameters":
        (first, second), *_ = claim.pairs
        parameters = {second: claim.baseline_parameters or 100}
        parameters[first] = round(parameters[second] * (1 - float(claim.at_least) - by))
    fails = np.zeros(len(cells), bool)
    if claim.kind == "fails_to_converge":
        own = cells["strategy"].isin(claim.strategies).to_numpy()
        chance = np.where(own == (by > 0), abs(by) * 5, 0.0) if by else 0.1
        fails = (random.random(len(cells)) < chance) & (cells["fraction"] > 0).to_numpy()
    return cells.assign(
        source=cells["dataset"],
        dice=0.8 if time else value,
        iou=value,
        pixel_accuracy=value,
        seconds=60 * np.exp(value) if time else 60.0,
        epochs=10,
        failed=fails,
        collapsed=False,
        tuned_parameters=cells["strategy"].map(parameters).fillna(5),
        total_parameters=np.where(cells["strategy"] == "scratch_unet", 31037633, 10**6),
    )


def results_of(cells: pd.DataFrame) -> StudyResults:
    """The cells as the judge takes them."""
    return StudyResults(cells, list(dict.fromkeys(cells["strategy"])), MARGINS)


def rates(
    claim: Claim, folds: int, datasets: int, studies: int, subset_sd: float = 0.0
) -> dict[str, object]:
    """One row of claims.csv."""
    counts = []
    random = generator(1, "claims", claim.id, folds, datasets)
    for _ in range(studies):
        count = []
        for by in (0.0, -FALSE_BY):
            cells = made_up_cells(claim, by, random, folds, 0.03, subset_sd, datasets)
            verdicts = [one.verdict for one in evaluate_claim(claim, results_of(cells))]
            failed = [one == FAILS for one in verdicts]
            count += [any(failed), HOLDS in verdicts, np.mean(failed)]
        counts.append(count)
    true_fails, false_holds, _, false_fails, _, places = np.mean(counts, axis=0)
    row = {"claim": claim.id, "kind": claim.kind, "data_sets": datasets, "folds": folds}
    row |= {"subset_sd": subset_sd, "studies": studies}
    row |= {"true_fails": float(true_fails), "false_holds": float(false_holds)}
    if claim.kind not in MEASURED:
        false_fails = places = np.nan
    return row | {"false_fails": float(false_fails), "places_fail": float(places)}


def main() -> None:
    """Write the table after every row."""
    asked = options(__doc__, studies=1000, only="").parse_args()
    rows: list[dict[str, object]] = []
    for claim in paper_claims():
        if claim.kind in ("untested", "fewer_parameters") or not claim.id.startswith(asked.only):
            continue
        steps = claim.kind in ("more_data", "more_variable")
        for datasets in (1, 4) if claim.paper == "amiri2020" else (1,):
            for subset_sd in (0.0, 0.08) if steps else (0.0,):
                rows.append(rates(claim, 5, datasets, asked.studies, subset_sd))
                write("claims.csv", rows)
                print(table(rows[-1:]), flush=True)


if __name__ == "__main__":
    main()
