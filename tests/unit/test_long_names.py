"""Figures of strategies with long names: nothing is cut off at the rim."""

from importlib import import_module

import cv2
import numpy as np
import pandas as pd
import pytest
from made_up_cells import STRATEGIES, made_up_cells, write_cells
from made_up_scores import cells_of_scores, made_up_scores, write_study

from sonotune.evaluation.averages import read_cells
from sonotune.report.figures.against_paper import write_against_paper
from sonotune.report.figures.fig1 import write_fig1
from sonotune.report.figures.fig4 import write_fig4
from sonotune.report.figures.fig_distributions import write_distributions
from sonotune.report.figures.fig_intervals import write_intervals
from sonotune.report.figures.fig_ranks import write_ranks
from sonotune.report.palette import STYLES, style_of
from sonotune.report.shown import Shown
from sonotune.report.style import TWO_COLUMNS, legend_columns, text_width
from sonotune.statistics.decision import decide, decision_tables

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
    write_distributions(cells, paths, *files, shown=Shown(names, DATASETS))


def of_averages(module):
    write = import_module(f"sonotune.report.figures.{module}").write_figure
    shown = {"sus": "SUS"}
    return lambda names, folder, *files: write(study(folder), *files, shown=Shown(names, shown))


def stages_of(names, folder, *files):
    network = {"name": "unet", "width": 2}
    rows = [(name, names[name], "pretrained", ["block1"]) for name in NAMES]
    write_fig1([(network, rows)], *files, order=NAMES)


def beside_paper(names, folder, *files):
    write_against_paper(study(folder), folder / "a.csv", *files, shown=Shown(names, DATASETS))


def intervals(names, folder, *files):
    runs = read_cells(study(folder))
    for name, table in decision_tables(decide(runs[runs["fraction"] > 0])).items():
        table.to_csv(folder / f"{name}.csv", index=False)
    write_intervals(folder, *files, strategies=names, datasets=DATASETS)


FIGURES = {
    **{name: of_averages(name) for name in ("paired", "fig_pareto")},
    "fig1": stages_of,
    "fig4": lambda names, folder, *files: write_fig4(
        study(folder), *files, pairs=PAIRS, shown=Shown(names, DATASETS)
    ),
    "intervals": intervals,
    "ranks": lambda names, folder, *files: write_ranks(study(folder), *files, strategies=names),
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


def test_own_strategies_beside_the_papers_have_colours_of_their_own():
    names = ["whole", "contracting", "expanding", "mine", "yours", "encoder"]
    styles = [style_of(name, names) for name in names]
    assert styles[:3] == [STYLES[name] for name in names[:3]]
    assert len({style.colour for style in styles}) == len(names)
