"""Prepared arrays: a data set as two memory-mapped arrays and an index.

A folder holds ``images.npy`` (uint8 [N,H,W]), ``masks.npy`` (uint8 0/1 [N,H,W]), ``index.csv``
(one row an image, `COLUMNS`) and ``dataset.json`` (name, source, settings, hashes).
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sonotune.data.grouping import groups_for
from sonotune.errors import SonotuneError
from sonotune.runtime.files import atomic, read_json, write_json
from sonotune.runtime.run_record import file_digest, seal

DUPLICATES_FILE = "duplicates.csv"
FILES = ("images.npy", "masks.npy", "index.csv", "dataset.json")
COLUMNS = (
    "row",
    "name",
    "group",
    "original_height",
    "original_width",
    "mm_per_pixel_y",
    "mm_per_pixel_x",
    "sha256",
)


@dataclass(frozen=True)
class ImageSet:
    """A prepared data set.

    Attributes
    ----------
    images
        uint8 [N,H,W], 0 to 255.
    masks
        uint8 [N,H,W], 0 or 1.
    index
        One dict an image with `COLUMNS`; millimetres a pixel are None where unknown.
    about
        What ``dataset.json`` holds.
    folder
        Where it was opened; None for one that is still to be written.
    """

    images: np.ndarray
    masks: np.ndarray
    index: list[dict[str, Any]]
    about: dict[str, Any]
    folder: Path | None = None

    def groups_for(self, grouped: bool | str) -> list[str]:
        """The group of each image, as a study's key ``resampling: grouped`` asks for.

        Raises
        ------
        SonotuneError
            If the file of near-duplicates is needed and not there, or does not fit.
        """
        # Beside the folders of the sizes in which a data set is prepared.
        clusters = None if self.folder is None else self.folder.parent / DUPLICATES_FILE
        return groups_for(grouped, self.names, self.groups, clusters)

    @property
    def groups(self) -> list[str]:
        """The group (examination, patient) of each image."""
        return [row["group"] for row in self.index]

    @property
    def names(self) -> list[str]:
        """The name of each image."""
        return [row["name"] for row in self.index]


def save_set(folder: str | Path, data: ImageSet) -> None:
    """Write a prepared data set; each file appears whole, ``dataset.json`` last."""
    folder = Path(folder)
    _check(folder, data.images, data.masks, len(data.index))
    for name, array in (("images", data.images), ("masks", data.masks)):
        with atomic(folder / f"{name}.npy") as temporary:
            np.save(temporary, array, allow_pickle=False)
    with (
        atomic(folder / "index.csv") as temporary,
        temporary.open("w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(
            {
                **row,
                "row": number,
                "sha256": hashlib.sha256(image.tobytes() + mask.tobytes()).hexdigest(),
            }
            for number, (row, image, mask) in enumerate(
                zip(data.index, data.images, data.masks, strict=True)
            )
        )
    about = {
        **data.about,
        "images": len(data.images),
        "images_sha256": hashlib.sha256(np.ascontiguousarray(data.images).data).hexdigest(),
        "masks_sha256": hashlib.sha256(np.ascontiguousarray(data.masks).data).hexdigest(),
        "index_sha256": file_digest(folder / "index.csv"),
    }
    about.pop("sha256", None)
    write_json(folder / "dataset.json", {**about, "sha256": seal(about)})


def load_set(folder: str | Path) -> ImageSet:
    """Open a prepared data set; the arrays are memory-mapped, and writing to them changes no file.

    Raises
    ------
    SonotuneError
        If a file is missing, damaged, or does not fit the others.
    """
    folder = Path(folder)
    # What is looked at, for the message.
    name = "images.npy"
    try:
        images = np.load(folder / name, mmap_mode="c", allow_pickle=False)
        name = "masks.npy"
        masks = np.load(folder / name, mmap_mode="c", allow_pickle=False)
        name = "index.csv"
        with (folder / name).open(newline="", encoding="utf-8") as file:
            index = [_typed(row) for row in csv.DictReader(file)]
        name = "dataset.json"
        about = read_json(folder / name)
        told = {key: about[key] for key in ("images_sha256", "masks_sha256", "index_sha256")}
        told["sha256"] = about.pop("sha256")
    except (OSError, ValueError, KeyError, TypeError, EOFError) as error:
        raise SonotuneError(
            f"{folder}: the prepared data set cannot be read ({name}: {error}); delete the "
            "folder and run again to prepare it anew"
        ) from None
    _check(folder, images, masks, len(index))
    found = {
        "images_sha256": hashlib.sha256(images.data).hexdigest(),
        "masks_sha256": hashlib.sha256(masks.data).hexdigest(),
        "index_sha256": file_digest(folder / "index.csv"),
        "sha256": seal(about),
    }
    if damaged := [FILES[i] for i, key in enumerate(found) if found[key] != told[key]]:
        raise SonotuneError(
            f"{folder}: {', '.join(damaged)} changed after being written; delete the folder and "
            "run again to prepare it anew"
        )
    return ImageSet(images, masks, index, about, folder)


def _typed(row: dict[str, str]) -> dict[str, Any]:
    return {
        **row,
        "row": int(row["row"]),
        "original_height": int(row["original_height"]),
        "original_width": int(row["original_width"]),
        "mm_per_pixel_y": float(row["mm_per_pixel_y"]) if row["mm_per_pixel_y"] else None,
        "mm_per_pixel_x": float(row["mm_per_pixel_x"]) if row["mm_per_pixel_x"] else None,
    }


def _check(folder: Path, images: np.ndarray, masks: np.ndarray, rows: int) -> None:
    if (
        images.dtype != np.uint8
        or masks.dtype != np.uint8
        or images.ndim != 3
        or images.shape != masks.shape
        or len(images) != rows
    ):
        raise SonotuneError(
            f"{folder}: images are {images.dtype} {images.shape}, masks {masks.dtype} "
            f"{masks.shape}, the index has {rows} rows; all must be uint8 [N,H,W] of one shape "
            "with a row an image: delete the folder and run again"
        )


def median_row(data: ImageSet, rows: Sequence[int] | None = None) -> int:
    """Of these rows, or of all, that of the image whose object has the median area."""
    chosen = np.arange(len(data.masks)) if rows is None else np.asarray(rows)
    areas = np.array([int(data.masks[row].sum()) for row in chosen])
    return int(chosen[np.argsort(areas, kind="stable")[(len(areas) - 1) // 2]])
