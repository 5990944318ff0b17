"""A table of anybody's own images, their masks and what is known of them."""

import math
import os
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from sonotune.data.names import find_file, without_suffix
from sonotune.data.readers.sample import MaskRule, Sample, shortened
from sonotune.data.tables import read_number, read_table
from sonotune.errors import SonotuneError, printable

OPTIONAL = ("group", "slice", "mm_per_pixel_y", "mm_per_pixel_x", "mm_per_pixel")


def samples_of_table(path: Path, rule: MaskRule, group: str | None) -> list[Sample]:
    """List the rows of a table.

    Parameters
    ----------
    path
        A CSV with the columns image, mask and perhaps some of `OPTIONAL`.
    rule
        Which pixels of masks belong to the object.
    group
        The key ``group``, which a column of that name excludes.

    Raises
    ------
    SonotuneError
        If the table is not as described, files are missing, or an image is named twice.
    """
    table = read_table(path, ("image", "mask"), OPTIONAL, "folder")
    if group is not None and "group" in table[0][1]:
        raise SonotuneError(f"folder: {printable(path)}: has a column group; remove the key group")
    rows = [_entry(path, line, row, rule) for line, row in table]
    files = [file for row in rows for file in (row.image, *row.masks)]
    if missing := [printable(file) for file in files if not os.path.isfile(file)]:
        hint = "; a backslash is read as /" if any("\\" in text for text in missing) else ""
        raise SonotuneError(
            f"folder: {printable(path)}: there is no file {shortened(missing)}{hint}"
        )
    # Two spellings of one path are one image.
    spots = [(os.path.normpath(row.image), row.slice) for row in rows]
    names, counts = Counter(row.name for row in rows), Counter(spots)
    twice = {
        row.name
        for row, spot in zip(rows, spots, strict=True)
        if names[row.name] > 1 or counts[spot] > 1
    }
    if twice:
        raise SonotuneError(
            f"folder: {printable(path)}: these images are named twice: "
            f"{shortened(map(printable, sorted(twice)))}"
        )
    return rows


def _entry(table: Path, line: int, row: Mapping[str, str], rule: MaskRule) -> Sample:
    where = f"folder: {printable(table)}: line {line}"
    if not row["image"] or not row["mask"]:
        raise SonotuneError(f"{where}: image or mask is empty")
    image, mask = (
        find_file(table.parent, text) or table.parent / text for text in (row["image"], row["mask"])
    )
    if os.path.isfile(image) and os.path.normpath(image) == os.path.normpath(mask):
        raise SonotuneError(f"{where}: image and mask are the same file")
    name = without_suffix(row["image"])
    group = re.sub(r"\s+", " ", row.get("group", ""))
    if "group" in row and not group:
        raise SonotuneError(
            f"{where}: group is empty; name the patient or examination of every image, or remove "
            "the column"
        )
    group = group or name  # without the number of a slice
    if number := row.get("slice", ""):
        if not re.fullmatch("[0-9]{1,9}", number):
            raise SonotuneError(f"{where}: slice must be 0, 1, ...; found {printable(number)!r}")
        name = f"{name}_{int(number)}"
    spacing, notes = _pixel_size(where, row)
    which = int(number) if number else None
    return Sample(name, group, image, (mask,), rule, spacing, which, notes)


def _pixel_size(
    where: str, row: Mapping[str, str]
) -> tuple[tuple[float, float] | None, tuple[str, ...]]:
    """Millimetres per pixel (y, x), and a note where they are none."""
    texts = [row.get(f"mm_per_pixel_{axis}") or row.get("mm_per_pixel", "") for axis in "yx"]
    y, x = (_number(where, text) for text in texts)
    if y and x and 0 < y < math.inf and 0 < x < math.inf:
        return (y, x), ()
    notes = ("pixel size not known: the table's is no length",) if any(texts) else ()
    return None, notes


def _number(where: str, text: str) -> float | None:
    try:
        return read_number(text) if text else None
    except ValueError:
        hint = "; write a point before decimals" if re.fullmatch(r"\d+,\d+", text) else ""
        raise SonotuneError(
            f"{where}: millimetres per pixel must be a number; found {printable(text)!r}{hint}"
        ) from None
