"""Ellipses: fitted to pixels, and as masks of any size."""

import numpy as np
import pytest

from sonotune.data.ellipse import Ellipse, fit_ellipse, mask_ellipse, outline_ellipse
from sonotune.data.resize import resize_mask
from sonotune.errors import SonotuneError

HEAD = Ellipse(x=391.3, y=262.8, a=251.7, b=188.4, angle=0.3)
SHAPE = (540, 800)


def test_a_circle_has_the_circumference_of_a_circle():
    assert Ellipse(0, 0, 7, 7, 0).circumference == pytest.approx(2 * np.pi * 7)
    # 4 a E(m) tends to 4 a as the ellipse becomes a line.
    assert Ellipse(0, 0, 1e-4, 5, 0).circumference == pytest.approx(20, rel=1e-6)


def test_an_ellipse_is_found_again_from_a_part_of_its_points():
    t = np.linspace(0, 1.4 * np.pi, 300)
    u, v = HEAD.a * np.cos(t), HEAD.b * np.sin(t)
    x = HEAD.x + u * np.cos(HEAD.angle) - v * np.sin(HEAD.angle)
    y = HEAD.y + u * np.sin(HEAD.angle) + v * np.cos(HEAD.angle)
    found = fit_ellipse(np.stack([x, y], axis=1))
    assert (found.x, found.y) == pytest.approx((HEAD.x, HEAD.y), abs=0.02)
    assert found.circumference == pytest.approx(HEAD.circumference, abs=0.1)
    assert found.area == pytest.approx(HEAD.area, rel=1e-4)


@pytest.mark.parametrize("size", [None, 256, 512])
def test_an_ellipse_keeps_area_centre_and_circumference_as_a_mask(size):
    shape = SHAPE if size is None else (size, size)
    mask = HEAD.mask(SHAPE, shape)
    scale_y, scale_x = shape[0] / SHAPE[0], shape[1] / SHAPE[1]
    assert mask.sum() == pytest.approx(HEAD.area * scale_y * scale_x, rel=1e-3)
    y, x = np.nonzero(mask)
    assert x.mean() + 0.5 == pytest.approx(HEAD.x * scale_x, abs=0.05)
    assert y.mean() + 0.5 == pytest.approx(HEAD.y * scale_y, abs=0.05)
    edge = mask_ellipse(mask, 1 / scale_y, 1 / scale_x)
    assert edge.circumference == pytest.approx(HEAD.circumference, abs=0.5)


def test_an_ellipses_mask_is_where_at_least_half_of_a_pixel_is_covered():
    size = 256
    half = resize_mask(HEAD.mask(SHAPE, (16 * size, 16 * size)), (size, size))
    edge = np.count_nonzero(np.diff(half, axis=0)) + np.count_nonzero(np.diff(half, axis=1))
    assert (half != HEAD.mask(SHAPE, (size, size))).sum() < 0.01 * edge


def test_what_is_no_ellipse_is_refused():
    empty = np.zeros((40, 40), np.uint8)
    with pytest.raises(SonotuneError, match="no ellipse can be fitted to 0 pixels"):
        outline_ellipse(empty)
    filled = Ellipse(20, 20, 18, 12, 0).mask((40, 40))
    for drawn in (np.eye(40, dtype=np.uint8), filled):
        with pytest.raises(SonotuneError, match="not the outline of an ellipse"):
            outline_ellipse(drawn)
