"""Tell how far a download is: a bar on a terminal, plain lines in a log."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from sonotune.data.catalogue import format_bytes

WIDTH = 30


class Progress:
    """How far one download is.

    Parameters
    ----------
    name
        What is downloaded.
    log
        Takes a line for every tenth part, or 100 MB where the size is not known, if standard
        error is no terminal.
    total
        Bytes that are expected; 0 if that is not known.
    """

    def __init__(self, name: str, log: Callable[[str], None], total: int = 0) -> None:
        self.name, self.log = name, log
        self.total = total
        self.done = 0
        self.told = 0
        self.start = time.monotonic()
        self.bar = sys.stderr.isatty()
        self.shown = 0.0

    def update(self, count: int) -> None:
        """Count ``count`` more bytes.

        Parameters
        ----------
        count
            Number of bytes.
        """
        self.done += count
        done = min(self.done, self.total) if self.total else self.done
        if self.bar:
            if time.monotonic() - self.shown > 0.1:
                self.shown = time.monotonic()
                print(f"\r{self._bar(done)}", end="", file=sys.stderr, flush=True)
        elif done - self.told >= (self.total / 10 or 10**8):
            self.told = done
            self.log(self._line(done))

    def close(self) -> None:
        """End the bar's line; again and again does nothing."""
        if self.shown:
            print(f"\r{self._bar(self.done)}", file=sys.stderr)
        self.shown = 0.0

    def _line(self, done: int) -> str:
        share = (
            f"{100 * done / self.total:.0f} % of {format_bytes(self.total)}" if self.total else ""
        )
        speed = format_bytes(done / max(time.monotonic() - self.start, 1e-3))
        return f"{self.name}: {share or format_bytes(done)}, {speed}/s"

    def _bar(self, done: int) -> str:
        filled = round(WIDTH * done / self.total) if self.total else 0
        return f"[{'#' * filled:<{WIDTH}}] {self._line(done)}   "
