"""Anybody's own images: two globs, or a table of files."""

from __future__ import annotations

import glob
import hashlib
import math
import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sonotune.data.formats import SUFFIXES, is_image
from sonotune.data.names import as_text, check_groups, find_file, stem_of, without_suffix
from sonotune.data.readers.sample import MaskRule, Sample, by_stem, pair, shortened
from sonotune.data.tables import has_column, read_number, read_table
from sonotune.errors import SonotuneError, printable

OPTIONAL = ("group", "slice", "mm_per_pixel_y", "mm_per_pixel_x", "mm_per_pixel")
MASK_ENDINGS = tuple(
    f"{mark}{word}{plural}"
    for mark in "_- ."
    for word in ("mask", "gt", "seg", "segmentation", "label", "annotation")
    for plural in ("", "s")
)
# What file managers leave in a folder.
CLUTTER = ("thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r")
PATIENT = "PatientID"


def find(
    folder: Path,
    images: str | None = None,
    masks: str | None = None,
    csv: str | None = None,
    threshold: float | None = None,
    label: int | Sequence[int] | None = None,
    inverted: bool | None = None,
    alpha: bool = False,
    group: str | None = None,
) -> list[Sample]:
    """List the pairs of two globs, or the rows of a CSV.

    Parameters
    ----------
    folder
        What globs and `csv` are relative to.
    images, masks
        Globs; the case of a suffix does not count. An image and its mask have one stem; the
        mask's may end in one of `MASK_ENDINGS`. Where stems are there twice, folders count too.
        What both match is a mask.
    csv
        A table with the columns image and mask (paths relative to the table), and, if known,
        group, mm_per_pixel_y and mm_per_pixel_x, or mm_per_pixel for both; slice chooses one of a
        file of several (counted from 0).
    threshold, label
        The object is where a mask's grey value is at least `threshold`, or equals `label` (or
        one of several); by default where it is not 0. A 1-bit mask has the values 0 and 255.
    inverted
        Whether the object is everything else; false says on purpose that it is not.
    alpha
        Whether the object is drawn in a mask's opacity.
    group
        A regular expression that the names of images match; what its parentheses hold is the
        group. ``PatientID`` takes that of DICOM files, of which only a hash is kept.

    Raises
    ------
    SonotuneError
        If both or neither are given, a glob or a path matches no file, files do not pair, an
        image is its own mask, a name does not match `group`, or the table is not as described.
    """
    if (csv is None) == (images is None and masks is None) or (images is None) != (masks is None):
        raise SonotuneError("folder: needs either images and masks, two globs, or csv, a table")
    rule = _rule(threshold, label, inverted, alpha)
    if csv is not None:
        samples = _from_table(folder / csv, rule, group)
        where = f"folder: {printable(folder / csv)}"
    else:
        assert images is not None
        assert masks is not None
        samples = _from_globs(folder, images, masks, rule)
        where = "folder: group"
    if group is not None:
        samples = [_grouped(sample, folder, group) for sample in samples]
    if group is not None or csv is not None:
        check_groups([sample.group for sample in samples if sample.group != sample.name], where)
    return samples


def _rule(
    threshold: float | None,
    label: int | Sequence[int] | None,
    inverted: bool | None,
    alpha: bool,
) -> MaskRule:
    if threshold is not None and label is not None:
        raise SonotuneError("folder: threshold and label exclude each other; give one")
    for key, given in (("inverted", inverted), ("alpha", alpha)):
        if not isinstance(given, bool | None):
            raise SonotuneError(f"folder: {key}: must be true or false; found {given!r}")
    if threshold is not None:
        if isinstance(threshold, bool) or not isinstance(threshold, int | float):
            raise SonotuneError(f"folder: threshold: must be a number; found {threshold!r}")
        return MaskRule("threshold", threshold, inverted, alpha)
    if label is not None:
        given_labels = label if isinstance(label, list | tuple) else [label]
        if not given_labels:
            raise SonotuneError("folder: label: the list is empty; name at least one value")
        labels = tuple(_whole("label", value) for value in given_labels)
        return MaskRule("label", labels, inverted, alpha)
    return MaskRule(inverted=inverted, alpha=alpha)


def _whole(key: str, number: object) -> int:
    if isinstance(number, bool) or not isinstance(number, int):
        raise SonotuneError(f"folder: {key}: must be a whole number; found {number!r}")
    return number


def other_files(folder: Path, csv: str | None = None, **_: object) -> list[Path]:
    """The table, if there is one.

    Parameters
    ----------
    folder
        What the table's path is relative to.
    csv
        Path of the table, or None.
    **_
        Options of the reader that do not matter here.
    """
    return [folder / csv] if csv else []


