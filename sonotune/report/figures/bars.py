"""Bars of mean Dice: what Figs. 3, 6, 7 and S1 share."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from sonotune.evaluation.averages import average_over_runs, is_left_out, read_cells
from sonotune.report.names import dataset_title, source_notes
from sonotune.report.shown import Shown
from sonotune.report.style import footnote, footnote_height, legend_height

# Inches: panels beside each other, what stands left of them, above and below.
PANEL, LEFT, TOP, BOTTOM = 1.9, 0.45, 0.18, 0.32


@dataclass(frozen=True)
class Summary:
    """Averages of a study for one figure.

    Attributes
    ----------
    table
        What `sonotune.evaluation.averages.average_over_runs` gives.
    present
        Data sets, in the order of the study.
    titles
        Of each data set, marked where another one stands in for it.
    notes
        Sentences about folds, failed runs and stand-ins.
    """

    table: pd.DataFrame
    present: list[str]
    titles: dict[str, str]
    notes: list[str]

    def mean(self, dataset: str, strategy: str, fraction: float) -> tuple[float, float]:
        """Mean and standard deviation over folds; nan where there is none."""
        t = self.table
        found = t[
            (t["dataset"] == dataset) & (t["strategy"] == strategy) & (t["fraction"] == fraction)
        ]
        if not len(found):
            return np.nan, np.nan
        return float(found["dice_mean"].iloc[0]), float(found["dice_std"].iloc[0])

    @property
    def fractions(self) -> list[float]:
        """Fractions that were trained with, rising."""
        return sorted(float(p) for p in self.table["fraction"].unique() if p > 0)


def summarise(cells: str | Path, strategies: Sequence[str], shown: Shown) -> Summary:
    """Read a study's cells and average those of some strategies."""
    table = read_cells(cells)
    table = table[
        table["strategy"].isin(list(strategies)) & table["dataset"].isin(list(shown.datasets))
    ]
    averages = average_over_runs(table, shown.exclude_runs, shown.ddof)
    present = [name for name in shown.datasets if name in set(table["dataset"])]
    sources = table.dropna(subset="source").groupby("dataset")["source"].first().to_dict()
    groups = table.groupby(["dataset", "strategy", "fraction"])["fold"]
    folds, runs = int(groups.nunique().max()), int(groups.size().max())
    over = f"{runs} runs" + (f" in {folds} fold{'s' * (folds > 1)}" if runs > folds else "")
    notes = [
        f"Mean over {over}; bars: one standard deviation over runs to either side."
        if runs > 1
        else "One run: there is no standard deviation."
    ]
    if out := int(is_left_out(table, shown.exclude_runs).sum()):
        are = "is" if out == 1 else "are"
        notes.append(f"{out} of {len(table)} runs failed and {are} left out.")
    notes += source_notes(present, shown.datasets, sources)
    titles = {name: dataset_title(name, shown.datasets, sources) for name in present}
    return Summary(averages, present, titles, notes)


def panels(
    number: int, width: float, notes: list[str], named: Sequence[str]
) -> tuple[Figure, list[Axes]]:
    """A figure of panels beside each other that share the axis of Dice, with a footnote.

    Above them is room for `one_legend` of the names in ``named``, and a title.
    """
    foot, top = footnote_height(notes, width), TOP + legend_height(named, width)
    height = top + PANEL + BOTTOM + foot
    figure = Figure(figsize=(width, height))
    footnote(figure, notes, height, width)
    axes = figure.subplots(1, number, squeeze=False)[0]
    figure.subplots_adjust(
        left=LEFT / width,
        right=0.99,
        top=1 - top / height,
        bottom=(foot + BOTTOM) / height,
        wspace=0.22,
    )
    for panel in axes:
        panel.grid(axis="y", color="#dddddd", linewidth=0.5)
        panel.set_axisbelow(True)
    axes[0].set_ylabel("Dice")
    return figure, list(axes)


def draw_groups(
    panel: Axes,
    groups: Sequence[str],
    series: Mapping[str, tuple[Sequence[float], Sequence[float], str]],
) -> None:
    """Groups of bars beside each other.

    Parameters
    ----------
    groups
        Titles below the groups.
    series
        By title: mean and standard deviation in each group, and colour.
    """
    width = 0.8 / len(series)
    for number, (title, (means, deviations, colour)) in enumerate(series.items()):
        places = np.arange(len(groups)) + (number - (len(series) - 1) / 2) * width
        panel.bar(places, np.nan_to_num(means), width * 0.92, color=colour, label=title)
        known = np.isfinite(np.asarray(deviations, float))
        if known.any():
            _, caps, stems = panel.errorbar(
                places[known],
                np.asarray(means)[known],
                np.asarray(deviations)[known],
                fmt="none",
                ecolor="#333333",
                elinewidth=0.8,
                capsize=1.8,
            )
            for line in (*caps, *stems):
                # A white edge, so that their lower half is seen on dark bars.
                line.set_path_effects([withStroke(linewidth=1.8, foreground="white")])
        for place, mean in zip(places, means, strict=True):
            if not np.isfinite(mean):
                panel.text(place, 0.02, "none", rotation=90, ha="center", va="bottom", fontsize=6)
    panel.set_xticks(range(len(groups)), groups)
    panel.set_ylim(0, 1)


def draw_gains(
    panel: Axes,
    groups: Sequence[str],
    levels: Mapping[str, tuple[Sequence[float], str]],
    hatched: Collection[str] = (),
) -> None:
    """Bars of a first level, with the gain of each further level stacked on it.

    A level that is lower than the one before it gains nothing; its place is marked by a line.

    Parameters
    ----------
    levels
        By title, the lowest first: mean in each group, and colour.
    hatched
        Titles of levels drawn hatched: a strategy has one colour, also with less data.
    """
    places = np.arange(len(groups))
    reached = np.zeros(len(groups))
    gains: list[list[str]] = [[] for _ in groups]
    for title, (means, colour) in levels.items():
        values = np.nan_to_num(np.asarray(means, float))
        higher = np.maximum(values, reached)
        panel.bar(
            places,
            higher - reached,
            0.6,
            bottom=reached,
            label=title,
            facecolor="white" if title in hatched else colour,
            edgecolor=colour,
            linewidth=0.6,
            hatch="////" if title in hatched else None,
        )
        for place, value, start in zip(places, values, reached, strict=True):
            if start:
                gains[place].append(f"{value - start:+.3f}")
            if start and value < start:
                panel.plot([place - 0.3, place + 0.3], [value] * 2, color=colour)
        reached = higher
    for number, texts in enumerate(gains):
        text = "\n".join(texts[::-1])
        panel.text(number, reached[number] + 0.01, text, ha="center", va="bottom", fontsize=6)
    panel.set_xticks(places, groups)
    panel.set_ylim(0, 1.02 + 0.065 * (len(levels) - 1))
    panel.set_yticks(np.linspace(0, 1, 6))
