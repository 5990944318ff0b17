"""Take what runs on GPU machines brought back into docs/results/gpu.

python benchmarks/gpu/collect.py DIR [DIR ...]

Of the folders that benchmarks/gpu/run.py wrote it makes, by card:

gpu.csv       all numbers, the latest where one was measured twice
table2.csv    Dice of the trainings beside the paper's Table II
estimate.csv  hours of the paper's study, 780 trainings, by strategy, from measured rates
README.md     these as tables, with what was asked and what was not measured
"""

from __future__ import annotations

import argparse
import csv
import statistics
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import yaml  # noqa: E402

from benchmarks.gpu.results import COLUMNS, read  # noqa: E402
from sonotune.config.check import complete  # noqa: E402
from sonotune.config.jobs import resampling_settings  # noqa: E402
from sonotune.data.splits import Resampling, batches_per_epoch, test_size  # noqa: E402
from sonotune.report.published import published_table  # noqa: E402

TARGET = ROOT / "docs/results/gpu"
IMAGES = {"sus": 85, "bus": 163, "fus": 805, "xray": 240}  # the paper's
Numbers = Mapping[tuple[str, str], float]
# Asked of a card: title, one number over another, and the least or most of their ratio.
RATIOS = (
    ("plain PyTorch (fp32 with TF32) / ours", ("step", "plain, fp32"), ("step", "graph, bf16"), 5),
    ("plain PyTorch (bf16) / ours", ("step", "plain, bf16"), ("step", "graph, bf16"), 2),
    ("ours / its convolutions", ("step", "graph, bf16"), ("step", "convolutions, bf16"), -1.5),
)


def numbers_of(folders: Iterable[Path]) -> dict[str, dict[tuple[str, str], dict[str, Any]]]:
    """Rows by card and by what they measure."""
    cards: dict[str, dict[tuple[str, str], dict[str, Any]]] = {}
    for folder in folders:
        for row in read(folder / "gpu.csv"):
            cards.setdefault(row["card"], {})[row["measure"], row["variant"]] = row
    return cards


def dice_table(numbers: Numbers) -> list[dict[str, Any]]:
    """Mean Dice of the folds that ran, beside the paper's."""
    found: dict[tuple[str, str, str], list[tuple[float, float]]] = {}
    for (measure, variant), value in numbers.items():
        if measure == "dice" and variant.startswith("amiri2020/") and variant.count("/") == 4:
            _, dataset, strategy, fraction, _ = variant.split("/")
            both = value, numbers["seconds", variant]
            found.setdefault((dataset, fraction, strategy), []).append(both)
    paper = {
        (row.dataset, f"{row.fraction:g}", row.strategy): row
        for row in published_table("amiri2020_table2").itertuples()
    }
    return [
        {
            "dataset": dataset,
            "fraction": fraction,
            "strategy": strategy,
            "folds": len(values),
            "dice_mean": statistics.mean(dice for dice, _ in values),
            "dice_std": statistics.stdev(dice for dice, _ in values) if len(values) > 1 else "",
            "paper_mean": paper[dataset, fraction, strategy].dice_mean,
            "paper_std": paper[dataset, fraction, strategy].dice_std,
            "seconds": statistics.mean(seconds for _, seconds in values),
        }
        for (dataset, fraction, strategy), values in found.items()
    ]


def estimate(numbers: Numbers) -> list[dict[str, Any]]:
    """Hours of each strategy's trainings in the paper's study, one after the other on the card.

    Epochs are those of the finished trainings of the same strategy, on whichever data; without
    any, the hours of the fewest and of the most epochs are given alone. The start of a process is
    the mean of what finished trainings took beside training.
    """
    config = complete(yaml.safe_load((ROOT / "config/config.yaml").read_text("utf-8")))
    study = config["studies"]["amiri2020"]
    resampling = Resampling(**resampling_settings(study["resampling"]))
    recipe = study["training"]
    image = numbers.get(("evaluation", "bf16"), 0) / 1000
    walls = [
        value - numbers["seconds", variant]
        for (measure, variant), value in numbers.items()
        if measure == "wall" and "/sus/" in variant
    ]
    start = statistics.mean(walls) if walls else 0.0
    rows = []
    for strategy in study["strategies"]:
        same_step = "whole" if strategy == "scratch" else strategy
        if ("strategy_step", same_step) not in numbers:
            continue
        step = numbers["strategy_step", same_step] / 1000
        epochs = [
            value
            for (measure, variant), value in numbers.items()
            if measure == "epochs" and variant.split("/")[2:3] == [strategy]
        ]
        found = statistics.mean(epochs) if epochs else None

        def hours(count: float | None, step: float = step) -> float | str:
            if count is None:
                return ""
            seconds = 0.0
            for images in IMAGES.values():
                batches = batches_per_epoch(images, resampling, recipe["batch_size"])
                for fraction in study["fractions"]:
                    validation = images * fraction * resampling.validation_fraction
                    epoch = batches * step + validation * image
                    once = start + count * epoch + test_size(images, resampling) * image
                    seconds += resampling.folds * once
            return seconds / 3600

        rows.append(
            {
                "strategy": strategy,
                "trainings": len(IMAGES) * len(study["fractions"]) * resampling.folds,
                "step_ms": 1000 * step,
                "epochs": found or "",
                "hours_fewest_epochs": hours(recipe["patience"] + 1),
                "hours": hours(found),
                "hours_most_epochs": hours(recipe["epochs"]),
            }
        )
    return rows


