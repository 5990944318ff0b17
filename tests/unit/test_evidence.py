"""Table III, the figures besides Figs. 4 and 5, and the comparison with the paper."""

import numpy as np
import pandas as pd
import pytest
from builders import image_set
from made_up_cells import (
    DATASETS,
    EVERY,
    averages_of,
    figure_of,
    made_up_cells,
    table_of,
    with_unchanged,
    write_cells,
)
from matplotlib.colors import to_hex

from sonotune.data.dataset import save_set
from sonotune.data.image_set import median_row
from sonotune.evaluation.averages import average_over_runs
from sonotune.layout import Cell
from sonotune.report.against_paper import compare
from sonotune.report.display_options import DisplayOptions
from sonotune.report.figures.against_paper import draw_against_paper
from sonotune.report.figures.fig1 import FROZEN, draw_fig1
from sonotune.report.figures.fig_curves import draw_curves
from sonotune.report.figures.fig_pareto import pareto_front
from sonotune.report.figures.paired import draw_paired
from sonotune.report.palette import style_of
from sonotune.report.published import published_table

SHOWN = DisplayOptions(EVERY, DATASETS)
RUNS = {"seconds": 90.0, "threads": 1, "epochs": 20}


def study(folder):
    cells = with_unchanged(made_up_cells(folds=2).assign(**RUNS), dice=0.2)
    return cells, write_cells(cells, folder)


def test_differences_are_paired_by_fold(tmp_path):
    cells, _ = study(tmp_path)
    runs = {("scratch", 0): 0.5, ("scratch", 1): 0.7, ("scratch", 2): 0.9}
    runs |= {("whole", 0): 0.6, ("whole", 1): 0.8, ("whole", 2): 1.0, ("whole", 3): 0.2}
    one = cells[(cells["dataset"] == "sus") & (cells["fraction"] == 0.8)].iloc[:1]
    rows = [one.assign(strategy=name, fold=fold, dice=dice) for (name, fold), dice in runs.items()]
    names = {"scratch": "From scratch", "whole": "Whole network"}
    figure = draw_paired(pd.concat(rows), DisplayOptions(names, DATASETS), 0)
    left, right = figure.axes
    # Folds, then mean, of each.
    dots = [line.get_xdata() for line in left.lines[:4]]
    assert dots[1] == pytest.approx([0.7])
    assert dots[3] == pytest.approx([0.65])
    # The fold that one of them lacks adds nothing; the differences do not vary.
    assert right.lines[0].get_xdata() == pytest.approx([0.1])
    assert [text.get_text() for text in right.texts] == ["3", "n"]


def test_the_front_has_what_nothing_beats_in_both():
    costs = np.array([1.0, 2.0, 2.0, 3.0, 4.0, np.nan])
    gains = np.array([0.5, 0.7, 0.6, 0.7, 0.9, 1.0])
    assert pareto_front(costs, gains).tolist() == [True, True, False, False, True, False]


def test_table3_has_minutes_over_folds_of_runs_that_count(tmp_path):
    cells, _ = study(tmp_path)
    cells.loc[cells["strategy"] == "whole", "seconds"] = np.resize([60.0, 120.0], 12)
    path = write_cells(cells, tmp_path)
    timed = ["whole", "contracting", "nowhere"]
    given = {"cells": path, "averages": averages_of(path), "training_time": timed}
    texts = table_of("table3", tmp_path, **given, display=SHOWN)
    table = pd.read_csv(tmp_path / "table3.csv")
    assert table["strategy"].tolist() == ["whole", "contracting"] * 2
    assert table["minutes_mean"].tolist() == [1.5] * 4
    assert table["minutes_std"].round(4).tolist() == [0.7071, 0] * 2
    assert set(table["precision"]) == {"fp32"}
    assert "Ran on cpu in fp32 with 1 thread." in texts["html"]
    assert "1.50<small>(0.71)</small>" in texts["html"]
    assert "BUS is busi" in texts["html"]


def test_the_papers_own_numbers_correlate_perfectly_with_themselves():
    table = published_table("amiri2020_table2").dropna()
    sources = {"bus": "busi", "fus": "hc18", "xray": "scr"}
    cells = table.rename(columns={"dice_mean": "dice"}).drop(columns="dice_std")
    cells = cells.assign(source=table["dataset"].replace(sources), fold=0, seconds=60.0)
    cells = cells.assign(failed=False, collapsed=False, tuned_parameters=1, total_parameters=1)
    found = compare(average_over_runs(cells, "failed", 1))
    dice = found[found["measure"] == "dice"]
    assert len(dice) == len(table)
    assert (dice["rank_correlation"].round(9) == 1).all()
    assert (dice["difference"] == 0).all()
    assert set(dice[dice["stands_in"].astype(bool)]["dataset"]) == {"bus"}
    ratios = found[found["measure"] == "time_ratio"].set_index(["dataset", "strategy"])
    assert ratios.loc[("sus", "contracting"), "paper"] == pytest.approx(1.53 / 1.36)
    assert ratios.loc[("sus", "contracting"), "ours"] == 1
    worst = cells.assign(dice=1 - cells["dice"])
    found = compare(average_over_runs(worst, "failed", 1))
    assert (found[found["measure"] == "dice"]["rank_correlation"] < -0.99).all()


