"""The collage: objects of one photograph set on another, from photographs already installed."""

import cv2
import numpy as np
import pytest
import skimage

from sonotune.errors import SonotuneError
from sonotune.simulation.collage import Collage, collage_set, photograph_paths

SMALL = Collage(pixels=64)


@pytest.fixture(scope="module")
def three_hundred() -> tuple[np.ndarray, np.ndarray, list[dict]]:
    return collage_set(SMALL, images=300, seed=7)


def _inside_and_around(image: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    around = cv2.dilate(mask, np.ones((9, 9), np.uint8)) > mask
    return image[mask > 0].astype(float), image[around].astype(float)


def test_images_follow_from_seed_and_number_with_any_number_of_workers():
    one = collage_set(SMALL, images=9, seed=3, workers=1)
    two = collage_set(SMALL, images=9, seed=3, workers=2)
    few, other = (collage_set(SMALL, images=3, seed=seed) for seed in (3, 4))
    for array in (0, 1):
        np.testing.assert_array_equal(one[array], two[array])
        np.testing.assert_array_equal(one[array][:3], few[array])
        assert (few[array] != other[array]).any(axis=(1, 2)).all()
    assert one[2] == two[2]


def test_objects_cover_the_asked_share_of_the_image(three_hundred):
    share = three_hundred[1].mean(axis=(1, 2))
    assert share.min() >= SMALL.area[0]
    assert share.max() <= SMALL.area[1]
    assert share.min() < 0.05
    assert share.max() > 0.3


def test_number_of_objects_follows_the_setting(three_hundred):
    counts = [cv2.connectedComponents(mask)[0] - 1 for mask in three_hundred[1]]
    assert set(counts) == {1, 2, 3}
    assert len({mask.tobytes() for mask in three_hundred[1]}) == 300
    _, masks, _ = collage_set(Collage(pixels=64, objects=[2, 2]), images=10, seed=0)
    assert {cv2.connectedComponents(mask)[0] - 1 for mask in masks} == {2}


def test_objects_lie_in_the_middle_more_often_than_at_the_edge_but_everywhere(three_hundred):
    where = three_hundred[1].mean(axis=0)
    centre, corners = where[24:40, 24:40].mean(), where[[6, 6, -7, -7], [6, -7, 6, -7]].mean()
    assert 0.35 < centre < 0.46
    assert 0.025 < corners < 0.065
    assert (where[4:-4, 4:-4] > 0).all()
    cut = np.array([(mask[[0, -1]].any() or mask[:, [0, -1]].any()) for mask in three_hundred[1]])
    assert 0.02 < cut.mean() < 0.15  # objects cut by the frame are the exception


def test_objects_differ_from_their_surroundings_in_brightness_or_in_texture(three_hundred):
    images, masks, _ = three_hundred
    unlike = 0
    for image, mask in zip(images, masks, strict=True):
        inside, around = _inside_and_around(image, mask)
        brightness = abs(inside.mean() - around.mean()) > 15
        texture = abs(np.log((inside.std() + 3) / (around.std() + 3))) > 0.35
        unlike += brightness or texture
    assert unlike >= 0.97 * 300


@pytest.mark.parametrize(("darker", "brighter", "sign"), [(1.0, 0.0, -1), (0.0, 1.0, 1)])
def test_objects_are_darker_or_brighter_as_asked(darker, brighter, sign):
    settings = Collage(pixels=64, darker=darker, brighter=brighter, contrast=[0.2, 0.3], shadows=0)
    for image, mask in zip(*collage_set(settings, images=30, seed=0)[:2], strict=True):
        inside, around = _inside_and_around(image, mask)
        assert sign * (inside.mean() - around.mean()) > 0.08 * 255


def test_a_missing_photograph_is_one_clear_message(monkeypatch, tmp_path):
    monkeypatch.setattr(skimage, "__file__", str(tmp_path / "__init__.py"))
    with pytest.raises(SonotuneError, match=r"17 of the 17 photographs .*: brick.png, .*install"):
        photograph_paths()


def test_objects_that_do_not_fit_are_an_error_and_not_an_endless_search():
    crowded = Collage(pixels=64, objects=[6, 6], area=[0.59, 0.6])
    with pytest.raises(SonotuneError, match="no room for 6 objects"):
        collage_set(crowded, images=1, seed=0)
