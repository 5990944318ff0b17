"""Wang's Fig. 1b: accuracy against tuned parameters, beside what others published.

Dice and mean IoU have panels of their own, so that one is never read as the other; a published
system is drawn only with a number and a source (``paper/fetal_head_systems.csv``).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sonotune.report.display_options import DisplayOptions
from sonotune.report.palette import style_of
from sonotune.report.protocols import CORRECTED, PAPER, TITLES
from sonotune.report.published import published_table
from sonotune.report.style import noted_figure, one_legend

PANEL = 2.6  # inches
SHOWN = ("dice", "miou")
OTHERS = "*Phdp8"  # markers of published systems


def draw(protocols: str | Path, display: DisplayOptions) -> Figure:
    """Draw a panel for Dice and one for mean IoU.

    Parameters
    ----------
    protocols
        CSV of `sonotune.report.protocol_tables.protocols_table`.
    display
        Titles of the strategies, in the order of the tables; its data sets are not used.
    """
    systems = published_table("fetal_head_systems")
    return draw_wang2023_fig1b(
        pd.read_csv(protocols, keep_default_na=False, na_values=[""]), systems, display.strategies
    )


def draw_wang2023_fig1b(
    table: pd.DataFrame, systems: pd.DataFrame, strategies: Mapping[str, str]
) -> Figure:
    """The figure, of `protocols.csv` and of published systems (system, metric, value, ...).

    Parameters
    ----------
    table
        Rows of ``protocols.csv``.
    systems
        Published results of other systems.
    strategies
        Titles of the strategies, by name.
    """
    notes = [
        "Filled: this run under the corrected protocol; hollow: the same strategy as the paper "
        "printed it, whose mean IoU is the foreground's. Grey: published by others, on other "
        "splits and with other measures, so compare with care. Sources: "
        + "; ".join(sorted(set(systems["source"])))
        + "."
    ]
    named = [strategies[name] for name in strategies if name in set(table["strategy"])]
    named += list(dict.fromkeys(systems["system"]))
    figure = noted_figure(notes, PANEL + 0.65, names=named)
    axes = figure.subplots(1, len(SHOWN))
    for panel, metric in zip(axes, SHOWN, strict=True):
        _draw(panel, table[table["metric"] == metric], strategies)
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


def _draw(panel: Axes, table: pd.DataFrame, strategies: Mapping[str, str]) -> None:
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
