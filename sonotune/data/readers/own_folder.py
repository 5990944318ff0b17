"""Anybody's own images: two globs, or a table of files."""

from __future__ import annotations

import csv as csv_format
import glob
import math
from collections.abc import Mapping
from pathlib import Path

from sonotune.data.readers.entry import Entry, MaskRule, by_stem, pair, shortened
from sonotune.errors import SonotuneError, printable

OPTIONAL = ("group", "slice", "mm_per_pixel_y", "mm_per_pixel_x", "mm_per_pixel")


def find(
    folder: Path,
    images: str | None = None,
    masks: str | None = None,
    csv: str | None = None,
    threshold: int | None = None,
    label: int | None = None,
) -> list[Entry]:
    """List the pairs of two globs, or the rows of a CSV.

    Parameters
    ----------
    folder
        What globs and `csv` are relative to.
    images, masks
        Globs. An image and its mask have one stem; the mask's may end in ``_mask``.
    csv
        A table with the columns image and mask (paths relative to the table), and, if known,
        group, mm_per_pixel_y and mm_per_pixel_x, or mm_per_pixel for both; slice chooses one of a
        file of several (counted from 0).
    threshold, label
        The object is where a mask's grey value is at least `threshold`, or equals `label`; by
        default where it is not 0. A 1-bit mask has the values 0 and 255.

    Raises
    ------
    SonotuneError
        If both or neither are given, a glob or a path matches no file, files do not pair, or the
        table lacks a column.
    """
    if (csv is None) == (images is None and masks is None) or (images is None) != (masks is None):
        raise SonotuneError("folder: needs either images and masks, two globs, or csv, a table")
    if threshold is not None and label is not None:
        raise SonotuneError("folder: threshold and label exclude each other; give one")
    rule = MaskRule()
    if threshold is not None:
        rule = MaskRule("threshold", threshold)
    elif label is not None:
        rule = MaskRule("label", label)
    if csv is not None:
        return _from_table(folder / csv, rule)
    assert images is not None
    assert masks is not None
    found = {}
    for key, pattern in (("images", images), ("masks", masks)):
        # Not Path.glob, which refuses absolute patterns.
        names = glob.glob(str(Path(glob.escape(str(folder))) / pattern), recursive=True)
        files = sorted(path for path in map(Path, names) if path.is_file())
        if not files:
            raise SonotuneError(f"folder: {key}: no file matches {pattern!r} in {folder}")
        found[key] = by_stem(files, f"folder: {key}", "_mask" if key == "masks" else "")
    return [
        Entry(name=stem, group=stem, image=image, masks=(mask,), rule=rule)
        for stem, image, mask in pair(found["images"], found["masks"], "folder")
    ]


def other_files(folder: Path, csv: str | None = None, **_: object) -> list[Path]:
    """The table, if there is one."""
    return [folder / csv] if csv else []


def _from_table(path: Path, rule: MaskRule) -> list[Entry]:
    if not path.is_file():
        raise SonotuneError(f"folder: csv: there is no file {path}")
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv_format.DictReader(file)
            columns = reader.fieldnames or ()
            for column in ("image", "mask"):
                if column not in columns:
                    raise SonotuneError(
                        f"folder: {path}: has no column {column!r}; found: "
                        f"{', '.join(map(printable, columns))}; "
                        f"needed: image, mask; possible: {', '.join(OPTIONAL)}, separated by commas"
                    )
            rows = [_entry(path, reader.line_num, row, rule) for row in reader]
    except UnicodeDecodeError:
        raise SonotuneError(f"folder: {path}: is not UTF-8 text; save it as CSV UTF-8") from None
    if not rows:
        raise SonotuneError(f"folder: {path}: has no rows")
    files = [file for row in rows for file in (row.image, *row.masks)]
    if missing := [str(file) for file in files if not file.is_file()]:
        raise SonotuneError(f"folder: {path}: there is no file {shortened(missing)}")
    if twice := sorted({row.name for row in rows if sum(r.name == row.name for r in rows) > 1}):
        raise SonotuneError(f"folder: {path}: these images are named twice: {shortened(twice)}")
    return rows


def _entry(table: Path, line: int, row: Mapping[str, str | None], rule: MaskRule) -> Entry:
    image, mask = row["image"], row["mask"]
    if not image or not mask:
        raise SonotuneError(f"folder: {table}: line {line}: image or mask is empty")
    path = Path(image)
    name = str(path.with_name(path.name.removesuffix(".gz")).with_suffix(""))
    group = row.get("group") or name
    number = row.get("slice") or None
    if number is not None:
        if not number.isdecimal():
            raise SonotuneError(f"folder: {table}: line {line}: slice must be 0, 1, ...")
        name = f"{name}_{number}"
    both = row.get("mm_per_pixel")
    return Entry(
        name=name,
        group=group,
        image=table.parent / image,
        masks=(table.parent / mask,),
        rule=rule,
        mm_per_pixel_y=_millimetres(table, line, row.get("mm_per_pixel_y") or both),
        mm_per_pixel_x=_millimetres(table, line, row.get("mm_per_pixel_x") or both),
        slice=None if number is None else int(number),
    )


def _millimetres(table: Path, line: int, text: str | None) -> float | None:
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise SonotuneError(
            f"folder: {table}: line {line}: millimetres per pixel must be a number above 0; found "
            f"{text!r}"
        )
    return number
