"""Wang's Fig. 1c: three metrics of every strategy, printed and under both protocols."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from sonotune.report.display_options import DisplayOptions
from sonotune.report.protocols import AS_PUBLISHED, CORRECTED, METRICS, PAPER, TITLES
from sonotune.report.style import noted_figure, one_legend

# Colours of Okabe and Ito; told apart by marker and lightness too.
LOOKS = {
    PAPER: ("Printed in the paper", "#555555", "x", -0.22),
    AS_PUBLISHED: ("As published, here", "#E69F00", "s", 0.0),
    CORRECTED: ("Corrected, here", "#0072B2", "o", 0.22),
}
ROW = 0.24  # inches, a strategy


def draw(protocols: str | Path, display: DisplayOptions) -> Figure:
    """Draw a panel for each metric, a row for each strategy.

    Parameters
    ----------
    protocols
        CSV of `sonotune.report.protocol_tables.protocols_table`.
    display
        Titles of the strategies, in the order of the rows; its data sets are not used.
    """
    return draw_wang2023_fig1c(
        pd.read_csv(protocols, keep_default_na=False, na_values=[""]), display.strategies
    )


def draw_wang2023_fig1c(table: pd.DataFrame, strategies: Mapping[str, str]) -> Figure:
    """The figure, of a table of strategy, protocol, metric, mean and std.

    Parameters
    ----------
    table
        Rows of ``protocols.csv``.
    strategies
        Titles of the strategies, by name.
    """
    names_drawn = [name for name in strategies if name in set(table["strategy"])]
    notes = [
        "Bars: one standard deviation over repeats (of the printed numbers, this is the likeliest "
        "reading). The mean IoU is the foreground's where printed and as published, "
        "that of both classes where corrected. Axes differ."
    ]
    figure = noted_figure(
        notes, ROW * len(names_drawn) + 0.75, names=[look[0] for look in LOOKS.values()]
    )
    axes = figure.subplots(1, len(METRICS), sharey=True)
    for panel, metric in zip(axes, METRICS, strict=True):
        part = table[table["metric"] == metric]
        for protocol, (title, colour, marker, offset) in LOOKS.items():
            known = part[part["protocol"] == protocol].set_index("strategy").reindex(names_drawn)
            panel.errorbar(
                100 * known["mean"],
                [row + offset for row in range(len(names_drawn))],
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
        for row in range(1, len(names_drawn)):
            panel.axhline(row - 0.5, color="#eeeeee", linewidth=0.5)
    axes[0].set_yticks(range(len(names_drawn)), [strategies[name] for name in names_drawn])
    axes[0].set_ylim(len(names_drawn) - 0.5, -0.5)
    one_legend(figure, axes[:1])
    return figure
