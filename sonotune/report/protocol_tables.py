"""Wang's table under both protocols, and the table that takes the gap apart."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from sonotune.report.layout import DASH, Cell, Head, HeadRow, Row, Table, short_count
from sonotune.report.protocols import (
    AS_PUBLISHED,
    CORRECTED,
    METRICS,
    PAPER,
    STEPS,
    TITLES,
    Window,
    compare_protocols,
    sizes_of,
    take_apart,
    with_sizes,
)
from sonotune.report.render import write_table
from sonotune.report.shown import Shown
from sonotune.runtime.files import atomic

SHOWN = {
    PAPER: ("Printed in the paper", METRICS),
    AS_PUBLISHED: ("As published, here", METRICS),
    CORRECTED: ("Corrected, here", (*METRICS, "iou")),
}


def write_protocols(
    cells: str | Path,
    histories: Mapping[str, str | Path],
    corrected: str | Path,
    folder: str | Path,
    *,
    window: tuple[int, int],
    shown: Shown,
) -> None:
    """Write ``protocols`` and ``gap``, each as .csv, .tex and .html.

    Parameters
    ----------
    cells
        ``cells.csv`` of the study under the published protocol, for numbers of parameters.
    histories, corrected
        See `compare_protocols`.
    folder
        Gets the files.
    window
        First and last epoch that the published protocol averages.
    shown
        Its data sets are not used.
    """
    folder, epochs = Path(folder), Window(*window)
    ordered = {name: histories[name] for name in shown.strategies if name in histories}
    compared = compare_protocols(
        ordered, corrected, epochs, leave_out=shown.leave_out, ddof=shown.ddof
    )
    sizes = sizes_of(cells, list(ordered))
    gap = take_apart(ordered, compared, epochs)
    joined = with_sizes(compared, sizes)
    for name, table in (("protocols", joined), ("gap", gap)):
        with atomic(folder / f"{name}.csv") as temporary:
            table.to_csv(temporary, index=False, lineterminator="\n", float_format="%.6g")
    runs = int(compared.loc[compared["protocol"] == CORRECTED, "over"].max())
    for described in (
        _protocols(compared, sizes, shown.strategies, epochs, runs),
        _gap(gap, shown.strategies, epochs),
    ):
        path = folder / described.label
        write_table(described, path.with_suffix(".tex"), path.with_suffix(".html"))


def _protocols(
    compared: pd.DataFrame,
    sizes: pd.DataFrame,
    strategies: Mapping[str, str],
    window: Window,
    runs: int,
) -> Table:
    known = compared.set_index(["strategy", "protocol", "metric"])
    body = []
    for strategy in sizes.index:
        cells = [
            _mean(known, (strategy, protocol, metric))
            for protocol, (_, metrics) in SHOWN.items()
            for metric in metrics
        ]
        size = sizes.loc[strategy]
        cells += [
            Cell(short_count(size["tuned_parameters"])),
            Cell(short_count(size["total_parameters"])),
            Cell(f"{size['megabytes']:.1f}"),
        ]
        body.append(Row((strategies[strategy],), tuple(cells)))
    titles = [TITLES[metric] for _, metrics in SHOWN.values() for metric in metrics]
    head = (
        HeadRow(
            ("",),
            (*(Head(title, len(metrics)) for title, metrics in SHOWN.values()), Head("Size", 3)),
        ),
        HeadRow(("Strategy",), tuple(map(Head, [*titles, "Tuned", "All", "MB"]))),
    )
    return Table(
        "protocols",
        "Every strategy as the paper printed it and under both protocols, in percent.",
        head,
        tuple(body),
        (
            f"As published: one run on one split over images; test images augmented; counts pooled "
            f"over a batch; mean (standard deviation) over epochs {window.first} to {window.last}; "
            "the mean IoU is the foreground's. So are the numbers in the paper.",
            "Corrected: split by examination, clean test images, a mean over images, the last "
            f"epoch; mean (standard deviation) over {runs} repeats. Mean IoU is of both classes, "
            "IoU of the foreground.",
            "Tuned and all parameters of the network; MB: all parameters as float32, the same way "
            "in every row.",
        ),
    )


def _mean(known: pd.DataFrame, key: tuple[str, str, str]) -> Cell:
    if key not in known.index or pd.isna(known.loc[key, "mean"]):
        return Cell(DASH)
    mean, deviation = known.loc[key, "mean"], known.loc[key, "std"]
    return Cell(f"{100 * mean:.2f}", "" if pd.isna(deviation) else f"({100 * deviation:.2f})")


def _gap(gap: pd.DataFrame, strategies: Mapping[str, str], window: Window) -> Table:
    body = []
    for metric in METRICS:
        part = gap[gap["metric"] == metric]
        for strategy in part["strategy"].unique():
            steps = part[part["strategy"] == strategy].set_index("step")
            cells = [Cell(f"{100 * steps.loc['as_published', 'value']:.2f}")]
            cells += [
                Cell(f"{100 * steps.loc[step, 'change']:+z.2f}" if step in steps.index else DASH)
                for step in STEPS
                if step != "as_published"
            ]
            cells.append(Cell(_number(steps.loc["corrected", "value"])))
            body.append(Row((TITLES[metric], strategies[strategy]), tuple(cells)))
    titles = [*STEPS.values(), "Corrected"]
    return Table(
        "gap",
        "From the published protocol's number to the corrected one, a step at a time, in points.",
        (HeadRow(("Metric", "Strategy"), tuple(map(Head, titles))),),
        tuple(body),
        (
            f"As published: mean over epochs {window.first} to {window.last} of one run, augmented "
            "test images, counts pooled over a batch. Each column to its right changes one thing "
            "more, of the same trained network; + makes the number larger.",
            "The last change is that of protocol and of chance together: other images are tested "
            "and trained on. What shared examinations add is told by the table of leakage, not "
            "by this column.",
        ),
    )


def _number(value: float) -> str:
    return DASH if pd.isna(value) else f"{100 * value:.2f}"
