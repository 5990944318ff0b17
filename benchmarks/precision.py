"""Does training in bf16 cost Dice? The same demo-size cells in fp32 and in bf16, paired.

python benchmarks/precision.py [--folds 5] [--percents 80 5] [--jobs 2]

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
from sonotune.config.jobs import cell_settings  # noqa: E402
from sonotune.layout import Cell  # noqa: E402

OUT = ROOT / "results/benchmarks/precision.csv"
ARRAYS = ROOT / "results/datasets/sus/48"
WEIGHTS = ROOT / "results/demo/pretrained/weights.safetensors"
COLUMNS = ("code", "strategy", "percent", "fold", "precision", "dice", "epochs", "seconds")
KEY = ("strategy", "percent", "fold", "precision")
AS_GOOD, BOUND = -0.005, -0.01  # mean difference, and its one-sided bound


def main() -> None:
    """Train what is missing and print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--percents", type=float, nargs="+", default=[80, 5])
    parser.add_argument("--jobs", type=int, default=2, help="cells trained at once")
    asked = parser.parse_args()
    arrays = [str(ARRAYS / name) for name in ("images.npy", "masks.npy")]
    targets = [str(Path(path).relative_to(ROOT)) for path in (*arrays, str(WEIGHTS))]
    make = [sys.executable, "-m", "snakemake", "--profile", "profiles/demo", *targets]
    subprocess.run(make, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    wanted = _settings(asked.folds, asked.percents)
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
    lines = ["percent   cells   mean difference   one-sided 95 % bound   spread of a cell"]
    for percent in (*sorted({one for one, _ in pairs}), "all"):
        differences = np.array([d for one, d in pairs if percent in (one, "all")])
        n, mean = len(differences), differences.mean()
        spread = differences.std(ddof=1)
        bound = mean - t.ppf(0.95, n - 1) * spread / np.sqrt(n)
        lines.append(f"{percent!s:7} {n:7d} {mean:+17.4f} {bound:+22.4f} {spread:18.4f}")
    harmless = mean >= AS_GOOD and bound >= BOUND
    lines.append(
        f"bf16 - fp32 in mean test Dice: {'harmless' if harmless else 'NOT shown to be harmless'} "
        f"(mean at least {AS_GOOD}, bound at least {BOUND}) in demo-size cells; the papers' size "
        "was not tested"
    )
    ratio = seconds["fp32"] / seconds["bf16"]
    lines.append(f"an epoch in fp32 takes {ratio:.2f} times one in bf16 (medians)")
    return "\n".join(lines)


def _settings(folds: int, percents: list[float]) -> list[dict[str, Any]]:
    config = yaml.safe_load((ROOT / "config/demo.yaml").read_text(encoding="utf-8"))
    config["studies"]["demo"]["percents"] = percents
    config["studies"]["demo"]["resampling"] = {"folds": 5, "run_folds": list(range(folds))}
    config = complete(config, ROOT / "sonotune/config/config.schema.yaml")
    strategies = [name for name, one in config["studies"]["demo"]["strategies"].items()
                  if one["tune"]]  # fmt: skip
    door = str(ROOT / "workflow/scripts/finetune.py")
    return [
        {**cell_settings(config, Cell("demo", "sus", strategy, percent, fold), door),
         "precision": precision, "keep_weights": False}
        for fold, percent, strategy, precision in product(
            range(folds), percents, strategies, ("fp32", "bf16"))
    ]  # fmt: skip


def _train(settings: dict[str, Any]) -> dict[str, Any]:
    import torch  # noqa: F401  in the workers alone

    from sonotune.data.dataset import load_set
    from sonotune.evaluation.metrics import overlap
    from sonotune.evaluation.scores import load_predictions
    from sonotune.jobs.finetune import run_cell

    start = WEIGHTS if settings["start"] == "pretrained" else None
    with tempfile.TemporaryDirectory() as folder:
        record = run_cell(settings, ARRAYS, start, folder, lambda line: None)
        rows, probabilities = load_predictions(Path(folder) / "predictions.npz")
    dice = overlap(probabilities >= 128, load_set(ARRAYS).masks[rows] > 0)["dice"].mean()
    row = {"dice": float(dice), "epochs": record["epochs"], "seconds": record["seconds"]}
    return {**row, **{key: settings[key] for key in ("code", *KEY)}}


def _known(codes: set[str]) -> list[dict[str, Any]]:
    if not OUT.exists():
        return []
    with OUT.open(newline="", encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if row["code"] in codes]


def _key(row: dict[str, Any]) -> tuple[Any, ...]:
    return row["strategy"], float(row["percent"]), int(row["fold"]), row["precision"]


if __name__ == "__main__":
    main()
