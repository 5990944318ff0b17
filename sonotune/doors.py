"""What every script of the workflow does around its one call: log, and fail in one line."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sonotune.errors import SonotuneError


@contextmanager
def logged(path: str | Path) -> Iterator[Callable[[str], None]]:
    """Give a function that writes a line to a job's log at once.

    A `SonotuneError` ends the job with its message, in the log and on the terminal, and no
    traceback. Any other error is a fault of the code: its traceback is shown.
    """
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with Path(path).open("w", encoding="utf-8") as file:

        def log(line: str) -> None:
            print(line, file=file, flush=True)

        try:
            yield log
        except SonotuneError as error:
            log(f"error: {error}")
            print(f"sonotune: {error}", file=sys.stderr)
            sys.exit(1)
