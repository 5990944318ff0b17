"""Wang's Figs. 1b and 1c beside the results of both protocols, and losses beside their logs."""

from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sonotune.evaluation.tables import read_table
from sonotune.report.display_options import DisplayOptions
from sonotune.report.losses import WIDENED
from sonotune.report.protocols import AS_PUBLISHED, CORRECTED, METRICS, PAPER, TITLES
from sonotune.report.published import published_table
from sonotune.report.style import message_figure, noted_figure, one_legend, small_multiples

PANEL = 2.6  # inches
SHOWN = ("dice", "miou")
OTHERS = "*Phdp8"  # markers of published systems
# Colours of Okabe and Ito; told apart by marker and lightness too.
LOOKS = {
    PAPER: ("Printed in the paper", "#555555", "x", -0.22),
    AS_PUBLISHED: ("As published, here", "#E69F00", "s", 0.0),
    CORRECTED: ("Corrected, here", "#0072B2", "o", 0.22),
}
ROW = 0.24  # inches, a strategy
LOGS, HERE = "#888888", ("#0072B2", "#D55E00", "#009E73", "#CC79A7")


def draw_fig1b(protocols: str | Path, display: DisplayOptions) -> Figure:
    """Draw accuracy against tuned parameters (Wang's Fig. 1b): a panel for Dice, one for mean IoU.

    So one is never read as the other. A published system is drawn only with a number and a source
    (``paper/fetal_head_systems.csv``).

    Parameters
    ----------
    protocols
        CSV of `sonotune.report.protocol_tables.protocols_table`.
    display
        Titles of the strategies, in the order of the tables; its data sets are not used.
    """
    table, systems = read_table(protocols), published_table("fetal_head_systems")
    notes = [
        "Filled: this run under the corrected protocol; hollow: the same strategy as the paper "
        "printed it, whose mean IoU is the foreground's. Grey: published by others, on other "
        "splits and with other measures, so compare with care. Sources: "
        + "; ".join(sorted(set(systems["source"])))
        + "."
    ]
    named = [*display.strategies_of(table).values(), *dict.fromkeys(systems["system"])]
    figure = noted_figure(notes, PANEL + 0.65, names=named)
    axes = figure.subplots(1, len(SHOWN))
    for panel, metric in zip(axes, SHOWN, strict=True):
        _draw_strategies(panel, table[table["metric"] == metric], display)
        for marker, system in zip(OTHERS, systems.itertuples(), strict=False):
            if system.metric == metric:
                panel.plot(
                    system.tuned_millions, system.value, marker, color="#888888", markersize=6,
                    label=system.system, clip_on=False,
                )  # fmt: skip
        panel.set(xscale="log", xlabel="Tuned parameters, millions", title=TITLES[metric])
        panel.set_ylabel(f"{TITLES[metric]}, percent")
        panel.grid()
    one_legend(figure, axes)
    return figure


def _draw_strategies(panel: Axes, table: pd.DataFrame, display: DisplayOptions) -> None:
    for protocol in (PAPER, CORRECTED):
        for row in table[table["protocol"] == protocol].dropna(subset="mean").itertuples():
            look = display.look(row.strategy) | {"linestyle": "none"}
            look["label"] = display.strategies[row.strategy]
            if protocol == PAPER:
                look |= {"markerfacecolor": "none", "label": "_"}
            panel.plot(row.tuned_parameters / 1e6, 100 * row.mean, clip_on=False, **look)


def draw_fig1c(protocols: str | Path, display: DisplayOptions) -> Figure:
    """Draw three metrics of every strategy (Wang's Fig. 1c), printed and under both protocols.

    Parameters
    ----------
    protocols
        CSV of `sonotune.report.protocol_tables.protocols_table`.
    display
        Titles of the strategies, in the order of the rows; its data sets are not used.
    """
    table = read_table(protocols)
    titles = display.strategies_of(table)
    notes = [
        "Bars: one standard deviation over repeats (of the printed numbers, this is the likeliest "
        "reading). The mean IoU is the foreground's where printed and as published, "
        "that of both classes where corrected. Axes differ."
    ]
    named = [look[0] for look in LOOKS.values()]
    figure = noted_figure(notes, ROW * len(titles) + 0.75, names=named)
    axes = figure.subplots(1, len(METRICS), sharey=True)
    known = table.set_index(["metric", "protocol", "strategy"])
    for panel, metric in zip(axes, METRICS, strict=True):
        for protocol, (title, colour, marker, offset) in LOOKS.items():
            part = known.reindex([(metric, protocol, name) for name in titles])
            panel.errorbar(
                100 * part["mean"],
                [row + offset for row in range(len(titles))],
                xerr=100 * part["std"].fillna(0),
                fmt=marker,
                color=colour,
                markersize=3.6,
                elinewidth=0.8,
                label=title,
            )
        panel.set_title(TITLES[metric])
        panel.set_xlabel("percent")
        panel.grid(axis="x")
        for row in range(1, len(titles)):
            panel.axhline(row - 0.5, color="#eeeeee", linewidth=0.5)
    axes[0].set_yticks(range(len(titles)), titles.values())
    axes[0].set_ylim(len(titles) - 0.5, -0.5)
    one_legend(figure, axes[:1])
    return figure


def draw_losses(losses: str | Path, display: DisplayOptions) -> Figure:
    """Draw the training loss of every strategy that the authors logged: a panel for each.

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
    logs = published_table("wang2023_logs").query("losses == 'training'")
    notes = [
        "Mean training loss of each epoch. Grey: the authors' logs at 512 pixels, and their range "
        f"widened by {WIDENED:g}. Colours: the repeats of this run. With a frozen random "
        "decoder or head, the loss depends on its random weights."
    ]
    figure, panels = small_multiples(notes, len(titles), (1.55, 0.35), "Epoch", "Training loss")
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
