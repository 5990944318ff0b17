"""Read images and masks from folders: pairs of files with one stem."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from sonotune.errors import SonotuneError


def read_pairs(
    pairs: list[tuple[Path, Path]],
) -> tuple[list[np.ndarray], list[np.ndarray], list[dict[str, Any]]]:
    """Read pairs as grey uint8 images and uint8 0/1 masks of their original sizes.

    A mask's pixel belongs to the object where it is not 0.

    Raises
    ------
    SonotuneError
        Listing every file that cannot be read or whose mask has another size.
    """
    images, masks, rows, bad = [], [], [], []
    for image_path, mask_path in pairs:
        image, mask = (_read_grey(path) for path in (image_path, mask_path))
        if image is None or mask is None:
            bad.append(f"{image_path if image is None else mask_path}: cannot be read")
        elif image.shape != mask.shape:
            bad.append(f"{mask_path}: {mask.shape} where its image is {image.shape}")
        else:
            images.append(image)
            masks.append((mask > 0).astype(np.uint8))
            rows.append(
                {
                    "name": image_path.stem,
                    "group": image_path.stem,
                    "mm_per_pixel_y": None,
                    "mm_per_pixel_x": None,
                }
            )
    if bad:
        raise SonotuneError("folder: these files cannot be used:\n  " + "\n  ".join(bad))
    return images, masks, rows


def _read_grey(path: Path) -> np.ndarray | None:
    # Not cv2.imread: it cannot open every path that Python can.
    data = np.frombuffer(path.read_bytes(), np.uint8)
    return cv2.imdecode(data, cv2.IMREAD_GRAYSCALE) if len(data) else None
