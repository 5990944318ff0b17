"""Figures of strategies with long names: nothing is cut off at the rim."""

import cv2
import numpy as np
import pandas as pd
import pytest
from made_up_cells import STRATEGIES, averages_of, made_up_cells, ranks_of, write_cells
from made_up_scores import cells_of_scores, made_up_scores, write_study

from sonotune.evaluation.averages import read_cells
from sonotune.report.display_options import DisplayOptions
from sonotune.report.style import TWO_COLUMNS, legend_columns, text_width
from sonotune.report.views import write_figure, write_table
from sonotune.statistics.decision import decide, decision_tables
from sonotune.statistics.learning import forecast_table
from sonotune.statistics.runs import fold_scores

NAMES = [*STRATEGIES, "unchanged"]
LONG = {name: f"The network with {name.replace('_', ' ')} tuned" for name in NAMES}
DATASETS = {"sus": "SUS", "bus": "BUS"}
PAIRS = [("contracting", "expanding"), ("except_5", "block_5")]


def study(folder):
    cells = made_up_cells(folds=2).assign(seconds=90.0, threads=1, epochs=20)
    cells = cells[cells["fraction"] == 0.8]  # more panels need more time and no more room
    unchanged = cells[cells["strategy"] == "whole"]
    unchanged = unchanged.assign(strategy="unchanged", fraction=0, dice=0.2, tuned_parameters=0)
    return write_cells(pd.concat([cells, unchanged]), folder)


def distributions(names, folder, *files):
    means = {("sus", name, 0.8): 0.6 for name in STRATEGIES}
    scores = made_up_scores(means, folds=2, images=4)
    cells, paths = write_study(scores, cells_of_scores(scores), folder)
    display = DisplayOptions(names, DATASETS)
    write_figure("distributions", *files, cells=cells, scores=paths, display=display)


def of_averages(name, **settings):
    def draw(names, folder, *files):
        cells = study(folder)
        needed = ranks_of(cells) if name == "ranks" else {"cells": cells}
        if name in ("fig4", "pareto"):
            needed["averages"] = averages_of(cells)
        write_figure(name, *files, display=DisplayOptions(names, DATASETS), **needed, **settings)

    return draw


def stages_of(names, folder, *files):
    network = {"name": "unet", "width": 2}
    rows = [(name, names[name], "pretrained", ["block1"]) for name in NAMES]
    write_figure("fig1", *files, networks=[(network, rows)], display=DisplayOptions(names, {}))


def beside_paper(names, folder, *files):
    tables = [folder / f"a.{kind}" for kind in ("csv", "tex", "html")]
    display = DisplayOptions(names, DATASETS)
    write_table("against_paper", *tables, averages=averages_of(study(folder)), display=display)
    write_figure("against_paper", *files, against_paper=tables[0], display=display)


def intervals(names, folder, *files):
    runs = read_cells(study(folder))
    for name, table in decision_tables(decide(runs[runs["fraction"] > 0])).items():
        table.to_csv(folder / f"{name}.csv", index=False)
    write_figure("intervals", *files, decisions=folder, display=DisplayOptions(names, DATASETS))


def more_images(names, folder, *files):
    runs = read_cells(study(folder))
    trained = runs[runs["fraction"] > 0]
    for name, table in decision_tables(decide(trained)).items():
        table.to_csv(folder / f"{name}.csv", index=False)
    forecasts = forecast_table(fold_scores(trained, "tuned_parameters"))
    forecasts.assign(source="sus").to_csv(folder / "learning.csv", index=False)
    given = {"decisions": folder, "learning": folder / "learning.csv"}
    write_figure("more_images", *files, **given, display=DisplayOptions(names, DATASETS))


FIGURES = {
    **{name: of_averages(name) for name in ("fig3", "pareto", "ranks")},
    "fig1": stages_of,
    "fig4": of_averages("fig4", pairs=PAIRS),
    "intervals": intervals,
    "more_images": more_images,
    "distributions": distributions,
    "against_paper": beside_paper,
}


@pytest.mark.parametrize("figure", FIGURES)
def test_names_stay_inside_the_figure(figure, tmp_path):
    FIGURES[figure](LONG, tmp_path, tmp_path / "f.pdf", tmp_path / "f.png")
    drawn = cv2.imread(str(tmp_path / "f.png"), cv2.IMREAD_GRAYSCALE)
    rim = np.concatenate([drawn[0], drawn[-1], drawn[:, 0], drawn[:, -1]])
    assert drawn.min() < 100
    assert rim.min() == 255


def test_a_legend_has_as_many_columns_as_fit():
    short, long = ["a"] * 7, ["a name of a strategy that is very long indeed"] * 7
    assert legend_columns(short) == 7
    assert 1 < legend_columns(long, 3 * text_width(long)) < 4
    assert legend_columns(long, TWO_COLUMNS / 10) == 1
