"""Fig. 4: Dice against the share of images used, for pairs of shallow and deep strategies."""

from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sonotune.evaluation.averages import CONDITION, ExcludeRuns, is_excluded, read_cells
from sonotune.layout import format_percent
from sonotune.report.display_options import DisplayOptions, sources_of
from sonotune.report.style import message_figure, noted_figure

PANEL_HEIGHT = 1.75  # inches
APART = 0.06  # half the distance between a pair's points, in categories


def draw(
    cells: str | Path, averages: str | Path, display: DisplayOptions, pairs: Sequence[Sequence[str]]
) -> Figure:
    """Draw Fig. 4: a row of panels for each data set, a panel for each pair of strategies.

    Parameters
    ----------
    cells, averages
        ``cells.csv`` and ``averages.csv`` of a study.
    display
        Strategies and data sets to show, with their titles.
    pairs
        Shallow and deep strategy of each panel. A pair of which the cells lack one is left out;
        if all are, the figure says so.
    """
    table = read_cells(cells)
    table = table[(table["fraction"] > 0) & table["dataset"].isin(list(display.datasets))]
    pairs = [pair for pair in pairs if set(pair) <= set(table["strategy"])]
    if not pairs:
        return message_figure(
            "Fig. 4 compares pairs of a shallow and a deep strategy; this study has trained "
            "none of its pairs."
        )
    table = table[table["strategy"].isin(list(chain(*pairs)))]
    means = display.averages(averages)
    means = means[(means["fraction"] > 0) & means["strategy"].isin(list(chain(*pairs)))]
    kept = table[~is_excluded(table, display.exclude_runs)]
    fractions = sorted(means["fraction"].unique())
    titles, source_notes = display.name_datasets(sources_of(means))
    notes = [*_notes(table, display.exclude_runs), *source_notes]

    figure = noted_figure(notes, PANEL_HEIGHT * len(titles) + 0.58)
    axes = figure.subplots(len(titles), len(pairs), sharex=True, sharey="row", squeeze=False)
    for panels, (dataset, title) in zip(axes, titles.items(), strict=True):
        panels[0].set_ylabel("Dice")
        panels[0].annotate(
            title, (-0.5, 0.5), xycoords=panels[0].yaxis.label, rotation=90, weight="bold",
            ha="right", va="center",
        )  # fmt: skip
        of_set, runs = means[means["dataset"] == dataset], kept[kept["dataset"] == dataset]
        for panel, pair in zip(panels, pairs, strict=True):
            for name, shift in zip(pair, (-APART, APART), strict=True):
                curve = of_set[of_set["strategy"] == name].set_index("fraction")["dice_mean"]
                points = runs[runs["strategy"] == name]
                _draw_strategy(panel, curve.reindex(fractions), points, shift, name, display)
            panel.grid(axis="y", color="#dddddd")
            if not runs["strategy"].isin(list(pair)).any():
                panel.text(0.5, 0.5, "no run left", transform=panel.transAxes, ha="center")
        if not len(runs):
            panels[0].set_ylim(0, 1)
    for top, bottom in zip(axes[0], axes[-1], strict=True):
        top.legend(loc="lower center", bbox_to_anchor=(0.5, 0.98))
        bottom.set_xticks(range(len(fractions)), [format_percent(p) for p in fractions])
        bottom.set_xlim(-0.5, len(fractions) - 0.5)
        bottom.set_xlabel("Share of the images used")
    return figure


def _draw_strategy(
    panel: Axes,
    means: pd.Series,
    points: pd.DataFrame,
    shift: float,
    name: str,
    display: DisplayOptions,
) -> None:
    """The mean at every fraction, and a thin line for each fold."""
    look = display.look(name)
    positions = {fraction: position + shift for position, fraction in enumerate(means.index)}
    thin = look | {"marker": ".", "markersize": 3, "linewidth": 0.5, "alpha": 0.5}
    if points["fold"].nunique() > 1:
        for _, fold in points.groupby("fold"):
            scores = fold.groupby("fraction")["dice"].mean()
            panel.plot(scores.index.map(positions), scores, **thin)
    panel.plot(
        list(positions.values()), means.astype(float), label=display.strategies[name], **look
    )


def _notes(cells: pd.DataFrame, exclude_runs: ExcludeRuns) -> list[str]:
    folds = cells.groupby(CONDITION)["fold"].nunique()
    few, many = int(folds.min()), int(folds.max())
    number = f"{few}" if few == many else f"{few} to {many}"
    notes = [f"Large markers: mean Dice over {number} fold{'s' * (many > 1)}."]
    if many > 1:
        notes[0] += (
            " Thin lines: the folds, the same for both strategies. The figure of differences shows "
            "which of them are significant."
        )
    out = int(is_excluded(cells, exclude_runs).sum())
    if out:
        ended = "failed or collapsed" if exclude_runs == "failed+collapsed" else "failed"
        are = "is" if out == 1 else "are"
        notes.append(f"{out} of {len(cells)} runs {ended} and {are} left out.")
    return notes
