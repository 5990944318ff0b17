"""Files that are either whole or not there."""

import csv
import errno
import glob
import json
import os
import re
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sonotune.errors import SonotuneError


@contextmanager
def atomic(path: str | Path) -> Iterator[Path]:
    """Give a temporary path beside ``path`` and rename it there if the block succeeds.

    The suffix is kept, since many writers choose their format by it. When the block raises,
    the temporary file is removed and ``path`` stays as it was.

    Parameters
    ----------
    path
        File to write.

    Raises
    ------
    OSError
        With the number of the system's error and the path, whatever a writer made of it.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=_prefix(path), suffix=path.suffix)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        # mkstemp makes files private; results are shared like any other file.
        temporary.chmod(0o666 & ~_umask())
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.replace(path)
    except Exception as error:
        if number := _system_error(error):
            raise OSError(number, os.strerror(number), str(path)) from error
        raise
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()


def copy(source: str | Path, path: str | Path) -> None:
    """Copy the content of a file, whole or not at all.

    Parameters
    ----------
    source
        File to read.
    path
        File to write.
    """
    with atomic(path) as temporary:
        temporary.write_bytes(Path(source).read_bytes())


def _system_error(error: Exception) -> int | None:
    """The system's number in the errors of several writers."""
    text = str(error)
    if re.search("requested and [0-9]+ written", text):  # NumPy
        return errno.ENOSPC
    if match := re.search("os error ([0-9]+)", text):  # safetensors
        return int(match[1])
    return error.errno if isinstance(error, OSError) else None


def remove_unfinished(path: str | Path) -> None:
    """Remove what was left when a process was killed while it wrote ``path``.

    Only for whoever holds the lock of the job that writes it.

    Parameters
    ----------
    path
        The file that was to be written.
    """
    path = Path(path)
    for unfinished in path.parent.glob(f"{glob.escape(_prefix(path))}????????{path.suffix}"):
        unfinished.unlink(missing_ok=True)


def clamp_future_mtimes(paths: Iterable[str | Path]) -> None:
    """Set files that a clock ahead of ours has dated back to now.

    Snakemake takes an output that is older than its input for a fault, and deletes it.

    Parameters
    ----------
    paths
        Files and folders.
    """
    now = time.time()
    for path in paths:
        if Path(path).stat().st_mtime > now:
            os.utime(path, (now, now))


def date_after(folder: str | Path, inputs: Iterable[str | Path]) -> bool:
    """Date files of a folder that are older than what they were made from like the newest of that.

    A copy that did not keep times would else be taken for stale.

    Parameters
    ----------
    folder
        Folder of the files.
    inputs
        What they were made from.

    Returns
    -------
    bool
        Whether there were such files.
    """
    older = False
    newest = max(
        (Path(path).stat().st_mtime_ns for path in inputs if Path(path).is_file()), default=0
    )
    for path in Path(folder).iterdir():
        if path.is_file() and path.stat().st_mtime_ns < newest:
            older = True
            with suppress(OSError):
                os.utime(path, ns=(newest, newest))
    return older


def check_writable(paths: Iterable[str | Path]) -> None:
    """See that files can be written, or made.

    Parameters
    ----------
    paths
        Files, there or not.

    Raises
    ------
    SonotuneError
        Naming the first file or folder that cannot.
    """
    known: set[Path] = set()
    for path in map(Path, paths):
        there = next(ancestor for ancestor in (path, *path.parents) if ancestor.exists())
        for folder in {there, there.parent if there == path else there} - known:
            known.add(folder)
            if not os.access(folder, os.W_OK):
                raise SonotuneError(
                    f"{folder}: cannot be written; change its permissions, or run elsewhere"
                )


def _prefix(path: Path) -> str:
    return f".{path.stem[:40]}-"


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def write_csv(path: str | Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write a CSV table, whole or not at all.

    Parameters
    ----------
    path
        File to write.
    columns
        Names of the columns.
    rows
        Values by column; others are left out.
    """
    with atomic(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)


def write_json(path: str | Path, content: Any) -> None:
    """Write ``content`` as indented JSON; numbers that are not finite are refused.

    Parameters
    ----------
    path
        File to write.
    content
        Anything that JSON can hold.
    """
    with atomic(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2, allow_nan=False) + "\n", "utf-8")


def read_json(path: str | Path) -> Any:
    """Read a JSON file.

    Parameters
    ----------
    path
        File to read.
    """
    return json.loads(Path(path).read_text("utf-8"))
