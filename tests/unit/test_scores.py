"""Overlap of masks, and scores of stored predictions."""

import numpy as np
import pandas as pd
import pytest
from builders import image_set, write_cell
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sonotune.data.dataset import save_set
from sonotune.evaluation.calibration import expected_calibration_error, reliability
from sonotune.evaluation.metrics import overlap
from sonotune.evaluation.scores import aggregate, score_dataset
from sonotune.statistics.decision import decide
from sonotune.statistics.tables import included_scores, read_runs
from sonotune.statistics.tails import low_scores

pairs_of_masks = st.integers(1, 3).flatmap(
    lambda n: st.tuples(arrays(bool, (n, 4, 5)), arrays(bool, (n, 4, 5)))
)


@given(pairs_of_masks)
def test_scores_agree_with_the_counts_of_pixels(pair):
    scores = overlap(*pair)
    for number, (found, truth) in enumerate(zip(*pair, strict=True)):
        tp, wrong = (found & truth).sum(), (found ^ truth).sum()
        # Two empty masks agree.
        assert scores["dice"][number] == (2 * tp / (2 * tp + wrong) if tp + wrong else 1)
        assert scores["iou"][number] == (tp / (tp + wrong) if tp + wrong else 1)
        assert scores["pixel_accuracy"][number] == pytest.approx(1 - wrong / 20)


def cell(folder, strategy, fold, rows, probabilities, **changes):
    settings = {"dataset": "d", "strategy": strategy, "fold": fold}
    return write_cell(folder / strategy / str(fold), rows, probabilities, settings, **changes)


def save_masks(folder, masks, group="g{}"):
    """A data set of masks, two images in each group."""
    places = range(len(masks))
    groups = [group.format(i // 2) for i in places]
    save_set(folder, image_set(masks, names=[f"00{i}" for i in places], groups=groups))


def score(folder, cells):
    score_dataset(folder / "arrays", cells, folder / "d.csv")
    aggregate([folder / "d.csv"], [one / "run.json" for one in cells], folder / "cells.csv")


@pytest.fixture
def scored(tmp_path):
    """Two cells on four images: one finds the masks, one marks everything."""
    masks = np.zeros((4, 8, 8), np.uint8)
    masks[:, :4] = 1
    save_masks(tmp_path / "arrays", masks)
    rows = np.array([1, 3])
    right = np.where(masks[rows] > 0, 128, 127).astype(np.uint8)
    cells = [
        cell(tmp_path, "right", 0, rows, right),
        cell(tmp_path, "all", 0, rows, np.full((2, 8, 8), 255, np.uint8), collapsed=True),
    ]
    score(tmp_path, cells)
    return tmp_path


def test_every_test_image_has_a_row_and_a_cell_their_mean_and_how_it_ran(scored):
    table = pd.read_csv(scored / "d.csv", dtype={"name": str})
    assert table[["strategy", "name", "group", "dice"]].to_numpy().tolist() == [
        ["right", "001", "g0", 1.0],
        ["right", "003", "g1", 1.0],
        ["all", "001", "g0", pytest.approx(2 / 3)],
        ["all", "003", "g1", pytest.approx(2 / 3)],
    ]
    right, marked = pd.read_csv(scored / "cells.csv").to_dict("records")
    assert right["dice"] == 1
    assert (marked["iou"], marked["pixel_accuracy"], marked["images"]) == (0.5, 0.5, 2)
    assert (right["collapsed"], marked["collapsed"]) == (False, True)
    assert (marked["source"], marked["cpu_total"]) == ("made up", 3)


@pytest.mark.parametrize("group", ["NA", "None", "nan", "null", "N/A", "-NaN", "<NA>", "1e5"])
def test_images_of_any_group_are_scored_and_counted(tmp_path, group):
    masks = np.zeros((4, 8, 8), np.uint8)
    masks[:, :4] = 1
    save_masks(tmp_path / "arrays", masks, group)
    made = cell(tmp_path, "right", 0, np.arange(4), masks * 255)
    score(tmp_path, [made])
    runs = read_runs(tmp_path / "cells.csv", ["right"], "failed")
    counted = included_scores(runs, tmp_path / "d.csv")
    assert counted["group"].tolist() == [group] * 4
    assert low_scores(counted)["images"].tolist() == [4]
    assert counted.groupby("group")["dice"].mean().to_dict() == {group: 1.0}


def below_half(shape, kind):
    """Probabilities that mark no pixel, uint8."""
    noise = np.random.default_rng(0).integers(0, 128, shape)
    ramp = np.broadcast_to(np.linspace(0, 127, shape[-1]), shape)
    kinds = {"zeros": 0 * noise, "just below": 0 * noise + 127, "noise": noise, "ramp": ramp}
    return kinds[kind].astype(np.uint8)


@pytest.mark.parametrize(
    ("kind", "folds"),
    [("zeros", 3), ("just below", 3), ("noise", 3), ("ramp", 3), ("zeros", 1), ("noise", 2)],
)
def test_a_network_that_marks_nothing_is_not_recommended_for_healthy_images(tmp_path, kind, folds):
    masks = np.zeros((12, 8, 8), np.uint8)
    masks[::4, 2:6, 2:6] = 1  # three of four images are healthy, which nothing marked gets right
    save_masks(tmp_path / "arrays", masks)
    cells = []
    for fold in range(3):
        rows = np.arange(4) + 4 * fold
        marked = np.full((4, 8, 8), 255, np.uint8)  # Dice .4 in one, 0 in the healthy ones
        marked[:, 0, : fold + 1] = 0
        blank = below_half(marked.shape, kind) if fold < folds else masks[rows] * 255
        cells += [cell(tmp_path, "blank", fold, rows, blank)]
        cells += [cell(tmp_path, "marks", fold, rows, marked)]
    score(tmp_path, cells)
    runs = read_runs(tmp_path / "cells.csv", ["blank", "marks"], "failed")
    assert runs["healthy"].tolist() == [3] * 6
    assert runs.groupby("strategy")["healthy_marked"].sum().to_dict() == {"blank": 0, "marks": 9}
    (decision,) = decide(runs)
    assert decision.strategy("blank").blank == folds
    assert decision.strategy("blank").mean > decision.strategy("marks").mean
    assert decision.recommended == "marks"


def test_low_scores_are_counted_by_fold():
    dice = [0.4, 0.9, 0.9, 0.9, 0.1, 0.2, 0.9, 0.9]
    table = pd.DataFrame({"strategy": "whole", "fold": np.repeat([0, 1], 4), "dice": dice})
    (row,) = low_scores(table).itertuples()
    assert row.share_low == pytest.approx((0.25 + 0.5) / 2)
    assert row.worst_tenth == pytest.approx((0.4 + 0.1) / 2)
    assert (row.lower, row.upper) == (0, 1)
    (one,) = low_scores(table[table["fold"] == 0]).itertuples()
    assert np.isnan(one.lower)


def test_calibrated_probabilities_have_no_calibration_error():
    random = np.random.default_rng(1)
    stated = random.random((4, 100, 100))
    truth = random.random(stated.shape) < stated
    parts = [reliability(p, t) for p, t in zip(stated, truth, strict=True)]
    assert expected_calibration_error(sum(parts[1:], parts[0])) < 0.02
    certain = reliability(np.ones(10), np.array([True] * 7 + [False] * 3))
    assert certain["pixels"].tolist() == [0] * 9 + [10]
    assert expected_calibration_error(certain) == pytest.approx(0.3)
