"""Take what runs on GPU machines brought back into docs/results/gpu.

python benchmarks/gpu/collect.py DIR [DIR ...]

Of the folders that benchmarks/gpu/run.py wrote it makes, by card:

gpu.csv       all numbers, the latest where one was measured twice
table2.csv    Dice of the trainings beside the paper's Table II
estimate.csv  hours of the paper's study, 780 trainings, by strategy, from measured rates
README.md     these as tables, with what was asked and what was not measured
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.gpu.results import read
from benchmarks.measure import write
from sonotune.config.check import read_configuration
from sonotune.config.jobs import resampling_settings
from sonotune.data.splits import Resampling, batches_per_epoch, test_size
from sonotune.report.published import published_table

ROOT = Path(__file__).resolve().parents[2]

TARGET = ROOT / "docs/results/gpu"
IMAGES = {"sus": 85, "bus": 163, "fus": 805, "xray": 240}  # of the paper
Numbers = Mapping[tuple[str, str], float]
# Asked of a card: title, one number over another, and the least or (negative) most of their ratio.
RATIOS = (
    ("plain PyTorch (fp32 with TF32) / ours", ("step", "plain, fp32"), ("step", "graph, bf16"), 5),
    ("plain PyTorch (bf16) / ours", ("step", "plain, bf16"), ("step", "graph, bf16"), 2),
    ("ours / its convolutions", ("step", "graph, bf16"), ("step", "convolutions, bf16"), -1.5),
    (
        "cells an hour, width 16 at 128 x 128, best packing / one process without graphs",
        ("cells_per_hour", "best packing"),
        ("cells_per_hour", "one by one, 1"),
        8,
    ),
)
TITLES = {
    "table2": "Dice beside the paper's Table II",
    "estimate": "Hours of the paper's study, trainings one by one",
}


def trainings(numbers: Numbers) -> pd.DataFrame:
    """Finished trainings: their names' parts, and what was measured of each."""
    measures = ("dice", "seconds", "wall", "epochs")
    rows = [
        (*name.split("/"), *(numbers.get((measure, name), np.nan) for measure in measures))
        for measure, name in numbers
        if measure == "dice" and "/0." in name
    ]
    names = ["study", "dataset", "strategy", "fraction", "fold", *measures]
    return pd.DataFrame(rows, columns=names).astype({"fraction": float})


def dice_table(numbers: Numbers) -> pd.DataFrame:
    """Mean Dice of the folds that ran, beside the paper's."""
    found = trainings(numbers).query("study == 'amiri2020'")
    key = ["dataset", "fraction", "strategy"]
    table = found.groupby(key, sort=False, as_index=False).agg(
        folds=("dice", "size"),
        dice_mean=("dice", "mean"),
        dice_std=("dice", "std"),
        seconds=("seconds", "mean"),
    )
    paper = published_table("amiri2020_table2")
    paper = paper.rename(columns={"dice_mean": "paper_mean", "dice_std": "paper_std"})
    return table.merge(paper, how="left", on=key)


def estimate(numbers: Numbers) -> pd.DataFrame:
    """Hours of each strategy's trainings in the paper's study, one after the other on the card.

    Epochs are those of the finished trainings of the same strategy, on whichever data; without
    any, the hours of the fewest and of the most epochs are given alone. The start of a process is
    the mean of what finished trainings took beside training.
    """
    study = read_configuration(ROOT / "config/config.yaml")["studies"]["amiri2020"]
    resampling = Resampling(**resampling_settings(study["resampling"]))
    recipe, done = study["training"], trainings(numbers)
    image = numbers.get(("evaluation", "bf16"), 0) / 1000
    sus = done[done["dataset"] == "sus"]
    start = (sus["wall"] - sus["seconds"]).mean() if len(sus) else 0.0

    def hours(epochs: float, step: float) -> float:
        """Of all trainings of a strategy, by its epochs and the seconds of a step."""
        seconds = 0.0
        for images in IMAGES.values():
            batches = batches_per_epoch(images, resampling, recipe["batch_size"])
            for fraction in study["fractions"]:
                validation = images * fraction * resampling.validation_fraction
                epoch = batches * step + validation * image
                once = start + epochs * epoch + test_size(images, resampling) * image
                seconds += resampling.folds * once
        return seconds / 3600

    rows = []
    for strategy in study["strategies"]:
        same_step = "whole" if strategy == "scratch" else strategy
        if ("strategy_step", same_step) not in numbers:
            continue
        milliseconds = numbers["strategy_step", same_step]
        epochs = float(done.loc[done["strategy"] == strategy, "epochs"].mean())
        rows.append(
            {
                "strategy": strategy,
                "trainings": len(IMAGES) * len(study["fractions"]) * resampling.folds,
                "step_ms": milliseconds,
                "epochs": epochs,
                "hours_fewest_epochs": hours(recipe["patience"] + 1, milliseconds / 1000),
                "hours": hours(epochs, milliseconds / 1000),
                "hours_most_epochs": hours(recipe["epochs"], milliseconds / 1000),
            }
        )
    return pd.DataFrame(rows)


