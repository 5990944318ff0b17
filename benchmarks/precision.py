"""Does training in bf16 cost Dice? The same demo-size cells in fp32 and in bf16, paired.

python benchmarks/precision.py [--folds 5] [--fractions 0.8 0.05] [--jobs 2]

Trains every strategy of the demo in every fold, once in either precision, from the same
pre-trained weights, splits, initial weights and random numbers. Rows are kept in
results/benchmarks/precision.csv as they come, and only what is missing there is trained; rows of
other code are dropped. Prints the mean difference of the cells' mean test Dice, bf16 - fp32, and
its one-sided 95 % bound (Student's t). Nothing here was trained at the papers' size.
"""

from __future__ import annotations

import argparse
import csv
import subprocess
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor, as_completed
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
import yaml  # noqa: E402

from sonotune.config.check import complete  # noqa: E402
from sonotune.config.jobs import cell_settings, dataset_settings  # noqa: E402
from sonotune.layout import (  # noqa: E402
    Cell,
    arrays,
    digest_of,
    pretrained_folder,
)

OUT = ROOT / "results/benchmarks/precision.csv"
WEIGHTS = ROOT / pretrained_folder("demo") / "weights.safetensors"
COLUMNS = ("code", "strategy", "fraction", "fold", "precision", "dice", "epochs", "seconds")
KEY = ("strategy", "fraction", "fold", "precision")
AS_GOOD, BOUND = -0.005, -0.01  # mean difference, and its one-sided bound


def main() -> None:
    """Train what is missing and print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--fractions", type=float, nargs="+", default=[0.8, 0.05])
    parser.add_argument("--jobs", type=int, default=2, help="cells trained at once")
    asked = parser.parse_args()
    targets = [*_arrays(), str(WEIGHTS.relative_to(ROOT))]
    make = [sys.executable, "-m", "snakemake", "--profile", "profiles/demo", *targets]
    subprocess.run(make, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    wanted = _settings(asked.folds, asked.fractions)
    rows = _known({one["code"] for one in wanted})
    missing = [one for one in wanted if _key(one) not in {_key(row) for row in rows}]
    OUT.parent.mkdir(parents=True, exist_ok=True)
    with (
        OUT.open("w", newline="", encoding="utf-8") as file,
        ProcessPoolExecutor(asked.jobs, get_context("spawn")) as pool,
    ):
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        for done in as_completed([pool.submit(_train, one) for one in missing]):
            rows.append(done.result())
            writer.writerow(rows[-1])
            file.flush()
            print(f"\r{len(rows)} of {len(wanted)} trainings", end="", flush=True, file=sys.stderr)
    keys = {_key(one) for one in wanted}
    print(file=sys.stderr)
    print(compare([row for row in rows if _key(row) in keys]))


def compare(rows: list[dict[str, Any]]) -> str:
    """The table of paired differences of rows with the columns of precision.csv."""
    from scipy.stats import t

    dice = {_key(row): float(row["dice"]) for row in rows}
    pairs = [(key[1], dice[(*key[:3], "bf16")] - value) for key, value in dice.items()
             if key[3] == "fp32" and (*key[:3], "bf16") in dice]  # fmt: skip
    seconds = {
        kind: np.median(
            [float(row["seconds"]) / int(row["epochs"]) for row in rows if row["precision"] == kind]
        )
        for kind in ("fp32", "bf16")
    }
    lines = ["fraction   cells   mean difference   one-sided 95 % bound   spread of a cell"]
    for fraction in (*sorted({one for one, _ in pairs}), "all"):
        differences = np.array([d for one, d in pairs if fraction in (one, "all")])
        n, mean = len(differences), differences.mean()
        spread = differences.std(ddof=1)
        bound = mean - t.ppf(0.95, n - 1) * spread / np.sqrt(n)
        lines.append(f"{fraction!s:8} {n:7d} {mean:+17.4f} {bound:+22.4f} {spread:18.4f}")
    harmless = mean >= AS_GOOD and bound >= BOUND
    lines.append(
        f"bf16 - fp32 in mean test Dice: {'harmless' if harmless else 'NOT shown to be harmless'} "
        f"(mean at least {AS_GOOD}, bound at least {BOUND}) in demo-size cells; the papers' size "
        "was not tested"
    )
    ratio = seconds["fp32"] / seconds["bf16"]
    lines.append(f"an epoch in fp32 takes {ratio:.2f} times one in bf16 (medians)")
    return "\n".join(lines)


def _demo() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "config/demo.yaml").read_text(encoding="utf-8"))


def _arrays() -> list[str]:
    """Files of the demo's SUS, below the project."""
    config = complete(_demo())
    digest = digest_of(dataset_settings(config, "sus"))
    return arrays("sus", digest, config["studies"]["demo"]["image_size"])


def _settings(folds: int, fractions: list[float]) -> list[dict[str, Any]]:
    config = _demo()
    config["studies"]["demo"]["fractions"] = fractions
    config["studies"]["demo"]["resampling"] = {"folds": 5, "run_folds": list(range(folds))}
    config = complete(config)
    strategies = [name for name, one in config["studies"]["demo"]["strategies"].items()
                  if one["tune"]]  # fmt: skip
    return [
        {**cell_settings(config, Cell("demo", "sus", strategy, fraction, fold)),
         "precision": precision}
        for fold, fraction, strategy, precision in product(
            range(folds), fractions, strategies, ("fp32", "bf16"))
    ]  # fmt: skip


def _train(settings: dict[str, Any]) -> dict[str, Any]:
    import torch  # noqa: F401  in the workers alone

    from sonotune.data.dataset import load_set
    from sonotune.evaluation.metrics import overlap
    from sonotune.evaluation.scores import load_predictions
    from sonotune.jobs.finetune import run_cell

    start = WEIGHTS if settings["init"] == "pretrained" else None
    prepared = (ROOT / _arrays()[0]).parent
    with tempfile.TemporaryDirectory() as folder:
        record = run_cell(settings, prepared, start, folder, lambda line: None)
        rows, probabilities = load_predictions(Path(folder) / "predictions.npz")
    dice = overlap(probabilities >= 128, load_set(prepared).masks[rows] > 0)["dice"].mean()
    row = {"dice": float(dice), "epochs": record["epochs"], "seconds": record["seconds"]}
    return {**row, **{key: settings[key] for key in ("code", *KEY)}}


def _known(codes: set[str]) -> list[dict[str, Any]]:
    if not OUT.exists():
        return []
    with OUT.open(newline="", encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if row["code"] in codes]


def _key(row: dict[str, Any]) -> tuple[Any, ...]:
    return row["strategy"], float(row["fraction"]), int(row["fold"]), row["precision"]


if __name__ == "__main__":
    main()
