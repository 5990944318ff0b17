"""Fig. 7: the pre-trained network as it is, and what little and much data add."""

from __future__ import annotations

from pathlib import Path

from sonotune.layout import format_percent
from sonotune.report.figures.bars import draw_gains, panels, summarise
from sonotune.report.palette import style_of
from sonotune.report.shown import Shown
from sonotune.report.style import ONE_COLUMN, journal_style, one_legend, save_figure

STARTS, TUNED = "unchanged", "whole"


def write_figure(cells: str | Path, pdf: str | Path, png: str | Path, *, shown: Shown) -> None:
    """Draw a stacked bar for each data set: unchanged, smallest and largest fraction.

    Parameters
    ----------
    cells
        ``cells.csv`` of a study that has the unchanged and the whole network.
    """
    found = summarise(cells, (STARTS, TUNED), shown)
    little, much = (
        f"{shown.strategies[TUNED]}, {format_percent(fraction)}"
        for fraction in (found.fractions[0], found.fractions[-1])
    )
    points = {
        shown.strategies[STARTS]: (STARTS, 0.0),
        little: (TUNED, found.fractions[0]),
        much: (TUNED, found.fractions[-1]),
    }
    with journal_style():
        figure, (panel,) = panels(
            1,
            ONE_COLUMN,
            [
                "Numbers: what each step adds to the mean, the last step above; a decrease is "
                "drawn as a line.",
                *found.notes[1:],
            ],
            list(points),
        )
        levels = {
            title: (
                [found.mean(d, strategy, fraction)[0] for d in found.present],
                style_of(strategy, list(shown.strategies)).colour,
            )
            for title, (strategy, fraction) in points.items()
        }
        # A study of one fraction has two levels; that of little data is hatched.
        hatched = {little} - {much}
        draw_gains(panel, [found.titles[name] for name in found.present], levels, hatched)
        one_legend(figure, [panel], "upper center", (0.5, 1.0))
        save_figure(figure, pdf, png)
