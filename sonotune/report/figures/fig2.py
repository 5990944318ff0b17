"""Fig. 2: an example of every data set."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from matplotlib.figure import Figure

from sonotune.data.dataset import load_set
from sonotune.data.image_set import median_row
from sonotune.report.images import TRUTH, show_image
from sonotune.report.names import dataset_title, source_notes
from sonotune.report.style import (
    ONE_COLUMN,
    TWO_COLUMNS,
    footnote,
    footnote_height,
    journal_style,
    save_figure,
)

MOST = 6  # panels beside each other
HEAD = 0.22  # inches


def write_fig2(
    arrays: Mapping[str, str | Path],
    pdf: str | Path,
    png: str | Path,
    *,
    datasets: Mapping[str, str],
) -> None:
    """Draw the image of each data set whose object is of median size, with its outline.

    Parameters
    ----------
    arrays
        Folder of the prepared arrays of each data set.
    datasets
        Titles, in the order of the panels.
    """
    sets = {name: load_set(arrays[name]) for name in datasets}
    sources = {name: str(data.about.get("source", name)) for name, data in sets.items()}
    notes = [
        "From each data set the image whose object has the median area, with its outline.",
        *source_notes(list(sets), datasets, sources),
    ]
    with journal_style():
        width = TWO_COLUMNS if len(sets) > 2 else ONE_COLUMN
        columns = min(MOST, len(sets))
        rows = -(-len(sets) // columns)
        wide = width / max(columns, 2)
        foot = footnote_height(notes, width)
        height = rows * (wide + HEAD) + foot
        figure = Figure(figsize=(width, height))
        footnote(figure, notes, height, width)
        for number, (name, data) in enumerate(sets.items()):
            row, column = divmod(number, columns)
            bottom = height - (row + 1) * (wide + HEAD)
            panel = figure.add_axes(
                (
                    (column * wide + 0.03) / width,
                    (bottom + 0.03) / height,
                    (wide - 0.06) / width,
                    (wide - 0.06) / height,
                )
            )
            shown = median_row(data)
            show_image(panel, data.images[shown], [(data.masks[shown], TRUTH, "solid")])
            panel.set_title(dataset_title(name, datasets, sources), fontsize=7, pad=3)
        save_figure(figure, pdf, png)
