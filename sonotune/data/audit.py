"""Errors and suspicious findings in a data set, before a network is trained on it."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sonotune.data.copies import (
    duplicate_findings,
    exact_duplicates,
    leakage_findings,
    near_duplicates,
)
from sonotune.data.findings import Finding
from sonotune.data.inspect import Audit, ImageStats, measure
from sonotune.data.mask_profile import find_mask_issues
from sonotune.data.prepare import useless_masks
from sonotune.data.readers.own_folder import unmatched_files
from sonotune.data.readers.pixels import open_samples
from sonotune.data.readers.sample import shortened
from sonotune.errors import SonotuneError, printable
from sonotune.runtime.processors import usable_processors

# Groups that people write for patients they do not know.
UNKNOWN = ("na", "n/a", "nan", "none", "null", "unknown", "?", "-")
# How spreadsheets shorten long numbers, so that many become one.
SHORTENED = re.compile(r"[0-9]([.,][0-9]+)?E\+[0-9]+", re.IGNORECASE)
# Millimetres between which the side of an image of a body lies.
SIDES = (1.0, 2000.0)
# Share of the image below which an object is hardly one on purpose.
TINY = 0.001


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
        return Audit(name, source, (), (), (), (broken,))
    workers = workers or usable_processors()
    image_stats = measure(samples, load, workers)
    profiles = {stats.name: stats.profile for stats in image_stats if stats.profile is not None}
    same = exact_duplicates(image_stats)
    near, clusters = near_duplicates(image_stats, workers)
    findings = (
        *_file_findings(settings, originals),
        *_image_findings(image_stats),
        *find_mask_issues(profiles, samples[0].rule, settings["reader"] == "folder"),
        *duplicate_findings(image_stats, same, near),
        *leakage_findings(image_stats, clusters),
        *_group_findings(image_stats),
    )
    order = ("error", "warning", "note")
    findings = tuple(sorted(findings, key=lambda finding: order.index(finding.level)))
    return Audit(name, source, image_stats, same, near, findings, clusters)


def _file_findings(settings: Mapping[str, Any], originals: str | Path) -> Iterator[Finding]:
    if settings["reader"] != "folder":
        return
    for kind, count in unmatched_files(Path(originals), **settings["folder"]).items():
        text = f"{count} files {printable(kind)} are beside those that a pattern matches"
        yield Finding("warning", "files that no pattern matches", text)


def _image_findings(image_stats: Sequence[ImageStats]) -> Iterator[Finding]:
    if bad := [stats for stats in image_stats if stats.problem]:
        reasons = "".join(f"\n    {stats.problem}" for stats in bad)
        text = f"{len(bad)} of {len(image_stats)} images:{reasons}"
        yield Finding("error", "cannot be used", text, _names(bad))
    good = [stats for stats in image_stats if not stats.problem]
    empty = [stats for stats in good if stats.foreground == 0]
    full = [stats for stats in good if stats.foreground == 1]
    if useless := useless_masks(len(good), len(empty), len(full)):
        yield Finding("error", "nothing to learn", useless, _names([*empty, *full]))
    tiny = [stats for stats in good if stats.foreground and stats.foreground < TINY]
    plain = [stats for stats in good if stats.grey_least == stats.grey_most]
    beyond = [stats for stats in good if not all(SIDES[0] <= s <= SIDES[1] for s in _sides(stats))]
    number = [o for o in good if o.group != o.name and SHORTENED.fullmatch(o.group)]
    owners = Counter(stats.masks for stats in good)
    shared = [stats for stats in good if stats.masks and owners[stats.masks] > 1]
    for kind, affected, why in (
        ("masks of several images", shared, "another image has the same file as its mask"),
        ("sizes beyond belief", beyond, "by their pixel size, a side is below 1 mm or above 2 m"),
        ("groups that a spreadsheet shortened", number, "several may have become one"),
        ("empty masks", empty, "nothing is marked"),
        ("full masks", full, "everything is marked"),
        ("tiny objects", tiny, f"less than {TINY:.1%} of the image is marked"),
        ("images of one grey value", plain, "they show nothing"),
    ):
        if affected:
            names = _names(affected)
            text = f"{len(names)} of {len(image_stats)} images: {why}: {shortened(names)}"
            yield Finding("warning", kind, text, names)
    shares = [stats.group.casefold() for stats in good]
    for word, count in Counter(shares).items():
        if count > 1 and word in UNKNOWN:
            yield Finding(
                "warning",
                "a group that looks like unknown",
                f"{count} images share the group {word!r}, so they stay together; name their "
                "patients if known",
            )
    for note, count in Counter(note for stats in good for note in stats.notes).items():
        yield Finding("note", "converted", f"{count} of {len(image_stats)} images: {note}")


def _group_findings(image_stats: Sequence[ImageStats]) -> Iterator[Finding]:
    groups = Counter(stats.group for stats in image_stats)
    if several := sum(count > 1 for count in groups.values()):
        yield Finding(
            "note",
            "groups of several images",
            f"{several} of {len(groups)} groups (examinations, patients) have more than one image; "
            "`resampling: grouped: true` keeps a group on one side of every split",
        )


def _sides(stats: ImageStats) -> list[float]:
    """Height and width in millimetres, as far as they are known."""
    sides = ((stats.height, stats.mm_per_pixel_y), (stats.width, stats.mm_per_pixel_x))
    return [pixels * size for pixels, size in sides if pixels and size]


def _names(image_stats: Sequence[ImageStats]) -> tuple[str, ...]:
    return tuple(stats.name for stats in image_stats)
