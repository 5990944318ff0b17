"""Published data sets whose images lie in one folder and their masks, of one stem, in another."""

from pathlib import Path

from sonotune.data.readers.sample import MaskRule, Sample, join_masks

# XPIE's masks are seen without their suffix; the others as their loaders name them.
# Images and masks: their folder, or nothing where both share one, and their suffixes.
LAYOUTS = {
    "bus_b": (("original", ".png"), ("GT", ".png")),
    "xpie": (("Images", ".jpg .jpeg"), ("Grounds", ".png .bmp .jpg")),
    "ecssd": (("images", ".jpg .jpeg"), ("ground_truth_mask", ".png")),
    "duts": (("DUTS-TR-Image", ".jpg .jpeg"), ("DUTS-TR-Mask", ".png")),
    "msra10k": (("", ".jpg .jpeg"), ("", ".png")),
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
    wanted, patterns = [], []
    for name, suffixes in LAYOUTS[layout]:
        wanted.append(f"{name and f'{name}/'}*({suffixes})")
        endings = suffixes.replace(".", r"\.").replace(" ", "|")
        patterns.append(rf"(?:.*/)?{name and f'{name}/(?:.*/)?'}([^/]+)(?:{endings})")
    images, masks = patterns
    files = join_masks(folder, layout, images, masks, " and ".join(wanted))
    rule = MaskRule("threshold", 128)
    return [Sample(name, name, paths[0], paths[1:], rule) for name, paths in files.items()]
