"""Unpack an archive of unknown origin without trusting its content."""

import bz2
import errno
import gzip
import io
import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, Any

from sonotune.errors import SonotuneError
from sonotune.runtime.limits import limits

# Bytes of one header of a tar archive, and of the list of all members of a zip, which are read into
# memory in one piece.
TAR_HEADER, ZIP_LIST = 1 << 20, 1 << 26
PACKED: dict[bytes, Callable[[Any], Any]] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open}
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


# A member's name, whether it is a folder or a file, and what opens it.
_Member = tuple[str, bool, bool, Callable[[], IO[bytes] | None]]


class _Bounded(io.RawIOBase):
    """A file with limits on what is read at once and what is skipped in all."""

    def __init__(self, file: IO[bytes], max_read: int, max_total: int) -> None:
        self._file, self._max_read, self._max_total = file, max_read, max_total

    def seekable(self) -> bool:
        return True

    def read(self, size: int | None = -1) -> bytes:
        self._check(self._file.tell())
        most = self._max_read + 1
        content = self._file.read(most if size is None or size < 0 else min(size, most))
        if len(content) == most:
            raise _Refused("one of its headers is larger than any should be")
        return content

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence == io.SEEK_SET:
            self._check(offset)
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def _check(self, position: int) -> None:
        if position > self._max_total:
            raise _Refused(f"unpacked, it exceeds {self._max_total} bytes ({KEY})")


class _Refused(Exception):
    """Why an archive is not unpacked; no error of those that the libraries for archives handle."""


KEY = "limits: archive_bytes:"


def unpack(archive: str | Path, folder: str | Path) -> None:
    """Unpack a zip or tar archive into a new, empty folder.

    Sizes are counted as they are written, whatever the archive claims, and end at the limits of
    this process (`sonotune.runtime.limits`).

    Parameters
    ----------
    archive
        The archive; its content determines its type.
    folder
        Must exist; on an error it is left half filled, for the caller to remove.

    Raises
    ------
    SonotuneError
        If it is no archive or damaged; holds a link, a device, or a name that leads out of the
        folder; or is larger than the limits. The message is the reason alone: the caller knows
        better where the archive came from.
    """
    try:
        _unpack(Path(archive), Path(folder))
    except _Refused as error:
        raise SonotuneError(
            f"is not unpacked, because {error}; it is damaged or not trustworthy"
        ) from None
    except (FileExistsError, NotADirectoryError) as error:
        raise SonotuneError(
            f"is not unpacked, because two of its members have one path, {error.filename!r}; it is "
            "damaged or not trustworthy"
        ) from None
    except (*DAMAGE, OSError) as error:
        if not isinstance(error, DAMAGE) and error.errno not in IMPOSSIBLE:
            raise
        reason = getattr(error, "strerror", None) or error or type(error).__name__
        raise SonotuneError(f"is damaged or cannot be unpacked ({reason})") from None


def _unpack(archive: Path, folder: Path) -> None:
    most = limits()
    remaining, count = most.archive_bytes, 0
    for name, is_folder, is_file, opened in _members(archive):
        path = _inside(name)
        if path is None:
            continue
        if not (is_folder or is_file):
            raise _Refused(f"{name!r} is a link or a device, not a file")
        count += 1
        if count > most.archive_files:
            raise _Refused(
                f"it holds more than {most.archive_files} files (limits: archive_files:)"
            )
        target = folder / path
        if is_folder:
            target.mkdir(parents=True, exist_ok=True)
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        source = opened()
        assert source is not None  # a file of a tar archive has content
        with source, target.open("xb") as file:
            while chunk := source.read(2**20):
                remaining -= len(chunk)
                if remaining < 0:
                    raise _Refused(f"unpacked, it exceeds {most.archive_bytes} bytes ({KEY})")
                file.write(chunk)


def _members(archive: Path) -> Iterator[_Member]:
    # In this order: a tar archive that ends in a zip would pass for a zip.
    with _opened(archive) as file:
        if (tar := _tar(file)) is not None:
            for member in tar:
                opened = partial(tar.extractfile, member)
                yield member.name, member.isdir(), member.isreg(), opened
                # Else what all headers say is kept in memory.
                tar.members.clear()  # type: ignore[attr-defined]
                tar.pax_headers.clear()  # type: ignore[attr-defined]
            return
    if zipfile.is_zipfile(archive):
        with archive.open("rb") as file:
            packed = zipfile.ZipFile(_Bounded(file, ZIP_LIST, archive.stat().st_size))
            for info in packed.infolist():
                kind = stat.S_IFMT(info.external_attr >> 16)
                is_file = kind in (0, stat.S_IFREG)
                # Some programs write the separator of Windows.
                name = info.filename.replace("\\", "/")
                is_folder = name.endswith("/") and kind in (0, stat.S_IFDIR)
                yield name, is_folder, is_file, partial(packed.open, info)
    else:
        with archive.open("rb") as file:
            begin = file.read(40)
        raise SonotuneError(
            f"is neither a zip nor a tar archive, it begins with {begin!r}; a server may "
            "have sent a web page in its place"
        )


def _opened(archive: Path) -> IO[bytes]:
    """A file, unpacked as it is read: some servers undo that of a .tar.gz while they send it."""
    with archive.open("rb") as file:
        head = file.read(6)
    opener = next((how for mark, how in PACKED.items() if head.startswith(mark)), None)
    return opener(archive) if opener else archive.open("rb")


def _tar(file: IO[bytes]) -> tarfile.TarFile | None:
    """A tar archive; None if the file is none."""
    # Headers and padding come on top of what members hold.
    most = limits().archive_bytes + limits().archive_files * TAR_HEADER
    try:
        return tarfile.open(fileobj=_Bounded(file, TAR_HEADER, most), mode="r:")
    except (*DAMAGE, OSError):
        return None


def _inside(name: str) -> PurePosixPath | None:
    """A member's path below the folder; None for what is not wanted."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\0" in name:
        raise _Refused(f"{name!r} leads out of the folder it is unpacked to")
    if not path.parts or any(part in LITTER for part in path.parts):
        return None
    return path


def install(unpacked: Path, target: Path, folder: str) -> Path:
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
