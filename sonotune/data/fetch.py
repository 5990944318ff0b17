"""Fetch a data set of the catalogue: download, verify, unpack, and leave it whole or not at all."""

import fcntl
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from sonotune.data.archive import install, unpack
from sonotune.data.catalogue import CatalogueEntry, RemoteFile, format_bytes
from sonotune.data.download import NotFound, download
from sonotune.errors import SonotuneError, without_password
from sonotune.runtime.files import read_json, write_json

RECORD = "checksums.json"


def locate(entry: CatalogueEntry, resources: str | Path, mirror: str | None) -> Path | None:
    """Where a complete, unpacked copy lies already: below ``resources``, else below the mirror.

    Parameters
    ----------
    entry
        A data set of the catalogue.
    resources
        The folder that has a folder for every data set.
    mirror
        The data mirror; only a folder can hold an unpacked copy. None for none.
    """
    folders = [Path(resources) / entry.name]
    if mirror is not None and not is_address(mirror):
        folders.append(Path(mirror) / entry.name)
    return next((folder for folder in folders if entry.holds and entry.is_complete(folder)), None)


def fetch(
    entry: CatalogueEntry, target: Path, mirror: str | None, log: Callable[[str], None]
) -> Path:
    """Bring a data set into ``target``, unless a complete copy lies there or in the mirror.

    Archives are kept beside what they held. One that was placed in ``target`` by hand is verified
    and unpacked, and not downloaded. The checksum of a file whose publisher gives none is recorded
    in ``checksums.json`` beside ``target``.

    Parameters
    ----------
    entry
        A data set of the catalogue.
    target
        The data set's own folder, such as ``resources/hc18``.
    mirror
        Folder or address that is used instead of the publishers'; None for none.
    log
        Takes a line.

    Returns
    -------
    folder : Path
        Where it lies: ``target``, or a folder of the mirror, which is used in place.

    Raises
    ------
    SonotuneError
        If it cannot be had: nobody may download it, the server fails, a checksum differs, an
        archive is not to be trusted, or something else was in it than expected.
    """
    target = Path(target)
    if folder := locate(entry, target.parent, mirror):
        log(f"{entry.name}: is already in {folder}")
        return folder
    if entry.access == "made":
        raise SonotuneError(f"{entry.name}: there is nothing to fetch. {entry.by_hand}")
    if not entry.files:
        raise SonotuneError(placement_instructions(entry, target))
    try:
        target.mkdir(parents=True, exist_ok=True)
        _Fetch(entry, target, mirror, log).run()
    except OSError as error:
        raise SonotuneError(f"{entry.name}: cannot be placed in {target}: {error}") from None
    if missing_globs := entry.missing_globs(target):
        held = ", ".join(sorted(path.name for path in target.iterdir()))
        raise SonotuneError(
            f"{entry.name}: nothing in {target} matches {' and '.join(missing_globs)}; it holds "
            f"{held}. Its publisher may have changed the layout."
        )
    log(f"{entry.name}: complete in {target}")
    return target


def placement_instructions(entry: CatalogueEntry, target: str | Path) -> str:
    """What to do about a data set that has to be placed by hand.

    Parameters
    ----------
    entry
        A data set of the catalogue.
    target
        Folder where it is expected.
    """
    return (
        f"{entry.name} ({entry.title}) is not in {target}, where {' and '.join(entry.holds)} are "
        f"looked for. {entry.by_hand} Put it into {Path(target).absolute()}, or into a folder "
        f"{entry.name} of the data mirror."
    )


def is_address(mirror: str) -> bool:
    """Whether a mirror is an address rather than a folder.

    Parameters
    ----------
    mirror
        What a configuration gives as ``data_mirror``.
    """
    return mirror.startswith(("http://", "https://"))


def locations_of(entry: CatalogueEntry, file: RemoteFile, mirror: str | None) -> list[str]:
    """Where a file may be: in a mirror's folder of its data set or beside all others there.

    Parameters
    ----------
    entry
        A data set of the catalogue.
    file
        One of its files.
    mirror
        Folder or address that is used instead of the publisher's; None for none.
    """
    if mirror is None:
        return [file.address]
    if is_address(mirror):
        base = mirror.rstrip("/")
        return [f"{base}/{entry.name}/{quote(file.name)}", f"{base}/{quote(file.name)}"]
    return [str(Path(mirror) / entry.name / file.name), str(Path(mirror) / file.name)]


