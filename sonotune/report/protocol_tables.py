"""Wang's table under both protocols, and the gap between them in steps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from sonotune.evaluation.averages import read_cells
from sonotune.evaluation.shapes import SHAPE_METRICS
from sonotune.layout import RUN, Cell, fold_title
from sonotune.report.display_options import DisplayOptions
from sonotune.report.protocols import (
    AS_PUBLISHED,
    CORRECTED,
    METRICS,
    PAPER,
    STEPS,
    TITLES,
    add_parameter_counts,
    compare_protocols,
    decompose_gap,
    histories_by_strategy,
    published_values,
    sizes_of,
)
from sonotune.report.tables import (
    DASH,
    Entry,
    Head,
    HeadRow,
    Row,
    Table,
    mean_entry,
    one_head,
    short_count,
)

SHOWN = {
    PAPER: ("Printed in the paper", METRICS),
    AS_PUBLISHED: ("As published, here", METRICS),
    CORRECTED: ("Corrected, here", (*METRICS, "iou")),
}


def protocols_table(
    cells: str | Path,
    published_histories: Iterable[str | Path],
    corrected: str | Path,
    display: DisplayOptions,
    epochs: Sequence[int],
) -> tuple[pd.DataFrame, Table]:
    """Every strategy as it was printed and under both protocols.

    Parameters
    ----------
    cells
        ``cells.csv`` of the study under the published protocol.
    published_histories
        The ``history.csv`` of all its cells; their folders tell which cell.
    corrected
        ``cells.csv`` of the corrected study.
    display
        Strategies to show, with their titles; its data sets are not used.
    epochs
        First and last epoch that the published protocol averages.

    Returns
    -------
    DataFrame, Table
        What `add_parameter_counts` gives, and the table of it in percent, a row per strategy.
    """
    ordered, compared = _compare(published_histories, corrected, display, epochs)
    sizes = sizes_of(cells, list(ordered))
    repeats = compared.groupby("protocol")["over"].max()
    known = compared.set_index(["strategy", "protocol", "metric"])
    body = []
    for strategy, size in sizes.iterrows():
        entries = [
            _mean(known, (strategy, protocol, metric))
            for protocol, (_, metrics) in SHOWN.items()
            for metric in metrics
        ]
        counts = [short_count(size[name]) for name in ("tuned_parameters", "total_parameters")]
        entries += map(Entry, [*counts, f"{size['megabytes']:.1f}"])
        body.append(Row((display.strategies[strategy],), tuple(entries)))
    titles = [TITLES[metric] for _, metrics in SHOWN.values() for metric in metrics]
    head = (
        HeadRow(
            ("",),
            (*(Head(title, len(metrics)) for title, metrics in SHOWN.values()), Head("Size", 3)),
        ),
        HeadRow(("Strategy",), tuple(map(Head, [*titles, "Tuned", "All", "MB"]))),
    )
    return add_parameter_counts(compared, sizes), Table(
        "protocols",
        "Every strategy as the paper printed it and under both protocols, in percent.",
        head,
        tuple(body),
        (
            f"As published: split over images; test images augmented; counts pooled over a batch; "
            f"the mean of epochs {epochs[0]} to {epochs[1]} of each run; mean (standard "
            f"deviation) over {_repeats(repeats[AS_PUBLISHED])}; the mean IoU is the foreground's. "
            "The paper does not say how its numbers were averaged; this is the likeliest reading.",
            "Corrected: split by examination, clean test images, a mean over images, the last "
            f"epoch; mean (standard deviation) over {_repeats(repeats[CORRECTED])}. Mean IoU is of "
            "both classes, IoU of the foreground.",
            f"Standard deviations divide by n{f' - {display.ddof}' if display.ddof else ''}; the "
            "printed ones by n.",
            "Tuned and all parameters of the network; MB: all parameters as float32, the same way "
            "in every row.",
        ),
    )


def gap_table(
    published_histories: Iterable[str | Path],
    corrected: str | Path,
    display: DisplayOptions,
    epochs: Sequence[int],
) -> tuple[pd.DataFrame, Table]:
    """The gap between the protocols, step by step.

    Parameters
    ----------
    published_histories
        The ``history.csv`` of all cells under the published protocol.
    corrected
        ``cells.csv`` of the corrected study.
    display
        Strategies to show, with their titles; its data sets are not used.
    epochs
        First and last epoch that the published protocol averages.

    Returns
    -------
    DataFrame, Table
        What `decompose_gap` gives, and the table of it.
    """
    ordered, compared = _compare(published_histories, corrected, display, epochs)
    gap = decompose_gap(ordered, compared, epochs)
    body = []
    for metric in METRICS:
        part = gap[gap["metric"] == metric]
        for strategy in part["strategy"].unique():
            steps = part[part["strategy"] == strategy].set_index("step")
            cells = [Entry(f"{100 * steps.loc['as_published', 'value']:.2f}")]
            cells += [
                Entry(f"{100 * steps.loc[step, 'change']:+z.2f}" if step in steps.index else DASH)
                for step in STEPS
                if step != "as_published"
            ]
            cells.append(Entry(_number(steps.loc["corrected", "value"])))
            body.append(Row((TITLES[metric], display.strategies[strategy]), tuple(cells)))
    return gap, Table(
        "gap",
        "From the published protocol's number to the corrected one, a step at a time, in points.",
        one_head(("Metric", "Strategy"), [*STEPS.values(), "Corrected"]),
        tuple(body),
        (
            f"As published: mean over repeats of the mean over epochs {epochs[0]} to "
            f"{epochs[1]}, augmented test images, counts pooled over a batch. Each column to its "
            "right changes one thing more, of the same networks; + makes the number larger.",
            "The last change is that of protocol and of chance together: other images are tested "
            "and trained on. The table of leakage shows what shared examinations add, not "
            "by this column.",
        ),
    )


def as_published_table(
    cells: str | Path,
    published_histories: Iterable[str | Path],
    display: DisplayOptions,
    epochs: Sequence[int],
) -> tuple[pd.DataFrame, Table]:
    """Every run under the published protocol.

    Parameters
    ----------
    cells
        ``cells.csv`` of the study under the published protocol.
    published_histories
        The ``history.csv`` of all its cells; their folders tell which cell.
    display
        Strategies to show, with their titles; its data sets are not used.
    epochs
        First and last epoch that the published protocol averages.

    Returns
    -------
    DataFrame, Table
        Rows of ``cells.csv`` with the metrics of that protocol, and the table of it in percent.
    """
    runs = _cells_as_published(read_cells(cells), published_histories, epochs)
    body = []
    for run in runs.to_dict("records"):
        fold = fold_title(run["fold"], run["seed"], run["pretraining"])
        values = [f"{100 * run[name]:.2f}" for name in METRICS]
        title = display.strategies[run["strategy"]]
        body.append(Row((title, f"fold {fold}"), tuple(map(Entry, values))))
    table = Table(
        "as_published",
        "Every run under the published protocol, in percent.",
        one_head(("Strategy", "Run"), [TITLES[name] for name in METRICS]),
        tuple(body),
        (
            f"The mean of epochs {epochs[0]} to {epochs[1]} on augmented test images, counts "
            "pooled over a batch. Mean IoU: of both classes.",
        ),
        digits=10,
    )
    return runs, table


def _compare(
    files: Iterable[str | Path],
    corrected: str | Path,
    display: DisplayOptions,
    epochs: Sequence[int],
) -> tuple[dict[str, list[Path]], pd.DataFrame]:
    """Histories by strategy, in the order of the tables, and what `compare_protocols` gives."""
    histories = histories_by_strategy(files)
    ordered = {name: histories[name] for name in display.strategies if name in histories}
    compared = compare_protocols(
        ordered, corrected, epochs, exclude_runs=display.exclude_runs, ddof=display.ddof
    )
    return ordered, compared


def _repeats(number: int) -> str:
    return f"{number} repeats" if number > 1 else "one repeat"


def _cells_as_published(
    cells: pd.DataFrame, histories: Iterable[str | Path], epochs: Sequence[int]
) -> pd.DataFrame:
    """The rows of ``cells.csv`` with the metrics that the published protocol gives the same runs.

    Its form is that of ``cells.csv``, so whatever judges a study can judge it under this protocol.
    Columns of other metrics are left out.
    """
    rows = [Cell.of(file).run | published_values(file, epochs) for file in map(Path, histories)]
    values = pd.DataFrame(rows)
    others = [name for name in cells if name not in {*values, *SHAPE_METRICS} or name in RUN]
    return cells[others].merge(values, on=list(RUN), how="inner", validate="one_to_one")


def _mean(known: pd.DataFrame, key: tuple[str, str, str]) -> Entry:
    if key not in known.index:
        return Entry(DASH)
    mean, deviation = (100 * float(known.loc[key, name]) for name in ("mean", "std"))
    return mean_entry(mean, deviation, decimals=2)


def _number(value: float) -> str:
    return DASH if pd.isna(value) else f"{100 * value:.2f}"
