"""SCR (van Ginneken et al. 2006): lungs in the chest radiographs of JSRT.

How the published archives are laid out is not documented, so files are known by JSRT's names,
``JPCLN001`` to ``JPCNN093``, wherever they lie, and a mask by the words on its path.
"""

import re
from pathlib import Path

from sonotune.data.formats import RASTER
from sonotune.data.readers.sample import (
    MaskRule,
    Sample,
    by_stem,
    files_below,
    layout_error,
    shortened,
)
from sonotune.errors import SonotuneError

_NAME = re.compile(r"(JPC[LN]N\d{3})", re.IGNORECASE)
_OTHER_ORGANS = ("heart", "clavicle")


def find(folder: Path, images: int | None = None) -> list[Sample]:
    """List radiographs in order of their names; masks are the union of both lungs.

    A mask is a file with ``lung`` on its path (folders or name), or, if there is none, with
    ``mask``; files with ``heart`` or ``clavicle`` are left out. In a mask, the object is what is
    at least half bright.

    Parameters
    ----------
    folder
        Folder of the originals.
    images
        How many are taken, the first by name; by default all (247).

    Raises
    ------
    SonotuneError
        If there are no such files, fewer than `images`, two images of one name, or an image
        without a mask.
    """
    files = files_below(folder)
    stems: dict[Path, str] = {}
    lungs: dict[str, list[Path]] = {}
    masks: dict[str, list[Path]] = {}
    for path in files:
        match, words = _NAME.search(path.stem), str(path).lower()
        if not match or path.suffix.lower() not in RASTER:
            continue
        name = match[1].upper()
        if any(organ in words for organ in _OTHER_ORGANS):
            continue
        if "lung" in words:
            lungs.setdefault(name, []).append(folder / path)
        elif "mask" in words:
            masks.setdefault(name, []).append(folder / path)
        else:
            stems[folder / path] = name
    pictures = by_stem(stems, "scr")
    masks = lungs or masks
    if not pictures or not masks:
        wanted = (
            "images JPCLN001 ... JPCNN093 anywhere, and masks of these names with 'lung' or "
            "'mask' in their folder or name"
        )
        raise layout_error("scr", folder, wanted, files)
    if bare := sorted(pictures.keys() ^ masks.keys()):
        raise SonotuneError(f"scr: {folder}: image or lung mask is missing of: {shortened(bare)}")
    names = sorted(pictures)
    if images is not None and images > len(names):
        raise SonotuneError(f"scr: images: {images} are wanted, {folder} has {len(names)}")
    rule = MaskRule("threshold", 128)
    return [Sample(name, name, pictures[name], tuple(masks[name]), rule) for name in names[:images]]
