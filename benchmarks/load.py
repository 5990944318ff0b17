"""A study of a thousand real, tiny cells: does it slow down, or grow?

python benchmarks/load.py [--cells 1000] [--cores 2] [--folder FOLDER]

Trains that many cells (8 simulated images of 16 x 16 pixels, a network of width 1, one epoch) in
one workflow and tells, of the first and of the last hundred, how many were finished a minute, and
how much memory the workflow's process had at their end; and the most that any training had.
Writes results/benchmarks/load.csv. Says so, and ends with status 1, if a cell is missing.
"""

from __future__ import annotations

import argparse
import csv
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import yaml

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.measure import table, write  # noqa: E402
from sonotune.runtime.processors import usable_processors  # noqa: E402

FOLDS, STRATEGIES, WINDOW = 5, 13, 100
COLUMNS = ("window", "cells", "minutes", "cells_per_minute", "workflow_mb")


def configuration(wanted: int) -> dict[str, Any]:
    """The smallest study with at least this many cells, by giving it many fractions."""
    given = yaml.safe_load((ROOT / "tests/tiny.yaml").read_text("utf-8"))
    fractions = -(-wanted // (FOLDS * STRATEGIES))  # at least as many cells as wanted
    study = given["studies"]["tiny"]
    study |= {
        "datasets": ["sus_a"],
        "fractions": [round(float(one), 5) for one in np.linspace(0.4, 0.8, fractions)],
        "resampling": {"folds": FOLDS, "validation_fraction": 0.3},
        "strategies": {"preset": "amiri2020", "unchanged": None},
    }
    study["training"]["epochs"] = 1
    given["datasets"]["sus_a"]["images"] = 10
    return {"seed": 1, "datasets": given["datasets"], "studies": {"load": study}}


def memory_mb(process: int) -> float:
    """Resident memory of a process now; 0 where it has ended."""
    try:
        text = Path(f"/proc/{process}/status").read_text("utf-8")
    except OSError:
        return 0.0
    found = [line for line in text.splitlines() if line.startswith("VmRSS")]
    return int(found[0].split()[1]) / 1024 if found else 0.0


def run(folder: Path, cores: int) -> list[tuple[float, float]]:
    """Train; return when each cell was finished, and the workflow's memory about then."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
    command += ["--cores", str(cores), "--configfile", "load.yaml", "--quiet", "all"]
    command += ["--until", "aggregate"]
    watched = []
    with (folder / "load.log").open("w") as log:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        while process.poll() is None:
            watched.append((time.time(), memory_mb(process.pid)))
            time.sleep(1)
    if process.returncode:
        raise SystemExit(f"the study failed:\n{(folder / 'load.log').read_text()[-3000:]}")
    times = sorted(
        path.stat().st_mtime for path in folder.glob("results/load/cells/*/*/*/*/run.json")
    )
    moments = [moment for moment, _ in watched]
    places = np.searchsorted(moments, times).clip(max=len(watched) - 1)
    return [(when, watched[place][1]) for when, place in zip(times, places, strict=True)]


def largest_training_mb(folder: Path) -> float:
    """Most memory of any training, as Snakemake's benchmark files have it."""
    found = [0.0]
    for path in folder.glob("results/benchmarks/load/**/*.tsv"):
        with path.open(newline="") as file:
            for row in csv.DictReader(file, delimiter="\t"):
                if row["max_rss"] not in ("-", "NA"):
                    found.append(float(row["max_rss"]))
    return max(found)


def windows(finished: list[tuple[float, float]]) -> Iterator[dict[str, Any]]:
    """The first and the last hundred cells, and all."""
    size = min(WINDOW, len(finished) // 2)
    parts = {"first": finished[: size + 1], "last": finished[-size - 1 :], "all": finished}
    for name, part in parts.items():
        minutes = (part[-1][0] - part[0][0]) / 60
        cells = len(part) - 1
        values = (name, cells, minutes, cells / minutes, part[-1][1])
        yield dict(zip(COLUMNS, values, strict=True))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cells", type=int, default=1000)
    parser.add_argument("--cores", type=int, default=usable_processors())
    parser.add_argument("--folder", type=Path, help="where to run it (a temporary one)")
    asked = parser.parse_args()
    given = configuration(asked.cells)
    study = given["studies"]["load"]
    expected = len(study["fractions"]) * FOLDS * STRATEGIES
    with tempfile.TemporaryDirectory(dir=asked.folder, prefix="load-") as temporary:
        folder = Path(temporary)
        (folder / "load.yaml").write_text(yaml.safe_dump(given, sort_keys=False))
        finished = run(folder, asked.cores)
        rows = list(windows(finished))
        largest = largest_training_mb(folder)
    print(table(COLUMNS, ([row[column] for column in COLUMNS] for row in rows)))
    print(f"{len(finished)} of {expected} cells; the largest training had {largest:.0f} MB")
    print(write("load.csv", rows))
    return 0 if len(finished) == expected else 1


if __name__ == "__main__":
    sys.exit(main())
