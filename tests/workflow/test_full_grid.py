"""Finished cells that nobody trained: every rule after the training runs from them."""

import numpy as np
import pandas as pd
import pytest
from builders import dataset_place
from warm import run_through

from benchmarks.full_grid import write_grid
from sonotune.data.dataset import load_set
from sonotune.evaluation.metrics import overlap
from sonotune.evaluation.scores import score_dataset


@pytest.fixture(scope="module")
def grid(tmp_path_factory):
    folder = tmp_path_factory.mktemp("grid")
    write_grid(folder, {"fus": 60, "xray": 60}, size=64, folds=2, width=1)
    return folder


def test_it_has_every_cell_of_the_study_and_the_workflow_trains_none(grid):
    assert len(list(grid.glob("results/amiri2020/cells/*/*/*/*/run.json"))) == 2 * (13 * 3 + 1) * 2
    said = run_through(grid, "-n", "--configfile", str(grid / "grid.yaml"))
    stats = said[said.rindex("Job stats:") :]
    assert "\nscore " in stats
    assert "\ntable " in stats
    for rule in ("originals", "download", "audit", "preprocess", "pretrain", "finetune"):
        assert f"\n{rule} " not in stats


def test_predictions_have_dice_scores_around_those_of_the_paper(grid):
    data = load_set(grid / dataset_place(grid / "grid.yaml", "xray") / "64")
    means = {}
    for strategy, fraction in (("whole", 0.8), ("block_9", 0.5)):
        scores = []
        for fold in (0, 1):
            cell = grid / f"results/amiri2020/cells/xray/{strategy}/{fraction}/{fold}"
            with np.load(cell / "predictions.npz") as stored:
                found, rows = stored["probabilities"] >= 128, stored["rows"]
            scores.append(overlap(found, data.masks[rows] > 0)["dice"].mean())
        means[strategy] = np.mean(scores)
    assert means["whole"] == pytest.approx(0.979, abs=0.02)  # Table II
    assert means["block_9"] == pytest.approx(0.876, abs=0.05)


def test_heads_have_circumferences_of_a_fetus(grid):
    cells = [grid / "results/amiri2020/cells/fus/whole/0.8/0"]
    measured = grid / "circumferences.csv"
    rows = (grid / "resources/hc18/training_set_pixel_size_and_HC.csv").read_text().splitlines()
    pairs = [row.split(",") for row in rows[1:]]
    lines = [f"{name.removesuffix('.png')},{hc}" for name, _, hc in pairs]
    measured.write_text("name,hc_mm\n" + "\n".join(lines) + "\n")
    arrays = grid / dataset_place(grid / "grid.yaml", "fus") / "64"
    score_dataset(arrays, cells, grid / "fus.csv", measured)
    table = pd.read_csv(grid / "fus.csv")
    assert table["hc_measured_mm"].between(80, 450).all()
    assert table["hc_absolute_difference_mm"].median() < 0.05 * table["hc_measured_mm"].median()


def test_the_same_cells_are_written_again(grid, tmp_path):
    write_grid(tmp_path, {"xray": 60}, size=64, folds=2, width=1)
    file = "results/amiri2020/cells/xray/scratch/0.05/1/predictions.npz"
    with np.load(grid / file) as first, np.load(tmp_path / file) as second:
        assert (first["probabilities"] == second["probabilities"]).all()
