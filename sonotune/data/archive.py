"""Unpack an archive that somebody else made, without trusting what it says."""

from __future__ import annotations

import errno
import gzip
import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple

from sonotune.errors import SonotuneError

MOST_FILES = 200_000
MOST_BYTES = 20 * 10**9
# What some systems add to an archive and nobody wants.
LITTER = ("__MACOSX", ".DS_Store", "Thumbs.db")
DAMAGE = (
    zipfile.BadZipFile,
    tarfile.TarError,
    gzip.BadGzipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    RuntimeError,  # a password is needed, or a compression is not known
    UnicodeError,  # in a member's name
)
# What a system says to a name that no file can have.
IMPOSSIBLE = (errno.ENAMETOOLONG, errno.EILSEQ, errno.EINVAL)


class _Member(NamedTuple):
    name: str
    is_folder: bool
    is_file: bool
    open: Callable[[], IO[bytes] | None]


def unpack(
    archive: str | Path,
    folder: str | Path,
    most_files: int = MOST_FILES,
    most_bytes: int = MOST_BYTES,
) -> None:
    """Unpack a zip or tar archive into a new, empty folder.

    Sizes are counted as they are written, whatever the archive claims.

    Parameters
    ----------
    archive
        The archive; its kind is told from its content.
    folder
        Must exist; on an error it is left half filled, for the caller to remove.
    most_files, most_bytes
        Limits on what it may hold.

    Raises
    ------
    SonotuneError
        If it is no archive or damaged; holds a link, a device, or a name that leads out of the
        folder; or is larger than the limits. The message is the reason alone: the caller knows
        better where the archive came from.
    """
    archive, folder = Path(archive), Path(folder)
    left, count = most_bytes, 0
    try:
        for member in _members(archive):
            path = _inside(member.name)
            if path is None:
                continue
            if not (member.is_folder or member.is_file):
                raise _refused(f"{member.name!r} is a link or a device, not a file")
            count += 1
            if count > most_files:
                raise _refused(f"it holds more than {most_files} files")
            target = folder / path
            if member.is_folder:
                target.mkdir(parents=True, exist_ok=True)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            source = member.open()
            assert source is not None  # a file of a tar archive has content
            with source, target.open("xb") as file:
                while chunk := source.read(2**20):
                    left -= len(chunk)
                    if left < 0:
                        raise _refused(f"unpacked, it exceeds {most_bytes} bytes")
                    file.write(chunk)
    except (FileExistsError, NotADirectoryError) as error:
        raise _refused(f"two of its members claim one place, {error.filename!r}") from None
    except (*DAMAGE, OSError) as error:
        if not isinstance(error, DAMAGE) and error.errno not in IMPOSSIBLE:
            raise
        reason = getattr(error, "strerror", None) or error or type(error).__name__
        raise SonotuneError(f"is damaged or cannot be unpacked ({reason})") from None


def _members(archive: Path) -> Iterator[_Member]:
    # In this order: a tar archive that ends in a zip would pass for a zip.
    if tarfile.is_tarfile(archive):
        # Any compression: some servers undo that of a .tar.gz while they send it.
        with tarfile.open(archive) as packed:
            for one in packed:
                yield _Member(one.name, one.isdir(), one.isreg(), partial(packed.extractfile, one))
    elif zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as packed:
            for info in packed.infolist():
                kind = stat.S_IFMT(info.external_attr >> 16)
                is_file = kind in (0, stat.S_IFREG)
                # Some programs write the separator of Windows.
                name = info.filename.replace("\\", "/")
                is_folder = name.endswith("/") and kind in (0, stat.S_IFDIR)
                yield _Member(name, is_folder, is_file, partial(packed.open, info))
    else:
        with archive.open("rb") as file:
            begin = file.read(40)
        raise SonotuneError(
            f"is neither a zip nor a tar archive, it begins with {begin!r}; a server may "
            "have sent a web page in its place"
        )


def _inside(name: str) -> PurePosixPath | None:
    """A member's path below the folder; None for what is not wanted."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\0" in name:
        raise _refused(f"{name!r} leads out of the folder it is unpacked to")
    if not path.parts or any(part in LITTER for part in path.parts):
        return None
    return path


def _refused(reason: str) -> SonotuneError:
    return SonotuneError(f"is not unpacked, since {reason}; it is damaged or not to be trusted")


def place(unpacked: Path, target: Path, folder: str) -> Path:
    """Move an unpacked archive to its place in one step, so that it is there whole or not at all.

    Parameters
    ----------
    unpacked
        Where it was unpacked to, on the same disk.
    target
        The data set's folder. A folder that is there already is left as it is.
    folder
        Name of the folder in ``target`` for all that the archive holds, or a name that ends in
        ``?``: then an archive whose only member is a folder becomes that folder.

    Returns
    -------
    place : Path
        The folder in ``target``.
    """
    source, name = unpacked, folder.removesuffix("?")
    inside = list(unpacked.iterdir())
    if folder.endswith("?") and len(inside) == 1 and inside[0].is_dir():
        source, name = inside[0], inside[0].name
    if not (target / name).exists():
        source.rename(target / name)
    return target / name
