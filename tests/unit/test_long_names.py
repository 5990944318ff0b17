"""Figures of strategies with long names, of one fold and of failed runs alone."""

from itertools import product

import cv2
import numpy as np
import pytest
from made_up_cells import (
    DATASETS,
    EVERY,
    STRATEGIES,
    figure_of,
    inputs,
    made_up_cells,
    with_unchanged,
)
from made_up_scores import made_up_scores, write_study

from sonotune.report.display_options import DisplayOptions
from sonotune.report.registry import FIGURES
from sonotune.report.style import TWO_COLUMNS, legend_columns, text_width

LONG = {name: f"The network with {name.replace('_', ' ')} tuned" for name in EVERY}
PAIRS = [("contracting", "expanding"), ("except_5", "block_5")]


def scores_of(cells, folder):
    means = {(dataset, name, 0.8): 0.6 for dataset in DATASETS for name in STRATEGIES}
    scores = made_up_scores(means, folds=cells["fold"].nunique(), images=4)
    return write_study(scores, cells, folder)[1]


NETWORK = [(name, LONG[name], "pretrained", ["block1"]) for name in EVERY]
# What a figure is drawn from besides what is made of cells.
FURTHER = {
    "fig1": lambda *_: {"networks": [({"name": "unet", "width": 2}, NETWORK)]},
    "fig4": lambda *_: {"pairs": PAIRS},
    "distributions": lambda cells, folder: {"scores": scores_of(cells, folder)},
}
DRAWN = ("fig3", "fig4", "pareto", "ranks", "intervals", "more_images", "distributions")
STUDIES = {"two folds": (2, False), "one fold": (1, False), "failed runs alone": (2, True)}


@pytest.mark.parametrize(
    ("figure", "study"),
    [("fig1", "one fold"), *product((*DRAWN, "against_paper"), STUDIES)],
)
def test_names_stay_inside_the_figure_whatever_there_is_to_draw(figure, study, tmp_path):
    folds, fail = STUDIES[study]
    cells = made_up_cells(folds).assign(seconds=90.0, threads=1, epochs=20)
    cells = cells[cells["fraction"] == 0.8]  # more panels need more time and no more room
    if fail:
        cells = cells.assign(failed=True)
    every = with_unchanged(cells, dice=0.2, failed=False)
    given = inputs(figure, every, tmp_path, DisplayOptions(LONG, DATASETS), FIGURES)
    given |= FURTHER.get(figure, lambda *_: {})(cells, tmp_path)
    _, file = figure_of(figure, tmp_path, **given)
    drawn = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)
    rim = np.concatenate([drawn[0], drawn[-1], drawn[:, 0], drawn[:, -1]])
    assert drawn.min() < 100
    assert rim.min() == 255


def test_a_legend_has_as_many_columns_as_fit():
    short, long = ["a"] * 7, ["a name of a strategy that is very long indeed"] * 7
    assert legend_columns(short) == 7
    assert 1 < legend_columns(long, 3 * text_width(long[0])) < 4
    assert legend_columns(long, TWO_COLUMNS / 10) == 1
