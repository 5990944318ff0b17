"""Distances between outlines, components and head circumferences of predictions."""

import math

import numpy as np
import pandas as pd
import pytest
from builders import image_set, write_cell

from sonotune.data.dataset import save_set
from sonotune.data.ellipse import Ellipse
from sonotune.errors import SonotuneError
from sonotune.evaluation.circumferences import write_circumferences
from sonotune.evaluation.scores import aggregate, score_dataset
from sonotune.evaluation.shapes import SHAPE_METRICS, head_circumference, shape_scores
from sonotune.evaluation.surface import boundary, surface_distances
from sonotune.runtime.files import write_json

SIZE = 64


def distances_of(found, truth, spacing=(1.0, 1.0)):
    return surface_distances(boundary(found), boundary(truth), spacing)


@pytest.mark.parametrize("spacing", [(1.0, 1.0), (0.3, 0.7)])
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_distances_agree_with_monai(spacing):
    import torch
    from monai.metrics import compute_average_surface_distance, compute_hausdorff_distance

    rng = np.random.default_rng(0)
    for _ in range(3):
        pair = rng.random((2, 40, 50)) < 0.9
        found, truth = (torch.from_numpy(mask)[None, None].float() for mask in pair)
        distances = distances_of(*pair, spacing)
        hausdorff = compute_hausdorff_distance(
            found, truth, include_background=True, percentile=95, spacing=list(spacing)
        )
        mean = compute_average_surface_distance(
            found, truth, include_background=True, symmetric=True, spacing=list(spacing)
        )
        assert distances == pytest.approx((hausdorff.item(), mean.item()), rel=1e-5)


def test_millimetres_differ_along_the_axes():
    masks = np.zeros((3, SIZE, SIZE), bool)
    masks[0, 20:30, 20:30] = masks[1, 24:34, 20:30] = masks[2, 20:30, 24:34] = True
    down = shape_scores(masks[1], boundary(masks[0]), (0.5, 2.0))
    right = shape_scores(masks[2], boundary(masks[0]), (0.5, 2.0))
    assert down["hausdorff95_px"] == right["hausdorff95_px"] == 4
    assert down["hausdorff95_mm"] == 2
    assert right["hausdorff95_mm"] > 4


def test_no_outline_has_no_distance_unless_there_was_nothing_to_find():
    empty, full = np.zeros((8, 8), bool), np.ones((8, 8), bool)
    assert distances_of(empty, empty) == (0, 0)
    assert all(map(math.isnan, (*distances_of(empty, full), *distances_of(full, empty))))


def test_components_are_counted_by_sides_and_corners():
    mask = np.zeros((8, 8), bool)
    assert shape_scores(mask, boundary(mask))["components"] == 0
    mask[2, 2] = mask[3, 3] = True
    assert shape_scores(mask, boundary(mask))["components"] == 1
    mask[5, 5] = True
    assert shape_scores(mask, boundary(mask))["components"] == 2
    assert shape_scores(mask, boundary(mask))["at_border"] == 0
    mask[0, 5] = True
    assert shape_scores(mask, boundary(mask))["at_border"] == 1


HEAD = Ellipse(x=33.0, y=30.0, a=24.0, b=18.0, angle=0.4)


def head(**changes):
    return Ellipse(**{**vars(HEAD), **changes}).mask((SIZE, SIZE)) > 0


def odd_head():
    """With a hole, and a smaller component."""
    mask = head()
    mask[25:30, 25:30] = False
    mask[60:, :4] = True
    return mask


@pytest.mark.parametrize(
    ("mask", "spacing", "circumference"),
    [
        (head(), (1, 1), HEAD.circumference),
        (head(), (0.5, 0.5), HEAD.circumference / 2),
        (Ellipse(32, 32, 12, 24, 0).mask((SIZE, SIZE)) > 0, (0.5, 1.0), 2 * math.pi * 12),
        (odd_head(), (1, 1), HEAD.circumference),
        (head(x=14.0), (1, 1), HEAD.circumference),
    ],
    ids=["as it is", "small pixels", "long pixels", "with a hole and a part", "cut by the border"],
)
def test_circumference_is_that_of_the_ellipse(mask, spacing, circumference):
    assert head_circumference(mask, spacing) == pytest.approx(circumference, rel=0.02)


