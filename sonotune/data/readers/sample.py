"""What a reader knows of one image before a pixel is read, and how folders are searched."""

import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from sonotune.errors import SonotuneError, printable


@dataclass(frozen=True)
class MaskRule:
    """Which pixels of a mask's file belong to the object.

    Attributes
    ----------
    kind
        ``nonzero``: grey value not 0. ``threshold``: grey value of at least `value`.
        ``label``: grey value equal to `value`, or one of several. ``ellipse``: the interior of
        the ellipse that is fitted to the pixels that are not 0. ``hull``: the convex hulls of the
        outer contours of those pixels.
    value
        Grey value of ``threshold``, or one or several of ``label``, 0 to 255.
    inverted
        Whether the object is what the rule leaves out. False says so on purpose; None is not
        inverted either, but doubted if masks look like background.
    alpha
        Whether opacity is looked at instead of grey values.
    """

    kind: str = "nonzero"
    value: float | tuple[int, ...] = 0
    inverted: bool | None = None
    alpha: bool = False

    @property
    def labels(self) -> tuple[int, ...]:
        """The values of the rule ``label``."""
        return self.value if isinstance(self.value, tuple) else (int(self.value),)


@dataclass(frozen=True)
class Sample:
    """One image of a data set, with its masks.

    Attributes
    ----------
    name
        Unique in its data set.
    group
        Examination or patient; images of one group are not independent.
    image
        File of the image.
    masks
        Files whose union is the object; empty for an image without one.
    rule
        Which pixels of the mask's files belong to the object.
    mm_per_pixel
        Height and width of the file's own pixels; None where unknown, or where only the file tells.
    slice
        Which slice or page of the files, counted from 0; None if they have only one.
    notes
        What was noticed while the entry was listed.
    """

    name: str
    group: str
    image: Path
    masks: tuple[Path, ...]
    rule: MaskRule = MaskRule()
    mm_per_pixel: tuple[float, float] | None = None
    slice: int | None = None
    notes: tuple[str, ...] = ()


def files_below(folder: Path) -> list[Path]:
    """All files below a folder, relative to it and sorted; without hidden ones and `__MACOSX`.

    Parameters
    ----------
    folder
        Folder to list.
    """
    paths = []
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name[0] != "." and name != "__MACOSX"]
        inside = Path(parent).relative_to(folder)
        paths += [inside / name for name in files if name[0] != "."]
    return sorted(paths)


def join_masks(
    folder: Path,
    reader: str,
    images: str,
    masks: str,
    wanted: str,
    several: bool = False,
) -> dict[str, tuple[Path, ...]]:
    """The files of a published layout by their names: each image, followed by its masks.

    Parameters
    ----------
    folder
        Folder of the originals, to which the patterns' paths are relative.
    reader
        Name of the reader, for errors.
    images, masks
        Regular expressions of paths, in any case; the first group is the image's name. Files that
        both match are masks.
    wanted
        What is looked for, in words.
    several
        Whether an image may have several masks.

    Raises
    ------
    SonotuneError
        If there are no such files, two of them have one name, or an image or a mask is missing.
    """
    files = files_below(folder)
    found: tuple[dict[str, list[Path]], ...] = ({}, {})
    names: dict[str, str] = {}
    for path in files:
        for part, pattern in ((1, masks), (0, images)):
            if match := re.fullmatch(pattern, path.as_posix(), re.IGNORECASE):
                key = match[1].casefold()
                found[part].setdefault(key, []).append(folder / path)
                names[key] = match[1]
                break
    if not all(found):
        kinds = Counter((str(path.parent), path.suffix or "no suffix") for path in files)
        lines = [f"{parent}: {count} x {kind}" for (parent, kind), count in sorted(kinds.items())]
        present = "\n    ".join(lines[:12] + ["..."] * (len(lines) > 12)) or "nothing"
        raise SonotuneError(
            f"{reader}: {folder} is laid out in a way that this reader does not know\n"
            f"  looked for: {wanted}\n"
            f"  found: {present if folder.is_dir() else 'no such folder'}"
        )
    for paths in chain(*(part.values() for part in found[: 1 if several else 2])):
        if len(paths) > 1:
            raise SonotuneError(
                f"{reader}: {printable(paths[1])} and {printable(paths[0])} have the same stem; "
                "each image needs one mask of its own name"
            )
    if lonely := sorted(names[key] for key in found[0].keys() ^ found[1].keys()):
        raise SonotuneError(
            f"{reader}: {folder}: image or mask is missing of: {shortened(map(printable, lonely))}"
        )
    every = {names[key]: (*found[0][key], *found[1][key]) for key in found[0]}
    return dict(sorted(every.items()))


def pair(
    images: Mapping[str, Path],
    masks: Mapping[str, Path],
    reader: str,
    endings: tuple[str, ...] = (),
) -> list[tuple[str, Path, Path]]:
    """Join images and masks by their stems, in order of the stems.

    A mask's stem may also be its image's with one of some `endings`; where no other image or mask
    is called alike, case does not count.

    Parameters
    ----------
    images, masks
        Files by stem.
    reader
        Name of the reader, for errors.
    endings
        What a mask's stem has after its image's.

    Raises
    ------
    SonotuneError
        Naming the files that have no partner, or two masks of one image.
    """
    partners: dict[str, Path] = {}
    lonely = []
    by_case: dict[str, list[str]] = {}
    for stem in images:
        by_case.setdefault(stem.casefold(), []).append(stem)
    # A mask of exactly its image's name comes first.
    for stem, mask in sorted(masks.items(), key=lambda item: item[0] not in images):
        short = next((e for e in endings if stem.casefold().endswith(e)), "")
        tried = (stem, stem[: len(stem) - len(short)])
        alike = [candidate for name in tried for candidate in by_case.get(name.casefold(), [])]
        image = next((candidate for candidate in tried if candidate in images), None)
        if image is None and len(set(alike)) == 1:
            image = alike[0]
        if image is None:
            lonely.append(mask)
        elif image in partners:
            raise SonotuneError(
                f"{reader}: {printable(partners[image])} and {printable(mask)} are both masks of "
                f"{printable(image)}; each image needs one mask of its own name"
            )
        else:
            partners[image] = mask
    lonely += [image for stem, image in images.items() if stem not in partners]
    if lonely:
        ending = f" or of that and an ending such as {endings[0]}" if endings else ""
        raise SonotuneError(
            f"{reader}: {len(lonely)} files have no partner (an image needs a mask of its own "
            f"name{ending}, and the other way round): {shortened(sorted(map(printable, lonely)))}"
        )
    return [(stem, images[stem], partners[stem]) for stem in sorted(images)]


def by_stem(stems: Mapping[Path, str], reader: str) -> dict[str, Path]:
    """Files by their stems.

    Parameters
    ----------
    stems
        Stem of each file.
    reader
        Name of the reader, for errors.

    Raises
    ------
    SonotuneError
        If two files have one stem.
    """
    by_name: dict[str, Path] = {}
    for path, stem in stems.items():
        if stem in by_name:
            raise SonotuneError(
                f"{reader}: {printable(path)} and {printable(by_name[stem])} have the same stem; "
                "each image needs one mask of its own name"
            )
        by_name[stem] = path
    return by_name


def shortened(names: Iterable[str], most: int = 10) -> str:
    """Names, separated by commas, the first few of many.

    Parameters
    ----------
    names
        The names.
    most
        How many are written out.
    """
    names = list(names)
    return ", ".join(names[:most]) + (f", ... ({len(names)} in all)" if len(names) > most else "")
