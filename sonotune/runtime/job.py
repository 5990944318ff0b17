"""What every script of the workflow does around its one call: log, lock, and fail in one line."""

import errno
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

from sonotune.errors import SonotuneError, Stopped
from sonotune.layout import RECORD, Cell, fold_title, format_percent
from sonotune.layout.found import cells_of_study
from sonotune.runtime.locks import Lock
from sonotune.runtime.parent_watch import GRACE, exit_with_parent
from sonotune.runtime.view_record import write_view_record

# What a disk refuses, and what to do then.
REFUSALS = {
    errno.ENOSPC: "make space",
    errno.EDQUOT: "make space within your quota",
    errno.EROFS: "make it writable or run elsewhere",
    errno.EACCES: "change its permissions or run elsewhere",
    errno.EPERM: "change its permissions or run elsewhere",
}

RECENT = 20  # cells whose ends tell how fast the next ones will be

# The last line of the log of a job that ended well.
DONE = "done"


@contextmanager
def logged(
    path: str | Path, view: Any = None, rests_on: Mapping[str, Any] | None = None
) -> Iterator[Callable[[str], None]]:
    """Give a function that writes a line to a job's log at once.

    The job ends with the workflow that started it, and holds a lock: where the same job of a
    killed workflow is still at work, this one waits for its end. A `SonotuneError`, or a disk that
    refuses to be written, ends the job with a message, in the log and on the terminal, and no
    traceback. Ctrl-C, or a signal that a training heeded, becomes the status that it would have
    had. Any other error is a fault of the code: its traceback is shown.

    Parameters
    ----------
    path
        The log.
    view
        The ``snakemake`` object of a job that makes a table, a figure or a page, whose inputs and
        outputs are then written down (see `sonotune.runtime.view_record`).
    rests_on
        What such a job depends on besides, by name; it may be filled in by the job.
    """
    path = Path(path)
    exit_with_parent()
    try:
        lock = Lock(path.with_suffix(".lock"), f"the job of {path}", 2 * GRACE)
        try:
            with path.open("w", encoding="utf-8") as file:

                def log(line: str) -> None:
                    print(line, file=file, flush=True)

                try:
                    try:
                        yield log
                    except (Stopped, KeyboardInterrupt) as error:
                        # It is on its way out; Ctrl-C may be pressed twice.
                        signal.signal(signal.SIGINT, signal.SIG_IGN)
                        raise Stopped(getattr(error, "signal", signal.SIGINT)) from None
                    if view is not None:
                        params = {**dict(view.params.items()), **(rests_on or {})}
                        write_view_record(path, view.input, view.output, params)
                    log(DONE)
                except Exception as error:
                    with suppress(OSError):
                        log(f"error: {_explain(error)}")
                    raise
        finally:
            lock.release(remove=True)
    except (SonotuneError, Stopped, OSError) as error:
        if isinstance(error, OSError) and error.errno not in REFUSALS:
            raise
        print(f"sonotune: {_explain(error)}", file=sys.stderr)
        sys.exit(128 + error.signal if isinstance(error, Stopped) else 1)


def _explain(error: BaseException) -> str:
    if isinstance(error, OSError) and error.errno in REFUSALS:
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror}; {REFUSALS[error.errno]}, then run again"
    if isinstance(error, SonotuneError | Stopped):
        return str(error)
    return f"{type(error).__name__}: {error}"


def exit_fast() -> None:
    """End a job that has done its work without taking PyTorch down piece by piece: 0.1 s a job.

    Nothing that is registered with `atexit` runs, and no file that is still open is written out.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def report_progress(record: dict[str, Any], folder: str | Path, planned: dict[str, Any]) -> None:
    """Print one line on the terminal: how a cell went, and how many of the study's are done.

    Parameters
    ----------
    record
        What the cell's ``run.json`` holds.
    folder
        The cell's folder.
    planned
        ``cells``, how many the study has, or can have if it is a ``race``, and ``names``, of
        which data sets, strategies, fractions and folds: what was asked for once and is no more
        does not count. ``again`` has the folders of cells that this run trains again and ``began``
        its start: what they have from before does not count either.
    """
    settings = record["settings"]
    cell = Cell.of(folder)
    records = finished(Path(folder).parents[4], planned)
    remaining = planned["cells"] - len(records)
    of, ends = f"of {planned['cells']}", time_left(records, remaining)
    if planned.get("race"):
        of, ends = f"of at most {planned['cells']}", ""
    if not settings["tune"]:
        ended = "evaluated as it starts"
    elif record["failed"]:
        ended = f"failed, {record['failure']}"
    elif record["best_validation_dice"] is None:  # nothing was held out
        ended = "trained to the last epoch"
    else:
        ended = f"validation Dice {record['best_validation_dice']:.3f}"
    print(
        f"sonotune: cell {len(records)} {of}: {cell.strategy}, "
        f"{format_percent(cell.fraction)} of {cell.dataset}, "
        f"fold {fold_title(cell.fold, cell.seed, cell.pretraining)}: {ended} "
        f"({record['epochs']} epochs, {record['seconds']:.0f} s){ends}",
        file=sys.stderr,
    )


def finished(study: str | Path, planned: Mapping[str, Any]) -> list[Path]:
    """Records of the cells of a study that are done (``planned`` as for `report_progress`).

    Parameters
    ----------
    study
        Folder of a study's results.
    planned
        As for `report_progress`.
    """
    again, began = planned.get("again", ()), planned.get("began", 0)
    done = []
    for file in cells_of_study(study, RECORD):
        names = file.parts[-5:-1]
        is_asked = all(name in asked for name, asked in zip(names, planned["names"], strict=True))
        if is_asked and ("/".join(names) not in again or file.stat().st_mtime >= began):
            done.append(file)
    return done


def time_left(records: Sequence[Path], remaining: int) -> str:
    """How long the rest of a study takes if it continues like the last cells, in words.

    Parameters
    ----------
    records
        ``run.json`` of the cells that are done; their times tell how fast cells were finished,
        however many ran beside each other.
    remaining
        Number of cells that are not done.
    """
    ends = sorted(file.stat().st_mtime for file in records)[-RECENT:]
    if remaining <= 0 or len(ends) < 3:
        return ""
    # The median passes over a night between two runs.
    gaps = sorted(after - before for before, after in pairwise(ends))
    minutes = remaining * gaps[len(gaps) // 2] / 60
    if minutes < 1:
        return "; less than a minute left"
    if minutes < 90:
        return f"; about {minutes:.0f} min left"
    if minutes < 2880:
        return f"; about {minutes / 60:.0f} h left"
    return f"; {minutes / 1440:.0f} days left"
