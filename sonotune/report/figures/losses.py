"""Training loss by epoch of every strategy that the authors logged, beside their logs."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure

from sonotune.evaluation.tables import read_table
from sonotune.report.display_options import DisplayOptions
from sonotune.report.losses import WIDENED
from sonotune.report.published import published_table
from sonotune.report.style import message_figure, noted_figure, small_multiples

COLUMNS = 4
LOGS, HERE = "#888888", ("#0072B2", "#D55E00", "#009E73", "#CC79A7")


def draw(losses: str | Path, display: DisplayOptions) -> Figure:
    """Draw a panel for each strategy.

    Parameters
    ----------
    losses
        CSV of `sonotune.report.losses.table`.
    display
        Titles of the strategies, in the order of the panels; its data sets are not used.
    """
    table = read_table(losses)
    titles = display.strategies_of(table)
    if not titles:
        return message_figure("The authors' logs have none of these strategies.")
    logs = published_table("wang2023_logs")
    logs = logs[logs["losses"] == "training"]
    notes = [
        "Mean training loss of each epoch. Grey: the authors' logs at 512 pixels, and their range "
        f"widened by {WIDENED:g}. Colours: the repeats of this run. With a frozen random "
        "decoder or head, the loss depends on its random weights."
    ]
    columns = min(COLUMNS, len(titles))
    figure = noted_figure(notes, -(-len(titles) // columns) * 1.55 + 0.35)
    panels = small_multiples(figure, len(titles), columns, "Epoch", "Training loss")
    for panel, (strategy, title) in zip(panels, titles.items(), strict=True):
        for _, log in logs[logs["strategy"] == strategy].groupby("log"):
            panel.plot(log["epoch"], log["mean_loss"], color=LOGS, linewidth=0.8)
        mine = table[table["strategy"] == strategy]
        spread = mine.drop_duplicates("epoch")
        panel.fill_between(
            spread["epoch"], spread["lowest"] - WIDENED, spread["highest"] + WIDENED,
            color=LOGS, alpha=0.2, linewidth=0,
        )  # fmt: skip
        for colour, (_, run) in zip(HERE, mine.groupby("repeat"), strict=False):
            panel.plot(run["epoch"], run["loss"], color=colour, marker="o", markersize=2)
        panel.set_title(title)
        panel.set_axisbelow("line")  # ticks over the range
        panel.set_ylim(bottom=0)
        panel.set_xticks([1, 5, 10, 15, 20])
    return figure
