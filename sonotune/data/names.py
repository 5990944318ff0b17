"""Names of files and images: as text whatever their bytes, and found however they are written."""

import os
import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from sonotune.data.formats import SUFFIXES
from sonotune.errors import SonotuneError, printable


def as_text(name: str | os.PathLike[str]) -> str:
    """A file's name or path as text in composed form (NFC).

    Bytes that are not UTF-8 are read as Windows-1252, in which old ZIP files keep names.

    Parameters
    ----------
    name
        A file's name or path.
    """
    raw = os.fsencode(name)
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        # What Windows-1252 leaves undefined is in other encodings only.
        is_windows = not set(raw) & {0x81, 0x8D, 0x8F, 0x90, 0x9D}
        text = raw.decode("cp1252", "replace") if is_windows else raw.decode("latin-1")
    return unicodedata.normalize("NFC", text)


def stem_of(path: Path) -> str:
    """A file's name as text, without the suffix of its format.

    A number behind the last dot is part of the name, as in DICOM files that are called by their
    identifier.

    Parameters
    ----------
    path
        A file.
    """
    name = as_text(path.name)
    lower = name.lower()
    for suffix in SUFFIXES:
        if lower.endswith(suffix) and len(name) > len(suffix):
            return name[: -len(suffix)]
    stem, dot, suffix = name.rpartition(".")
    return stem if dot and stem and not suffix.isdecimal() else name


def without_suffix(path: str) -> str:
    """A path that people wrote, as names of images are: with ``/``, without the suffix.

    Parameters
    ----------
    path
        A path in a table or list.
    """
    folder, slash, _ = path.replace("\\", "/").removeprefix("./").rpartition("/")
    return as_text(folder) + slash + stem_of(Path(path.replace("\\", "/")))


def find_file(folder: Path, text: str) -> Path | None:
    """The file below a folder that a text means, or None.

    If there is none of exactly that path, one that reads alike is taken: in other bytes
    (composed or decomposed, Windows-1252), with ``/`` for a backslash, or in other case or with
    blanks around it if that leaves one file.

    Parameters
    ----------
    folder
        Folder to search.
    text
        Path relative to it, as people wrote it.
    """
    try:
        if (folder / text).is_file():
            return folder / text
    except (OSError, ValueError):  # such as a name that is too long, or holds a zero byte
        return None
    path = folder
    for part in Path(text.replace("\\", "/")).parts:
        if part in ("/", "..") or (path / part).exists():
            path /= part
            continue
        try:
            beside = os.listdir(path)
        except OSError:
            return None
        wanted = as_text(part)
        alike = [name for name in beside if as_text(name) == wanted] or [
            name for name in beside if as_text(name).strip().casefold() == wanted.casefold()
        ]
        if len(alike) != 1:
            return None
        path /= alike[0]
    return path if path.is_file() else None


def check_groups(groups: Iterable[str], where: str) -> None:
    """Refuse groups if two of them look like one.

    They differ in case, width, invisible characters, leading zeros, blanks, dots or dashes alone.

    Parameters
    ----------
    groups
        Group of each image.
    where
        How an error names the place.

    Raises
    ------
    SonotuneError
        Naming the first two.
    """
    seen: dict[str, str] = {}
    for group in dict.fromkeys(groups):
        alike = _loosely(group)
        if alike in seen:
            raise SonotuneError(
                f"{where}: the groups {printable(seen[alike])!r} and {printable(group)!r} read "
                "like one patient; write both in one way, or name them apart"
            )
        seen[alike] = group


def _loosely(group: str) -> str:
    """A group's name without what may differ between two spellings of one."""
    text = unicodedata.normalize("NFKC", group).casefold()
    text = "".join(letter for letter in text if unicodedata.category(letter) != "Cf")
    # P01 is P1 and 1.0 is 1, but 101 is not 11.
    text = re.sub(r"(?<![0-9])0+(?=[0-9])", "", re.sub(r"\.0$", "", text))

    def between(match: re.Match[str]) -> str:
        # P_1 is P1, but 1_11 is not 11_1.
        numbers = text[: match.start()][-1:].isdigit() and text[match.end() :][:1].isdigit()
        return "-" if numbers else ""

    return re.sub(r"[\s_.\u002d\u2010-\u2015\u2212]+", between, text)