def test_no_ellipse_no_circumference():
    empty, strip, dot = (np.zeros((SIZE, SIZE), bool) for _ in range(3))
    strip[:, :9] = True  # all outline that is no border is a straight line
    dot[5, 5] = True
    for mask in (empty, strip, dot):
        assert math.isnan(head_circumference(mask, (1, 1)))


@pytest.fixture
def heads(tmp_path):
    """Four heads; one cell finds a head, nothing, three parts, and one cut by the border."""
    (tmp_path / "hc18/training_set").mkdir(parents=True)
    names = [f"00{i}_HC" for i in range(4)]
    lines = [f"{name}.png,0.1,{HEAD.circumference * 0.5 + i}" for i, name in enumerate(names)]
    table = "filename,pixel size(mm),head circumference (mm)\n" + "\n".join(lines) + "\n"
    (tmp_path / "hc18/training_set_pixel_size_and_HC.csv").write_text(table)
    masks = np.stack([head().astype(np.uint8)] * 4)
    known = {"original_height": 80, "original_width": 80}
    known |= {"mm_per_pixel_y": 0.5, "mm_per_pixel_x": 0.5}
    save_set(tmp_path / "arrays", image_set(masks, names=names, **known))
    found = np.stack([head(), head() & False, head(), head(x=14.0)])
    found[2, :3, :3] = found[2, -3:, -3:] = True
    settings = {"dataset": "fus", "strategy": "whole"}
    write_cell(tmp_path / "cell", np.arange(4), found * np.uint8(255), settings)
    write_json(tmp_path / "source.json", {"folder": str(tmp_path / "hc18")})
    write_circumferences(tmp_path / "source.json", tmp_path / "circumferences.csv")
    return tmp_path


def test_heads_are_scored_against_the_published_circumferences(heads):
    score_dataset(
        heads / "arrays", [heads / "cell"], heads / "fus.csv", heads / "circumferences.csv"
    )
    table = pd.read_csv(heads / "fus.csv").set_index("row")
    assert table["components"].tolist() == [1, 0, 3, 1]
    assert table["at_border"].tolist() == [0, 0, 1, 1]
    assert table["hc_difference_mm"].isna().tolist() == [False, True, False, False]
    assert table["hc_difference_mm"].tolist()[0] == pytest.approx(0, abs=1)
    assert table["hc_difference_mm"].tolist()[2] == pytest.approx(-2, abs=1)
    assert table["hc_absolute_difference_mm"].tolist()[2] == pytest.approx(2, abs=1)
    assert table["hausdorff95_mm"].tolist()[0] == 0

    aggregate([heads / "fus.csv"], [heads / "cell/run.json"], heads / "cells.csv")
    cell = pd.read_csv(heads / "cells.csv").iloc[0]
    counts = ["no_component", "several_components", "reach_border", "without_distance"]
    assert cell[[*counts, "without_hc"]].tolist() == [1, 1, 2, 1, 1]
    assert cell["hc_difference_mm"] == pytest.approx(table["hc_difference_mm"].mean())


def test_without_circumferences_or_pixel_sizes_the_columns_are_empty(heads):
    mask = head()
    scores = shape_scores(mask, boundary(mask), None, 70.0)
    unknown = {name for name in SHAPE_METRICS if math.isnan(scores[name])}
    assert unknown == {name for name in SHAPE_METRICS if name.endswith("_mm")} - {"hc_measured_mm"}
    score_dataset(heads / "arrays", [heads / "cell"], heads / "fus.csv")
    table = pd.read_csv(heads / "fus.csv")
    assert table.filter(like="hc_").isna().all(axis=None)


def test_an_image_without_a_published_circumference_is_named(heads):
    path = heads / "circumferences.csv"
    path.write_text("\n".join(path.read_text().splitlines()[:-1]) + "\n")
    with pytest.raises(SonotuneError, match="no circumference of 1 images, the first is 003_HC"):
        score_dataset(heads / "arrays", [heads / "cell"], heads / "fus.csv", path)
