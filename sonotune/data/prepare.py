"""From a data set's settings to prepared arrays of one size.

``simulate`` and ``collage`` make originals of their own; all others are files. They are read one by
one, so that a data set never lies in memory at its full size.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from sonotune.data.dataset import save_set
from sonotune.data.image_set import ImageSet
from sonotune.data.mask_profile import find_mask_issues
from sonotune.data.readers import MADE_HERE
from sonotune.data.readers.pixels import LoadedSample, open_samples
from sonotune.data.readers.sample import Sample, shortened
from sonotune.data.resize import target_shape
from sonotune.errors import SonotuneError
from sonotune.runtime.files import read_json
from sonotune.runtime.processors import usable_processors

SPACING = ("mm_per_pixel_y", "mm_per_pixel_x")


def make_originals(
    name: str,
    settings: dict[str, Any],
    folder: str | Path,
    workers: int,
    progress: Callable[[int, int], None] | None = None,
    rests_on: Mapping[str, Any] | None = None,
) -> None:
    """Make a data set that the pipeline makes itself, at its own resolution.

    Parameters
    ----------
    name
        Name of the data set.
    settings
        A data set's configuration: ``reader``, ``images``, ``seed`` and the reader's own.
    folder
        Where to write ``images.npy`` and the others of `sonotune.data.dataset`.
    workers
        Threads; they change the time, never the images.
    progress
        Takes the number that is done and the number of all.
    rests_on
        What ``dataset.json`` keeps under this name (see `sonotune.stale`).
    """
    if settings["reader"] == "simulate":
        from sonotune.simulation.simulate import Simulation, simulate_set

        make = partial(simulate_set, Simulation(**settings["simulate"]))
    else:
        from sonotune.simulation.collage import Collage, collage_set

        make = partial(collage_set, Collage(**settings["collage"]))
    count, seed = settings["images"], settings["seed"]
    images, masks, rows = make(images=count, seed=seed, workers=workers, progress=progress)
    rows = [_row(row, image.shape, image.shape) for row, image in zip(rows, images, strict=True)]
    save_set(folder, ImageSet(images, masks, rows, _about(name, settings, rests_on)))


def folder_of_originals(settings: Mapping[str, Any], first: str | Path) -> Path:
    """The folder that `prepare` reads, from the first of the files that the workflow gives it.

    That is one of the files made here, the ``source.json`` of a published data set, or a file of
    the reader ``folder``, whose paths are relative to the current folder.

    Parameters
    ----------
    settings
        A data set's configuration.
    first
        That file.
    """
    if settings["reader"] in MADE_HERE:
        return Path(first).parent
    return Path(read_json(first)["folder"]) if "catalogue" in settings else Path()


def prepare(
    name: str,
    settings: dict[str, Any],
    size: int,
    folder: str | Path,
    originals: str | Path | None = None,
    workers: int | None = None,
    log: Callable[[str], None] = lambda line: None,
    rests_on: Mapping[str, Any] | None = None,
) -> None:
    """Write a data set's arrays at ``size`` x ``size`` pixels.

    Images are stretched to that, or padded where the settings have ``keep_aspect: true``.
    What was noticed on the way is logged and kept in ``dataset.json``: ``notes`` (how many images
    were converted, and how), ``empty_masks`` (names) and ``duplicates`` (names of images that are
    the same, pixel by pixel).

    Parameters
    ----------
    name
        Name of the data set.
    settings
        A data set's configuration.
    size
        Side in pixels.
    folder
        Folder to write to.
    originals
        The folder of `make_originals` for a data set that is made here; else the folder in which
        the data set lies in its published layout, or, for the reader ``folder``, what the
        configuration's paths are relative to (by default the current folder).
    workers
        Threads that read and resize, by default as many as this process may use; they change the
        time, never the arrays.
    log
        Called with a line for each thing noticed.
    rests_on
        What ``dataset.json`` keeps under this name (see `sonotune.stale`).

    Raises
    ------
    SonotuneError
        If files are missing, unreadable or do not belong together (every such file is listed), or
        all masks are empty or full.
    """
    data = _prepared(name, settings, size, originals or ".", workers or usable_processors())
    for note, count in data.about["notes"].items():
        log(f"{name}: {count} of {len(data.index)} images: {note}")
    if empty := data.about["empty_masks"]:
        log(f"{name}: {len(empty)} masks are empty at {size} x {size} pixels: {', '.join(empty)}")
    for names in data.about["duplicates"]:
        log(f"{name}: the same image: {', '.join(names)}")
    about = {**_about(name, settings, rests_on), **data.about}
    save_set(folder, replace(data, about=about))


def useless_masks(images: int, empty: int, full: int) -> str:
    """Why nothing can be learnt from masks with this many empty or full ones, or an empty text.

    Parameters
    ----------
    images, empty, full
        Numbers of all images, and of those whose mask is empty or full.
    """
    if images and empty + full == images:
        kind = "empty" if not full else "full" if not empty else "empty or full"
        return f"all {images} masks are {kind}"
    return ""


def _prepared(
    name: str, settings: dict[str, Any], size: int, originals: str | Path, workers: int
) -> ImageSet:
    """The data set at its new size, with what was noticed on the way."""
    samples, load = open_samples(settings, originals)
    images = np.empty((len(samples), size, size), np.uint8)
    masks = np.empty_like(images)
    keep_aspect, method = settings.get("keep_aspect", False), settings.get("resize", "area")

    def read(number: int) -> LoadedSample | str:
        try:
            loaded = load(samples[number], size, keep_aspect, method)
        except SonotuneError as error:
            return str(error)
        images[number], masks[number] = loaded.image, loaded.mask
        return replace(loaded, image=images[number], mask=masks[number])

    with ThreadPoolExecutor(workers) as pool:
        results = list(pool.map(read, range(len(samples))))
    if bad := [reason for reason in results if isinstance(reason, str)]:
        raise SonotuneError(
            f"{name}: {len(bad)} of {len(samples)} images cannot be used:\n  " + "\n  ".join(bad)
        )
    named = dict(zip(samples, (one for one in results if not isinstance(one, str)), strict=True))
    # Published sets are read as published; a key says what is meant in one's own.
    if settings["reader"] == "folder":
        _refuse_doubtful(name, named)
    empty = [sample.name for sample, one in named.items() if not one.mask.any()]
    full = sum(bool(one.mask.all()) for one in named.values())
    if useless := useless_masks(len(samples), len(empty), full):
        names = shortened([sample.name for sample in samples])
        raise SonotuneError(f"{name}: {useless} at {size} x {size} pixels: {names}")
    rows, same = [], defaultdict(list)
    for sample, one in named.items():
        after = target_shape(one.original_shape, size, keep_aspect)
        spacing = dict(zip(SPACING, one.mm_per_pixel, strict=True))
        known = {"name": sample.name, "group": sample.group, **spacing}
        rows.append(_row(known, one.original_shape, after))
        same[one.pixels_sha256].append(sample.name)
    noticed = {
        "notes": dict(Counter(note for one in named.values() for note in one.notes)),
        "empty_masks": empty,
        "duplicates": [names for names in same.values() if len(names) > 1],
    }
    return ImageSet(images, masks, rows, noticed)


def _refuse_doubtful(name: str, named: Mapping[Sample, LoadedSample]) -> None:
    profiles = {sample.name: one.profile for sample, one in named.items() if one.profile}
    issues = find_mask_issues(profiles, next(iter(named)).rule, is_own=True)
    if refused := [issue.text for issue in issues if issue.level == "error"]:
        raise SonotuneError(f"{name}: folder:\n  " + "\n  ".join(refused))


def _row(known: dict[str, Any], before: Sequence[int], after: Sequence[int]) -> dict[str, Any]:
    """An index row: the pixel size is that of the resized image."""
    row = {**known, "original_height": before[0], "original_width": before[1]}
    for axis, key in enumerate(SPACING):
        if known[key] is not None:
            row[key] = known[key] * before[axis] / after[axis]
    return row


def _about(
    name: str, settings: dict[str, Any], rests_on: Mapping[str, Any] | None
) -> dict[str, Any]:
    description = {"dataset": name, "source": settings["source"], "settings": settings}
    return {**description, "rests_on": rests_on} if rests_on else description
