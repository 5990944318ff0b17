"""Wang's table under both protocols, and the gap between them in steps."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from sonotune.evaluation.averages import read_cells
from sonotune.evaluation.shapes import SHAPE_METRICS
from sonotune.layout import RUN, fold_title
from sonotune.report.display_options import DisplayOptions
from sonotune.report.protocols import (
    ALL_METRICS,
    AS_PUBLISHED,
    CORRECTED,
    METRICS,
    PAPER,
    STEPS,
    TITLES,
    compare_protocols,
    decompose_gap,
    read_histories,
)
from sonotune.report.published import published_table
from sonotune.report.tables import (
    DASH,
    Entry,
    Head,
    HeadRow,
    Row,
    Table,
    head_row,
    mean_entry,
    number_text,
    short_count,
    text_row,
)

SHOWN = {
    PAPER: ("Printed in the paper", METRICS),
    AS_PUBLISHED: ("As published, here", METRICS),
    CORRECTED: ("Corrected, here", (*METRICS, "iou")),
}
BYTES = 4  # of a weight, float32
PARAMETERS = ["tuned_parameters", "total_parameters"]


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
        What `compare_protocols` gives with numbers of parameters and megabytes of all weights as
        float32, and the table of it in percent, a row per strategy. The paper's rows have the
        numbers that it printed. Running statistics of batch normalisation are no parameters.
    """
    compared = compare_protocols(read_histories(published_histories, epochs), corrected, display)
    counts = read_cells(cells).groupby("strategy")[PARAMETERS].first()
    megabytes = counts["total_parameters"] * BYTES / 1e6
    sizes = counts.astype("Int64").assign(megabytes=megabytes)
    known = compared.set_index(["strategy", "protocol", "metric"])[["mean", "std"]] * 100
    means = {
        place: mean_entry(mean, deviation, decimals=2)
        for place, mean, deviation in known.astype(float).itertuples(name=None)
    }
    body = []
    for strategy, title in display.strategies_of(compared).items():
        size = sizes.loc[strategy]
        entries = [
            means.get((strategy, protocol, metric), Entry(DASH))
            for protocol, (_, metrics) in SHOWN.items()
            for metric in metrics
        ]
        texts = [*(short_count(size[name]) for name in PARAMETERS), f"{size['megabytes']:.1f}"]
        body.append(Row((title,), [*entries, *map(Entry, texts)]))
    titles = [TITLES[metric] for _, metrics in SHOWN.values() for metric in metrics]
    spans = [Head(title, len(metrics)) for title, metrics in SHOWN.values()]
    repeats = {
        protocol: f"{number} repeats" if number > 1 else "one repeat"
        for protocol, number in compared.groupby("protocol")["over"].max().items()
    }
    return _add_sizes(compared, sizes), Table(
        "Every strategy as the paper printed it and under both protocols, in percent.",
        (
            HeadRow(("",), [*spans, Head("Size", 3)]),
            head_row(("Strategy",), [*titles, "Tuned", "All", "MB"]),
        ),
        body,
        (
            f"As published: split over images; test images augmented; counts pooled over a batch; "
            f"the mean of epochs {epochs[0]} to {epochs[1]} of each run; mean (standard "
            f"deviation) over {repeats[AS_PUBLISHED]}; the mean IoU is the foreground's. "
            "The paper does not say how its numbers were averaged; this is the likeliest reading.",
            "Corrected: split by examination, clean test images, a mean over images, the last "
            f"epoch; mean (standard deviation) over {repeats[CORRECTED]}. Mean IoU is of "
            "both classes, IoU of the foreground.",
            f"Standard deviations divide by n{f' - {display.ddof}' if display.ddof else ''}; the "
            "printed ones by n.",
            "Tuned and all parameters of the network; MB: all parameters as float32, the same way "
            "in every row.",
        ),
    )


def _add_sizes(compared: pd.DataFrame, sizes: pd.DataFrame) -> pd.DataFrame:
    """Numbers of parameters beside each mean; of the paper's those that it printed."""
    table = compared.merge(sizes, left_on="strategy", right_index=True)
    millions = published_table("wang2023_results").set_index("row")["trainable_millions"]
    printed = table["protocol"] == PAPER
    tuned = (table.loc[printed, "strategy"].map(millions) * 1e6).round().astype("Int64")
    table.loc[printed, "tuned_parameters"] = tuned
    table.loc[printed, ["total_parameters", "megabytes"]] = pd.NA
    return table


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
    runs = read_histories(published_histories, epochs)
    gap = decompose_gap(runs, compare_protocols(runs, corrected, display))
    body = []
    for metric in METRICS:
        for strategy, part in gap[gap["metric"] == metric].groupby("strategy", sort=False):
            steps = 100 * part.set_index("step")[["value", "change"]].reindex(list(STEPS))
            changes = [number_text(change, "+z.2f") for change in steps["change"][1:]]
            first, last = (number_text(end, ".2f") for end in steps["value"].iloc[[0, -1]])
            names = TITLES[metric], display.strategies[strategy]
            body.append(text_row(names, [first, *changes, last]))
    return gap, Table(
        "From the published protocol's number to the corrected one, a step at a time, in points.",
        [head_row(("Metric", "Strategy"), [*STEPS.values(), "Corrected"])],
        body,
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
        Rows of ``cells.csv`` with the metrics of that protocol, and the table of it in percent. So
        whatever judges a study can judge it under this protocol. Columns of other metrics are left
        out.
    """
    published = read_histories(published_histories, epochs)
    published = published.rename(columns={f"as_published_{name}": name for name in ALL_METRICS})
    runs = read_cells(cells)
    runs = runs.drop(columns=[*ALL_METRICS, *SHAPE_METRICS], errors="ignore").merge(
        published[[*RUN, *ALL_METRICS]], on=list(RUN), how="inner", validate="one_to_one"
    )
    body = []
    for run in runs.to_dict("records"):
        fold = fold_title(run["fold"], run["seed"], run["pretraining"])
        names = display.strategies[run["strategy"]], f"fold {fold}"
        body.append(text_row(names, [f"{100 * run[name]:.2f}" for name in METRICS]))
    return runs, Table(
        "Every run under the published protocol, in percent.",
        [head_row(("Strategy", "Run"), [TITLES[name] for name in METRICS])],
        body,
        (
            f"The mean of epochs {epochs[0]} to {epochs[1]} on augmented test images, counts "
            "pooled over a batch. Mean IoU: of both classes.",
        ),
        digits=10,
    )
