"""Errors and suspicious findings in a data set, before a network is trained on it."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, get_args

import cv2
import numpy as np
import pandas as pd

from sonotune.data.copies import (
    duplicate_findings,
    exact_duplicates,
    leakage_findings,
    near_duplicates,
)
from sonotune.data.duplicates import sketch
from sonotune.data.findings import Finding, Level
from sonotune.data.mask_profile import find_mask_issues
from sonotune.data.prepare import useless_masks
from sonotune.data.readers.own_folder import unmatched_files
from sonotune.data.readers.pixels import LoadedSample, open_samples
from sonotune.data.readers.sample import Sample, shortened
from sonotune.errors import SonotuneError, printable
from sonotune.runtime.processors import usable_processors

# What is known of each image: its files for people; pixels of the file, millimetres per pixel; grey
# values, 0 to 255; share that is marked; number of parts of the mask; what was done to read it; a
# digest that equal images share; what tells its copies (None if it is all of one grey); what the
# mask's files hold; why it cannot be used (else an empty text).
COLUMNS = (
    *("read", "name", "group", "image", "masks"),
    *("height", "width", "mm_per_pixel_y", "mm_per_pixel_x"),
    *("grey_least", "grey_mean", "grey_most", "foreground", "components"),
    *("notes", "digest", "sketch", "profile", "problem"),
)
# Groups that people write for patients they do not know.
UNKNOWN = ("na", "n/a", "nan", "none", "null", "unknown", "?", "-")
# How spreadsheets shorten long numbers, so that many become one.
SHORTENED = re.compile(r"[0-9]([.,][0-9]+)?E\+[0-9]+", re.IGNORECASE)
# Millimetres between which the side of an image of a body lies.
SIDES = (1.0, 2000.0)
# Share of the image below which an object is hardly one on purpose.
TINY = 0.001


@dataclass(frozen=True)
class Audit:
    """A data set's images, duplicates among them, and the findings.

    Attributes
    ----------
    dataset
        Name of the data set.
    source
        What its images are.
    images
        One row per image, with `COLUMNS`; None where an image cannot be read.
    findings
        What follows, errors first.
    same
        Names of images that are the same, pixel by pixel, in groups.
    near
        Pairs of names that are not, but nearly.
    clusters
        Names of images that are copies of one another, exact or not.
    """

    dataset: str
    source: str
    images: pd.DataFrame
    findings: tuple[Finding, ...]
    same: tuple[tuple[str, ...], ...] = ()
    near: tuple[tuple[str, str], ...] = ()
    clusters: tuple[tuple[str, ...], ...] = ()

    @property
    def verdict(self) -> str:
        """How much is wrong, in words: 1 error, 2 warnings."""
        counts = {level: len(self.of_level(level)) for level in get_args(Level)[:2]}
        return ", ".join(f"{n} {level}{'s' * (n != 1)}" for level, n in counts.items())

    def of_level(self, level: Level) -> list[Finding]:
        """The findings of one level.

        Parameters
        ----------
        level
            ``error``, ``warning`` or ``note``.
        """
        return [finding for finding in self.findings if finding.level == level]


def audit_dataset(
    name: str, settings: Mapping[str, Any], originals: str | Path = ".", workers: int | None = None
) -> Audit:
    """Look at every image of a data set and judge what is found.

    Parameters
    ----------
    name
        Name of the data set.
    settings
        A data set's configuration: ``reader``, ``source`` and the reader's options.
    originals
        As for `sonotune.data.prepare.prepare`.
    workers
        Threads that read; by default as many as this process may use.

    Returns
    -------
    Audit
        Also of a data set that cannot be used: what is wrong is among its findings.
    """
    source = str(settings.get("source", name))
    try:
        samples, load = open_samples(settings, originals)
    except SonotuneError as error:
        broken = Finding("error", "files do not form a data set", str(error))
        return Audit(name, source, pd.DataFrame(columns=list(COLUMNS)), (broken,))
    workers = workers or usable_processors()
    images = _measure(samples, load, workers)
    profiles = {
        name: profile
        for name, profile in zip(images.name, images.profile, strict=True)
        if profile is not None
    }
    same = exact_duplicates(images)
    near, clusters = near_duplicates(images, workers)
    findings = (
        *_file_findings(settings, originals),
        *_image_findings(images),
        *find_mask_issues(profiles, samples[0].rule, settings["reader"] == "folder"),
        *duplicate_findings(images, same, near),
        *leakage_findings(images, clusters),
        *_group_findings(images),
    )
    findings = tuple(sorted(findings, key=lambda finding: get_args(Level).index(finding.level)))
    return Audit(name, source, images, findings, same, near, clusters)


def _measure(
    samples: Sequence[Sample], load: Callable[[Sample], LoadedSample], workers: int
) -> pd.DataFrame:
    """Look at all images of a data set; of each, only what `COLUMNS` say stays in memory."""

    def look_at(sample: Sample) -> dict[str, Any]:
        which = "" if sample.slice is None else f"[{sample.slice}]"
        row = {
            "read": partial(load, sample),
            "name": sample.name,
            "group": sample.group,
            "image": f"{printable(sample.image)}{which}",
            "masks": "; ".join(f"{printable(mask)}{which}" for mask in sample.masks),
            "notes": (),
            "digest": "",
            "problem": "",
        }
        try:
            loaded = load(sample)
        except SonotuneError as error:
            return {**row, "problem": str(error)}
        image, mask = loaded.image, loaded.mask
        return {
            **row,
            **dict(zip(("height", "width"), image.shape, strict=True)),
            **dict(zip(("mm_per_pixel_y", "mm_per_pixel_x"), loaded.mm_per_pixel, strict=True)),
            "grey_least": int(image.min()),
            "grey_mean": float(image.mean()),
            "grey_most": int(image.max()),
            "foreground": float(mask.mean()),
            "components": cv2.connectedComponents(np.ascontiguousarray(mask))[0] - 1,
            "notes": loaded.notes,
            "digest": loaded.pixels_sha256,
            "sketch": sketch(image) if image.min() < image.max() else None,
            "profile": loaded.profile,
        }

    with ThreadPoolExecutor(workers) as pool:
        rows = [{**dict.fromkeys(COLUMNS), **row} for row in pool.map(look_at, samples)]
    return pd.DataFrame(rows, dtype=object)


def _file_findings(settings: Mapping[str, Any], originals: str | Path) -> Iterator[Finding]:
    if settings["reader"] != "folder":
        return
    for kind, count in unmatched_files(Path(originals), **settings["folder"]).items():
        text = f"{count} files {printable(kind)} are beside those that a pattern matches"
        yield Finding("warning", "files that no pattern matches", text)


def _image_findings(images: pd.DataFrame) -> Iterator[Finding]:
    bad, good = images[images.problem != ""], images[images.problem == ""]
    if len(bad):
        reasons = "".join(f"\n    {problem}" for problem in bad.problem)
        text = f"{len(bad)} of {len(images)} images:{reasons}"
        yield Finding("error", "cannot be used", text, tuple(bad.name))
    empty, full = good.foreground == 0, good.foreground == 1
    if useless := useless_masks(len(good), sum(empty), sum(full)):
        names = (*good.name[empty], *good.name[full])
        yield Finding("error", "nothing to learn", useless, names)
    shared = (good.masks != "") & good.masks.duplicated(keep=False)
    spacing = good[["mm_per_pixel_y", "mm_per_pixel_x"]].to_numpy(float)
    sides = good[["height", "width"]].to_numpy(float) * spacing  # NaN where it is not known
    beyond = ((sides < SIDES[0]) | (sides > SIDES[1])).any(axis=1)
    number = (good.group != good.name) & good.group.map(SHORTENED.fullmatch).astype(bool)
    tiny = (good.foreground > 0) & (good.foreground < TINY)
    plain = good.grey_least == good.grey_most
    for kind, affected, why in (
        ("masks of several images", shared, "another image has the same file as its mask"),
        ("sizes beyond belief", beyond, "by their pixel size, a side is below 1 mm or above 2 m"),
        ("groups that a spreadsheet shortened", number, "several may have become one"),
        ("empty masks", empty, "nothing is marked"),
        ("full masks", full, "everything is marked"),
        ("tiny objects", tiny, f"less than {TINY:.1%} of the image is marked"),
        ("images of one grey value", plain, "they show nothing"),
    ):
        if names := tuple(good.name[affected]):
            text = f"{len(names)} of {len(images)} images: {why}: {shortened(names)}"
            yield Finding("warning", kind, text, names)
    for word, count in Counter(good.group.map(str.casefold)).items():
        if count > 1 and word in UNKNOWN:
            yield Finding(
                "warning",
                "a group that looks like unknown",
                f"{count} images share the group {word!r}, so they stay together; name their "
                "patients if known",
            )
    for note, count in Counter(note for notes in good.notes for note in notes).items():
        yield Finding("note", "converted", f"{count} of {len(images)} images: {note}")


def _group_findings(images: pd.DataFrame) -> Iterator[Finding]:
    groups = Counter(images.group)
    if several := sum(count > 1 for count in groups.values()):
        yield Finding(
            "note",
            "groups of several images",
            f"{several} of {len(groups)} groups (examinations, patients) have more than one image; "
            "`resampling: grouped: true` keeps a group on one side of every split",
        )
