"""SCR (van Ginneken et al. 2006): lungs in the chest radiographs of JSRT.

How the published archives are laid out is not documented, so files are known by JSRT's names,
``JPCLN001`` to ``JPCNN093``, wherever they lie, and a mask by the words on its path.
"""

import re
from pathlib import Path

from sonotune.data.formats import RASTER
from sonotune.data.readers.sample import MaskRule, Sample, files_below, join_masks
from sonotune.errors import SonotuneError


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
    file = rf"(?:.*/)?[^/]*(JPC[LN]N\d{{3}})[^/]*(?:{'|'.join(map(re.escape, RASTER))})"
    no_other_organ = "(?!.*(?:heart|clavicle))"
    lungs = f"{no_other_organ}(?=.*lung){file}"
    is_lung = re.compile(lungs, re.IGNORECASE)
    if not any(is_lung.fullmatch(path.as_posix()) for path in files_below(folder)):
        lungs = f"{no_other_organ}(?=.*mask){file}"
    wanted = (
        "images JPCLN001 ... JPCNN093 anywhere, and masks of these names with 'lung' or 'mask' in "
        "their folder or name"
    )
    pictures = f"(?!.*(?:heart|clavicle|lung|mask)){file}"
    found = join_masks(folder, "scr", pictures, lungs, wanted, several=True)
    if images is not None and images > len(found):
        raise SonotuneError(f"scr: images: {images} are wanted, {folder} has {len(found)}")
    rule = MaskRule("threshold", 128)
    files = list(found.items())[:images]
    return [Sample(name.upper(), name.upper(), paths[0], paths[1:], rule) for name, paths in files]
