"""Table I: the number of images in every set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from sonotune.data.split_file import count_near_duplicates, read_counts
from sonotune.layout import format_percent
from sonotune.report.display_options import DisplayOptions
from sonotune.report.names import dataset_title, in_words, source_notes
from sonotune.report.tables import DASH, Entry, Head, HeadRow, Row, Table


def table(
    splits: str | Path, audit_duplicates: Mapping[str, str | Path], display: DisplayOptions
) -> tuple[pd.DataFrame, Table]:
    """Table I, one value per row, and in the paper's layout.

    Parameters
    ----------
    splits
        ``splits.json`` of a study.
    audit_duplicates
        Near-duplicates that the audit of each data set found.
    display
        Titles of the data sets, in the order of the rows; its strategies are not used.

    Returns
    -------
    DataFrame, Table
        What `count_images` gives, with ``source``, what stands behind the data set's name.
    """
    counts = read_counts(splits)
    sources = {row["dataset"]: row["source"] for row in counts}
    images = count_images([row for row in counts if row["dataset"] in display.datasets])
    twins = count_near_duplicates(splits, audit_duplicates)
    data = images.assign(source=images["dataset"].map(sources))
    return data, describe_table1(images, display.datasets, sources, twins)


def count_images(counts: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Sizes of the sets, one value per row.

    Parameters
    ----------
    counts
        One mapping a (dataset, fraction, fold): dataset, size, fraction, fold, training,
        validation, test.

    Returns
    -------
    DataFrame
        dataset, part (all, training, validation, test), fraction (empty for all and test), images
        (in the first of the folds whose test set is largest, as Table I prints), fewest and most
        (over folds). Data sets in the order in which they appear, fractions falling.
    """
    sizes = pd.DataFrame(counts)
    sizes = sizes[sizes["fraction"] > 0]
    rows: list[dict[str, Any]] = []
    for dataset, own in sizes.groupby("dataset", sort=False):
        largest = own.sort_values(["test", "fold"], ascending=[False, True])["fold"].iloc[0]
        fractions = sorted(own["fraction"].unique(), reverse=True)
        parts = [(part, fraction) for fraction in fractions for part in ("training", "validation")]
        for part, fraction in (("all", None), *parts, ("test", None)):
            here = own if fraction is None else own[own["fraction"] == fraction]
            numbers = here["size" if part == "all" else part]
            row = {"dataset": dataset, "part": part, "fraction": fraction}
            row["images"] = int(numbers[here["fold"] == largest].iloc[0])
            rows.append(row | {"fewest": int(numbers.min()), "most": int(numbers.max())})
    return pd.DataFrame(rows)


def describe_table1(
    images: pd.DataFrame,
    datasets: Mapping[str, str],
    sources: Mapping[str, str],
    twins: Mapping[str, tuple[int, int]],
) -> Table:
    """Table I in the paper's layout.

    Parameters
    ----------
    images
        What `count_images` gives.
    datasets
        Title of each data set, in the order of the rows.
    sources
        Which data set really stands behind each name.
    twins
        By data set, how many of how many test images have a near-duplicate in training.
    """
    fractions = sorted(images["fraction"].dropna().unique(), reverse=True)
    columns = [(part, fraction) for fraction in fractions for part in ("training", "validation")]
    display = [name for name in datasets if name in set(images["dataset"])]
    numbers = images.fillna({"fraction": 0}).set_index(["dataset", "part", "fraction"])["images"]
    body = []
    for name in display:
        places = [(name, *place) for place in (("all", 0), *columns, ("test", 0))]
        entries = tuple(Entry(str(numbers.get(place, DASH))) for place in places)
        body.append(Row((dataset_title(name, datasets, sources),), entries))
    head = (
        HeadRow(
            ("",),
            (Head(""), *(Head(format_percent(fraction), 2) for fraction in fractions), Head("")),
        ),
        HeadRow(
            ("Data set",),
            (Head("Size"), *(Head(part.capitalize()) for part, _ in columns), Head("Test")),
        ),
    )
    notes = [
        "Fraction: share of the whole data set that is drawn for training and validation together. "
        "Every fraction of a data set is tested on the same images."
    ]
    notes += _folds_note(images, display, datasets)
    for name in display:
        number, tested = twins.get(name, (0, 0))
        if number:
            notes.append(
                f"{datasets[name]}: {number} of {tested} test images "
                f"({100 * number / tested:.1f}%) have a near-duplicate among the images "
                f"trained on at {format_percent(max(fractions))} "
                "(resampling: grouped: duplicates keeps them apart)."
            )
    notes += source_notes(display, datasets, sources)
    return Table(
        "table1",
        "Number of images in the training, validation and test sets of each experiment.",
        head,
        tuple(body),
        tuple(notes),
    )


def _folds_note(
    images: pd.DataFrame, display: Sequence[str], datasets: Mapping[str, str]
) -> list[str]:
    uneven = images[images["fewest"] != images["most"]]
    test = uneven[uneven["part"] == "test"].set_index("dataset")
    if not len(uneven):
        return []
    names = [
        f"{datasets[name]} {test.loc[name, 'fewest']} to {test.loc[name, 'most']}"
        for name in display
        if name in test.index
    ]
    ranges = f" (test images over folds: {in_words(names)})" if names else ""
    return [
        "Folds differ in size where they do not divide the data set evenly; the counts are those "
        f"of a fold with the largest test set{ranges}."
    ]
