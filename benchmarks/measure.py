"""What the benchmarks share: repeats in turn, tables, files and the name of the processor."""

from __future__ import annotations

import csv
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

METER = """
import resource, subprocess, sys
ended = subprocess.run(sys.argv[1:]).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, file=sys.stderr)
sys.exit(ended)
"""
RESULTS = Path(__file__).resolve().parents[1] / "results/benchmarks"


def in_turn(
    steps: Mapping[Any, Callable[[], object]], repeats: int, warm_up: int = 1
) -> dict[Any, list[float]]:
    """Seconds of each function, run one after the other so that a slow minute meets all."""
    seconds: dict[Any, list[float]] = {name: [] for name in steps}
    for step in steps.values():
        for _ in range(warm_up):
            step()
    for _ in range(repeats):
        for name, step in steps.items():
            began = time.perf_counter()
            step()
            seconds[name].append(time.perf_counter() - began)
    return seconds


def spread(seconds: Sequence[float]) -> dict[str, Any]:
    """The columns that say how long something took."""
    return {
        "seconds_median": statistics.median(seconds),
        "seconds_min": min(seconds),
        "seconds_max": max(seconds),
        "repeats": len(seconds),
    }


def metered(
    command: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None
) -> tuple[float, float, float, str]:
    """Run a command: wall and processor seconds, peak memory in MB, and what it said.

    Raises
    ------
    SystemExit
        If it fails.
    """
    # A process between, since a child's peak begins with its parent's, which may have PyTorch.
    began = time.perf_counter()
    process = subprocess.run(
        [sys.executable, "-c", METER, *command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    seconds = time.perf_counter() - began
    text = process.stdout + process.stderr
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{text}")
    cpu, peak = map(float, process.stderr.splitlines()[-1].split())
    return seconds, cpu, peak, text


def write(name: str, rows: Sequence[Mapping[str, Any]]) -> Path:
    """Write results/benchmarks/``name``; the first row names the columns."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / name
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return path


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Columns for reading; numbers with four significant digits."""
    text = [[*head], *([_show(value) for value in row] for row in rows)]
    widths = [max(len(row[i]) for row in text) for i in range(len(head))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in text
    )


def _show(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
