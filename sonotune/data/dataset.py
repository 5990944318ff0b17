"""Prepared arrays: a data set as two memory-mapped arrays and an index.

A folder holds ``images.npy`` (uint8 [N,H,W]), ``masks.npy`` (uint8 0/1 [N,H,W]), ``index.csv``
(one row per image, `COLUMNS`) and ``dataset.json`` (name, source, settings, hashes).
"""

import csv
import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from sonotune.data.image_set import ImageSet
from sonotune.errors import SonotuneError
from sonotune.runtime.files import atomic, read_json, write_csv, write_json
from sonotune.runtime.run_record import file_digest, seal

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


def save_set(folder: str | Path, data: ImageSet) -> None:
    """Write a prepared data set; each file appears whole, ``dataset.json`` last.

    Parameters
    ----------
    folder
        Folder to write to; made if it is missing.
    data
        The data set.
    """
    folder = Path(folder)
    _check(folder, data.images, data.masks, len(data.index))
    for name, array in (("images", data.images), ("masks", data.masks)):
        with atomic(folder / f"{name}.npy") as temporary:
            np.save(temporary, array, allow_pickle=False)
    rows = [
        {**row, "row": number, "sha256": _digest(image.tobytes() + mask.tobytes())}
        for number, (row, image, mask) in enumerate(
            zip(data.index, data.images, data.masks, strict=True)
        )
    ]
    write_csv(folder / "index.csv", COLUMNS, rows)
    description = {
        **data.about,
        "images": len(data.images),
        "images_sha256": _digest(np.ascontiguousarray(data.images).data),
        "masks_sha256": _digest(np.ascontiguousarray(data.masks).data),
        "index_sha256": file_digest(folder / "index.csv"),
    }
    description.pop("sha256", None)
    write_json(folder / "dataset.json", {**description, "sha256": seal(description)})


def load_set(folder: str | Path) -> ImageSet:
    """Open a prepared data set; the arrays are memory-mapped, and writing to them changes no file.

    Parameters
    ----------
    folder
        Folder of a prepared data set.

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
        description = read_json(folder / name)
        told = {key: description[key] for key in ("images_sha256", "masks_sha256", "index_sha256")}
        told["sha256"] = description.pop("sha256")
    except (OSError, ValueError, KeyError, TypeError, EOFError) as error:
        raise SonotuneError(
            f"{folder}: the prepared data set cannot be read ({name}: {error}); delete the "
            "folder and run again to prepare it"
        ) from None
    _check(folder, images, masks, len(index))
    digests = {
        "images_sha256": _digest(images.data),
        "masks_sha256": _digest(masks.data),
        "index_sha256": file_digest(folder / "index.csv"),
        "sha256": seal(description),
    }
    if damaged := [FILES[i] for i, key in enumerate(digests) if digests[key] != told[key]]:
        raise SonotuneError(
            f"{folder}: {', '.join(damaged)} changed after being written; delete the folder and "
            "run again to prepare it"
        )
    return ImageSet(images, masks, index, description, folder)


def _digest(content: bytes | memoryview) -> str:
    return hashlib.sha256(content).hexdigest()


def _typed(row: dict[str, str]) -> dict[str, Any]:
    whole = {key: int(row[key]) for key in ("row", "original_height", "original_width")}
    spacing = ("mm_per_pixel_y", "mm_per_pixel_x")
    return {**row, **whole, **{key: float(row[key]) if row[key] else None for key in spacing}}


def _check(folder: Path, images: np.ndarray, masks: np.ndarray, rows: int) -> None:
    of_bytes = images.dtype == masks.dtype == np.uint8
    if not of_bytes or images.ndim != 3 or images.shape != masks.shape or len(images) != rows:
        raise SonotuneError(
            f"{folder}: images are {images.dtype} {images.shape}, masks {masks.dtype} "
            f"{masks.shape}, the index has {rows} rows; all must be uint8 [N,H,W] of one shape "
            "with one row of the index per image: delete the folder and run again"
        )
