"""What every script of the workflow does around its one call: log, and fail in one line."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

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


def tell_progress(record: dict[str, Any], folder: str | Path, planned: int) -> None:
    """Print one line on the terminal: how a cell went, and how many of the study's are done.

    Parameters
    ----------
    record
        What the cell's ``run.json`` holds.
    folder
        The cell's folder.
    planned
        Cells of the study.
    """
    settings = record["settings"]
    done = sum(1 for _ in Path(folder).parents[3].glob("*/*/*/*/run.json"))
    if not settings["tune"]:
        ended = "evaluated as it starts"
    elif record["failed"]:
        ended = f"failed, {record['failure']}"
    else:
        ended = f"validation Dice {record['best_validation_dice']:.3f}"
    print(
        f"sonotune: cell {done} of {planned} done: {settings['strategy']}, "
        f"{settings['percent']:g} % of {settings['dataset']}, fold {settings['fold']}: {ended} "
        f"({record['epochs']} epochs, {record['seconds']:.0f} s)",
        file=sys.stderr,
    )