def has_groups(folder: Path, **options: Any) -> bool:
    """Whether a table or a pattern says of two images that they belong together.

    Parameters
    ----------
    folder
        What the table's path is relative to.
    **options
        The reader's options.
    """
    table = options.get("csv")
    try:
        if "group" not in options and not (table and has_column(folder / table, "group")):
            return False
        groups = [sample.group for sample in find(folder, **options)]
    except (SonotuneError, TypeError):  # said where files are looked for
        return False
    return len(set(groups)) < len(groups)


def unmatched_files(
    folder: Path, images: str | None = None, masks: str | None = None, **_: object
) -> dict[str, int]:
    """How many image files of each kind lie beside those that the globs match.

    Parameters
    ----------
    folder
        What the globs are relative to.
    images, masks
        Globs of the images and of the masks.
    **_
        Options of the reader that do not matter here.
    """
    beside: Counter[str] = Counter()
    for pattern in filter(None, (images, masks)):
        matched = set(_matching(folder, pattern))
        for parent in {path.parent for path in matched}:
            others = {parent / name for name in os.listdir(parent)} - matched
            beside.update(
                f"{parent / '*'}{path.suffix or ' (no suffix)'}"
                for path in others
                if path.name[0] != "." and path.is_file() and is_image(path)
            )
    all_masks = set(_matching(folder, masks)) if masks else set()
    all_images = set(_matching(folder, images)) if images else set()
    # Images and masks in one folder lie beside each other.
    together = {path.parent for path in all_masks} & {path.parent for path in all_images}
    return {} if together else dict(sorted(beside.items()))


def _matching(folder: Path, pattern: str) -> list[Path]:
    """Files that a glob matches, whatever the case of their suffix.

    Raises
    ------
    SonotuneError
        If one is a link to nothing: left out, its image would be missed by nobody.
    """
    known = next((ending for ending in SUFFIXES if pattern.lower().endswith(ending)), "")
    suffix = known or Path(pattern).suffix
    if suffix.removeprefix(".").replace(".", "").isalnum():
        any_case = "".join(
            f"[{letter.lower()}{letter.upper()}]" if letter.isalpha() else letter
            for letter in suffix
        )
        pattern = pattern[: -len(suffix)] + any_case
    # Not Path.glob, which refuses absolute patterns.
    matches = glob.glob(str(Path(glob.escape(str(folder))) / pattern), recursive=True)
    files = [path for path in map(Path, matches) if path.name.lower() not in CLUTTER]
    if broken := [path for path in files if not path.exists()]:
        raise SonotuneError(
            f"folder: {pattern!r} matches links to files that are not there: "
            f"{shortened(sorted(map(printable, broken)))}"
        )
    return sorted((path for path in files if path.is_file()), key=as_text)


def _from_globs(folder: Path, images: str, masks: str, rule: MaskRule) -> list[Sample]:
    matches = {}
    for key, pattern in (("images", images), ("masks", masks)):
        matches[key] = _matching(folder, pattern)
        if not matches[key]:
            raise SonotuneError(
                f"folder: {key}: no file matches {pattern!r} in {printable(folder)}"
                f"{_describe_folder(folder, pattern)}"
            )
    drawn = set(matches["masks"])
    matches["images"] = [path for path in matches["images"] if path not in drawn]
    if not matches["images"]:
        raise SonotuneError("folder: images and masks match the same files; masks are files apart")
    names = [{path: stem_of(path) for path in matches[key]} for key in ("images", "masks")]
    if any(len(set(stems.values())) < len(stems) for stems in names):
        # Folders tell apart what file names do not, such as those of patients.
        with_folders = [_below_common(files) for files in matches.values()]
        if all("/" in name for stems in with_folders for name in stems.values()):
            names = with_folders
    pairs = pair(
        by_stem(names[0], "folder: images"),
        by_stem(names[1], "folder: masks"),
        "folder",
        MASK_ENDINGS,
    )
    return [
        Sample(name=stem, group=stem, image=image, masks=(mask,), rule=rule)
        for stem, image, mask in pairs
    ]


def _below_common(files: Sequence[Path]) -> dict[Path, str]:
    common = Path(os.path.commonpath([path.parent for path in files]))
    return {path: without_suffix(path.relative_to(common).as_posix()) for path in files}


def _describe_folder(folder: Path, pattern: str) -> str:
    """What lies in the folder of a pattern that matches nothing."""
    parent = (folder / pattern).parent
    if "*" in str(parent) or not parent.is_dir():
        return ""
    kinds = Counter(path.suffix or "no suffix" for path in parent.iterdir() if path.is_file())
    lying = ", ".join(f"{count} x {printable(kind)}" for kind, count in kinds.most_common(5))
    return f"; there: {lying}" if lying else "; the folder is empty"


