"""How the Dice of single images are spread, strategy by strategy."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sonotune.layout import format_percent
from sonotune.report.display_options import DisplayOptions, sources_of
from sonotune.report.style import rows_of_strategies
from sonotune.statistics.tables import included_scores, read_runs

DOTS = {"marker": ".", "markersize": 3, "markeredgewidth": 0, "alpha": 0.6}


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
    figure, panels = rows_of_strategies(
        notes, (titles, fractions), names.values(), (0.135, 0.38), "Dice of an image"
    )
    tables = {dataset: included_scores(runs, scores[dataset]) for dataset in titles}
    for (dataset, fraction), panel in panels.items():
        part = tables[dataset].query("fraction == @fraction")
        _draw(panel, part, list(names), display)
        images = part.groupby("strategy").size().max()
        text = f"{titles[dataset]}, {format_percent(fraction)}, n = {images}"
        panel.set_title(text, fontsize=7, pad=3)
    return figure


def _draw(panel: Axes, scores: pd.DataFrame, names: list[str], display: DisplayOptions) -> None:
    for position, name in enumerate(names):
        values = scores.loc[scores["strategy"] == name, "dice"]
        if not len(values):
            continue
        colour = display.look(name)["color"]
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
            flierprops=DOTS | {"markerfacecolor": colour},
        )
    panel.set_xlim(right=1.02)
    panel.grid(axis="x")
