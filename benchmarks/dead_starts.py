"""How often training from scratch ends dead or fails, by the head of the U-Net.

python benchmarks/dead_starts.py [--seeds 60] [--width 8] [--size 48] [--csv FILE]

Trains the U-Net from He-normal weights on simulated ultrasound at a small size, once per seed and
head, and counts dead runs. Sizes and rule are those of `docs/dead-starts.md`.
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from itertools import product
from pathlib import Path
from typing import Any

import pandas as pd
from scipy.stats import fisher_exact
from statsmodels.stats.proportion import proportion_confint

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.measure import RESULTS, options, table, write  # noqa: E402

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
    from sonotune.training.config import TrainingConfig
    from sonotune.training.device import choose
    from sonotune.training.forward import is_dead
    from sonotune.training.loop import train
    from sonotune.training.segmentation_data import SegmentationData

    processor = choose("cpu", "fp32", 1)
    data = load_set(given.arrays)
    order = generator(seed, "dead starts", "split").permutation(len(data.images))
    training = SegmentationData.of(data, np.sort(order[:TRAINING]), processor)
    validation = SegmentationData.of(
        data, np.sort(order[TRAINING : TRAINING + VALIDATION]), processor
    )
    tests = SegmentationData.of(data, np.sort(order[TRAINING + VALIDATION :]), processor)
    names = ("dead starts", given.size, given.width)
    network = start_network(
        {"name": "unet", "width": given.width, "head": head},
        None,
        torch_seed(seed, *names, "initial"),
    ).to(memory_format=torch.channels_last)
    dead_at_start = is_dead(network, tests, processor)
    config = TrainingConfig(given.rate, epochs=given.epochs, patience=False)
    state = train(
        network, training, validation, config, Augmentation(), TRAINING // config.batch_size,
        processor, seed, names, lambda line: None,
    )  # fmt: skip
    fail_if_dead(network, state, tests, processor)
    share = float(np.mean(data.masks[np.sort(order[TRAINING : TRAINING + VALIDATION])]))
    entropy = -(share * np.log(share) + (1 - share) * np.log(1 - share))
    return {
        "head": head,
        "seed": seed,
        "dead_at_start": dead_at_start,
        "outcome": state.outcome,
        "epochs": len(state.history),
        "best_validation_loss": state.best_loss,
        "best_validation_dice": state.best_dice,
        # Nothing but the share of the object was learnt.
        "stuck": state.best_loss > 0.95 * entropy,
    }


def main() -> None:
    parser = options(__doc__, seeds=60, width=8, size=48, rate=1e-4, epochs=20, processes=2)
    parser.add_argument("--folder", type=Path, default=RESULTS / "dead_starts")
    parser.add_argument("--csv", type=Path, default=RESULTS / "dead_starts.csv")
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
    rows: list[dict[str, Any]] = []
    with ProcessPoolExecutor(given.processes) as pool:
        for row in pool.map(train_once, tasks):
            rows.append(row)
            write(given.csv.resolve(), rows)
    found = pd.DataFrame(rows)
    found["dead"] = found["outcome"] == "dead"
    summary = []
    for head, what in product(HEADS, ("dead_at_start", "dead", "stuck")):
        number = int(found.loc[found["head"] == head, what].sum())
        low, high = proportion_confint(number, given.seeds, method="wilson")
        summary.append((head, given.seeds, what, number, number / given.seeds, low, high))
    columns = ("head", "runs", "what", "number", "share", "lower (Wilson, 95 %)", "upper")
    print(table(summary, columns))
    dead = [int(found.loc[found["head"] == head, "dead"].sum()) for head in HEADS]
    p = fisher_exact([[number, given.seeds - number] for number in dead], "greater").pvalue
    print(f"Fisher's exact test, more dead with two channels: p = {p:.3g}")


if __name__ == "__main__":
    main()
