"""How planning and aggregation grow with the number of finished cells.

python benchmarks/scale.py [--cells 100 1000 10000] [--only aggregation] [--folder FOLDER]

Writes that many cells that nobody trained (16 x 16 pixels, a network of width 1), lets Snakemake
record them with ``--touch``, and times ``snakemake -n``, which must find nothing to do, and scoring
and aggregation of all of them as their two jobs do them, each with the most memory that it used.
Recording takes by far the longest; ``--only aggregation`` skips it. The table also gives processor
seconds, which are the fairer measure on a busy machine. Writes
results/benchmarks/scale.csv.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import yaml

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.measure import metered, table, write  # noqa: E402
from sonotune.config.check import complete  # noqa: E402
from sonotune.config.jobs import cell_settings, cells_of  # noqa: E402
from sonotune.data.image_set import ImageSet  # noqa: E402
from sonotune.data.splits import Resampling, split, split_seed  # noqa: E402
from sonotune.runtime.run_record import write_record  # noqa: E402
from sonotune.seeds import generator  # noqa: E402

SIDE, IMAGES, FOLDS, STRATEGIES = 16, 60, 5, 13
PARTS = ["planning", "aggregation"]
COLUMNS = ("cells", "what", "seconds", "cpu_seconds", "peak_mb")


def write_cells(folder: Path, wanted: int) -> int:
    """Write a finished study of about this many cells; return their exact number."""
    from benchmarks import full_grid  # with PyTorch, which the measured processes do without

    fractions = max(1, round(wanted / (FOLDS * STRATEGIES)))
    given = full_grid.grid_configuration({"sus": IMAGES}, SIDE, FOLDS, 1)
    # Fractions stand for whatever makes many cells.
    given["studies"]["amiri2020"]["fractions"] = [
        round(float(one), 5) for one in np.linspace(0.2, 0.8, fractions)
    ]
    (folder / "grid.yaml").write_text(yaml.safe_dump(given, sort_keys=False))
    config = complete(given)
    images = {"sus": IMAGES, "collage": full_grid.COLLAGES}
    data = full_grid.write_sets(folder, config, images, SIDE)["sus"].data
    parameters = full_grid._write_pretraining(folder, config)
    cells = list(cells_of(config, "amiri2020", "sus"))
    for cell in cells:
        settings = cell_settings(config, cell)
        home = folder / "results" / cell.folder
        inputs = full_grid.inputs_of(folder, config, "sus", settings["init"])
        _write_cell(home, settings, data, parameters[cell.strategy], inputs)
    return len(cells)


def _write_cell(
    home: Path,
    settings: dict[str, Any],
    data: ImageSet,
    parameters: tuple[int, int],
    inputs: dict[str, Any],
) -> None:
    from benchmarks import full_grid

    names = [settings[key] for key in ("dataset", "strategy", "fraction", "fold")]
    rng = generator(full_grid.SEED, *names)
    resampling = Resampling(**settings["resampling"])
    seed = split_seed(settings["seed"], "sus", resampling)
    rows = split(IMAGES, resampling, seed, names[2], names[3], data.groups).test
    wrong = rng.random((len(rows), SIDE, SIDE)) < 0.1
    found = np.where((data.masks[rows] > 0) ^ wrong, 255, 0).astype(np.uint8)
    home.mkdir(parents=True)
    np.savez_compressed(home / "predictions.npz", rows=rows, probabilities=found)
    epochs = 40 if settings["tune"] else 0
    full_grid._write_history(home, epochs, 0.8, rng)
    record = full_grid._record(settings, epochs, 0.8, 24, parameters, inputs)
    write_record(home, record, ["predictions.npz", "history.csv"])


def snakemake(folder: Path, *options: str) -> tuple[float, float, float, str]:
    """Wall and processor seconds, peak memory in MB, and what it said."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return metered([*command, "--configfile", "grid.yaml", *options], folder, environment)


def finish(folder: Path) -> None:
    """Let Snakemake take everything for done: other outputs are empty, and all are recorded."""
    listed = snakemake(folder, "--summary", "--quiet", "all")[3]
    for line in listed.splitlines():
        path = folder / line.split("\t")[0]
        if line.startswith("results/") and not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    snakemake(folder, "--touch", "--forceall", "--quiet", "all", "--resources", "gpu=0")


def summarise(folder: Path, what: str) -> None:
    """What the rules ``score`` and ``aggregate`` do."""
    from sonotune.evaluation.scores import aggregate, score_dataset

    cells = sorted(run.parent for run in folder.glob("results/amiri2020/cells/sus/*/*/*/run.json"))
    scores, averages = folder / "scores.csv", folder / "cells.csv"
    if what == "scoring":
        (arrays,) = folder.glob(f"results/datasets/sus-*/{SIDE}")
        score_dataset(arrays, cells, scores)
    else:
        aggregate([scores], [one / "run.json" for one in cells], averages)


def measure(folder: Path, wanted: int, parts: list[str]) -> list[dict[str, Any]]:
    """Rows of one number of cells."""
    cells, found = write_cells(folder, wanted), []
    if "planning" in parts:
        finish(folder)
        *used, text = snakemake(folder, "-n", "--cores", "2")
        if "Nothing to be done" not in text:
            raise SystemExit(f"the made study counts as unfinished:\n{text[-3000:]}")
        found.append(("planning", used))
    if "aggregation" in parts:
        for what in ("scoring", "aggregation"):
            command = [sys.executable, __file__, "--one", what, str(folder)]
            found.append((what, metered(command, ROOT)[:3]))
    return [dict(zip(COLUMNS, (cells, what, *used), strict=True)) for what, used in found]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cells", type=int, nargs="+", default=[100, 1000, 10000])
    parser.add_argument("--only", choices=PARTS, help="measure this alone")
    parser.add_argument("--folder", type=Path, help="where to make them (a temporary one)")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        summarise(Path(asked.one[1]), asked.one[0])
        return
    rows: list[dict[str, Any]] = []
    for wanted in asked.cells:
        folder = Path(tempfile.mkdtemp(dir=asked.folder, prefix="scale-"))
        try:
            rows += measure(folder, wanted, [asked.only] if asked.only else PARTS)
        finally:
            shutil.rmtree(folder)
    print(table(COLUMNS, ([row[column] for column in COLUMNS] for row in rows)))
    print(write("scale.csv", rows))


if __name__ == "__main__":
    main()
