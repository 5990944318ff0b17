"""What a run writes down of itself: its course, its record and digests of what it used."""

from __future__ import annotations

import csv
import platform
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import nn

from sonotune import __version__
from sonotune.networks.stages import count, tuned_parameters
from sonotune.runtime.commit import commit
from sonotune.runtime.files import atomic
from sonotune.runtime.run_record import file_digest
from sonotune.training.device import Processor
from sonotune.training.recipe import Course


def describe_processor(processor: Processor) -> dict[str, str | int]:
    """What a ``run.json`` says of a processor, with the versions of what computes.

    Parameters
    ----------
    processor
        Device and precision to compute with.
    """
    packages = {name: version(name) for name in ("torch", "numpy")}
    return {
        **asdict(processor),
        **packages,
        "sonotune": __version__,
        "commit": commit(),
        "python": platform.python_version(),
        "host": platform.node(),
    }


def describe_run(
    network: nn.Module,
    course: Course | None,
    processor: Processor,
    arrays: Mapping[str, str],
    weights: str | Path | None,
    marks: Clock,
    earlier: Iterable[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """What a ``run.json`` says of a training and of what it ran on, but for its settings.

    Parameters
    ----------
    network
        The network after training.
    course
        How the training went, or None where nothing was trained.
    processor
        Device and precision that it was trained with.
    arrays
        What `sonotune.jobs.common.digests_of` gives.
    weights
        The start weights, or None for a random start.
    marks
        Stopped at ``training`` and, where there was one, at ``prediction``.
    earlier
        What is kept of earlier attempts that failed (see `Course.summary`).
    """
    training = marks.wall["training"]
    earlier = list(earlier)
    steps = sum(one["steps"] for one in earlier) + (course.steps if course else 0)
    return {
        "outcome": course.outcome if course else None,
        "failed": bool(course and course.failed),
        "failure": course.failure if course else None,
        "still_improving": bool(course and course.still_improving),
        "earlier_attempts": earlier,
        "epochs": len(course.history) if course else 0,
        "resumed": course.resumed if course else 0,
        "best_epoch": course.best_epoch if course else None,
        "best_validation_dice": course.best_dice if course else None,
        "seconds": training,
        "steps_per_second": steps / training if course else None,
        "tuned_parameters": count(tuned_parameters(network)),
        "total_parameters": count(network.parameters()),
        "processor": describe_processor(processor),
        "inputs": {
            **arrays,
            "weights_sha256": file_digest(weights) if weights else None,
        },
        "finished": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "cpu_seconds": {
            "training": marks.cpu["training"] - (course.evaluation_cpu if course else 0),
            "evaluation": marks.cpu.get("prediction", 0) + (course.evaluation_cpu if course else 0),
        },
    }


def write_history(folder: Path, course: Course | None) -> None:
    """Write ``history.csv``, one row per epoch; none where nothing was trained.

    Parameters
    ----------
    folder
        Folder of the job.
    course
        What happened in the training, or None.
    """
    columns = ["epoch", "training_loss", "validation_loss", "validation_dice", "seconds"]
    if course and course.history:
        columns = list(course.history[0])
    with (
        atomic(folder / "history.csv") as temporary,
        temporary.open("w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(course.history if course else [])


class Clock:
    """Wall and processor seconds between marks."""

    def __init__(self) -> None:
        self.wall: dict[str, float] = {}
        self.cpu: dict[str, float] = {}
        self._began = time.perf_counter(), time.process_time()

    def stop(self, name: str) -> None:
        """End the part that began at the last mark, or when the clock was made.

        Parameters
        ----------
        name
            Name of the part.
        """
        if torch.cuda.is_initialized():  # by this process; a job for the CPU does not touch it
            torch.cuda.synchronize()
        now = time.perf_counter(), time.process_time()
        self.wall[name], self.cpu[name] = now[0] - self._began[0], now[1] - self._began[1]
        self._began = now

    def add(self, name: str, wall: float, cpu: float) -> None:
        """Count seconds of an earlier process to a part.

        Parameters
        ----------
        name
            Name of the part.
        wall, cpu
            Seconds to add.
        """
        self.wall[name] += wall
        self.cpu[name] += cpu
