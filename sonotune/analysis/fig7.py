"""Fig. 7: the pre-trained network as it is, and what little and much data add."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sonotune.analysis.averages import LeaveOut
from sonotune.analysis.bars import draw_gains, panels, summarise
from sonotune.analysis.figure import ONE_COLUMN, journal_style, one_legend, save_figure
from sonotune.analysis.names import percent_text
from sonotune.analysis.palette import style_of

STARTS, TUNED = "unchanged", "whole"


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
    """Draw a stacked bar for each data set: unchanged, smallest and largest percent.

    Parameters
    ----------
    cells
        ``cells.csv`` of a study that has the unchanged and the whole network.
    strategies, datasets
        Titles, in the order of the tables.
    leave_out, ddof
        See `sonotune.analysis.averages.average_over_folds`.
    """
    found = summarise(cells, (STARTS, TUNED), datasets, leave_out, ddof)
    little, much = (
        f"{strategies[TUNED]}, {percent_text(percent)}"
        for percent in (found.percents[0], found.percents[-1])
    )
    points = {
        strategies[STARTS]: (STARTS, 0.0),
        little: (TUNED, found.percents[0]),
        much: (TUNED, found.percents[-1]),
    }
    with journal_style():
        figure, (panel,) = panels(
            1,
            ONE_COLUMN,
            [
                "Numbers: what each step adds to the mean, the last step above; a step down is a "
                "line.",
                *found.notes[1:],
            ],
            list(points),
        )
        levels = {
            title: (
                [found.mean(d, strategy, percent)[0] for d in found.shown],
                style_of(strategy, list(strategies)).colour,
            )
            for title, (strategy, percent) in points.items()
        }
        # A study of one percent has two levels; that of little data is hatched.
        hatched = {little} - {much}
        draw_gains(panel, [found.titles[name] for name in found.shown], levels, hatched)
        one_legend(figure, [panel], "upper center", (0.5, 1.0))
        save_figure(figure, pdf, png)
