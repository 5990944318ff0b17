"""Copies among the images of a data set, and what they mean for a split."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from sonotune.data.duplicates import clusters_of, near_pairs
from sonotune.data.findings import Finding, Level
from sonotune.data.grouping import count_with_duplicate
from sonotune.data.readers.sample import shortened
from sonotune.data.splits import Resampling, split
from sonotune.errors import SonotuneError

# Pairs that a finding spells out; all are in the table.
SPELT_OUT = 20


def exact_duplicates(images: pd.DataFrame) -> tuple[tuple[str, ...], ...]:
    """Names of images that are the same, pixel by pixel.

    Parameters
    ----------
    images
        What is known of each image (`sonotune.data.audit.COLUMNS`).
    """
    alike = images[images.digest != ""].groupby("digest", sort=False).name
    return tuple(tuple(names) for _, names in alike if len(names) > 1)


def near_duplicates(
    images: pd.DataFrame, workers: int
) -> tuple[tuple[tuple[str, str], ...], tuple[tuple[str, ...], ...]]:
    """Pairs that are nearly the same image, though not pixel by pixel, and clusters of copies.

    Images that a chain of pairs joins are one cluster, exact copies among them.

    Parameters
    ----------
    images
        What is known of each image (`sonotune.data.audit.COLUMNS`).
    workers
        Threads; they change the time, never the result.
    """
    kept = images[images.sketch.notna()]
    names, digests = kept.name.tolist(), kept.digest.tolist()
    pairs = near_pairs(kept.sketch.tolist(), workers)
    first = [digests.index(digest) for digest in digests]
    exact = [(one, number) for number, one in enumerate(first) if one != number]
    clusters = clusters_of(len(kept), [*pairs, *exact])
    return (
        tuple((names[a], names[b]) for a, b in pairs if digests[a] != digests[b]),
        tuple(tuple(names[number] for number in numbers) for numbers in clusters),
    )


def duplicate_findings(
    images: pd.DataFrame,
    same: Sequence[tuple[str, ...]],
    near: Sequence[tuple[str, ...]],
) -> Iterator[Finding]:
    """Copies across groups and within them, and those that are marked in different ways.

    Parameters
    ----------
    images
        What is known of each image (`sonotune.data.audit.COLUMNS`).
    same, near
        What `exact_duplicates` and `near_duplicates` give.
    """
    group = dict(zip(images.name, images.group, strict=True))
    marked = dict(zip(images.name, images.foreground, strict=True))
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


def leakage_findings(images: pd.DataFrame, clusters: Sequence[Sequence[str]]) -> Iterator[Finding]:
    """How many test images would have a copy in training.

    Parameters
    ----------
    images
        What is known of each image (`sonotune.data.audit.COLUMNS`).
    clusters
        Names of images that are copies of one another.
    """
    if not clusters:
        return
    row = {name: number for number, name in enumerate(images.name)}
    of_row = {row[name]: names[0] for names in clusters for name in names}
    try:
        shares = []
        for fold in range(5):
            part = split(len(images), Resampling(), 0, 0.8, fold)
            trained = [*part.train.tolist(), *part.validation.tolist()]
            copied = count_with_duplicate(part.test.tolist(), trained, of_row)
            shares.append(copied / len(part.test))
        twins = (
            f"{np.mean(shares):.1%} of test images would have a copy in training with five folds "
            "at 80%; "
        )
    except SonotuneError:  # too few images for five folds
        twins = ""
    text = (
        f"{len(clusters)} cluster{'s' * (len(clusters) != 1)} of copies, the largest of "
        f"{len(max(clusters, key=len))} images; {twins}"
        "`resampling: grouped: duplicates` (or `both`) keeps each cluster on one side"
    )
    yield Finding("note", "clusters of copies", text)


def _same_images(level: Level, kind: str, alike: Sequence[tuple[str, ...]], why: str) -> Finding:
    listed = shortened([" = ".join(names) for names in alike], SPELT_OUT)
    names = tuple(dict.fromkeys(name for names in alike for name in names))
    number = f"{len(alike)} case{'s' * (len(alike) != 1)}"
    return Finding(level, kind, f"{number}; {why}: {listed}", names)
