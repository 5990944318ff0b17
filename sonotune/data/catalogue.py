"""The data sets that sonotune knows, as `catalogue.yaml` lists them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from difflib import get_close_matches
from functools import cache
from importlib.resources import files as package_files
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from sonotune.config.form import load_package_yaml
from sonotune.errors import SonotuneError

ACCESS = ("open", "agreement", "registration", "made")
CHECKSUM = re.compile(r"sha256:[0-9a-f]{64}|md5:[0-9a-f]{32}")


@dataclass(frozen=True)
class RemoteFile:
    """A file that a publisher offers.

    Parameters
    ----------
    address
        https, or http if ``no_https`` is true.
    bytes
        Exact size, or None if it is not known.
    checksum
        ``sha256:`` or ``md5:`` and the digest; None if none is published.
    unpack
        Whether it is an archive (zip, tar) whose content is wanted.
    into
        Folder for all that the archive holds; by default its own only folder, else its stem.
    about
        Size in words, where the exact one is not known.
    no_https
        Whether its publisher offers no https.
    """

    address: str
    bytes: int | None
    checksum: str | None
    unpack: bool
    into: str | None = None
    about: str | None = None
    no_https: bool = False

    def __post_init__(self) -> None:
        allowed = ("https", "http") if self.no_https else ("https",)
        if urlsplit(self.address).scheme not in allowed or not self.name:
            raise SonotuneError(
                f"address: must be a file's at {' or '.join(allowed)}, found {self.address!r}"
            )
        inside = (self.name, *PurePosixPath(self.into or "").parts)
        if ".." in inside or PurePosixPath(self.into or "").is_absolute():
            raise SonotuneError(
                f"into: must be a folder within the data set's, found {self.into!r}; "
                f"address: must end in a file's name, found {self.address!r}"
            )
        if self.checksum is not None and not CHECKSUM.fullmatch(self.checksum):
            raise SonotuneError(
                f"checksum: must be sha256: or md5: and the digest, found {self.checksum!r}"
            )
        if self.bytes is not None and (not isinstance(self.bytes, int) or self.bytes < 1):
            raise SonotuneError(f"bytes: must be a number above 0 or null, found {self.bytes!r}")
        if not isinstance(self.unpack, bool):
            raise SonotuneError(f"unpack: must be true or false, found {self.unpack!r}")

    @property
    def name(self) -> str:
        """The file's own name."""
        return PurePosixPath(unquote(urlsplit(self.address).path)).name

    @property
    def size(self) -> str:
        """Its size in words."""
        return format_bytes(self.bytes) if self.bytes else self.about or "size unknown"


@dataclass(frozen=True)
class CatalogueEntry:
    """A data set of the catalogue.

    Parameters
    ----------
    name
        Its key in the catalogue.
    title, version
        Texts for people.
    images
        How many images have masks; None if the configuration says.
    reader
        Which reader understands its layout.
    access
        ``open`` to downloads; by ``agreement`` or ``registration``, so placed by hand; ``made`` by
        the workflow.
    licence, citation
        Texts for people.
    files
        What is downloaded.
    holds
        Globs below its folder; all of them match once the data set is complete.
    by_hand
        How to obtain it without this program; a text for people.
    stand_ins
        Data sets that may take its place, the nearest first.
    """

    name: str
    title: str
    version: str
    images: int | None
    reader: str
    access: str
    licence: str
    citation: str
    files: tuple[RemoteFile, ...]
    holds: tuple[str, ...]
    by_hand: str
    stand_ins: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for key in ("title", "version", "reader", "licence", "citation", "by_hand"):
            if not isinstance(getattr(self, key), str) or not getattr(self, key).strip():
                raise SonotuneError(f"{key}: must be a text, found {getattr(self, key)!r}")
        if self.access not in ACCESS:
            raise SonotuneError(f"access: must be one of {', '.join(ACCESS)}, found {self.access}")
        if bool(self.files) != (self.access == "open"):
            raise SonotuneError("files: open data sets have files to download, others have none")
        if bool(self.holds) != (self.access != "made"):
            raise SonotuneError("holds: say how a complete copy is known, unless it is made here")
        names = [file.name for file in self.files]
        if len(set(names)) < len(names):
            raise SonotuneError(f"files: two have one name among {', '.join(names)}")

    def is_complete(self, folder: str | Path) -> bool:
        """Whether a folder holds something for every glob of ``holds``.

        Parameters
        ----------
        folder
            Folder of the data set.
        """
        return not self.missing_globs(folder)

    def missing_globs(self, folder: str | Path) -> list[str]:
        """The globs of ``holds`` that match nothing in a folder.

        Parameters
        ----------
        folder
            Folder of the data set.
        """
        return [glob for glob in self.holds if next(Path(folder).glob(glob), None) is None]


def format_bytes(count: float) -> str:
    """A size for people: 33.7 kB, 132.9 MB.

    Parameters
    ----------
    count
        Size in bytes.
    """
    for unit in ("bytes", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} bytes" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


@cache
def load_catalogue() -> Mapping[str, CatalogueEntry]:
    """The package's own catalogue, by name."""
    text = package_files("sonotune.data").joinpath("catalogue.yaml").read_text("utf-8")
    return read_catalogue(text)


def find_entry(name: str) -> CatalogueEntry:
    """A data set of the catalogue by its name.

    Parameters
    ----------
    name
        Its key in the catalogue.

    Raises
    ------
    SonotuneError
        If there is no such data set; the message names those that there are.
    """
    catalogue = load_catalogue()
    if name not in catalogue:
        near = get_close_matches(name, catalogue, 1)
        raise SonotuneError(
            f"catalogue: there is no data set {name!r}"
            + (f"; did you mean {near[0]}?" if near else "")
            + f" Known are: {', '.join(catalogue)}."
        )
    return catalogue[name]


WEIGHTS = "weights"  # what stands for the reader of an entry that is no data set


def read_catalogue(text: str) -> Mapping[str, CatalogueEntry]:
    """Read and check a catalogue written in YAML.

    Parameters
    ----------
    text
        Content of the YAML file.

    Raises
    ------
    SonotuneError
        Naming the data set and the key at fault.
    """
    entries = {}
    tree = load_package_yaml(text)
    for name, content in tree.items():
        try:
            files = [_make(RemoteFile, file) for file in content.get("files", [])]
            lists = {key: tuple(content.get(key, ())) for key in ("holds", "stand_ins")}
            entries[name] = _make(
                CatalogueEntry, {**content, **lists, "files": tuple(files), "name": name}
            )
        except SonotuneError as error:
            raise SonotuneError(f"catalogue: {name}: {error}") from None
    for entry in entries.values():
        if strangers := set(entry.stand_ins) - entries.keys():
            raise SonotuneError(
                f"catalogue: {entry.name}: stand_ins: not in the catalogue: {', '.join(strangers)}"
            )
    return entries


def _make(kind: type, content: dict[str, Any]) -> Any:
    known = {field.name: field.default is MISSING for field in fields(kind)}
    if strangers := content.keys() - known.keys():
        raise SonotuneError(f"unknown key {sorted(strangers)[0]}")
    if absent := [key for key, needed in known.items() if needed and key not in content]:
        raise SonotuneError(f"{absent[0]}: is missing")
    return kind(**content)
