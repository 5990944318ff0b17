"""Fig. 6: what a few blocks reach, and what the rest of the network adds."""

from __future__ import annotations

from pathlib import Path

from sonotune.layout import format_percent
from sonotune.report.figures.bars import draw_gains, panels, summarise
from sonotune.report.palette import style_of
from sonotune.report.shown import Shown
from sonotune.report.style import ONE_COLUMN, journal_style, one_legend, save_figure

LEVELS = ("blocks_1289", "whole")


def write_figure(cells: str | Path, pdf: str | Path, png: str | Path, *, shown: Shown) -> None:
    """Draw a stacked bar for each data set, at the largest fraction.

    Parameters
    ----------
    cells
        ``cells.csv`` of a study that has `LEVELS`.
    """
    found = summarise(cells, LEVELS, shown)
    fraction = found.fractions[-1]
    notes = [
        f"At {format_percent(fraction)}. Numbers: what the whole network adds to the mean; "
        "a decrease is drawn as a line.",
        *found.notes[1:],
    ]
    with journal_style():
        figure, (panel,) = panels(1, ONE_COLUMN, notes, [shown.strategies[name] for name in LEVELS])
        levels = {
            shown.strategies[name]: (
                [found.mean(dataset, name, fraction)[0] for dataset in found.present],
                style_of(name, list(shown.strategies)).colour,
            )
            for name in LEVELS
        }
        draw_gains(panel, [found.titles[name] for name in found.present], levels)
        one_legend(figure, [panel], "upper center", (0.5, 1.0))
        save_figure(figure, pdf, png)
