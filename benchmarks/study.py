"""Where a whole study's time goes: the demo's wall time, split.

python benchmarks/study.py [--folder FOLDER] [--cores 2] [-- --configfile config/ci.yaml]

Runs the demo in a temporary folder (or takes the finished one in FOLDER) and tells what its cores
did: training and evaluation as the runs' records say, the start of training processes (measured
here, several times: Python and what a training imports), what else their processes did (reading,
writing, checkpoints, waiting), the other jobs by kind, planning before the first job, and cores
without a job. Core seconds are wall seconds times cores. Writes results/benchmarks/study.csv.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.measure import table, write  # noqa: E402
from sonotune.runtime.processors import usable_processors  # noqa: E402
from sonotune.runtime.run_record import read_record  # noqa: E402

MADE = {"originals": "making images"}
TRAINED = ("finetune", "pretrain")
COLUMNS = ("part", "core_seconds", "share")
BEGAN = "study-began"


def run(folder: Path, cores: int, options: list[str]) -> None:
    """Run the demo; leave when it began and ended in ``BEGAN``."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
    command += ["--profile", str(ROOT / "profiles/demo"), "--directory", str(folder)]
    command += ["--cores", str(cores), *options]
    began = time.time()
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run(command, check=True, cwd=ROOT, env=environment)
    (folder / BEGAN).write_text(json.dumps([began, time.time(), cores]))


def jobs_of(folder: Path) -> list[tuple[str, float, float]]:
    """Rule, begin and end of every job, from what Snakemake recorded of its outputs.

    Each output has an end of its own; the job's is the last of them.
    """
    found: dict[tuple[str, str, str], tuple[float, float]] = {}
    for file in (folder / ".snakemake/metadata").rglob("*"):
        if file.is_file():
            one = json.loads(file.read_text("utf-8"))
            if one.get("endtime"):
                job = one["rule"], str(one["log"]), str(one["input"])
                begin, end = found.get(job, (one["starttime"], one["endtime"]))
                found[job] = min(begin, one["starttime"]), max(end, one["endtime"])
    return [(rule, *times) for (rule, _, _), times in found.items()]


def start_seconds(repeats: int = 5) -> float:
    """Processor seconds until a training process begins to train."""
    code = "import sonotune.jobs.finetune, sonotune.runtime.job"
    spent = []
    for _ in range(repeats):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return statistics.median(spent)


def split(folder: Path) -> tuple[list[dict[str, Any]], float]:
    """Core seconds by part, and the share of training processes outside training and evaluation."""
    began, ended, cores = json.loads((folder / BEGAN).read_text())
    jobs = jobs_of(folder)
    first = min(start for _, start, _ in jobs)
    records = [read_record(path) for path in folder.glob("results/*/cells/*/*/*/*/run.json")]
    records += [read_record(path) for path in folder.glob("results/*/pretrained/*/run.json")]
    spent = {
        key: sum(one["cpu_seconds"][key] for one in records) for key in records[0]["cpu_seconds"]
    }
    outside = spent["total"] - spent["training"] - spent["evaluation"]
    start = min(start_seconds() * len(records), outside)
    parts: dict[str, float] = defaultdict(float)
    parts["training"], parts["evaluation"] = spent["training"], spent["evaluation"]
    parts["start of trainings"], parts["rest of trainings"] = start, outside - start
    wall = sum(end - begin for rule, begin, end in jobs if rule in TRAINED)
    parts["trainings waiting"] = max(wall - spent["total"], 0.0)
    for rule, begin, end in jobs:
        if rule not in TRAINED:
            parts[MADE.get(rule, "scores, tables and figures")] += end - begin
    parts["planning"] = (first - began) * cores
    total = (ended - began) * cores
    parts["cores without a job"] = total - sum(parts.values())
    rows = [
        {"part": name, "core_seconds": value, "share": value / total}
        for name, value in parts.items()
    ]
    rows.append({"part": "in all", "core_seconds": total, "share": 1.0})
    return rows, outside / spent["total"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--folder", type=Path, help="a folder in which this has run the demo before"
    )
    parser.add_argument("--cores", type=int, default=usable_processors())
    parser.add_argument("options", nargs="*", help="more for snakemake, after --")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = asked.folder or Path(temporary)
        if not (folder / BEGAN).is_file():
            folder.mkdir(parents=True, exist_ok=True)
            run(folder, asked.cores, asked.options)
        rows, outside = split(folder)
    print(table(COLUMNS, ([row[column] for column in COLUMNS] for row in rows)))
    print(
        f"training processes spent {outside:.1%} of their processor time outside training and "
        "evaluation"
    )
    print(write("study.csv", rows))


if __name__ == "__main__":
    main()