def _grouped(sample: Sample, folder: Path, pattern: str) -> Sample:
    """An entry with the group that a pattern finds in its name, or in a DICOM file."""
    if not isinstance(pattern, str):
        raise SonotuneError(f"folder: group: must be text; found {pattern!r}")
    if pattern == PATIENT:
        from sonotune.data.decode import group_by_patient

        patient = group_by_patient(sample.image)
        number = hashlib.sha256(patient.encode()).hexdigest()[:12]
        return _with_group(sample, f"patient-{number}")
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise SonotuneError(
            f"folder: group: {pattern!r} is no regular expression ({error})"
        ) from None
    if not compiled.groups:
        raise SonotuneError(
            f"folder: group: {pattern!r} has no parentheses around what names the group; write, "
            'for instance, "(P[0-9]+)_.*"'
        )
    path = without_suffix(os.path.relpath(sample.image, folder))
    match = compiled.fullmatch(sample.name) or compiled.fullmatch(path)
    if match is None or not any(match.groups()):
        raise SonotuneError(
            f"folder: group: the name {printable(sample.name)} does not match {pattern!r}; every "
            "image needs a group"
        )
    return _with_group(sample, "_".join(filter(None, match.groups())))


def _with_group(sample: Sample, group: str) -> Sample:
    return Sample(**{**vars(sample), "group": group})


def _from_table(path: Path, rule: MaskRule, group: str | None) -> list[Sample]:
    table = read_table(path, ("image", "mask"), OPTIONAL, "folder")
    columns = table[0][1]
    if group is not None and "group" in columns:
        raise SonotuneError(f"folder: {printable(path)}: has a column group; remove the key group")
    missing: list[str] = []
    rows = [_entry(path, line, row, rule, missing) for line, row in table]
    if missing:
        hint = "; a backslash is read as /" if any("\\" in text for text in missing) else ""
        raise SonotuneError(
            f"folder: {printable(path)}: there is no file "
            f"{shortened(map(printable, missing))}{hint}"
        )
    for (line, _), sample in zip(table, rows, strict=True):
        if os.path.normpath(sample.image) in map(os.path.normpath, sample.masks):
            raise SonotuneError(
                f"folder: {printable(path)}: line {line}: image and mask are the same file"
            )
    names = Counter(row.name for row in rows)
    # Two spellings of one path are one image.
    files = [(os.path.normpath(row.image), row.slice) for row in rows]
    counts = Counter(files)
    if twice := sorted(
        {
            row.name
            for row, file in zip(rows, files, strict=True)
            if names[row.name] > 1 or counts[file] > 1
        }
    ):
        raise SonotuneError(
            f"folder: {printable(path)}: these images are named twice: "
            f"{shortened(map(printable, twice))}"
        )
    return rows


def _entry(
    table: Path, line: int, row: Mapping[str, str], rule: MaskRule, missing: list[str]
) -> Sample:
    where = f"folder: {printable(table)}: line {line}"
    if not row["image"] or not row["mask"]:
        raise SonotuneError(f"{where}: image or mask is empty")
    files = []
    for text in (row["image"], row["mask"]):
        file = find_file(table.parent, text)
        if file is None:
            missing.append(str(table.parent / text))
        files.append(file or table.parent / text)
    name = without_suffix(row["image"])
    group = re.sub(r"\s+", " ", row.get("group", ""))
    if "group" in row and not group:
        raise SonotuneError(
            f"{where}: group is empty; name the patient or examination of every image, or remove "
            "the column"
        )
    group = group or name
    number = row.get("slice") or None
    if number is not None:
        if not re.fullmatch("[0-9]{1,9}", number):
            raise SonotuneError(f"{where}: slice must be 0, 1, ...; found {printable(number)!r}")
        name = f"{name}_{int(number)}"
    both = row.get("mm_per_pixel", "")
    given = (row.get("mm_per_pixel_y") or both, row.get("mm_per_pixel_x") or both)
    sizes = [_millimetres(where, text) for text in given]
    notes: tuple[str, ...] = ()
    if any(given) and None in sizes:
        sizes = [None, None]
        notes = ("pixel size not known: the table's is no length",)
    return Sample(
        name=name,
        group=group,
        image=files[0],
        masks=(files[1],),
        rule=rule,
        mm_per_pixel_y=sizes[0],
        mm_per_pixel_x=sizes[1],
        slice=None if number is None else int(number),
        notes=notes,
    )


def _millimetres(where: str, text: str) -> float | None:
    """A length, or None for a number that is none.

    Raises
    ------
    SonotuneError
        If it is no number.
    """
    if not text:
        return None
    try:
        number = read_number(text)
    except ValueError:
        hint = "; write a point before decimals" if re.fullmatch(r"\d+,\d+", text) else ""
        raise SonotuneError(
            f"{where}: millimetres per pixel must be a number; found {printable(text)!r}{hint}"
        ) from None
    return number if 0 < number < math.inf else None
