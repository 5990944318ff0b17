"""What the benchmarks share: repeats in turn, tables and files."""

import argparse
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

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


def write(name: str | Path, rows: Sequence[Mapping[str, Any]] | pd.DataFrame) -> Path:
    """Write results/benchmarks/``name``, or a whole path."""
    path = RESULTS / name
    path.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows).to_csv(path, index=False)
    return path


def table(rows: Sequence[Any], head: Sequence[str] | None = None) -> str:
    """Columns for reading, of mappings or under a ``head``; four significant digits."""
    return pd.DataFrame(rows, columns=head).to_string(
        index=False, float_format="{:.4g}".format, na_rep=""
    )


def tell(name: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Print rows, and write them as `write` does."""
    print(table(rows))
    print(f"written: {write(name, rows)}")
