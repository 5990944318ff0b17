"""BUSI (Al-Dhabyani et al. 2020): breast ultrasound with masks of lesions.

``benign/benign (1).png`` has the mask ``benign (1)_mask.png``, and with several lesions also
``benign (1)_mask_1.png`` and so on. Normal images have empty masks.
"""

import hashlib
from pathlib import Path

from sonotune.data.readers.sample import Sample, join_masks
from sonotune.errors import SonotuneError


def find(
    folder: Path, normal: bool = False, images: int | None = None, seed: int = 0
) -> list[Sample]:
    """List images in order of their class and number; each is a group of its own.

    Parameters
    ----------
    folder
        Holds ``benign/``, ``malignant/`` and ``normal/``, directly or further below.
    normal
        Whether images without a lesion are taken too.
    images
        How many are taken, drawn at random; by default all.
    seed
        Of that draw.

    Raises
    ------
    SonotuneError
        If there are no such files, fewer than `images`, a file occurs twice, or an image or a
        mask is missing.
    """
    name = rf"(?:.*/)?((?:benign|malignant{'|normal' if normal else ''}) \(\d+\))"
    wanted = "benign/benign (1).png with benign (1)_mask.png, malignant/..., normal/..."
    masks = rf"{name}_mask(?:_\d+)?\.png"
    files = join_masks(folder, "busi", rf"{name}\.png", masks, wanted, several=True)
    names = sorted(files, key=_class_and_number)
    if images is not None:
        names = _drawn(names, images, seed)
    return [Sample(name, name, files[name][0], files[name][1:]) for name in names]


def _class_and_number(name: str) -> tuple[str, int]:
    kind, number = name.split()
    return kind, int(number[1:-1])


def _drawn(names: list[str], wanted: int, seed: int) -> list[str]:
    """Some of the names, in their order: those of the smallest hashes with the seed."""
    if not 1 <= wanted <= len(names):
        raise SonotuneError(f"busi: images: must be from 1 to {len(names)}; found {wanted}")

    def rank(name: str) -> bytes:
        return hashlib.sha256(f"{seed}/{name}".encode()).digest()

    taken = set(sorted(names, key=rank)[:wanted])
    return [name for name in names if name in taken]
