"""BUSI (Al-Dhabyani et al. 2020): breast ultrasound with masks of lesions.

``benign/benign (1).png`` has the mask ``benign (1)_mask.png``, and with several lesions also
``benign (1)_mask_1.png`` and so on. Normal images have empty masks.
"""

import hashlib
import re
from pathlib import Path

from sonotune.data.readers.sample import Sample, by_stem, files_below, layout_error, shortened
from sonotune.errors import SonotuneError

_NAME = re.compile(r"((benign|malignant|normal) \((\d+)\))(_mask(_\d+)?)?")


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
    stems: dict[Path, str] = {}
    masks: dict[str, list[Path]] = {}
    order: dict[str, tuple[str, int]] = {}
    files = files_below(folder)
    for path in files:
        match = _NAME.fullmatch(path.stem)
        if path.suffix.lower() != ".png" or match is None or (match[2] == "normal" and not normal):
            continue
        name = match[1]
        order[name] = (match[2], int(match[3]))
        if match[4]:
            masks.setdefault(name, []).append(folder / path)
        else:
            stems[folder / path] = name
    images_by_name = by_stem(stems, "busi")
    if not images_by_name:
        wanted = "benign/benign (1).png with benign (1)_mask.png, malignant/..., normal/..."
        raise layout_error("busi", folder, wanted, files)
    if lonely := sorted(images_by_name.keys() ^ masks.keys()):
        raise SonotuneError(f"busi: {folder}: image or mask is missing of: {shortened(lonely)}")
    names = sorted(images_by_name, key=order.__getitem__)
    if images is not None:
        names = _drawn(names, images, seed)
    return [Sample(name, name, images_by_name[name], tuple(masks[name])) for name in names]


def _drawn(names: list[str], wanted: int, seed: int) -> list[str]:
    """Some of the names, in their order: those of the smallest hashes with the seed."""
    if not 1 <= wanted <= len(names):
        raise SonotuneError(f"busi: images: must be from 1 to {len(names)}; found {wanted}")

    def rank(name: str) -> bytes:
        return hashlib.sha256(f"{seed}/{name}".encode()).digest()

    taken = set(sorted(names, key=rank)[:wanted])
    return [name for name in names if name in taken]
