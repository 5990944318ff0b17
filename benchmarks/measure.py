"""What the benchmarks share: repeats in turn, tables and files."""

from __future__ import annotations

import argparse
import csv
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parents[1] / "results/benchmarks"


def options(about: str, **defaults: Any) -> argparse.ArgumentParser:
    """A parser of options that have defaults, described by a module's first line."""
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    for name, value in defaults.items():
        parser.add_argument(f"--{name}", type=type(value), default=value)
    return parser


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


def write(name: str | Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    """Write results/benchmarks/``name``, or a whole path; the first row names the columns."""
    path = RESULTS / name
    path.parent.mkdir(parents=True, exist_ok=True)
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


def markdown(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[str]:
    """Lines of a table in Markdown; numbers as in `table`."""
    lines = [f"| {' | '.join(_show(value) for value in row)} |" for row in (head, *rows)]
    return [lines[0], "|" + "---|" * len(head), *lines[1:]]


def tell(name: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Print rows that all have the same columns, and write them as `write` does."""
    print(table(list(rows[0]), [list(row.values()) for row in rows]))
    print(f"written: {write(name, rows)}")


def _show(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
