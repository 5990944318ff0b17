"""Fig. 3: training from scratch against fine-tuning the whole network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sonotune.analysis.averages import LeaveOut
from sonotune.analysis.bars import draw_groups, panels, summarise
from sonotune.analysis.figure import TWO_COLUMNS, journal_style, one_legend, save_figure
from sonotune.analysis.names import percent_text
from sonotune.analysis.palette import style_of

COMPARED = ("scratch", "whole")


def write_figure(
    cells: str | Path,
    pdf: str | Path,
    png: str | Path,
    *,
    strategies: Mapping[str, str],
    datasets: Mapping[str, str],
    leave_out: LeaveOut,
    ddof: int,
) -> None:
    """Draw a panel for each data set, with a pair of bars for each percent.

    Parameters
    ----------
    cells
        ``cells.csv`` of a study that has `COMPARED`.
    strategies, datasets
        Titles, in the order of the tables.
    leave_out, ddof
        See `sonotune.analysis.averages.average_over_folds`.
    """
    found = summarise(cells, COMPARED, datasets, leave_out, ddof)
    with journal_style():
        figure, axes = panels(
            len(found.shown), TWO_COLUMNS, found.notes, [strategies[name] for name in COMPARED]
        )
        for panel, dataset in zip(axes, found.shown, strict=True):
            series = {}
            for name in COMPARED:
                means = [found.mean(dataset, name, percent) for percent in found.percents]
                colour = style_of(name, list(strategies)).colour
                series[strategies[name]] = (
                    [mean for mean, _ in means],
                    [deviation for _, deviation in means],
                    colour,
                )
            draw_groups(panel, [percent_text(p) for p in found.percents], series)
            panel.set_title(found.titles[dataset], fontsize=7, pad=4)
        # One legend for all panels, above the first.
        one_legend(figure, axes[:1], "upper right", (0.995, 1.0))
        save_figure(figure, pdf, png)
