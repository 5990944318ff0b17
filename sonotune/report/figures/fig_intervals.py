"""Simultaneous confidence intervals of the strategies' mean Dice, after Tukey's test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from scipy.stats import studentized_range
from statsmodels.sandbox.stats.multicomp import simultaneous_ci

from sonotune.evaluation.averages import is_left_out, read_cells
from sonotune.report.names import dataset_title, percent_text, source_notes
from sonotune.report.palette import style_of
from sonotune.report.shown import Shown
from sonotune.report.style import (
    TWO_COLUMNS,
    footnote,
    footnote_height,
    journal_style,
    message_figure,
    room_for_names,
    save_figure,
)
from sonotune.statistics.contrasts import LEVEL, fit_means

ROW = 0.135  # inches, a strategy
GAP = 0.38  # inches, between rows of panels: the numbers of one and the title of the next


def write_intervals(cells: str | Path, pdf: str | Path, png: str | Path, *, shown: Shown) -> None:
    """Draw a panel for each data set (rows) and percent (columns).

    Parameters
    ----------
    cells
        ``cells.csv`` of a study.
    """
    table = read_cells(cells)
    table = table[(table["percent"] > 0) & table["dataset"].isin(list(shown.datasets))]
    table = table.assign(value=table["dice"].mask(is_left_out(table, shown.leave_out)))
    with journal_style():
        if len(table):
            figure = draw_intervals(table, shown.strategies, shown.datasets)
        else:
            figure = message_figure("This study has trained nothing, so nothing can be compared.")
        save_figure(figure, pdf, png)


def half_widths(runs: pd.DataFrame) -> pd.Series | str:
    """Half the interval of each level; two means differ significantly if theirs do not overlap.

    After Hochberg (1974), as in statsmodels, so the rule is exact for equal numbers of runs.

    Parameters
    ----------
    runs
        ``level``, ``block`` and ``value``, a row a run.

    Returns
    -------
    Series
        By level; or in words why there are none.
    """
    fit = fit_means(runs, blocked=False)
    if isinstance(fit, str):
        return fit
    number = runs.dropna(subset="value").groupby("level")["value"].size()[list(fit.levels)]
    q = studentized_range.ppf(1 - LEVEL, len(fit.levels), fit.df)
    # Of two groups it gives a column.
    halves = np.ravel(simultaneous_ci(q, fit.error_sd**2, number.to_numpy(float)))
    return pd.Series(halves, fit.levels)


def draw_intervals(
    cells: pd.DataFrame, strategies: Mapping[str, str], datasets: Mapping[str, str]
) -> Figure:
    """The figure of trained cells, with ``value`` empty where a run does not count."""
    present = [name for name in datasets if name in set(cells["dataset"])]
    percents = sorted(cells["percent"].unique(), reverse=True)
    names = [name for name in strategies if name in set(cells["strategy"])]
    sources = cells.dropna(subset="source").groupby("dataset")["source"].first().to_dict()
    notes = [
        "Mean Dice over folds, and intervals that do not overlap where Tukey's test finds two "
        "strategies of a panel significantly different (family-wise level .05). The dotted lines "
        "are the ends of the best strategy's interval. Folds count as independent, as in the "
        "paper.",
        *source_notes(present, datasets, sources),
    ]
    panel_height = ROW * (len(names) + 1)
    height = (panel_height + GAP) * len(present) + 0.3 + footnote_height(notes)
    figure = Figure(figsize=(TWO_COLUMNS, height))
    footnote(figure, notes, height)
    axes = figure.subplots(len(present), len(percents), sharey=True, sharex="row", squeeze=False)
    figure.subplots_adjust(
        left=room_for_names(strategies[name] for name in names) / TWO_COLUMNS,
        right=0.985,
        bottom=(footnote_height(notes) + 0.35) / height,
        top=1 - 0.25 / height,
        wspace=0.06,
        hspace=GAP / panel_height,
    )
    said = False
    for row, dataset in enumerate(present):
        for column, percent in enumerate(percents):
            part = cells[(cells["dataset"] == dataset) & (cells["percent"] == percent)]
            said |= _draw_panel(axes[row, column], part, names, strategies)
            title = f"{dataset_title(dataset, datasets, sources)}, {percent_text(percent)}"
            axes[row, column].set_title(title, fontsize=7, pad=3)
    for panel in axes.flat:
        # Short numbers, so that those of two panels do not touch.
        panel.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    for panel in axes[-1]:
        panel.set_xlabel("Dice")
    axes[0, 0].set_yticks(range(len(names)), [strategies[name] for name in names])
    axes[0, 0].set_ylim(len(names) - (-0.3 if said else 0.4), -0.6)
    return figure


def _draw_panel(
    panel: Axes, runs: pd.DataFrame, names: Sequence[str], strategies: Mapping[str, str]
) -> bool:
    """Draw one panel; whether a line at its foot says why there are no intervals."""
    means = runs.groupby("strategy")["value"].mean()
    table = runs.assign(level=runs["strategy"], block=runs["fold"])
    halves = half_widths(table[["level", "block", "value"]])
    for place, name in enumerate(names):
        if not np.isfinite(means.get(name, np.nan)):
            continue
        style = style_of(name, list(strategies))
        half = 0.0 if isinstance(halves, str) else halves.get(name, 0.0)
        panel.errorbar(
            means[name],
            place,
            xerr=half or None,
            color=style.colour,
            marker=style.marker,
            capsize=2,
        )
    if isinstance(halves, str):
        panel.text(0.5, 0.02, f"no interval: {halves}", transform=panel.transAxes, ha="center")
    elif means.notna().any():
        best = means.idxmax()
        for end in (means[best] - halves[best], means[best] + halves[best]):
            panel.axvline(end, color="#888888", linewidth=0.6, linestyle=":")
    panel.grid(axis="y", color="#eeeeee", linewidth=0.5)
    panel.set_axisbelow(True)
    panel.tick_params(axis="y", length=0)
    return isinstance(halves, str)
