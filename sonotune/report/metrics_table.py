"""Every metric of every strategy: overlap, distances between boundaries, head circumference."""

from pathlib import Path

import numpy as np
import pandas as pd

from sonotune.evaluation.averages import CONDITION, ExcludeRuns
from sonotune.layout import format_percent
from sonotune.report.display_options import DisplayOptions, sources_of
from sonotune.report.tables import DASH, Entry, Row, Table, head_row, mean_entry

# Metrics of ``averages.csv``: titles, and how many decimals are printed.
MEANS = {
    "dice": ("Dice", 3),
    "iou": ("IoU", 3),
    "miou": ("Mean IoU", 3),
    "pixel_accuracy": ("Pixel accuracy", 3),
    "hausdorff95_px": ("HD95 (px)", 1),
    "surface_distance_px": ("ASD (px)", 2),
    "hausdorff95_mm": ("HD95 (mm)", 2),
    "surface_distance_mm": ("ASD (mm)", 2),
    "hc_difference_mm": ("HC diff. (mm)", 2),
    "hc_absolute_difference_mm": ("HC abs. diff. (mm)", 2),
}
# Titles of numbers of images.
COUNTS = {
    "no_component": "Nothing found",
    "several_components": "Several parts",
    "reach_border": "At border",
    "without_distance": "No distance",
    "without_hc": "No HC",
}
COLUMNS = (
    *(*CONDITION, "n", "folds", "images"),
    *(f"{name}_{part}" for name in MEANS for part in ("mean", "std")),
    *(*COUNTS, "source"),
)


def table(averages: str | Path, display: DisplayOptions) -> tuple[pd.DataFrame, Table]:
    """All metrics, averaged over runs, and counts of images.

    Parameters
    ----------
    averages
        ``averages.csv`` of a study.
    display
        Strategies and data sets to show, with their titles.

    Returns
    -------
    DataFrame, Table
        One row per (dataset, fraction, strategy): runs that are averaged (n), their folds and
        images, mean and standard deviation over runs of each of `MEANS` (``dice_mean``,
        ``dice_std``, ...; empty where there is no such number), each of `COUNTS` summed over the
        same runs, and ``source``, what stands behind the data set's name.
    """
    rows = display.averages(averages)[list(COLUMNS)]
    datasets, source_notes = display.name_datasets(sources_of(rows))
    means = {name: look for name, look in MEANS.items() if rows[f"{name}_mean"].notna().any()}
    heads = "hc_difference_mm" in means
    counts = {name: title for name, title in COUNTS.items() if heads or name != "without_hc"}
    body = []
    for row in rows.to_dict("records"):
        share = format_percent(row["fraction"]) if row["fraction"] else "no tuning"
        entries = [
            mean_entry(row[f"{name}_mean"], row[f"{name}_std"], decimals)
            for name, (_, decimals) in means.items()
        ]
        entries += [_count(row, name) for name in ("images", *counts)]
        names = (f"{datasets[row['dataset']]}, {share}", display.strategies[row["strategy"]])
        body.append(Row(names, entries))
    titles = [*(title for title, _ in means.values()), "Images", *counts.values()]
    return rows, Table(
        "All metrics of every strategy: mean over runs, with the standard deviation in "
        "parentheses; and numbers of test images.",
        [head_row(("Images used", "Strategy"), titles)],
        body,
        [*_notes(display.exclude_runs, heads), *source_notes],
    )


def _count(row: dict[str, float], name: str) -> Entry:
    unmeasured = name == "without_hc" and not row[name] and np.isnan(row["hc_difference_mm_mean"])
    return Entry(DASH if unmeasured or not row["n"] else str(row[name]))


def _notes(exclude_runs: ExcludeRuns, heads: bool) -> list[str]:
    out = {"none": "", "failed": "failed", "failed+collapsed": "failed or collapsed"}[exclude_runs]
    notes = [
        "Each mean is first over a fold's test images and then over runs"
        + (f"; runs that {out} are left out." if out else "."),
        "Mean IoU: of the object and of the background.",
        "Distances are between the boundaries of prediction and mask, in pixels of the resized "
        "image or millimetres. HD95, the 95% Hausdorff distance: the 95th percentile of each "
        "boundary's distances to the other, the larger of the two. ASD, the average symmetric "
        "surface distance: their mean over both boundaries.",
        "Where one boundary is missing there is no distance; such images are not in the means of "
        "distances but are counted (No distance), so compare strategies by these only where few "
        "are. Where neither prediction nor mask has a pixel, the distance is 0.",
        "Counts are of test images over all folds shown: the prediction is empty, has several "
        "connected parts (which is right where there are several objects), or reaches the image's "
        "border.",
    ]
    if heads:
        notes.append(
            "HC: head circumference, of the ellipse fitted to the largest part of the prediction, "
            "minus the one that was published with the image. Where the image's border cuts the "
            "part, the cut is not fitted. No HC: nothing was predicted, or no ellipse "
            "fits into the image."
        )
    return notes
