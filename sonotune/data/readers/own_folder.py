"""Anybody's own images: two globs, or a table of files."""

import glob
import hashlib
import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from sonotune.data.formats import SUFFIXES, is_image
from sonotune.data.names import as_text, check_groups, stem_of, without_suffix
from sonotune.data.readers.own_table import samples_of_table
from sonotune.data.readers.sample import MaskRule, Sample, by_stem, pair, shortened
from sonotune.data.tables import has_column
from sonotune.errors import SonotuneError, printable

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
    if threshold is not None and label is not None:
        raise SonotuneError("folder: threshold and label exclude each other; give one")
    rule = MaskRule(inverted=inverted, alpha=alpha)
    if threshold is not None:
        rule = replace(rule, kind="threshold", value=threshold)
    elif label is not None:
        labels = (label,) if isinstance(label, int) else tuple(label)
        rule = replace(rule, kind="label", value=labels)
    where = "folder: group"
    if csv is None and images is not None and masks is not None:
        samples = _from_globs(folder, images, masks, rule)
    elif csv is not None and images is None and masks is None:
        samples = samples_of_table(folder / csv, rule, group)
        where = f"folder: {printable(folder / csv)}"
    else:
        raise SonotuneError("folder: needs either images and masks, two globs, or csv, a table")
    if group is not None:
        samples = _grouped(samples, folder, group)
    if group is not None or csv is not None:
        check_groups([sample.group for sample in samples if sample.group != sample.name], where)
    return samples


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

    Slices of one file do, unless a column ``group`` says otherwise.

    Parameters
    ----------
    folder
        What the table's path is relative to.
    **options
        The reader's options.
    """
    table = options.get("csv")
    try:
        told = [c for c in ("group", "slice") if table and has_column(folder / table, c)]
        if "group" not in options and not told:
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
    found = [set(_matching(folder, pattern)) for pattern in (images, masks) if pattern]
    folders = [{path.parent for path in files} for files in found]
    # Images and masks in one folder lie beside each other.
    if not found or set.intersection(*folders):
        return {}
    beside = Counter(
        f"{parent / '*'}{path.suffix or ' (no suffix)'}"
        for files, parents in zip(found, folders, strict=True)
        for parent in parents
        for path in set(parent.iterdir()) - files
        if path.name[0] != "." and path.is_file() and is_image(path)
    )
    return dict(sorted(beside.items()))


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
        with_folders = []
        for files in matches.values():
            common = os.path.commonpath([path.parent for path in files])
            below = {path: path.relative_to(common).as_posix() for path in files}
            with_folders.append({path: without_suffix(name) for path, name in below.items()})
        if all("/" in name for stems in with_folders for name in stems.values()):
            names = with_folders
    stems = by_stem(names[0], "folder: images"), by_stem(names[1], "folder: masks")
    pairs = pair(stems[0], stems[1], "folder", MASK_ENDINGS)
    return [Sample(stem, stem, image, (mask,), rule) for stem, image, mask in pairs]


def _describe_folder(folder: Path, pattern: str) -> str:
    """What lies in the folder of a pattern that matches nothing."""
    parent = (folder / pattern).parent
    if "*" in str(parent) or not parent.is_dir():
        return ""
    kinds = Counter(path.suffix or "no suffix" for path in parent.iterdir() if path.is_file())
    lying = ", ".join(f"{count} x {printable(kind)}" for kind, count in kinds.most_common(5))
    return f"; there: {lying}" if lying else "; the folder is empty"


def _grouped(samples: Sequence[Sample], folder: Path, pattern: str) -> list[Sample]:
    """Entries with the groups that a pattern finds in their names, or in DICOM files."""
    if pattern == PATIENT:
        from sonotune.data.decode import group_by_patient

        patients = [group_by_patient(sample.image).encode() for sample in samples]
        groups = [f"patient-{hashlib.sha256(patient).hexdigest()[:12]}" for patient in patients]
    else:
        regex = _compiled(pattern)
        groups = []
        for sample in samples:
            path = without_suffix(os.path.relpath(sample.image, folder))
            match = regex.fullmatch(sample.name) or regex.fullmatch(path)
            parts = list(filter(None, match.groups())) if match else []
            if not parts:
                raise SonotuneError(
                    f"folder: group: the name {printable(sample.name)} does not match "
                    f"{pattern!r}; every image needs a group"
                )
            groups.append("_".join(parts))
    return [replace(sample, group=group) for sample, group in zip(samples, groups, strict=True)]


def _compiled(pattern: str) -> re.Pattern[str]:
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
    return compiled
