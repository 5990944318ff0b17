"""Errors and suspicious findings in a data set, before a network is trained on it."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from sonotune.data.duplicates import clusters_of, near_pairs
from sonotune.data.grouping import count_with_duplicate
from sonotune.data.inspect import ImageSource, ImageStats
from sonotune.data.masks import find_mask_issues
from sonotune.data.prepare import useless_masks
from sonotune.data.readers.own_folder import unmatched_files
from sonotune.data.readers.sample import MaskRule, shortened
from sonotune.data.splits import Resampling, split
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
# Pairs that a finding spells out; all are in the table.
SPELT_OUT = 20

Level = Literal["error", "warning", "note"]


@dataclass(frozen=True)
class Finding:
    """An error (training would be meaningless), something suspicious, or a note.

    Attributes
    ----------
    level
        ``error``, ``warning`` or ``note``.
    kind
        A few words, the same for every data set.
    text
        What was found, one sentence.
    names
        The images concerned; empty if it concerns the data set.
    """

    level: Level
    kind: str
    text: str
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Audit:
    """A data set's images, duplicates among them, and the findings.

    Attributes
    ----------
    dataset
        Name of the data set.
    source
        What its images are.
    image_stats
        Statistics of each image.
    same
        Names of images that are the same, pixel by pixel, in groups.
    near
        Pairs of names that are not, but nearly.
    findings
        What follows, errors first.
    clusters
        Names of images that are copies of one another, exact or not.
    """

    dataset: str
    source: str
    image_stats: tuple[ImageStats, ...]
    same: tuple[tuple[str, ...], ...]
    near: tuple[tuple[str, str], ...]
    findings: tuple[Finding, ...]
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
    name: str,
    settings: Mapping[str, Any],
    originals: str | Path = ".",
    workers: int | None = None,
) -> tuple[Audit, ImageSource | None]:
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
    audit
        Also of a data set that cannot be used: what is wrong is among its findings.
    image_source
        To read images again; None if not even the files' names make sense.
    """
    source = str(settings.get("source", name))
    try:
        image_source = ImageSource(settings, originals)
    except SonotuneError as error:
        broken = Finding("error", "files do not form a data set", str(error))
        return Audit(name, source, (), (), (), (broken,)), None
    workers = workers or usable_processors()
    image_stats = image_source.measure(workers)
    same = exact_duplicates(image_stats)
    near, clusters = near_duplicates(image_stats, workers)
    findings = (
        *_file_findings(settings, originals),
        *_image_findings(image_stats),
        *_mask_findings(image_stats, image_source.rule, settings),
        *_duplicate_findings(image_stats, same, near),
        *_leakage_findings(image_stats, clusters),
        *_group_findings(image_stats),
    )
    order = ("error", "warning", "note")
    findings = tuple(sorted(findings, key=lambda finding: order.index(finding.level)))
    return Audit(name, source, image_stats, same, near, findings, clusters), image_source


def errors_of(audit: Audit) -> str:
    """One message with every error and every file concerned; empty where there is none.

    Parameters
    ----------
    audit
        What the audit found.
    """
    lines = [f"{finding.kind}: {finding.text}" for finding in audit.of_level("error")]
    return f"{audit.dataset}: " + "\n  ".join(lines) if lines else ""


def exact_duplicates(image_stats: Sequence[ImageStats]) -> tuple[tuple[str, ...], ...]:
    """Names of images that are the same, pixel by pixel.

    Parameters
    ----------
    image_stats
        What each image is like.
    """
    alike = defaultdict(list)
    for stats in image_stats:
        if stats.digest:
            alike[stats.digest].append(stats.name)
    return tuple(tuple(names) for names in alike.values() if len(names) > 1)


