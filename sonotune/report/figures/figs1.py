"""Fig. S1: the outermost blocks, each alone and both, against the network as it is."""

from __future__ import annotations

from pathlib import Path

from sonotune.layout import format_percent
from sonotune.report.figures.bars import draw_groups, panels, summarise
from sonotune.report.palette import style_of
from sonotune.report.shown import Shown
from sonotune.report.style import TWO_COLUMNS, journal_style, one_legend, save_figure

COMPARED = ("unchanged", "block_1", "block_9", "blocks_19")


def write_figure(cells: str | Path, pdf: str | Path, png: str | Path, *, shown: Shown) -> None:
    """Draw a panel for each fraction, with a group of bars for each data set.

    Parameters
    ----------
    cells
        ``cells.csv`` of a study that has `COMPARED`.
    """
    found = summarise(cells, COMPARED, shown)
    fractions = found.fractions[::-1]
    with journal_style():
        figure, axes = panels(
            len(fractions), TWO_COLUMNS, found.notes, [shown.strategies[name] for name in COMPARED]
        )
        for panel, fraction in zip(axes, fractions, strict=True):
            series = {}
            for name in COMPARED:
                means = [
                    found.mean(dataset, name, fraction if name != "unchanged" else 0.0)
                    for dataset in found.present
                ]
                colour = style_of(name, list(shown.strategies)).colour
                series[shown.strategies[name]] = (
                    [mean for mean, _ in means],
                    [deviation for _, deviation in means],
                    colour,
                )
            draw_groups(panel, [found.titles[name] for name in found.present], series)
            panel.set_title(format_percent(fraction), fontsize=7, pad=4)
        one_legend(figure, axes[:1], "upper right", (0.995, 1.0))
        save_figure(figure, pdf, png)
