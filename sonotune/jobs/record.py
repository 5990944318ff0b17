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
from sonotune.training.config import TrainingState
from sonotune.training.device import Processor


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
    state: TrainingState | None,
    processor: Processor,
    arrays: Mapping[str, str],
    weights: str | Path | None,
    clock: Clock,
    earlier: Iterable[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """What a ``run.json`` says of a training and of what it ran on, but for its settings.

    Parameters
    ----------
    network
        The network after training.
    state
        How the training went, or None where nothing was trained.
    processor
        Device and precision that it was trained with.
    arrays
        What `sonotune.jobs.common.digests_of` gives.
    weights
        The start weights, or None for a random start.
    clock
        Stopped at ``training`` and, where there was one, at ``prediction``.
    earlier
        What is kept of earlier attempts that failed (see `TrainingState.summary`).
    """
    training = clock.wall["training"]
    earlier = list(earlier)
    steps = sum(attempt["steps"] for attempt in earlier) + (state.steps if state else 0)
    return {
        "outcome": state.outcome if state else None,
        "failed": bool(state and state.failed),
        "failure": state.failure if state else None,
        "still_improving": bool(state and state.still_improving),
        "earlier_attempts": earlier,
        "epochs": len(state.history) if state else 0,
        "resumed": state.resumed if state else 0,
        "best_epoch": state.best_epoch if state else None,
        "best_validation_dice": state.best_dice if state else None,
        "seconds": training,
        "steps_per_second": steps / training if state else None,
        "tuned_parameters": count(tuned_parameters(network)),
        "total_parameters": count(network.parameters()),
        "processor": describe_processor(processor),
        "inputs": {
            **arrays,
            "weights_sha256": file_digest(weights) if weights else None,
        },
        "finished": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "cpu_seconds": {
            "training": clock.cpu["training"] - (state.evaluation_cpu if state else 0),
            "evaluation": clock.cpu.get("prediction", 0) + (state.evaluation_cpu if state else 0),
        },
    }


def write_history(folder: Path, state: TrainingState | None) -> None:
    """Write ``history.csv``, one row per epoch; none where nothing was trained.

    Parameters
    ----------
    folder
        Folder of the job.
    state
        What happened in the training, or None.
    """
    columns = ["epoch", "training_loss", "validation_loss", "validation_dice", "seconds"]
    if state and state.history:
        columns = list(state.history[0])
    with (
        atomic(folder / "history.csv") as temporary,
        temporary.open("w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(state.history if state else [])


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
