"""Which files belong together: pairs of images and masks with one stem."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sonotune.errors import SonotuneError


def find_pairs(images: str, masks: str, root: str | Path = ".") -> list[tuple[Path, Path]]:
    """Pair the files of two globs by their stems, in order of the stems.

    A mask's stem may end in ``_mask`` where its image's does not.

    Raises
    ------
    SonotuneError
        If a glob matches nothing, a stem occurs twice, or an image has no mask (or a mask no
        image); the message lists the files.
    """
    found = {}
    for key, pattern in (("images", images), ("masks", masks)):
        files = sorted(path for path in Path(root).glob(pattern) if path.is_file())
        if not files:
            raise SonotuneError(f"folder: {key}: no file matches {pattern!r} in {Path(root)}")
        by_stem: dict[str, Path] = {}
        for path in files:
            stem = path.stem.removesuffix("_mask") if key == "masks" else path.stem
            if stem in by_stem:
                raise SonotuneError(
                    f"folder: {key}: {path} and {by_stem[stem]} have the same stem; each image "
                    "needs one mask of its own name"
                )
            by_stem[stem] = path
        found[key] = by_stem
    if lonely := sorted(found["images"].keys() ^ found["masks"].keys()):
        names = [str(found["images"].get(stem) or found["masks"][stem]) for stem in lonely]
        raise SonotuneError(
            f"folder: {len(names)} files have no partner (an image needs a mask of its own name, "
            f"and the other way round): {', '.join(names[:10])}"
            + (", ..." if len(names) > 10 else "")
        )
    return [(found["images"][stem], found["masks"][stem]) for stem in sorted(found["images"])]


def check_files(config: Mapping[str, Any]) -> None:
    """Refuse to start while files of a data set that a study uses are not there.

    Parameters
    ----------
    config
        A complete configuration.

    Raises
    ------
    SonotuneError
        Naming everything that is missing at once, and where it is looked for.
    """
    used = {name for study in config["studies"].values() for name in study["datasets"]}
    used |= {s["pretraining"]["dataset"] for s in config["studies"].values() if "pretraining" in s}
    missing = []
    for name in sorted(used):
        if config["datasets"][name]["reader"] == "folder":
            try:
                find_pairs(**config["datasets"][name]["folder"])
            except SonotuneError as error:
                missing.append(f"datasets: {name}: {error}")
    if missing:
        raise SonotuneError(
            "These data sets are not there yet:\n  "
            + "\n  ".join(missing)
            + "\nPut the files where the globs look for them (paths are relative to "
            f"{Path.cwd()}), or correct the globs in the configuration."
        )
