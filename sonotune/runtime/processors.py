"""How many processors this process may use, which can be fewer than the machine has."""

import os
from collections.abc import Iterator, Mapping
from math import ceil
from pathlib import Path


def usable_processors(environment: Mapping[str, str] = os.environ, root: Path = Path("/")) -> int:
    """Smallest number that affinity, control groups or Slurm allow, at least 1.

    Parameters
    ----------
    environment
        Where Slurm's variables are looked up.
    root
        Where ``proc`` and ``sys`` lie.
    """
    allowed = [os.cpu_count() or 1]
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        allowed.append(len(os.sched_getaffinity(0)))
    for name in ("SLURM_CPUS_PER_TASK", "SLURM_CPUS_ON_NODE"):
        if environment.get(name, "").isdecimal():
            allowed.append(int(environment[name]))
            break
    allowed += _quotas(root)
    return max(1, min(allowed))


def _quotas(root: Path) -> Iterator[int]:
    """Processors that the control groups of this process, and those above them, may use."""
    groups = root / "sys/fs/cgroup"
    try:
        lines = (root / "proc/self/cgroup").read_text("utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        base = groups / "cpu" if controllers else groups
        below = Path(path.lstrip("/"))
        for folder in (base / below, *(base / parent for parent in below.parents)):
            if quota := _quota(folder):
                yield quota


def _quota(folder: Path) -> int | None:
    try:
        if (folder / "cpu.max").is_file():
            most, period = (folder / "cpu.max").read_text("utf-8").split()
        else:
            most, period = (
                (folder / f"cpu.cfs_{name}_us").read_text("utf-8").strip()
                for name in ("quota", "period")
            )
        return ceil(int(most) / int(period)) if int(most) > 0 else None
    except (OSError, ValueError):  # no such file, or "max"
        return None
