"""Table I: the number of images in every set."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from sonotune.data.split_file import count_near_duplicates, read_counts
from sonotune.layout import format_percent
from sonotune.report.display_options import DisplayOptions, sources_of
from sonotune.report.names import in_words
from sonotune.report.tables import DASH, Head, HeadRow, Table, head_row, text_row

SETS = ("training", "validation")


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
        dataset, part (all, training, validation, test), fraction (empty for all and test), images
        (in the first of the folds whose test set is largest, as Table I prints), fewest and most
        (over folds), and ``source``, what stands behind the data set's name. Data sets in the
        order in which they appear, fractions falling.
    """
    counts = pd.DataFrame(read_counts(splits))
    counts = counts[counts["dataset"].isin(list(display.datasets)) & (counts["fraction"] > 0)]
    images = _count_images(counts)
    titles, source_notes = display.name_datasets(sources_of(counts))
    fractions = sorted(counts["fraction"].unique(), reverse=True)
    places = [("all", 0), *((part, share) for share in fractions for part in SETS), ("test", 0)]
    numbers = images.fillna({"fraction": 0}).set_index(["dataset", "part", "fraction"])["images"]
    body = [
        text_row((title,), [str(numbers.get((name, *place), DASH)) for place in places])
        for name, title in titles.items()
    ]
    shares = [format_percent(fraction) for fraction in fractions]
    sets = [part.capitalize() for part in SETS] * len(fractions)
    notes = [
        "Fraction: share of the whole data set that is drawn for training and validation together. "
        "Every fraction of a data set is tested on the same images.",
        *_folds_note(images, display.datasets),
    ]
    twins = count_near_duplicates(splits, audit_duplicates)
    for name in titles:
        number, tested = twins[name]
        if number:
            notes.append(
                f"{display.datasets[name]}: {number} of {tested} test images "
                f"({100 * number / tested:.1f}%) have a near-duplicate among the images "
                f"trained on at {shares[0]} "
                "(resampling: grouped: duplicates keeps them apart)."
            )
    return images, Table(
        "Number of images in the training, validation and test sets of each experiment.",
        (
            HeadRow(("",), (Head(""), *(Head(share, 2) for share in shares), Head(""))),
            head_row(("Data set",), ("Size", *sets, "Test")),
        ),
        body,
        [*notes, *source_notes],
    )


def _count_images(counts: pd.DataFrame) -> pd.DataFrame:
    """Sizes of the sets, one value per row."""
    rows: list[dict[str, Any]] = []
    for dataset, own in counts.groupby("dataset", sort=False):
        # The fold that Table I prints comes first.
        own = own.sort_values(["test", "fold"], ascending=[False, True], kind="stable")
        by_fraction = own.groupby("fraction")
        fractions = sorted(by_fraction.groups, reverse=True)
        sizes = [("all", None, own["size"])]
        sizes += [(part, p, by_fraction.get_group(p)[part]) for p in fractions for part in SETS]
        for part, fraction, numbers in [*sizes, ("test", None, own["test"])]:
            row = {"dataset": dataset, "part": part, "fraction": fraction}
            row |= {"images": numbers.iloc[0], "fewest": numbers.min(), "most": numbers.max()}
            rows.append(row | {"source": own["source"].iloc[0]})
    return pd.DataFrame(rows)


def _folds_note(images: pd.DataFrame, datasets: Mapping[str, str]) -> list[str]:
    uneven = images[images["fewest"] != images["most"]]
    if not len(uneven):
        return []
    tests = uneven[uneven["part"] == "test"].set_index("dataset")
    names = [
        f"{title} {tests.loc[name, 'fewest']} to {tests.loc[name, 'most']}"
        for name, title in datasets.items()
        if name in tests.index
    ]
    ranges = f" (test images over folds: {in_words(names)})" if names else ""
    return [
        "Folds differ in size where they do not divide the data set evenly; the counts are those "
        f"of a fold with the largest test set{ranges}."
    ]
