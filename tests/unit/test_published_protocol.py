"""What the published code of Wang et al. 2023 does to images, by other libraries and by hand."""

import cv2
import numpy as np
import pytest
import torch
from scipy.ndimage import map_coordinates
from skimage.morphology import convex_hull_image

from sonotune.data.masks import filled_hulls
from sonotune.data.resize import resize_image, resize_mask
from sonotune.data.splits import Resampling, split, split_seed
from sonotune.training.augment import Augmentation, draw_warps, warp


def source_pixels(theta, side):
    """Where an affine map [2,3] takes each pixel's centre from, (y, x) in pixels."""
    y, x = (2 * np.mgrid[:side, :side] + 1) / side - 1
    moved_x = theta[0, 0] * x + theta[0, 1] * y + theta[0, 2]
    moved_y = theta[1, 0] * x + theta[1, 1] * y + theta[1, 2]
    return [((one + 1) * side - 1) / 2 for one in (moved_y, moved_x)]


@pytest.mark.parametrize("seed", range(4))
def test_rotated_borders_are_reflected_as_scipy_does(seed):
    images = torch.rand(1, 2, 24, 24, generator=torch.Generator().manual_seed(seed))
    augmentation = Augmentation(0.2, 0, flip=0.5, fill="reflect_101", rotation=25)
    theta = draw_warps(augmentation, 1, torch.Generator().manual_seed(seed))
    found = warp(images, theta, "reflect_101")[0, 0].numpy()
    image, (y, x) = images[0, 0].numpy(), source_pixels(theta[0].numpy(), 24)
    assert found == pytest.approx(map_coordinates(image, [y, x], order=1, mode="mirror"), abs=1e-5)


def test_a_shift_by_two_pixels_shows_no_border_pixel_twice():
    row = torch.arange(8.0).expand(1, 1, 8, 8)
    theta = torch.tensor([[[1.0, 0, 2 * -2 / 8], [0, 1, 0]]])
    pairs = torch.cat([row, torch.zeros_like(row)], 1)
    shown = {fill: warp(pairs, theta, fill)[0, 0, 0].tolist() for fill in ("reflect_101", "border")}
    assert shown["reflect_101"] == pytest.approx([2, 1, 0, 1, 2, 3, 4, 5], abs=1e-5)
    assert shown["border"] == pytest.approx([0, 0, 0, 1, 2, 3, 4, 5], abs=1e-5)


@pytest.mark.parametrize("angle", [0, 17, 60, 133])
def test_the_hull_of_a_drawn_ellipse_is_that_of_scikit_image(angle):
    drawn = np.zeros((90, 120), np.uint8)
    cv2.ellipse(drawn, (60, 45), (40, 25), angle, 0, 360, 1, 2)
    hull = filled_hulls(drawn)
    assert not (drawn & ~hull).any()
    reference = convex_hull_image(drawn, offset_coordinates=False)
    # OpenCV draws pixels that the hull's edge only touches.
    assert (hull.astype(bool) ^ reference).sum() <= 0.02 * reference.sum()
    assert (cv2.erode(hull, np.ones((3, 3), np.uint8)) <= reference).all()
    assert (hull >= cv2.erode(reference.astype(np.uint8), np.ones((3, 3), np.uint8))).all()


def test_every_contour_has_a_hull_of_its_own():
    drawn = np.zeros((9, 20), np.uint8)
    drawn[1, 1] = drawn[1, 5] = drawn[5, 1] = drawn[5, 5] = 1
    drawn[2:7, 10] = drawn[6, 10:15] = 1
    hull = filled_hulls(drawn)
    by_hand = np.zeros_like(drawn)
    for corner in ((1, 1), (1, 5), (5, 1), (5, 5)):
        by_hand[corner] = 1
    for row in range(2, 7):
        by_hand[row, 10 : row + 9] = 1
    assert hull.tolist() == by_hand.tolist()


def test_bilinear_resizing_is_opencvs_and_masks_take_the_nearest_pixel():
    image = np.array([[0, 100, 200, 40]] * 4, np.uint8)
    # Half the size: the centre of a pixel lies between two, on their mean.
    assert resize_image(image, (2, 2), "bilinear").tolist() == [[50, 120]] * 2
    # A quarter: only the middle two pixels count, where areas would average all four.
    assert resize_image(image, (1, 1), "bilinear").tolist() == [[150]]
    assert resize_image(image, (1, 1)).tolist() == [[85]]
    mask = np.array([[0, 1, 1, 0]] * 4, np.uint8)
    assert resize_mask(mask, (2, 2), "bilinear").tolist() == [[0, 1]] * 2
    assert resize_mask(mask, (2, 2)).tolist() == [[1, 1]] * 2


def rows_of(strategy, fold, resample_test_set="by_strategy"):
    resampling = Resampling(
        folds=4, test_images=200, validation_fraction=0, resample_test_set=resample_test_set
    )
    seed = split_seed(2023, "hc18", resampling, strategy)
    return split(999, resampling, seed, 0.8, fold)


def test_strategies_and_repeats_draw_splits_of_their_own():
    tests = [
        frozenset(rows_of(strategy, fold).test)
        for strategy in ("encoder", "decoder_all")
        for fold in range(2)
    ]
    assert len(set(tests)) == 4
    assert {len(one) for one in tests} == {200}
    # Drawn independently: 200 of 999 twice have 40 in common on average, give or take 5.
    shared = [len(one & two) for i, one in enumerate(tests) for two in tests[:i]]
    assert all(15 < number < 65 for number in shared)
    rows = rows_of("encoder", 0)
    assert sorted([*rows.train, *rows.test]) == list(range(999))
    # Otherwise all strategies share them.
    one, two = (rows_of(strategy, 1, True) for strategy in ("encoder", "decoder_all"))
    assert one.test.tolist() == two.test.tolist()
