"""What a reader knows of one image before a pixel is read, and how folders are searched."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sonotune.errors import SonotuneError

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp")


@dataclass(frozen=True)
class MaskRule:
    """Which pixels of a mask's file belong to the object.

    Attributes
    ----------
    kind
        ``nonzero``: grey value not 0. ``threshold``: grey value of at least `value`.
        ``label``: grey value equal to `value`. ``ellipse``: the interior of the ellipse that is
        fitted to the pixels that are not 0.
    """

    kind: str = "nonzero"
    value: int = 0


@dataclass(frozen=True)
class Entry:
    """One image of a data set, with its masks.

    Attributes
    ----------
    name
        Unique in its data set.
    group
        Examination or patient; images of one group are not independent.
    masks
        Files whose union is the object; empty for an image without one.
    mm_per_pixel_y, mm_per_pixel_x
        Of the file's own pixels; None where unknown, or where only the file tells.
    slice
        Which slice or page of the files, counted from 0; None if they have only one.
    """

    name: str
    group: str
    image: Path
    masks: tuple[Path, ...]
    rule: MaskRule = MaskRule()
    mm_per_pixel_y: float | None = None
    mm_per_pixel_x: float | None = None
    slice: int | None = None


def files_below(folder: Path) -> list[Path]:
    """All files below a folder, relative to it and sorted; without hidden ones and `__MACOSX`."""
    found = []
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name[0] != "." and name != "__MACOSX"]
        inside = Path(parent).relative_to(folder)
        found += [inside / name for name in files if name[0] != "."]
    return sorted(found)


def pair(
    images: Mapping[str, Path], masks: Mapping[str, Path], reader: str
) -> list[tuple[str, Path, Path]]:
    """Join images and masks by their stems, in order of the stems.

    Raises
    ------
    SonotuneError
        Naming the files that have no partner.
    """
    lonely = [str(images.get(stem) or masks[stem]) for stem in sorted(images.keys() ^ masks.keys())]
    if lonely:
        raise SonotuneError(
            f"{reader}: {len(lonely)} files have no partner (an image needs a mask of its own "
            f"name, and the other way round): {shortened(lonely)}"
        )
    return [(stem, images[stem], masks[stem]) for stem in sorted(images)]


def by_stem(files: Iterable[Path], reader: str, suffix: str = "") -> dict[str, Path]:
    """Files by stem, without `suffix` at its end.

    Raises
    ------
    SonotuneError
        If two files have one stem.
    """
    found: dict[str, Path] = {}
    for path in files:
        stem = path.stem.removesuffix(".nii").removesuffix(suffix)
        if stem in found:
            raise SonotuneError(
                f"{reader}: {path} and {found[stem]} have the same stem; each image needs one "
                "mask of its own name"
            )
        found[stem] = path
    return found


def another_layout(reader: str, folder: Path, wanted: str, files: Iterable[Path]) -> SonotuneError:
    """The error for a folder that is not laid out as a reader expects."""
    kinds = Counter((str(path.parent), path.suffix or "no suffix") for path in files)
    lines = [f"{parent}: {count} x {kind}" for (parent, kind), count in sorted(kinds.items())]
    found = "\n    ".join(lines[:12] + ["..."] * (len(lines) > 12)) or "nothing"
    if not folder.is_dir():
        found = "no such folder"
    return SonotuneError(
        f"{reader}: {folder} is laid out in a way that this reader does not know\n"
        f"  looked for: {wanted}\n  found: {found}"
    )


def shortened(names: Iterable[str], most: int = 10) -> str:
    """Names, separated by commas, the first few of many."""
    names = list(names)
    return ", ".join(names[:most]) + (f", ... ({len(names)} in all)" if len(names) > most else "")
