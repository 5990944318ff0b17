"""Dice against what it costs: tuned parameters, and time to train."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from sonotune.evaluation.averages import is_excluded, measured_on, read_cells
from sonotune.layout import format_percent
from sonotune.report.display_options import DisplayOptions, sources_of
from sonotune.report.palette import style_of
from sonotune.report.style import message_figure, noted_figure, one_legend

PANEL = 1.75  # inches
COSTS = {"tuned_parameters": "Trained parameters", "training_seconds_mean": "Seconds of a training"}


def pareto_front(costs: np.ndarray, gains: np.ndarray) -> np.ndarray:
    """Which points no other beats in both, bool [n]: cheaper is better, and so is more gain.

    Parameters
    ----------
    costs, gains : float64 [n]
        nan is on no front.
    """
    known = np.isfinite(costs) & np.isfinite(gains)
    front = np.zeros(len(costs), bool)
    for i in np.flatnonzero(known):
        beats = known & (costs <= costs[i]) & (gains >= gains[i])
        beats &= (costs < costs[i]) | (gains > gains[i])
        front[i] = not beats.any()
    return front


def draw(cells: str | Path, averages: str | Path, display: DisplayOptions) -> Figure:
    """Draw a row of panels for each cost, a panel for each data set, at the largest fraction.

    Parameters
    ----------
    cells, averages
        ``cells.csv`` and ``averages.csv`` of a study.
    display
        Strategies and data sets to show, with their titles.
    """
    points = display.averages(averages)
    fraction = float(points["fraction"].max())
    # The mean of what is left of a strategy's runs is no result to compare with whole ones.
    points = points[(points["fraction"] == fraction) & (points["n"] > 0)]
    points = points.assign(whole=points["n"] == points["runs"])
    if not len(points):
        return message_figure(
            f"At {format_percent(fraction)} every run is left out of averages, so there is no "
            "Dice to set against its cost."
        )
    runs = display.select(read_cells(cells))
    runs = runs[(runs["fraction"] == fraction) & ~is_excluded(runs, display.exclude_runs)]
    titles, source_notes = display.name_datasets(sources_of(points))
    fewest, most = int(points["n"].min()), int(points["n"].max())
    number = f"{most} runs" if fewest == most else f"{fewest} to {most} runs"
    number = "one run" if most == 1 else number
    notes = [
        f"Mean Dice over {number} at {format_percent(fraction)} with its standard error. Line: "
        "the Pareto front, strategies that no other beats in both. Seconds: "
        f"{measured_on(runs)}. Hollow: not all runs of the strategy count, so it is on no front.",
        *source_notes,
    ]
    named = list(display.strategies_of(points).values())
    # One data set: both costs side by side; several: a column for each.
    flat = len(titles) == 1
    rows, columns = (1, 2) if flat else (2, len(titles))
    figure = noted_figure(notes, rows * (PANEL + 0.4) + 0.2, names=named)
    axes = figure.subplots(rows, columns, squeeze=False, sharey="row" if flat else "col")
    places = axes.T if flat else axes
    for row, (cost, label) in enumerate(COSTS.items()):
        for panel, (dataset, title) in zip(places[row], titles.items(), strict=True):
            _draw(panel, points[points["dataset"] == dataset], cost, display.strategies)
            panel.set_xlabel(label)
            if row == 0 or flat:
                panel.set_title(title, fontsize=7)
    for panel in axes[:, 0]:
        panel.set_ylabel("Dice")
    one_legend(figure, axes.flat)
    return figure


def _draw(panel: Axes, points: pd.DataFrame, cost: str, strategies: Mapping[str, str]) -> None:
    for point in points.itertuples():
        style = style_of(str(point.strategy), list(strategies))
        panel.errorbar(
            getattr(point, cost),
            point.dice_mean,
            yerr=point.dice_error if np.isfinite(point.dice_error) else None,
            marker=style.marker,
            color=style.colour,
            markerfacecolor=style.colour if point.whole else "white",
            elinewidth=0.8,
            linestyle="none",
            label=strategies[str(point.strategy)],
            clip_on=False,
        )
    whole = points[points["whole"]]
    front = whole[pareto_front(whole[cost].to_numpy(float), whole["dice_mean"].to_numpy(float))]
    front = front.sort_values(cost)
    panel.plot(front[cost], front["dice_mean"], color="#888888", linewidth=0.8, zorder=1.5)
    if cost == "tuned_parameters":
        panel.set_xscale("log")
    else:
        panel.set_xlim(left=0)
        panel.xaxis.set_major_locator(MaxNLocator(4))
    panel.margins(y=0.12)
    panel.grid()
