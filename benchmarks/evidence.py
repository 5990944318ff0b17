"""Print where the time goes after the last training, rule by rule, and the memory it takes.

python benchmarks/evidence.py [--keep FOLDER] [IMAGES,FOLDS ...]   (e.g. 0.25,5 0.5,5 1,5 1,2)

For each pair, a share of the paper's numbers of images and a number of folds, it makes finished
cells (benchmarks/full_grid.py), lets every rule after the training run on two cores, and reads
from Snakemake's own records how long each job took. Seconds of a rule are summed over its jobs; the
last line is how long a person waits, and the processor's seconds, which do not depend on what else
the machine does. Memory is the most that Snakemake and its jobs held together.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.full_grid import FEWEST, IMAGES, write_grid  # noqa: E402


@dataclass(frozen=True)
class Cost:
    """Jobs and seconds of every rule; seconds of the clock and the processor; largest memory."""

    rules: dict[str, tuple[int, float]]
    seconds: float
    processor: float
    megabytes: float


def measure(folder: Path) -> Cost:
    """Run all that is missing."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
    command += ["--directory", str(folder), "--configfile", str(folder / "grid.yaml")]
    began, most, before = time.time(), 0, _processor_seconds()
    with (folder / "snakemake.log").open("w") as log:
        run = psutil.Popen([*command, "--cores", "2"], stdout=log, stderr=log)
        while run.poll() is None:
            most = max(most, _memory(run))
            time.sleep(0.3)
    if run.returncode:
        raise SystemExit(f"snakemake failed; see {folder / 'snakemake.log'}")
    spent = _processor_seconds() - before
    return Cost(_jobs(folder, began), time.time() - began, spent, most / 2**20)


def _processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _memory(run: psutil.Popen) -> int:
    total = 0
    try:
        for process in [run, *run.children(recursive=True)]:
            total += process.memory_info().rss
    except psutil.NoSuchProcess:
        pass
    return total


def _jobs(folder: Path, began: float) -> dict[str, tuple[int, float]]:
    """Jobs and their seconds, by rule, of what finished since `began`."""
    jobs: dict[str, dict[tuple[str, ...], float]] = defaultdict(dict)
    for file in (folder / ".snakemake/metadata").rglob("*"):
        if file.is_file():
            record = json.loads(file.read_text())
            if record["starttime"] >= began:
                # A job has a record for each of its outputs, but a log of its own.
                seconds = record["endtime"] - record["starttime"]
                jobs[record["rule"]][tuple(record["log"])] = seconds
    return {rule: (len(times), sum(times.values())) for rule, times in jobs.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keep", type=Path, help="leave the results of the last pair here")
    parser.add_argument("pairs", nargs="*", default=["0.25,5", "0.5,5", "1,5"])
    asked = parser.parse_args()
    for pair in asked.pairs:
        share, folds = (float(part) for part in pair.split(","))
        images = {name: max(FEWEST, round(share * number)) for name, number in IMAGES.items()}
        with tempfile.TemporaryDirectory() as temporary:
            last = asked.keep is not None and pair == asked.pairs[-1]
            folder = asked.keep if last else Path(temporary)
            write_grid(folder, images, folds=int(folds))
            cost = measure(folder)
        print(f"\n{images}, {int(folds)} folds\nrule                  jobs  seconds")
        for rule, (number, spent) in sorted(cost.rules.items(), key=lambda item: -item[1][1]):
            print(f"{rule:20} {number:5} {spent:8.1f}")
        print(
            f"{'in all':26} {cost.seconds:8.1f}   (processor: {cost.processor:.1f}; "
            f"{cost.megabytes:.0f} MB)",
            flush=True,
        )


if __name__ == "__main__":
    main()
