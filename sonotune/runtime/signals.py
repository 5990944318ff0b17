"""SIGTERM and Ctrl-C to the workflow's process: its jobs hear of them, and haste does no harm."""

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

from sonotune.runtime.parent_watch import WORKFLOW

# Seconds within which a signal that comes again is the same request.
DEBOUNCE_SECONDS = 5.0


class DebouncedHandler:
    """A handler that hears a signal once, however often it is sent within `DEBOUNCE_SECONDS`.

    Parameters
    ----------
    then
        What is to be done, with the signal's number and the frame.
    """

    def __init__(self, then: Callable[[int, FrameType | None], Any]) -> None:
        self._then = then
        self._heard = -DEBOUNCE_SECONDS

    def __call__(self, number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if now - self._heard >= DEBOUNCE_SECONDS:
            self._heard = now
            self._then(number, frame)


def forward_signals() -> None:
    """Pass a signal to end on to the jobs of this process, and then handle it as before.

    Snakemake waits for running jobs. A training that gets the signal writes a checkpoint and ends.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        before = signal.getsignal(number)
        if callable(before):  # else nobody heeds it, as in the background
            signal.signal(number, DebouncedHandler(_forwarding(before)))


def _forwarding(
    before: Callable[[int, FrameType | None], Any],
) -> Callable[[int, FrameType | None], None]:
    def tell(number: int, frame: FrameType | None) -> None:
        for pid in jobs_of_workflow(os.environ[WORKFLOW]):
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        before(number, frame)

    return tell


def jobs_of_workflow(workflow: str) -> list[int]:
    """Processes on this machine that run a script for a workflow (see `name_process`).

    Parameters
    ----------
    workflow
        Name of the workflow's process.
    """
    pids = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            script = (process / "cmdline").read_bytes().split(b"\0")[1:2]
            environment = (process / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        is_ours = f"{WORKFLOW}={workflow}".encode() in environment
        if is_ours and b".snakemake/scripts/" in b"".join(script):
            pids.append(int(process.name))
    return pids
