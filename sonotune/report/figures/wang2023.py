"""Wang's Figs. 1b and 1c: what the paper printed beside the results of both protocols."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sonotune.evaluation.tables import read_table
from sonotune.report.display_options import DisplayOptions
from sonotune.report.palette import style_of
from sonotune.report.protocols import AS_PUBLISHED, CORRECTED, METRICS, PAPER, TITLES
from sonotune.report.published import published_table
from sonotune.report.style import noted_figure, one_legend

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
        _draw_strategies(panel, table[table["metric"] == metric], display.strategies)
        for marker, system in zip(OTHERS, systems.itertuples(), strict=False):
            if system.metric != metric:
                continue
            panel.plot(
                system.tuned_millions, system.value, marker, color="#888888", markersize=6,
                label=system.system, clip_on=False,
            )  # fmt: skip
        panel.set(xscale="log", xlabel="Tuned parameters, millions", title=TITLES[metric])
        panel.set_ylabel(f"{TITLES[metric]}, percent")
        panel.grid()
    one_legend(figure, axes)
    return figure


def _draw_strategies(panel: Axes, table: pd.DataFrame, strategies: Mapping[str, str]) -> None:
    for protocol, filled in ((PAPER, False), (CORRECTED, True)):
        for row in table[table["protocol"] == protocol].itertuples():
            if pd.isna(row.mean):
                continue
            style = style_of(str(row.strategy), list(strategies))
            panel.plot(
                row.tuned_parameters / 1e6,
                100 * row.mean,
                style.marker,
                color=style.colour,
                markerfacecolor=style.colour if filled else "none",
                label=strategies[str(row.strategy)] if filled else "_",
                clip_on=False,
            )


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
    figure = noted_figure(
        notes, ROW * len(titles) + 0.75, names=[look[0] for look in LOOKS.values()]
    )
    axes = figure.subplots(1, len(METRICS), sharey=True)
    for panel, metric in zip(axes, METRICS, strict=True):
        part = table[table["metric"] == metric]
        for protocol, (title, colour, marker, offset) in LOOKS.items():
            known = part[part["protocol"] == protocol].set_index("strategy").reindex(list(titles))
            panel.errorbar(
                100 * known["mean"],
                [row + offset for row in range(len(titles))],
                xerr=100 * known["std"].fillna(0),
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
