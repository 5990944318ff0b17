"""How the Dice of single images are spread, strategy by strategy."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sonotune.layout import format_percent
from sonotune.report.display_options import DisplayOptions, sources_of
from sonotune.report.palette import style_of
from sonotune.report.style import noted_figure
from sonotune.statistics.tables import included_scores, read_runs

ROW, GAP = 0.135, 0.38  # inches


def draw(cells: str | Path, scores: Mapping[str, str | Path], display: DisplayOptions) -> Figure:
    """Draw boxes of every image's Dice: a row of panels per data set, a column per fraction.

    Parameters
    ----------
    cells, scores
        ``cells.csv`` of a study and each data set's scores.
    display
        Strategies and data sets to show, with their titles.
    """
    runs = read_runs(cells, list(display.strategies), display.exclude_runs)
    runs = runs[runs["fraction"] > 0]
    titles, source_notes = display.name_datasets(sources_of(runs))
    fractions = sorted(runs["fraction"].unique(), reverse=True)
    names = display.strategies_of(runs)
    notes = [
        "Dice of each of the n test images of all folds run (fewer where a run failed). Boxes: "
        "quartiles with the median; whiskers: 5th and 95th percentile; dots: the images beyond.",
        *source_notes,
    ]
    height = (ROW * (len(names) + 1) + GAP) * len(titles) + 0.3
    figure = noted_figure(notes, height)
    axes = figure.subplots(len(titles), len(fractions), sharey=True, sharex="row", squeeze=False)
    for panels, (dataset, title) in zip(axes, titles.items(), strict=True):
        table = included_scores(runs, scores[dataset])
        for panel, fraction in zip(panels, fractions, strict=True):
            part = table[table["fraction"] == fraction]
            _draw(panel, part, list(names), list(display.strategies))
            images = part.groupby("strategy").size().max()
            text = f"{title}, {format_percent(fraction)}, n = {images}"
            panel.set_title(text, fontsize=7, pad=3)
    for panel in axes[-1]:
        panel.set_xlabel("Dice of an image")
    axes[0, 0].set_yticks(range(len(names)), names.values())
    axes[0, 0].set_ylim(len(names) - 0.4, -0.6)
    return figure


def _draw(panel: Axes, scores: pd.DataFrame, names: list[str], strategies: list[str]) -> None:
    for position, name in enumerate(names):
        values = scores.loc[scores["strategy"] == name, "dice"]
        if not len(values):
            continue
        colour = style_of(name, strategies).colour
        panel.boxplot(
            values,
            positions=[position],
            orientation="horizontal",
            widths=0.6,
            whis=(5, 95),
            manage_ticks=False,
            patch_artist=True,
            boxprops={"facecolor": colour, "alpha": 0.45, "linewidth": 0},
            medianprops={"color": colour, "linewidth": 1.4},
            whiskerprops={"color": colour, "linewidth": 0.8},
            capprops={"linewidth": 0},
            flierprops={
                "marker": ".",
                "markersize": 3,
                "markeredgewidth": 0,
                "markerfacecolor": colour,
                "alpha": 0.6,
            },
        )
    panel.set_xlim(right=1.02)
    panel.grid(axis="x")
    panel.tick_params(axis="y", length=0)
