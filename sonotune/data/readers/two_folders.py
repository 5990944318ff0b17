"""Published data sets whose images lie in one folder and their masks, of one stem, in another."""

from dataclasses import dataclass
from pathlib import Path

from sonotune.data.names import stem_of
from sonotune.data.readers.sample import (
    MaskRule,
    Sample,
    by_stem,
    files_below,
    layout_error,
    pair,
)


@dataclass(frozen=True)
class Layout:
    """Names of the two folders, or None where images and masks share one, and suffixes.

    Attributes
    ----------
    images, masks
        Names of the two folders, or None where images and masks share one.
    image_suffixes, mask_suffixes
        Suffixes of their files, lower case.
    """

    images: str | None
    masks: str | None
    image_suffixes: tuple[str, ...] = (".jpg", ".jpeg")
    mask_suffixes: tuple[str, ...] = (".png",)


# XPIE's masks are seen without their suffix; the others as their loaders name them.
LAYOUTS = {
    "bus_b": Layout("original", "GT", image_suffixes=(".png",)),
    "xpie": Layout("Images", "Grounds", mask_suffixes=(".png", ".bmp", ".jpg")),
    "ecssd": Layout("images", "ground_truth_mask"),
    "duts": Layout("DUTS-TR-Image", "DUTS-TR-Mask"),
    "msra10k": Layout(None, None),
}


def find(folder: Path, layout: str) -> list[Sample]:
    """List a data set of `LAYOUTS` in order of the names; each image is a group of its own.

    The folders may lie anywhere below `folder`. In a mask, the object is what is at least half
    bright: some of these sets have smooth edges.

    Parameters
    ----------
    folder
        Folder of the originals.
    layout
        Key of `LAYOUTS`.

    Raises
    ------
    SonotuneError
        If the files are not there, a stem occurs twice, or an image or a mask is missing.
    """
    how = LAYOUTS[layout]
    files = files_below(folder)
    images = [folder / f for f in files if _lies_in(f, how.images, how.image_suffixes)]
    masks = [folder / f for f in files if _lies_in(f, how.masks, how.mask_suffixes)]
    if not images or not masks:
        wanted = " and ".join(
            f"{'/'.join(filter(None, [name, '*']))}({' '.join(suffixes)})"
            for name, suffixes in (
                (how.images, how.image_suffixes),
                (how.masks, how.mask_suffixes),
            )
        )
        raise layout_error(layout, folder, wanted, files)
    images_by_stem, masks_by_stem = (
        by_stem({file: stem_of(file) for file in files}, layout) for files in (images, masks)
    )
    pairs = pair(images_by_stem, masks_by_stem, layout)
    rule = MaskRule("threshold", 128)
    return [Sample(stem, stem, image, (mask,), rule) for stem, image, mask in pairs]


def _lies_in(file: Path, name: str | None, suffixes: tuple[str, ...]) -> bool:
    parents = [part.lower() for part in file.parts[:-1]]
    return file.suffix.lower() in suffixes and (name is None or name.lower() in parents)