def test_the_comparison_leaves_stand_ins_out_of_the_figure(tmp_path):
    cells, path = study(tmp_path)
    table = compare(average_over_runs(cells, "failed", 1))
    assert set(table["dataset"]) == {"sus", "bus"}
    figure = draw_against_paper(table[table["measure"] == "dice"], EVERY, DATASETS)
    titles = [panel.get_title() for panel in figure.axes if panel.get_title()]
    assert all(title.startswith("SUS") for title in titles)
    assert len(titles) == 3
    assert any("Left out" in text.get_text() for text in figure.texts)
    texts = table_of("against_paper", tmp_path, averages=averages_of(path), display=SHOWN)
    assert "BUS is busi" in texts["html"]


def test_other_work_is_a_line_beside_the_same_images_only():
    rows = [
        {"dataset": name, "strategy": "whole", "fraction": share, "ours": 0.97, "paper": 0.98,
         "standard_error": 0.01, "stands_in": False, "rank_correlation": np.nan}
        for name in ("xray", "fus")
        for share in (0.8, 0.05)
    ]  # fmt: skip
    figure = draw_against_paper(pd.DataFrame(rows), EVERY, {"xray": "X-ray", "fus": "FUS"})
    dashed = {
        panel.get_title(): [
            one.get_ydata()[0] for one in panel.lines if one.get_linestyle() == "--"
        ]
        for panel in figure.axes
    }
    assert dashed == {"X-ray, 80%": [0.974], "X-ray, 5%": [], "FUS, 80%": [], "FUS, 5%": []}


def test_fig1_is_drawn_from_the_networks_stages():
    stages = {"block1": 100, "block5a": 300, "head": 600}
    strategies = [
        ("whole", "Whole", [], list(stages)),
        ("head", "Head", [], ["head"]),
        ("scratch", "From scratch", list(stages), list(stages)),
    ]
    order = ["whole", "head", "scratch"]
    panel = draw_fig1([(stages, strategies)], order).axes[0]
    colours = [to_hex(patch.get_facecolor()) for patch in panel.patches]
    assert colours[:3] == [style_of("whole", order).colour] * 3
    assert [colour != FROZEN for colour in colours[3:]] == [False, False, True, False, False, False]
    assert [bool(patch.get_hatch()) for patch in panel.patches[6:]] == [True] * 3
    texts = [text.get_text() for text in panel.texts]
    assert "600  60.0%" in texts


def test_fig2_shows_the_image_with_an_object_of_median_size(tmp_path):
    masks = np.zeros((3, 16, 16), np.uint8)
    for number, side in enumerate((12, 2, 5)):
        masks[number, :side, :side] = 1
    data = image_set(masks, masks * 200, source="sus")
    assert median_row(data) == 2
    save_set(tmp_path / "sus", data)
    arrays, display = {"sus": tmp_path / "sus"}, DisplayOptions({}, {"sus": "SUS"})
    figure_of("fig2", tmp_path, all_arrays=arrays, display=display, pretraining={})


def test_learning_curves_are_those_of_failed_and_collapsed_runs(tmp_path):
    (tmp_path / "s").mkdir()
    cells, path = study(tmp_path / "s")
    history = pd.DataFrame({"epoch": [1, 2], "training_loss": [1, 0.5], "validation_loss": [1, 2]})
    bad = cells[cells["failed"] | cells["collapsed"]]
    for row in bad.itertuples():
        cell = Cell("s", row.dataset, row.strategy, row.fraction, row.fold)
        (tmp_path / cell.folder).mkdir(parents=True)
        history.to_csv(tmp_path / cell.folder / "history.csv", index=False)
    figure_of("curves", tmp_path, cells=path, display=SHOWN)
    figure = draw_curves(
        [("SUS, 80%, fold 0\nFrom scratch: failed", history)], 30, ["* SUS is other."]
    )
    assert list(figure.axes[0].lines[1].get_ydata()) == [1, 2]
    notes = " ".join(text.get_text() for text in figure.texts)
    assert "The first 1 of 30." in " ".join(notes.split())
    assert "* SUS is other." in notes
    good = cells[~cells["failed"] & ~cells["collapsed"]]
    figure_of("curves", tmp_path, cells=write_cells(good, tmp_path / "s"), display=SHOWN)
