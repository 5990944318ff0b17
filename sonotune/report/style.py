"""What all figures share: a journal's widths and type, and files with the same bytes every time."""

import textwrap
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath

from sonotune.runtime.files import atomic

ONE_COLUMN, TWO_COLUMNS = 3.5, 7.16  # inches, the widths of an IEEE journal
SETTINGS: dict[Any, Any] = {
    "backend": "agg",
    "font.family": "DejaVu Sans",  # comes with Matplotlib, so it is the same everywhere
    "font.size": 7,
    "axes.titlesize": 8,
    "axes.axisbelow": True,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": "#eeeeee",
    "grid.linewidth": 0.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "lines.linewidth": 1.2,
    "lines.markersize": 4.5,
    "legend.frameon": False,
    "legend.fontsize": 7,
    "pdf.fonttype": 42,  # journals refuse Type 3
    "savefig.dpi": 300,
}
LEGEND: dict[str, Any] = {
    "fontsize": 6.5, "columnspacing": 1.0, "handletextpad": 0.3, "handlelength": 1.8
}  # fmt: skip


@contextmanager
def journal_style() -> Iterator[None]:
    """Matplotlib's defaults with `SETTINGS`, whatever a user's own matplotlibrc says."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(SETTINGS)
        yield


def save_figure(figure: Figure, pdf: str | Path, png: str | Path) -> None:
    """Write a figure as PDF and as PNG (300 dpi), without times of writing.

    Parameters
    ----------
    figure
        The figure.
    pdf, png
        Files to write.
    """
    with atomic(pdf) as temporary:
        figure.savefig(temporary, format="pdf", metadata={"CreationDate": None})
    with atomic(png) as temporary:
        figure.savefig(temporary, format="png", metadata={"Software": None})


def message_figure(message: str) -> Figure:
    """A figure that says in words why there is nothing to draw.

    Parameters
    ----------
    message
        One or several sentences.
    """
    figure = Figure(figsize=(TWO_COLUMNS, 0.8))
    figure.text(0.5, 0.5, textwrap.fill(message, 110), ha="center", va="center")
    return figure


def noted_figure(
    notes: Iterable[str], height: float, width: float = TWO_COLUMNS, names: Sequence[str] = ()
) -> Figure:
    """A figure with sentences at its foot, of which constrained layout keeps its panels clear.

    Parameters
    ----------
    notes
        The sentences.
    height
        Inches of the panels, with their titles and labels.
    width
        Width of the figure in inches.
    names
        Those of the legend that `one_legend` adds, which needs room too.
    """
    characters = int(20 * width)  # of this size fit in a line, wide ones too
    lines = [line for text in notes for line in textwrap.wrap(text, characters)]
    height += 0.12 + 0.112 * len(lines)
    if names:
        height += 0.12 + 0.14 * -(-len(names) // legend_columns(names, width))
    figure = Figure(figsize=(width, height), layout="constrained")
    figure.supxlabel("\n".join(lines), x=0.086 / width, ha="left", fontsize=6.5)
    return figure


def small_multiples(
    notes: Iterable[str],
    number: int,
    heights: tuple[float, float],
    xlabel: str,
    ylabel: str,
    most: int = 4,
) -> tuple[Figure, list[Axes]]:
    """A figure of panels row by row, of which the outer ones have labels.

    Parameters
    ----------
    notes
        Sentences at its foot.
    number
        Number of panels, at least 1. With fewer than ``most``, the figure is narrower.
    heights
        Inches of a row of panels, and of all that is above and below the rows.
    xlabel, ylabel
        Labels of the axes.
    most
        Number of panels in a row.
    """
    columns = min(most, number)
    rows, width = -(-number // columns), max(ONE_COLUMN, TWO_COLUMNS * columns / most)
    figure = noted_figure(notes, rows * heights[0] + heights[1], width)
    axes = figure.subplots(rows, columns, squeeze=False)
    for panel in axes.flat[number:]:
        panel.axis("off")
    for panel in axes[:, 0]:
        panel.set_ylabel(ylabel)
    for panel in axes.flat[max(0, number - columns) : number]:
        panel.set_xlabel(xlabel)
    return figure, list(axes.flat[:number])


def panels_of_conditions(
    figure: Figure,
    datasets: Iterable[str],
    fractions: Sequence[float],
    xlabel: str = "",
    ylabel: str = "",
    **shared: Any,
) -> dict[tuple[str, float], Axes]:
    """Panels by data set and fraction: a row for each data set, a column for each fraction.

    Parameters
    ----------
    figure
        The figure.
    datasets, fractions
        Names and fractions, in the order of the panels.
    xlabel, ylabel
        Labels below the last row and beside the first column.
    **shared
        Which axes the panels share, as of `matplotlib.figure.Figure.subplots`.
    """
    names = list(datasets)
    axes = figure.subplots(len(names), len(fractions), squeeze=False, **shared)
    for panel in axes[:, 0]:
        panel.set_ylabel(ylabel)
    for panel in axes[-1]:
        panel.set_xlabel(xlabel)
    return dict(zip(product(names, fractions), axes.flat, strict=True))


def rows_of_strategies(
    notes: Iterable[str],
    conditions: tuple[Iterable[str], Sequence[float]],
    titles: Collection[str],
    heights: tuple[float, float],
    xlabel: str = "",
) -> tuple[Figure, dict[tuple[str, float], Axes]]:
    """A figure of `panels_of_conditions` in which each strategy has a row, from the top.

    Parameters
    ----------
    notes
        Sentences at its foot.
    conditions
        Data sets and fractions, in the order of the panels.
    titles
        Titles of the strategies.
    heights
        Inches of a strategy's row, and of what is between two rows of panels.
    xlabel
        Label below the last row of panels.
    """
    names = list(conditions[0])
    height = (heights[0] * (len(titles) + 1) + heights[1]) * len(names) + 0.3
    figure = noted_figure(notes, height)
    panels = panels_of_conditions(figure, names, conditions[1], xlabel, sharey=True, sharex="row")
    for panel in panels.values():
        panel.tick_params(axis="y", length=0)
    figure.axes[0].set_yticks(range(len(titles)), titles)
    figure.axes[0].set_ylim(len(titles) - 0.4, -0.6)
    return figure, panels


def plot_error(panel: Axes, x: float, y: float, error: float, **look: Any) -> None:
    """A point with its standard error, if that is known.

    Parameters
    ----------
    panel
        Where to draw.
    x, y
        The point.
    error
        Standard error of ``y``; NaN where it is not known.
    **look
        Of `matplotlib.axes.Axes.errorbar`.
    """
    bar = error if np.isfinite(error) else None
    panel.errorbar(x, y, yerr=bar, elinewidth=0.8, linestyle="none", **look)


@cache  # a legend asks for each name again and again
def text_width(text: str) -> float:
    """Inches that a name takes in a legend.

    Parameters
    ----------
    text
        The name.
    """
    font = FontProperties(family=SETTINGS["font.family"], size=LEGEND["fontsize"])
    return float(TextPath((0, 0), text, prop=font).get_extents().x1) / 72 if text.strip() else 0.0


def legend_columns(names: Sequence[str], width: float = TWO_COLUMNS) -> int:
    """In how many columns these names fit a legend that is ``width`` inches wide.

    Parameters
    ----------
    names
        Names in the legend.
    width
        Width of the figure in inches.
    """
    for columns in range(len(names), 1, -1):
        parts = np.array_split(names, columns)  # as Matplotlib does
        marks = 3.5 * LEGEND["fontsize"] / 72 * columns
        if sum(max(map(text_width, part)) for part in parts) + marks < width - 0.1:
            return columns
    return 1


def one_legend(figure: Figure, panels: Iterable[Axes]) -> None:
    """One legend above all these panels, in as many columns as fit the figure's width.

    Parameters
    ----------
    figure
        The figure.
    panels
        Panels whose lines are named.
    """
    handles = {
        name: handle
        for panel in panels
        for handle, name in zip(*panel.get_legend_handles_labels(), strict=True)
    }
    columns = legend_columns(list(handles), figure.get_figwidth())
    figure.legend(
        handles.values(), handles.keys(), loc="outside upper center", ncols=columns, **LEGEND
    )
