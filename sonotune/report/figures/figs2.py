"""Fig. S2: feature maps of a shallow and a deep stage, before and after fine-tuning."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from sonotune.data.dataset import load_set
from sonotune.layout import format_percent
from sonotune.report.display_options import DisplayOptions
from sonotune.report.geometry import aspect_of
from sonotune.report.images import show_image
from sonotune.report.names import stage_title
from sonotune.report.style import TWO_COLUMNS, noted_figure

LEFT, HEAD = 0.25, 0.45  # inches: names of rows, titles


def draw(
    features: Mapping[str, str | Path],
    arrays: Mapping[str, str | Path],
    display: DisplayOptions,
    features_of: Mapping[str, Any],
) -> Figure:
    """Draw two rows for each data set: the pre-trained network's maps, and those after tuning.

    They are shown in the proportions of the original image.

    Parameters
    ----------
    features
        For each data set what `sonotune.jobs.features.write_features` wrote.
    arrays
        For each data set the folder of its prepared arrays.
    display
        Titles of the data sets, in the order of the rows; its strategies are not used.
    features_of
        ``strategy`` (its title), ``fraction`` and ``fold`` of the cell that was trained.
    """
    stored = {}
    for name in display.datasets:
        with np.load(features[name], allow_pickle=False) as file:
            stored[name] = dict(file)
    aspects = {
        name: aspect_of(load_set(arrays[name]), int(maps["row"])) for name, maps in stored.items()
    }
    sources = {name: str(maps["source"]) for name, maps in stored.items()}
    titles, source_notes = display.name_datasets(sources)
    notes = [
        f"Fine-tuned: {features_of['strategy']}, {format_percent(features_of['fraction'])} of the "
        f"images, fold {features_of['fold']}; the test image whose object has the median area. The "
        "channels of each stage that vary most in the pre-trained network; before and after share "
        "a grey scale.",
        *source_notes,
    ]
    parts = ("shallow", "deep")
    first = next(iter(stored.values()))
    widths = [1, *(width for part in parts for width in (0.1, *[1] * first[part].shape[1]))]
    side = (TWO_COLUMNS - LEFT) / len(widths)
    heights = [HEAD + 2 * side * aspects[name] for name in stored]
    figure = noted_figure(notes, sum(heights))
    groups = figure.subfigures(len(stored), squeeze=False, height_ratios=heights).flat
    for group, (name, maps) in zip(groups, stored.items(), strict=True):
        group.suptitle(titles[name], x=0.06 / TWO_COLUMNS, ha="left", weight="bold", fontsize=8)
        panels = group.subplots(2, len(widths), width_ratios=widths)
        for panel in panels.flat:
            panel.set(xticks=[], yticks=[])
            panel.spines[:].set_visible(False)
        for panel, when in zip(panels[:, 0], ("before", "after"), strict=True):
            panel.set_ylabel(when, fontsize=7)
        show_image(panels[0, 0], maps["image"], aspects[name])
        column = 2
        for stage, part in zip(maps["stages"], parts, strict=True):
            text = f"{part}: {stage_title(str(stage))}"
            panels[0, column].set_title(text, fontsize=7, loc="left")
            for pair in maps[part].swapaxes(0, 1):
                limits = (float(pair.min()), float(pair.max()))
                for panel, image in zip(panels[:, column], pair, strict=True):
                    show_image(panel, image, aspects[name], limits=limits)
                column += 1
            column += 1
    return figure
