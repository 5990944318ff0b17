"""Copies among the images of a data set, and what they mean for a split."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from sonotune.data.duplicates import clusters_of, near_pairs
from sonotune.data.findings import Finding, Level
from sonotune.data.grouping import count_with_duplicate
from sonotune.data.inspect import ImageStats
from sonotune.data.readers.sample import shortened
from sonotune.data.splits import Resampling, split
from sonotune.errors import SonotuneError

# Pairs that a finding spells out; all are in the table.
SPELT_OUT = 20


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
    shares = []
    try:
        for fold in range(5):
            part = split(len(image_stats), Resampling(), 0, 0.8, fold)
            trained = [*part.train.tolist(), *part.validation.tolist()]
            copied = count_with_duplicate(part.test.tolist(), trained, of_row)
            shares.append(copied / len(part.test))
    except SonotuneError:
        return None
    return float(np.mean(shares))


def duplicate_findings(
    image_stats: Sequence[ImageStats],
    same: Sequence[tuple[str, ...]],
    near: Sequence[tuple[str, ...]],
) -> Iterator[Finding]:
    """Copies across groups and within them, and those that are marked in different ways.

    Parameters
    ----------
    image_stats
        What each image is like.
    same, near
        What `exact_duplicates` and `near_duplicates` give.
    """
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


def leakage_findings(
    image_stats: Sequence[ImageStats], clusters: Sequence[Sequence[str]]
) -> Iterator[Finding]:
    """How many test images would have a copy in training.

    Parameters
    ----------
    image_stats
        What each image is like.
    clusters
        Names of images that are copies of one another.
    """
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
