"""Fig. S2: feature maps of a shallow and a deep stage, before and after fine-tuning."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from sonotune.layout import format_percent
from sonotune.report.names import dataset_title, source_notes, stage_title
from sonotune.report.shown import Shown
from sonotune.report.style import (
    TWO_COLUMNS,
    footnote,
    footnote_height,
)

LEFT, HEAD, GAP = 0.55, 0.34, 0.12  # inches: names of rows, titles, between groups of maps


def draw(
    features: Mapping[str, str | Path], shown: Shown, features_of: Mapping[str, Any]
) -> Figure:
    """Draw two rows for each data set: the pre-trained network's maps, and those after tuning.

    Parameters
    ----------
    features
        For each data set what `sonotune.jobs.features.write_features` wrote.
    shown
        Titles of the data sets, in the order of the rows; its strategies are not used.
    features_of
        ``strategy`` (its title), ``fraction`` and ``fold`` of the cell that was trained.
    """
    datasets = shown.datasets
    stored = {}
    for name in datasets:
        with np.load(features[name], allow_pickle=False) as file:
            stored[name] = dict(file)
    sources = {name: str(one["source"]) for name, one in stored.items()}
    titles = {name: dataset_title(name, datasets, sources) for name in stored}
    notes = [
        f"Fine-tuned: {features_of['strategy']}, {format_percent(features_of['fraction'])} of the "
        f"images, fold {features_of['fold']}; the test image whose object has the median area. The "
        "channels of each stage that vary most in the pre-trained network; before and after share "
        "a grey scale.",
        *source_notes(list(stored), datasets, sources),
    ]
    return _draw(stored, titles, notes)


def _draw(
    stored: Mapping[str, Mapping[str, np.ndarray]], titles: Mapping[str, str], notes: list[str]
) -> Figure:
    columns = 1 + sum(next(iter(stored.values()))[part].shape[1] for part in ("shallow", "deep"))
    side = (TWO_COLUMNS - LEFT - 2 * GAP - 0.04) / columns
    foot = footnote_height(notes)
    block = HEAD + 2 * side
    height = block * len(stored) + foot
    figure = Figure(figsize=(TWO_COLUMNS, height))
    footnote(figure, notes, height)
    for number, (name, one) in enumerate(stored.items()):
        top = height - number * block - HEAD
        figure.text(
            0.06 / TWO_COLUMNS, (top + 0.1) / height, titles[name], weight="bold", fontsize=8
        )
        for row, when in enumerate(("before", "after")):
            middle = (top - (row + 0.5) * side) / height
            figure.text(
                (LEFT - 0.06) / TWO_COLUMNS, middle, when, ha="right", va="center", fontsize=7
            )
        _show(figure, one["image"], LEFT, top, side, height, (0, 255))
        left = LEFT + side + GAP
        for stage, part in zip(one["stages"], ("shallow", "deep"), strict=True):
            pair = one[part]
            figure.text(
                left / TWO_COLUMNS,
                (top + 0.06) / height,
                f"{part}: {stage_title(str(stage))}",
                fontsize=7,
            )
            for channel in range(pair.shape[1]):
                limits = (float(pair[:, channel].min()), float(pair[:, channel].max()))
                for row in range(2):
                    _show(figure, pair[row, channel], left, top - row * side, side, height, limits)
                left += side
            left += GAP
    return figure


def _show(
    figure: Figure,
    image: np.ndarray,
    left: float,
    top: float,
    side: float,
    height: float,
    limits: tuple[float, float],
) -> None:
    panel = figure.add_axes(
        (
            (left + 0.01) / TWO_COLUMNS,
            (top - side + 0.01) / height,
            (side - 0.02) / TWO_COLUMNS,
            (side - 0.02) / height,
        )
    )
    panel.imshow(image, cmap="gray", vmin=limits[0], vmax=limits[1], interpolation="none")
    panel.set(xticks=[], yticks=[])
    panel.spines[:].set_visible(False)
