"""Dice against what it costs: tuned parameters, and time to train."""

from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from sonotune.evaluation.averages import is_excluded, measured_on, read_cells
from sonotune.layout import format_percent
from sonotune.report.display_options import DisplayOptions, sources_of
from sonotune.report.style import message_figure, noted_figure, one_legend, plot_error

PANEL = 1.75  # inches
COSTS = {"tuned_parameters": "Trained parameters", "training_seconds_mean": "Seconds of a training"}


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
    places = product(COSTS.items(), titles.items())
    for panel, ((cost, label), (dataset, title)) in zip(axes.flat, places, strict=True):
        _draw(panel, points[points["dataset"] == dataset], cost, display)
        panel.set_xlabel(label)
        if panel in axes[0]:
            panel.set_title(title, fontsize=7)
    for panel in axes[:, 0]:
        panel.set_ylabel("Dice")
    one_legend(figure, axes.flat)
    return figure


def _draw(panel: Axes, points: pd.DataFrame, cost: str, display: DisplayOptions) -> None:
    for point in points.itertuples():
        look = display.look(point.strategy)
        look["markerfacecolor"] = look["color"] if point.whole else "white"
        look |= {"label": display.strategies[point.strategy], "clip_on": False}
        plot_error(panel, getattr(point, cost), point.dice_mean, point.dice_error, **look)
    ordered = points[points["whole"]].sort_values([cost, "dice_mean"], ascending=[True, False])
    # On the front is what gains more than all that is cheaper.
    front = ordered[ordered["dice_mean"] > ordered["dice_mean"].cummax().shift(fill_value=-np.inf)]
    panel.plot(front[cost], front["dice_mean"], color="#888888", linewidth=0.8, zorder=1.5)
    if cost == "tuned_parameters":
        panel.set_xscale("log")
    else:
        panel.set_xlim(left=0)
        panel.xaxis.set_major_locator(MaxNLocator(4))
    panel.margins(y=0.12)
    panel.grid()