def near_duplicates(
    image_stats: Sequence[ImageStats], workers: int
) -> tuple[tuple[tuple[str, str], ...], tuple[tuple[str, ...], ...]]:
    """Pairs that are nearly the same image, though not pixel by pixel, and clusters of copies.

    Images that a chain of pairs joins are one cluster, exact copies among them.

    Parameters
    ----------
    image_stats
        What each image is like.
    workers
        Threads; they change the time, never the result.
    """
    kept = [stats for stats in image_stats if stats.sketch is not None]
    pairs = near_pairs([stats.sketch for stats in kept if stats.sketch is not None], workers)
    first: dict[str, int] = {}
    exact = [
        (first[stats.digest], number)
        for number, stats in enumerate(kept)
        if first.setdefault(stats.digest, number) != number
    ]
    clusters = clusters_of(len(kept), [*pairs, *exact])
    return (
        tuple((kept[a].name, kept[b].name) for a, b in pairs if kept[a].digest != kept[b].digest),
        tuple(tuple(kept[number].name for number in numbers) for numbers in clusters),
    )


def duplicates_in_training(
    image_stats: Sequence[ImageStats], clusters: Sequence[Sequence[str]]
) -> float | None:
    """Share of test images with a copy in training, in five ungrouped folds of 80 %.

    Parameters
    ----------
    image_stats
        What each image is like.
    clusters
        Names of images that are copies of one another.

    Returns
    -------
    float or None
        None where there are too few images for five folds.
    """
    row = {stats.name: number for number, stats in enumerate(image_stats)}
    of_row = {row[name]: names[0] for names in clusters for name in names}
    resampling = Resampling()
    try:
        folds = [
            split(len(image_stats), resampling, 0, 0.8, fold) for fold in range(resampling.folds)
        ]
    except SonotuneError:
        return None
    shares = [
        count_with_duplicate(
            fold.test.tolist(), [*fold.train.tolist(), *fold.validation.tolist()], of_row
        )
        / len(fold.test)
        for fold in folds
    ]
    return float(np.mean(shares))


def _mask_findings(
    image_stats: Sequence[ImageStats], rule: MaskRule, settings: Mapping[str, Any]
) -> Iterator[Finding]:
    """Masks that can hardly have been meant; an error where a key can say that they are."""
    profiles = {stats.name: stats.profile for stats in image_stats if stats.profile is not None}
    for doubt in find_mask_issues(profiles, rule):
        refused = doubt.refused and settings["reader"] == "folder"
        yield Finding("error" if refused else "warning", doubt.kind, doubt.text, doubt.names)


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


def _duplicate_findings(
    image_stats: Sequence[ImageStats],
    same: Sequence[tuple[str, ...]],
    near: Sequence[tuple[str, ...]],
) -> Iterator[Finding]:
    group = {stats.name: stats.group for stats in image_stats}
    marked = {stats.name: stats.foreground for stats in image_stats}
    for kind, alike in (("exact duplicates", same), ("near duplicates", near)):
        apart = [names for names in alike if len({group[name] for name in names}) > 1]
        together = [names for names in alike if names not in apart]
        if apart:
            why = (
                "one may be trained on and the other tested; "
                "`resampling: grouped: duplicates` or `both` prevents it"
            )
            yield _same_images("warning", f"{kind} across groups", apart, why)
        if together:
            why = "`resampling: grouped: true` keeps a group on one side of every split"
            yield _same_images("note", f"{kind} within groups", together, why)
    if differ := [names for names in same if len({marked[name] for name in names}) > 1]:
        why = "the same image is marked in different ways"
        yield _same_images("warning", "one image, several masks", differ, why)


def _leakage_findings(
    image_stats: Sequence[ImageStats], clusters: Sequence[Sequence[str]]
) -> Iterator[Finding]:
    if not clusters:
        return
    share = duplicates_in_training(image_stats, clusters)
    largest = max(clusters, key=len)
    twins = "" if share is None else f"{share:.1%} of test images would have a copy in training "
    text = (
        f"{len(clusters)} cluster{'s' * (len(clusters) != 1)} of copies, the largest of "
        f"{len(largest)} images; {twins}{'with five folds at 80%; ' if twins else ''}"
        "`resampling: grouped: duplicates` (or `both`) keeps each cluster on one side"
    )
    yield Finding("note", "clusters of copies", text)


def _same_images(level: Level, kind: str, alike: Sequence[tuple[str, ...]], why: str) -> Finding:
    listed = shortened([" = ".join(names) for names in alike], SPELT_OUT)
    names = tuple(dict.fromkeys(name for names in alike for name in names))
    number = f"{len(alike)} case{'s' * (len(alike) != 1)}"
    return Finding(level, kind, f"{number}; {why}: {listed}", names)


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
