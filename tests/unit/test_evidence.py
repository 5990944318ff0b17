"""Table III, the figures besides Figs. 4 and 5, and the comparison with the paper."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from builders import image_set
from made_up_cells import (
    DATASETS,
    EVERY,
    SHOWN,
    drawn,
    figure_of,
    inputs,
    made_up_cells,
    notes_of,
    table_of,
    with_unchanged,
)
from matplotlib.colors import to_hex

from sonotune.data.dataset import save_set
from sonotune.data.image_set import median_row
from sonotune.evaluation.averages import average_over_runs
from sonotune.layout import Cell
from sonotune.networks.stage_names import UNET_STAGES
from sonotune.report.against_paper import compare
from sonotune.report.display_options import DisplayOptions
from sonotune.report.figures.fig1 import FROZEN
from sonotune.report.published import published_table

RUNS = {"seconds": 90.0, "threads": 1, "epochs": 20}


def study():
    return with_unchanged(made_up_cells(folds=2).assign(**RUNS), dice=0.2)


def test_differences_are_paired_by_fold(tmp_path):
    cells = study()
    runs = {("scratch", 0): 0.5, ("scratch", 1): 0.7, ("scratch", 2): 0.9}
    runs |= {("whole", 0): 0.6, ("whole", 1): 0.8, ("whole", 2): 1.0, ("whole", 3): 0.2}
    one = cells[(cells["dataset"] == "sus") & (cells["fraction"] == 0.8)].iloc[:1]
    rows = [one.assign(strategy=name, fold=fold, dice=dice) for (name, fold), dice in runs.items()]
    names = {"scratch": "From scratch", "whole": "Whole network"}
    display = DisplayOptions(names, DATASETS)
    left, right = drawn("fig3", **inputs("fig3", pd.concat(rows), tmp_path, display)).axes
    # Folds, then mean, of each.
    dots = [line.get_xdata() for line in left.lines[:4]]
    assert dots[1] == pytest.approx([0.7])
    assert dots[3] == pytest.approx([0.65])
    # The fold that one of them lacks adds nothing; the differences do not vary.
    assert right.lines[0].get_xdata() == pytest.approx([0.1])
    assert [text.get_text() for text in right.texts] == ["3", "n"]


def test_the_front_has_what_nothing_beats_in_both(tmp_path):
    points = {1: 0.5, 2: 0.7, 3: 0.6, 4: 0.7, 5: 0.9}
    cells = study()
    cells = cells.query("dataset == 'sus' and fraction == 0.8 and fold == 0").head(len(points))
    cells = cells.assign(dice=[*points.values()], seconds=[*points], tuned_parameters=[*points])
    for panel in drawn("pareto", **inputs("pareto", cells, tmp_path)).axes:
        assert panel.lines[-1].get_xdata().tolist() == [1, 2, 5]


def test_table3_has_minutes_over_folds_of_runs_that_count(tmp_path):
    cells = study()
    cells.loc[cells["strategy"] == "whole", "seconds"] = np.resize([60.0, 120.0], 12)
    given = inputs("table3", cells, tmp_path)
    timed = ["whole", "contracting", "nowhere"]
    texts = table_of("table3", tmp_path, **given, training_time=timed)
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
    given = inputs("against_paper", study(), tmp_path)
    texts = table_of("against_paper", tmp_path, **given)
    assert "BUS is busi" in texts["html"]
    table = tmp_path / "against_paper.csv"
    assert set(pd.read_csv(table)["dataset"]) == {"sus", "bus"}
    figure = drawn("against_paper", against_paper=table, display=SHOWN)
    titles = [panel.get_title() for panel in figure.axes]
    assert [title[:3] for title in titles] == ["SUS"] * 3
    assert "Left out" in notes_of(figure)


def test_other_work_is_a_line_beside_the_same_images_only(tmp_path):
    common = {"measure": "dice", "strategy": "whole", "ours": 0.97, "paper": 0.98}
    common |= {"standard_error": 0.01, "stands_in": False, "rank_correlation": np.nan}
    places = product(("xray", "fus"), (0.8, 0.05))
    table = pd.DataFrame([{"dataset": name, "fraction": p} | common for name, p in places])
    table.to_csv(tmp_path / "table.csv")
    display = DisplayOptions(EVERY, {"xray": "X-ray", "fus": "FUS"})
    figure = drawn("against_paper", against_paper=tmp_path / "table.csv", display=display)
    dashed = {
        panel.get_title(): [
            one.get_ydata()[0] for one in panel.lines if one.get_linestyle() == "--"
        ]
        for panel in figure.axes
    }
    assert dashed == {"X-ray, 80%": [0.974], "X-ray, 5%": [], "FUS, 80%": [], "FUS, 5%": []}


def test_fig1_is_drawn_from_the_networks_stages():
    stages = list(UNET_STAGES)
    strategies = [
        ("whole", "Whole", "pretrained", stages),
        ("mine", "Mine", "pretrained", ["block9"]),
        ("scratch", "From scratch", "random", stages),
    ]
    display = DisplayOptions(dict.fromkeys(["whole", "mine", "scratch"], ""), {})
    networks = [({"name": "unet", "width": 1}, strategies)]
    _, *panels = drawn("fig1", networks=networks, display=display).axes
    whole, mine = ([to_hex(one.get_facecolor()) for one in panel.patches] for panel in panels[:2])
    assert whole == [display.look("whole")["color"]] * 10
    assert [colour != FROZEN for colour in mine] == [False] * 9 + [True]
    assert [bool(patch.get_hatch()) for patch in panels[2].patches] == [True] * 10
    tuned = panels[1].get_title("left")
    assert tuned.startswith("Mine\n")
    assert tuned.endswith("%")


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
    cells = study()
    history = pd.DataFrame({"epoch": [1, 2], "training_loss": [1, 0.5], "validation_loss": [1, 2]})
    bad = cells[cells["failed"] | cells["collapsed"]]
    for row in bad.itertuples():
        cell = Cell("s", row.dataset, row.strategy, row.fraction, row.fold)
        (tmp_path / cell.folder).mkdir(parents=True)
        history.to_csv(tmp_path / cell.folder / "history.csv", index=False)
    figure = drawn("curves", **inputs("curves", cells, tmp_path / "s"))
    assert sum(len(panel.lines) == 2 for panel in figure.axes) == len(bad)
    assert list(figure.axes[0].lines[1].get_ydata()) == [1, 2]
    assert "BUS is busi" in notes_of(figure)
    good = cells[~cells["failed"] & ~cells["collapsed"]]
    figure_of("curves", tmp_path, **inputs("curves", good, tmp_path / "s"))
