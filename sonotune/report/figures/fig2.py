"""Fig. 2: an example of every data set with its mask, that of the pre-training first."""

from collections.abc import Mapping
from pathlib import Path

from matplotlib.figure import Figure

from sonotune.data.dataset import load_set
from sonotune.data.image_set import median_row
from sonotune.report.display_options import DisplayOptions
from sonotune.report.geometry import aspect_of
from sonotune.report.images import show_image
from sonotune.report.names import dataset_title, source_notes
from sonotune.report.style import ONE_COLUMN, TWO_COLUMNS, noted_figure

MOST = 6  # data sets beside each other
HEAD, HIGHEST = 0.22, 2.4  # inches
TALLEST = 1.5  # of an image, as a multiple of its width


def draw(
    all_arrays: Mapping[str, str | Path], display: DisplayOptions, pretraining: Mapping[str, str]
) -> Figure:
    """Draw the image of each data set whose object is of median size, and below it its mask.

    They are shown in the proportions of the original image, not squeezed into a square.

    Parameters
    ----------
    all_arrays
        Folder of the prepared arrays of each data set, also that of the pre-training.
    display
        Titles of the data sets, in the order of the panels; its strategies are not used.
    pretraining
        Name and title of the data set of the pre-training, if there is one.
    """
    datasets = {**pretraining, **display.datasets}
    sets = {name: load_set(all_arrays[name]) for name in datasets}
    sources = {name: str(data.about.get("source", name)) for name, data in sets.items()}
    notes = [
        "From each data set the image whose object has the median area, with its mask, in the "
        "proportions of the original.",
        *source_notes([name for name in sets if name not in pretraining], datasets, sources),
    ]
    rows = {name: median_row(data) for name, data in sets.items()}
    aspects = {name: min(aspect_of(data, rows[name]), TALLEST) for name, data in sets.items()}
    width = TWO_COLUMNS if len(sets) > 2 else ONE_COLUMN
    names = list(sets)
    parts = [names[i : i + MOST] for i in range(0, len(names), MOST)]
    # Images beside each other are equally high, however wide they are.
    widest = max(sum(1 / aspects[name] for name in part) for part in parts)
    high = min(width / widest, HIGHEST)
    figure = noted_figure(notes, len(parts) * (2 * high + HEAD), width)
    for group, part in zip(figure.subfigures(len(parts), squeeze=False).flat, parts, strict=True):
        widths = [1 / aspects[name] for name in part]
        panels = group.subplots(2, len(part), squeeze=False, width_ratios=widths)
        for column, name in enumerate(part):
            data, row = sets[name], rows[name]
            title = "Pre-training: " if name in pretraining else ""
            title += dataset_title(name, datasets, {} if name in pretraining else sources)
            panels[0, column].set_title(title, fontsize=7, pad=3)
            pair = (data.images[row], 255 * data.masks[row])
            for panel, image in zip(panels[:, column], pair, strict=True):
                show_image(panel, image, aspect_of(data, row))
    return figure
