"""Fig. 3: training from scratch against fine-tuning the whole network."""

from __future__ import annotations

from pathlib import Path

from sonotune.layout import format_percent
from sonotune.report.figures.bars import draw_groups, panels, summarise
from sonotune.report.palette import style_of
from sonotune.report.shown import Shown
from sonotune.report.style import TWO_COLUMNS, journal_style, one_legend, save_figure

COMPARED = ("scratch", "whole")


def write_figure(cells: str | Path, pdf: str | Path, png: str | Path, *, shown: Shown) -> None:
    """Draw a panel for each data set, with a pair of bars for each fraction.

    Parameters
    ----------
    cells
        ``cells.csv`` of a study that has `COMPARED`.
    """
    found = summarise(cells, COMPARED, shown)
    with journal_style():
        figure, axes = panels(
            len(found.present),
            TWO_COLUMNS,
            found.notes,
            [shown.strategies[name] for name in COMPARED],
        )
        for panel, dataset in zip(axes, found.present, strict=True):
            series = {}
            for name in COMPARED:
                means = [found.mean(dataset, name, fraction) for fraction in found.fractions]
                colour = style_of(name, list(shown.strategies)).colour
                series[shown.strategies[name]] = (
                    [mean for mean, _ in means],
                    [deviation for _, deviation in means],
                    colour,
                )
            draw_groups(panel, [format_percent(p) for p in found.fractions], series)
            panel.set_title(found.titles[dataset], fontsize=7, pad=4)
        # One legend for all panels, above the first.
        one_legend(figure, axes[:1], "upper right", (0.995, 1.0))
        save_figure(figure, pdf, png)
