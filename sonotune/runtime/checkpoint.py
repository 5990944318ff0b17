"""Checkpoints: what a training needs to resume, kept where no workflow deletes it.

One safetensors file holds the tensors, and in its metadata what else there is as JSON, the key of
the training that it belongs to and a digest of everything. It is written after some optimiser
steps, so seldom that it costs about one hundredth of the time, and upon SIGTERM or SIGINT. A
training that resumes from one ends with the same numbers as one that was never stopped, wherever
that was.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from sonotune.errors import Stopped
from sonotune.runtime.files import atomic, remove_unfinished
from sonotune.runtime.signals import DebouncedHandler

SECONDS = "SONOTUNE_CHECKPOINT_SECONDS"
# Minimum interval between checkpoints, as a multiple of the last save time.
APART = 100


class Checkpoint:
    """One training's checkpoint; as a context it also turns signals into a last one.

    Parameters
    ----------
    path
        The file.
    belongs_to
        All that decides how the training goes (settings with the code's fingerprint, digests of
        its input, what it runs on): a checkpoint of anything else is not used.
    log
        Told what is done with it.
    seconds
        Least time between two; the environment variable SONOTUNE_CHECKPOINT_SECONDS wins over it.

    Attributes
    ----------
    earlier_wall, earlier_cpu
        Seconds that went into what was loaded, in processes before this one.
    attempts
        What is kept of attempts of this training that failed. A checkpoint of an earlier attempt
        is not loaded.
    """

    def __init__(
        self,
        path: str | Path,
        belongs_to: Mapping[str, Any],
        log: Callable[[str], None],
        seconds: float = 30,
    ) -> None:
        self.path = Path(path)
        self._key = hashlib.sha256(json.dumps(belongs_to, sort_keys=True).encode()).hexdigest()
        self._log = log
        self._seconds = float(os.environ.get(SECONDS) or seconds)
        self._signal = 0
        self._began = time.perf_counter(), time.process_time()
        self.earlier_wall = self.earlier_cpu = 0.0
        self.attempts: list[dict[str, Any]] = []
        self._handlers: dict[int, Any] = {}
        self._due = time.monotonic() + self._seconds
        remove_unfinished(self.path)

    def __enter__(self) -> Checkpoint:
        # Only a main thread may say what a signal does.
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                if signal.getsignal(number) is signal.SIG_IGN:  # started in the background
                    continue
                self._handlers[number] = signal.signal(number, DebouncedHandler(self._ask_to_stop))
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def due(self) -> bool:
        """Whether to `save` now."""
        return self._signal != 0 or time.monotonic() >= self._due

    def save(self, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
        """Write a checkpoint in place of the one before.

        A disk that is full or fails costs the checkpoint and not the training.

        Parameters
        ----------
        tensors
            What is kept, by name.
        facts
            What else is kept, as JSON can hold it.

        Raises
        ------
        Stopped
            If a signal was the reason.
        """
        began = time.monotonic()
        stored = {name: t.detach().cpu().contiguous() for name, t in tensors.items()}
        spent = {
            "wall": self.earlier_wall + time.perf_counter() - self._began[0],
            "cpu": self.earlier_cpu + time.process_time() - self._began[1],
        }
        text = json.dumps({**facts, "spent": spent, "attempts": self.attempts})
        metadata = {"key": self._key, "facts": text, "sha256": _digest(stored, self._key, text)}
        kept = True
        try:
            with atomic(self.path) as temporary:
                save_file(stored, temporary, metadata)
        except Exception as error:  # safetensors has its own kinds beside the system's
            kept = False
            self._log(f"no checkpoint could be written ({error}); continuing without")
        self._due = time.monotonic() + max(self._seconds, APART * (time.monotonic() - began))
        if self._signal:
            if kept:
                self._log(f"a checkpoint is kept in {self.path}")
            raise Stopped(self._signal)

    def recall_attempts(self) -> None:
        """Take over which attempts had failed when the checkpoint was written."""
        try:
            with safe_open(self.path, "pt") as file:
                metadata = file.metadata() or {}
            if metadata["key"] == self._key:
                self.attempts = json.loads(metadata["facts"])["attempts"]
        except Exception:  # there is none, or it is damaged, as `load` will say
            self.attempts = []

    def load(self, into: Mapping[str, Tensor]) -> dict[str, Any] | None:
        """Copy a checkpoint's tensors into these and return its facts; None if there is none.

        One that is damaged or belongs to another training is left out, and the log says so.

        Parameters
        ----------
        into
            Tensors to fill, by name.
        """
        if not self.path.exists():
            return None
        try:
            with safe_open(self.path, "pt") as file:
                metadata = file.metadata() or {}
                stored = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            if metadata["key"] != self._key:
                self._log("the checkpoint belongs to other settings, code or data: starting over")
                return None
            if len(json.loads(metadata["facts"])["attempts"]) != len(self.attempts):
                return None
            if metadata["sha256"] != _digest(stored, metadata["key"], metadata["facts"]):
                raise ValueError("its digest differs")
            for name, tensor in into.items():
                if stored[name].shape != tensor.shape or stored[name].dtype != tensor.dtype:
                    raise ValueError(f"{name} does not fit")
            with torch.no_grad():
                for name, tensor in into.items():
                    tensor.copy_(stored[name])
            facts: dict[str, Any] = json.loads(metadata["facts"])
            self.earlier_wall, self.earlier_cpu = facts["spent"]["wall"], facts["spent"]["cpu"]
            return facts
        except Exception as error:  # safetensors, JSON and what is missing each raise their own
            self._log(f"the checkpoint is damaged ({error}): starting over")
            return None

    def remove(self) -> None:
        """Take the checkpoint away, with folders that hold nothing else."""
        with suppress(OSError):
            self.path.unlink()
        folder = self.path.parent
        while "checkpoints" in folder.parts:
            try:
                folder.rmdir()
            except OSError:
                return
            folder = folder.parent

    def _ask_to_stop(self, number: int, frame: FrameType | None) -> None:
        # Asked again, after a while, the process ends at once.
        if self._signal:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        self._signal = number


def _digest(tensors: Mapping[str, Tensor], *texts: str) -> str:
    digest = hashlib.sha256("\0".join(texts).encode())
    for name in sorted(tensors):
        digest.update(name.encode())
        digest.update(tensors[name].flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()
