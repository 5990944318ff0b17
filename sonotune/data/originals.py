"""What a data set is prepared from, by content: digests of files, each of which is read once."""

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from sonotune.data.readers import MADE_HERE, files_of
from sonotune.runtime.files import read_json, write_json
from sonotune.runtime.run_record import file_digest

# Digests of files by path, size, times and inode, below the results.
CACHE = ".digests.json"


def source_digest(settings: Mapping[str, Any], folder: str | Path, results: str | Path) -> str:
    """Digest of what a data set is prepared from: its files, or images that were made for it.

    Parameters
    ----------
    settings
        The data set's.
    folder
        Where its originals lie.
    results
        The folder of results.

    Raises
    ------
    SonotuneError
        If files are missing or do not belong together.
    """
    if settings["reader"] in MADE_HERE:
        return str(read_json(Path(folder) / "dataset.json")["sha256"])
    return originals_digest(settings, folder, Path(results) / CACHE)


def originals_digest(settings: Mapping[str, Any], folder: str | Path, cache: str | Path) -> str:
    """Digest of the names and contents of all files that a data set is prepared from.

    Parameters
    ----------
    settings
        The data set's.
    folder
        Where its originals lie.
    cache
        JSON file that keeps digests by path, size, times and inode of a file, so that files are
        read once.

    Raises
    ------
    SonotuneError
        If files are missing or do not belong together.
    """
    whole = hashlib.sha256()
    for path, digest in file_digests(files_of(settings, folder), Path(cache)):
        whole.update(
            f"{os.path.relpath(path, folder)}\0{digest}\n".encode("utf-8", "surrogateescape")
        )
    return whole.hexdigest()


def file_digests(files: Iterable[Path], cache: Path) -> Iterator[tuple[Path, str]]:
    """Files in the order of their paths, each with its SHA-256.

    Parameters
    ----------
    files
        Files that are there.
    cache
        As of `originals_digest`.
    """
    try:
        known = read_json(cache)
    except (OSError, ValueError):
        known = {}
    kept, digests = dict(known), []
    here = Path.cwd()
    for path in sorted(files, key=lambda file: file.parts):
        status = path.stat()
        key = os.path.join(here, path).encode("utf-8", "surrogateescape").hex()
        times = [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]
        if key not in kept or kept[key][:4] != times:
            kept[key] = [*times, file_digest(path)]
        digests.append((path, kept[key][4]))
    if kept != known and cache.parent.is_dir():
        with suppress(OSError):  # a study can be looked at where nothing can be written
            write_json(cache, kept)
    yield from digests