class _Fetch:
    """One data set on its way into its folder."""

    def __init__(
        self, entry: CatalogueEntry, target: Path, mirror: str | None, log: Callable[[str], None]
    ) -> None:
        self.entry, self.target, self.mirror, self.log = entry, target, mirror, log
        # On the disk of a target that is a link, so that moving is one step.
        self.home = target.resolve()
        self.partial = self.home.parent / f".{self.home.name}.partial"
        self.record = target.parent / RECORD

    def run(self) -> None:
        with _alone(self.home.parent / f".{self.home.name}.lock"):
            shutil.rmtree(self.partial, ignore_errors=True)
            self.partial.mkdir()
            try:
                # Another process may have brought it while this one waited.
                for file in () if self.entry.is_complete(self.target) else self.entry.files:
                    self._bring(file)
            finally:
                shutil.rmtree(self.partial, ignore_errors=True)

    def _bring(self, file: RemoteFile) -> None:
        """Have one file in the target, verified, and unpacked if it is an archive."""
        kept = self.target / file.name
        if is_new := not kept.exists():
            archive = self.partial / file.name
            source = self._obtain(file, archive)
        else:
            archive, source = kept, str(kept)
            self.log(f"{self.entry.name}: {kept} is there already")
        sha256 = self._verify(file, archive, source)
        published = "as published" if file.checksum else "none is published"
        self.log(f"{file.name}: sha256 {sha256}, {published}")
        inside = self.partial / f"{file.name}.unpacked"
        if file.unpack:
            self.log(f"unpacking {file.name}")
            inside.mkdir()
            try:
                unpack(archive, inside)
            except SonotuneError as error:
                raise SonotuneError(f"{source}: {error}. {_what_now(archive, source)}") from None
        if file.checksum is None:
            # Only now is it known to be more than a web page that says "try later".
            self._remember(file, sha256, source)
        # Killed between these two steps, it finds the archive next time and unpacks it.
        if is_new:
            archive.rename(kept)
        if file.unpack:
            stem = file.name.removesuffix(".gz").rsplit(".", 1)[0]
            placed = install(inside, self.target, file.into or f"{stem}?")
            self.log(f"{file.name}: unpacked to {placed}")

    def _obtain(self, file: RemoteFile, path: Path) -> str:
        """Download or copy a file to ``path``; return where it came from."""
        locations = locations_of(self.entry, file, self.mirror)
        for location in locations:
            safe = without_password(location)
            if is_address(location):
                self.log(f"downloading {safe}, {file.size}")
                try:
                    download(location, path, self.log, file.bytes)
                    return safe
                except NotFound:
                    if self.mirror is None:
                        raise
            elif Path(location).is_file():
                self.log(f"copying {location}, {format_bytes(Path(location).stat().st_size)}")
                shutil.copyfile(location, path)
                return location
        tried = " nor ".join(map(without_password, locations))
        holds = f" nor {' and '.join(self.entry.holds)} in the former's folder"
        raise SonotuneError(
            f"{self.entry.name}: the data mirror has neither {tried}"
            f"{'' if is_address(locations[0]) else holds}. Put {file.name} there, or leave "
            "data_mirror out to use its publisher's address."
        )

    def _verify(self, file: RemoteFile, path: Path, source: str) -> str:
        """Check size and checksum; return the sha256."""
        import pooch

        size = path.stat().st_size
        damaged = f"it is damaged or another version of {file.name}. {_what_now(path, source)}"
        if file.bytes is not None and size != file.bytes:
            raise SonotuneError(
                f"{source}: has {size} bytes where {file.bytes} are expected; {damaged}"
            )
        sha256: str = pooch.file_hash(str(path))
        if file.checksum is not None:
            kind, expected = file.checksum.split(":")
            digest = sha256 if kind == "sha256" else pooch.file_hash(str(path), alg=kind)
            if digest != expected:
                raise SonotuneError(
                    f"{source}: {kind} is {digest} where {expected} is expected; {damaged}"
                )
            return sha256
        first = read_record(self.record.parent).get(self._key(file))
        if first is not None and first["sha256"] != sha256:
            raise SonotuneError(
                f"{source}: its sha256 is {sha256}, but that of the first download, from "
                f"{first['source']}, was {first['sha256']}: it has changed since, or is damaged. "
                f"If the new one is right, delete {self._key(file)!r} from {self.record}."
            )
        return sha256

    def _key(self, file: RemoteFile) -> str:
        return f"{self.entry.name}/{file.name}"

    def _remember(self, file: RemoteFile, sha256: str, source: str) -> None:
        with _alone(self.record.with_name(f".{self.record.name}.lock")):
            known, key = read_record(self.record.parent), self._key(file)
            if key not in known:
                write_json(self.record, {**known, key: {"sha256": sha256, "source": source}})


def _what_now(path: Path, source: str) -> str:
    if str(path) == source:
        return "Delete it to have it downloaded."
    return "Nothing was kept; try again, or name a good copy with data_mirror."


def read_record(resources: Path) -> dict[str, dict[str, str]]:
    """The checksums of first downloads: ``sha256`` and ``source`` by data set and file name.

    Parameters
    ----------
    resources
        Folder of downloads.
    """
    record = resources / RECORD
    try:
        return read_json(record) if record.exists() else {}
    except ValueError as error:
        raise SonotuneError(
            f"{record}: is not valid JSON ({error}); mend it, or delete it to record it again"
        ) from None


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Wait until no other process is at it; the lock ends with its process, however it ends."""
    with path.open("w") as file:
        # On a disk without locks, one process at a time is up to the user.
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
