"""Figures of strategies with long names, of one fold and of failed runs alone."""

from itertools import product

import cv2
import numpy as np
import pytest
from made_up_cells import (
    DATASETS,
    EVERY,
    STRATEGIES,
    averages_of,
    decisions_of,
    figure_of,
    made_up_cells,
    ranks_of,
    table_of,
    with_unchanged,
    write_cells,
)
from made_up_scores import made_up_scores, write_study

from sonotune.report.display_options import DisplayOptions
from sonotune.report.style import TWO_COLUMNS, legend_columns, text_width
from sonotune.statistics.learning import forecast_table
from sonotune.statistics.runs import fold_scores

LONG = {name: f"The network with {name.replace('_', ' ')} tuned" for name in EVERY}
PAIRS = [("contracting", "expanding"), ("except_5", "block_5")]


def scores_of(cells, folder):
    means = {(dataset, name, 0.8): 0.6 for dataset in DATASETS for name in STRATEGIES}
    scores = made_up_scores(means, folds=cells["fold"].nunique(), images=4)
    return write_study(scores, cells, folder)[1]


def forecasts(cells, folder):
    found = forecast_table(fold_scores(cells, "tuned_parameters"))
    found.assign(source="sus").to_csv(folder / "learning.csv", index=False)
    return folder / "learning.csv"


def beside_paper(path, folder):
    table_of(
        "against_paper", folder, averages=averages_of(path), display=DisplayOptions(EVERY, DATASETS)
    )
    return folder / "against_paper.csv"


# What each figure is drawn from: cells and their file.
FIGURES = {
    "fig1": lambda cells, path: {
        "networks": [
            ({"name": "unet", "width": 2}, [(n, LONG[n], "pretrained", ["block1"]) for n in EVERY])
        ]
    },
    "fig3": lambda cells, path: {"cells": path},
    "fig4": lambda cells, path: {"cells": path, "averages": averages_of(path), "pairs": PAIRS},
    "pareto": lambda cells, path: {"cells": path, "averages": averages_of(path)},
    "ranks": lambda cells, path: ranks_of(path),
    "intervals": lambda cells, path: {"decisions": decisions_of(cells, path.parent)},
    "more_images": lambda cells, path: {
        "decisions": decisions_of(cells, path.parent),
        "learning": forecasts(cells, path.parent),
    },
    "distributions": lambda cells, path: {"cells": path, "scores": scores_of(cells, path.parent)},
    "against_paper": lambda cells, path: {"against_paper": beside_paper(path, path.parent)},
}
STUDIES = {"two folds": (2, False), "one fold": (1, False), "failed runs alone": (2, True)}


@pytest.mark.parametrize(
    ("figure", "study"),
    # The first figure is drawn from no cells.
    [("fig1", "one fold"), *product(list(FIGURES)[1:], STUDIES)],
)
def test_names_stay_inside_the_figure_whatever_there_is_to_draw(figure, study, tmp_path):
    folds, fail = STUDIES[study]
    cells = made_up_cells(folds).assign(seconds=90.0, threads=1, epochs=20)
    cells = cells[cells["fraction"] == 0.8]  # more panels need more time and no more room
    if fail:
        cells = cells.assign(failed=True)
    path = write_cells(with_unchanged(cells, dice=0.2, failed=False), tmp_path)
    needed = FIGURES[figure](cells, path)
    _, file = figure_of(figure, tmp_path, **needed, display=DisplayOptions(LONG, DATASETS))
    drawn = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)
    rim = np.concatenate([drawn[0], drawn[-1], drawn[:, 0], drawn[:, -1]])
    assert drawn.min() < 100
    assert rim.min() == 255


def test_a_legend_has_as_many_columns_as_fit():
    short, long = ["a"] * 7, ["a name of a strategy that is very long indeed"] * 7
    assert legend_columns(short) == 7
    assert 1 < legend_columns(long, 3 * text_width(long[0])) < 4
    assert legend_columns(long, TWO_COLUMNS / 10) == 1
