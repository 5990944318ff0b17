"""How often training from scratch ends dead or fails, by the head of the U-Net.

python benchmarks/dead_starts.py [--seeds 60] [--width 8] [--size 48] [--csv FILE]

Trains the U-Net from He-normal weights on simulated ultrasound at a small size, once per seed and
head, and counts dead runs. Sizes and rule are those of `docs/dead-starts.md`.
"""

from __future__ import annotations

import argparse
import csv
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

from scipy.stats import fisher_exact
from statsmodels.stats.proportion import proportion_confint

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

HEADS = ("two_channels", "plain")
IMAGES, TRAINING, VALIDATION = 85, 54, 14  # those of SUS, and of 80 % of them


def train_once(task: tuple[str, int, argparse.Namespace]) -> dict[str, Any]:
    """Train one network; a row of the table."""
    head, seed, given = task
    import numpy as np
    import torch

    from sonotune.data.dataset import load_set
    from sonotune.networks.weights import start_network
    from sonotune.seeds import generator, torch_seed
    from sonotune.training.attempts import fail_if_dead
    from sonotune.training.augment import Augmentation
    from sonotune.training.device import choose
    from sonotune.training.forward import is_dead
    from sonotune.training.loop import train
    from sonotune.training.pairs import Pairs
    from sonotune.training.recipe import Recipe

    processor = choose("cpu", "fp32", 1)
    data = load_set(given.arrays)
    order = generator(seed, "dead starts", "split").permutation(len(data.images))
    training = Pairs.of(data, np.sort(order[:TRAINING]), processor)
    validation = Pairs.of(data, np.sort(order[TRAINING : TRAINING + VALIDATION]), processor)
    tests = Pairs.of(data, np.sort(order[TRAINING + VALIDATION :]), processor)
    names = ("dead starts", given.size, given.width)
    network = start_network(
        {"name": "unet", "width": given.width, "head": head},
        None,
        torch_seed(seed, *names, "initial"),
    ).to(memory_format=torch.channels_last)
    dead_at_start = is_dead(network, tests, processor)
    recipe = Recipe(given.rate, epochs=given.epochs, patience=False)
    course = train(
        network, training, validation, recipe, Augmentation(), TRAINING // recipe.batch_size,
        processor, seed, names, lambda line: None,
    )  # fmt: skip
    fail_if_dead(network, course, tests, processor)
    share = float(np.mean(data.masks[np.sort(order[TRAINING : TRAINING + VALIDATION])]))
    entropy = -(share * np.log(share) + (1 - share) * np.log(1 - share))
    return {
        "head": head,
        "seed": seed,
        "dead_at_start": dead_at_start,
        "outcome": course.outcome,
        "epochs": len(course.history),
        "best_validation_loss": course.best_loss,
        "best_validation_dice": course.best_dice,
        # Nothing but the share of the object was learnt.
        "stuck": course.best_loss > 0.95 * entropy,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=60)
    parser.add_argument("--width", type=int, default=8)
    parser.add_argument("--size", type=int, default=48)
    parser.add_argument("--rate", type=float, default=1e-4)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--folder", type=Path, default=Path("results/benchmarks/dead_starts"))
    parser.add_argument("--csv", type=Path, default=Path("results/benchmarks/dead_starts.csv"))
    given = parser.parse_args()

    from sonotune.data.prepare import make_originals, prepare
    from sonotune.simulation.settings import Simulation

    given.arrays = given.folder / str(given.size)
    if not (given.arrays / "dataset.json").exists():
        settings = {
            "reader": "simulate",
            "images": IMAGES,
            "seed": 2020,
            "source": "simulated by sonotune, not by Field II",
            "simulate": asdict(Simulation(contrast=(0.0, 0.6))),
            "keep_aspect": False,
        }
        originals = given.folder / "original"
        make_originals("sus", settings, originals, given.processes, lambda done, planned: None)
        prepare("sus", settings, given.size, given.arrays, originals)
    tasks = [(head, seed, given) for seed in range(given.seeds) for head in HEADS]
    given.csv.parent.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = []
    with (
        ProcessPoolExecutor(given.processes) as pool,
        given.csv.open("w", newline="", encoding="utf-8") as file,
    ):
        for row in pool.map(train_once, tasks):
            if not rows:
                writer = csv.DictWriter(file, list(row), lineterminator="\n")
                writer.writeheader()
            rows.append(row)
            writer.writerow(row)
            file.flush()
    print("head          runs  what            number  share  95 % interval (Wilson)")
    for head in HEADS:
        own = [row for row in rows if row["head"] == head]
        counts = {
            "dead at start": sum(row["dead_at_start"] for row in own),
            "dead": sum(row["outcome"] == "dead" for row in own),
            "stuck": sum(row["stuck"] for row in own),
        }
        for what, number in counts.items():
            low, high = proportion_confint(number, len(own), method="wilson")
            print(
                f"{head:13} {len(own):5} {what:15} {number:7} {number / len(own):6.3f}"
                f"  {low:.3f} to {high:.3f}"
            )
    dead = {
        head: sum(row["outcome"] == "dead" for row in rows if row["head"] == head) for head in HEADS
    }
    table = [[dead[head], given.seeds - dead[head]] for head in HEADS]
    p = fisher_exact(table, "greater").pvalue
    print(f"Fisher's exact test, more dead with two channels: p = {p:.3g}")


if __name__ == "__main__":
    main()