def collect(folders: Sequence[Path], target: Path = TARGET) -> None:
    """Write the tables and the page."""
    cards = numbers_of(folders)
    target.mkdir(parents=True, exist_ok=True)
    every = [row for rows in cards.values() for row in rows.values()]
    _write(target / "gpu.csv", [{key: row[key] for key in COLUMNS} for row in every])
    text = [
        "# Measured on GPUs",
        "",
        "Written by `benchmarks/gpu/collect.py` from what `benchmarks/gpu/run.py` measured; all "
        "numbers are in [gpu.csv](gpu.csv). [docs/gpu.md](../../gpu.md) says what they mean.",
    ]
    tables: dict[str, list[dict[str, Any]]] = {"table2": [], "estimate": []}
    for card, rows in cards.items():
        numbers = {key: row["value"] for key, row in rows.items()}
        text += ["", f"## {card}", *_asked(numbers), *_failed(numbers)]
        for name, title, found in (
            ("table2", "Dice beside the paper's Table II", dice_table(numbers)),
            ("estimate", "Hours of the paper's study, trainings one by one", estimate(numbers)),
        ):
            tables[name] += [{"card": card, **row} for row in found]
            text += ["", f"### {title}", "", *(_markdown(found) or ["Not measured."])]
        text += _total(estimate(numbers))
    for name, found in tables.items():
        _write(target / f"{name}.csv", found)
    (target / "README.md").write_text("\n".join(text) + "\n", "utf-8")


def _asked(numbers: Numbers) -> list[str]:
    rows = []
    for title, over, under, limit in RATIOS:
        measured = over in numbers and under in numbers
        ratio: Any = numbers[over] / numbers[under] if measured else "not measured"
        asked = f"at least {limit}" if limit > 0 else f"at most {-limit}"
        rows.append({"step": title, "asked": asked, "found": ratio})
    rates = {
        variant: value for (measure, variant), value in numbers.items()
        if measure == "cells_per_hour" and variant.startswith("graph")
    }  # fmt: skip
    one = numbers.get(("cells_per_hour", "one by one, 1"))
    best: Any = max(rates.values()) / one if rates and one else "not measured"
    title = "cells an hour, width 16 at 128 x 128, best packing / one process without graphs"
    rows.append({"step": title, "asked": "at least 8", "found": best})
    return ["", *_markdown(rows)]


def _failed(numbers: Numbers) -> list[str]:
    checks = {v: value for (m, v), value in numbers.items() if m == "check" and v != "all"}
    bad = [f"`{name}`" for name, value in checks.items() if not value]
    if not checks:
        return ["", "The checks were not run."]
    return ["", f"{len(checks) - len(bad)} of {len(checks)} checks hold."] + (
        ["These do not: " + ", ".join(bad) + "."] if bad else []
    )


def _total(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    known = [row["hours"] for row in rows if row["hours"] != ""]
    if not known:
        return []
    number = sum(row["trainings"] for row in rows if row["hours"] != "")
    return [
        "",
        f"In all {sum(known):.3g} hours for {number} trainings of strategies of which one is done.",
    ]


def _markdown(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    if not rows:
        return []
    show = [[f"{v:.4g}" if isinstance(v, float) else str(v) for v in row.values()] for row in rows]
    return ["| " + " | ".join(line) + " |" for line in ([*rows[0]], ["---"] * len(rows[0]), *show)]


def _write(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]) if rows else ["card"], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def main() -> None:
    """Collect the folders that are named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--target", type=Path, default=TARGET)
    asked = parser.parse_args()
    collect(asked.folders, asked.target)
    print(asked.target)


if __name__ == "__main__":
    main()
