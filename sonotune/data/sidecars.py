"""Headers that stand apart from their pixels: MetaImage (.mhd) and NRRD (.nhdr)."""

import re
from pathlib import Path

from sonotune.errors import SonotuneError, printable

# What names the pixels' file; some names mean the header itself, or a list that follows.
NAMED = {
    ".mhd": re.compile(rb"^\s*ElementDataFile\s*=\s*(.+?)\s*$", re.MULTILINE | re.IGNORECASE),
    ".nhdr": re.compile(rb"^\s*data ?file\s*:\s*(.+?)\s*$", re.MULTILINE | re.IGNORECASE),
}
LOCAL, LISTS = ("LOCAL",), ("LIST", "SKIPLIST")
LONGEST = 1 << 16


def sidecars(path: Path) -> list[Path]:
    """Files that hold an image's pixels where the image itself is only a header.

    Parameters
    ----------
    path
        An image file.

    Raises
    ------
    SonotuneError
        If the header names a file outside of its folder, or several.
    """
    pattern = NAMED.get(path.suffix.lower())
    if not pattern:
        return []
    with path.open("rb") as file:
        match = pattern.search(file.read(LONGEST))
    if not match:
        return []
    name = match[1].decode("utf-8", "surrogateescape")
    if name.upper() in LOCAL:
        return []
    if name.split()[0].upper() in LISTS or "%" in name:
        raise SonotuneError("names several files of pixels; save it as one file (.mha, .nrrd)")
    pixels = path.parent / name
    if not pixels.resolve().is_relative_to(path.parent.resolve()):
        raise SonotuneError(
            f"names pixels outside of its folder ({printable(name)}), which are not read; put them "
            "beside it"
        )
    return [pixels]