def collect(folders: Sequence[Path], target: Path = TARGET) -> None:
    """Write the tables and the page."""
    every = pd.concat([pd.DataFrame(read(folder / "gpu.csv")) for folder in folders])
    every = every.drop_duplicates(["card", "measure", "variant"], keep="last")
    write(target / "gpu.csv", every)
    text = [
        "# Measured on GPUs",
        "",
        "Written by `benchmarks/gpu/collect.py` from what `benchmarks/gpu/run.py` measured; all "
        "numbers are in [gpu.csv](gpu.csv). [docs/gpu.md](../../gpu.md) says what they mean.",
    ]
    tables: dict[str, list[pd.DataFrame]] = {name: [] for name in TITLES}
    for card, rows in every.groupby("card", sort=False):
        numbers = rows.set_index(["measure", "variant"])["value"].to_dict()
        found = {"table2": dice_table(numbers), "estimate": estimate(numbers)}
        text += [f"\n## {card}\n", _asked(numbers), *_failed(numbers)]
        for name, table in found.items():
            tables[name].append(table.assign(card=card))
            shown = _markdown(table) if len(table) else "Not measured."
            text += [f"\n### {TITLES[name]}\n", shown]
        if len(known := found["estimate"].dropna()):
            hours, number = known["hours"].sum(), known["trainings"].sum()
            of = "trainings of strategies of which one is done"
            text.append(f"\nIn all {hours:.3g} hours for {number} {of}.")
    for name, parts in tables.items():
        if len(table := pd.concat(parts)):
            write(target / f"{name}.csv", table.set_index("card").reset_index())
    (target / "README.md").write_text("\n".join(text) + "\n", "utf-8")


def _asked(numbers: Numbers) -> str:
    packed = [n for (m, v), n in numbers.items() if m == "cells_per_hour" and v[:5] == "graph"]
    numbers = {**numbers, ("cells_per_hour", "best packing"): max(packed, default=np.nan)}
    rows = []
    for title, over, under, limit in RATIOS:
        ratio = numbers.get(over, np.nan) / numbers.get(under, np.nan)
        rows.append((title, f"at least {limit}" if limit > 0 else f"at most {-limit}", ratio))
    return _markdown(pd.DataFrame(rows, columns=["step", "asked", "found"]))


def _markdown(table: pd.DataFrame) -> str:
    known = table.astype(object).where(table.notna(), None)
    return str(known.to_markdown(index=False, floatfmt=".4g", missingval="not measured"))


def _failed(numbers: Numbers) -> list[str]:
    checks = {v: value for (m, v), value in numbers.items() if m == "check" and v != "all"}
    bad = [f"`{name}`" for name, value in checks.items() if not value]
    if not checks:
        return ["", "The checks were not run."]
    return ["", f"{len(checks) - len(bad)} of {len(checks)} checks hold."] + (
        ["These do not: " + ", ".join(bad) + "."] if bad else []
    )


def main() -> None:
    """Collect the folders that are named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--target", type=Path, default=TARGET)
    asked = parser.parse_args()
    collect(asked.folders, asked.target.resolve())
    print(asked.target)


if __name__ == "__main__":
    main()
