"""Prepared arrays, resizing and folders of files."""

import json
from contextlib import suppress

import numpy as np
import pytest
from builders import image_set
from tiny_files import own, write_pairs

from sonotune.data.dataset import load_set, save_set
from sonotune.data.prepare import make_originals, prepare
from sonotune.data.presence import check_files
from sonotune.data.readers import find_samples
from sonotune.data.resize import resize_image, resize_mask
from sonotune.errors import SonotuneError
from sonotune.runtime.files import atomic, write_json


def disk(height, width, radius):
    y, x = np.mgrid[:height, :width] + 0.5
    return ((y - height / 2) ** 2 + (x - width / 2) ** 2 < radius**2).astype(np.uint8)


@pytest.mark.parametrize("size", [64, 256, 512])
def test_a_disk_keeps_its_area_and_centre(size):
    small = resize_mask(disk(500, 400, 120), (size, size))
    radius = 120 * np.sqrt(small.mean() / disk(500, 400, 120).mean()) * size / 500
    y, x = np.nonzero(small)
    assert radius == pytest.approx(120 * size / 500, abs=0.1)
    assert (y.mean() + 0.5, x.mean() + 0.5) == pytest.approx((size / 2, size / 2), abs=0.1)
    assert set(np.unique(small)) == {0, 1}


def test_a_pixel_that_is_half_covered_belongs_to_the_object():
    assert resize_mask(np.array([[1, 0], [1, 0]], np.uint8), (1, 1)).item() == 1
    assert resize_mask(np.array([[1, 0], [0, 0]], np.uint8), (1, 1)).item() == 0


def test_shrinking_averages_over_areas():
    image = np.kron([[10, 20], [30, 40]], np.ones((3, 3))).astype(np.uint8)
    assert resize_image(image, (2, 2)).tolist() == [[10, 20], [30, 40]]


def test_an_axis_that_shrinks_is_averaged_while_the_other_grows():
    stripes = np.tile(np.array([0, 200], np.uint8), (4, 40))
    assert set(np.unique(resize_image(stripes, (8, 40)))) == {100}
    assert resize_image(stripes[:, :8], (2, 16)).shape == (2, 16)


def small_set():
    random = np.random.default_rng(0)
    images, masks = (random.integers(0, most, (2, 16, 16), dtype=np.uint8) for most in (256, 2))
    names, groups = ['naïve "quoted", one', "two"], ["g, 1", "g, 1"]
    return image_set(masks, images, names, groups, mm_per_pixel_y=0.25)


def test_a_data_set_comes_back_as_it_was_saved(tmp_path):
    saved = small_set()
    save_set(tmp_path, saved)
    loaded = load_set(tmp_path)
    assert np.array_equal(loaded.images, saved.images)
    assert np.array_equal(loaded.masks, saved.masks)
    assert [row["name"] for row in loaded.index] == [row["name"] for row in saved.index]
    assert loaded.groups == ["g, 1", "g, 1"]
    assert loaded.index[0]["mm_per_pixel_y"] == 0.25
    assert loaded.index[0]["mm_per_pixel_x"] is None
    assert loaded.about["source"] == "made up"
    assert len(loaded.about["images_sha256"]) == 64


@pytest.fixture
def pictures(tmp_path):
    """Three pairs in folders with a space and an umlaut."""
    write_pairs(tmp_path / "bäd name", range(3), ending="_mask")
    return tmp_path


GLOBS = {"images": "bäd name/images/*.png", "masks": "bäd name/masks/*.png"}


def test_two_files_of_one_stem_are_refused(pictures):
    (pictures / "bäd name/masks/1.png").write_bytes(b"x")
    with pytest.raises(SonotuneError, match="are both masks of 1"):
        find_samples(own(**GLOBS), pictures)


def test_all_missing_files_are_told_at_once_and_unused_data_sets_are_not(pictures, monkeypatch):
    monkeypatch.chdir(pictures)
    nowhere = {"reader": "folder", "folder": {"images": "nowhere/*.png", "masks": "no/*.png"}}
    config = {
        "datasets": {
            "here": {"reader": "folder", "folder": GLOBS},
            "gone": nowhere,
            "away": nowhere,
            "unused": nowhere,
        },
        "studies": {"s": {"datasets": ["here", "gone"], "pretraining": {"dataset": "away"}}},
    }
    with pytest.raises(SonotuneError) as caught:
        check_files(config, {}, None)
    text = str(caught.value)
    assert "datasets: gone: folder: images: no file matches 'nowhere/*.png'" in text
    assert "datasets: away" in text
    assert "unused" not in text
    assert str(pictures) in text


def test_simulated_pixels_keep_their_millimetres(tmp_path):
    settings = {"reader": "simulate", "source": "sus", "images": 1, "seed": 1}
    settings["simulate"] = {"scatterers": 2000, "pixels": [96, 64], "elements": 8, "lines": 12}
    make_originals("sus", settings, tmp_path / "original", 1)
    prepare("sus", settings, 32, tmp_path / "32", tmp_path / "original")
    row = load_set(tmp_path / "32").index[0]
    assert row["mm_per_pixel_y"] == pytest.approx(60 / 32)
    assert row["mm_per_pixel_x"] == pytest.approx(40 / 32)
    assert (row["original_height"], row["original_width"]) == (96, 64)


def test_a_file_is_whole_or_not_there(tmp_path):
    path = tmp_path / "folder" / "file.txt"
    with suppress(KeyboardInterrupt), atomic(path) as temporary:
        temporary.write_text("half")
        raise KeyboardInterrupt
    assert list(path.parent.iterdir()) == []
    with atomic(path) as temporary:
        temporary.write_text("whole")
        assert not path.exists()
    assert path.read_text() == "whole"


def test_an_old_file_survives_a_failed_write(tmp_path):
    path = tmp_path / "file.json"
    write_json(path, {"a": 1})
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(path, {"a": float("nan")})
    assert json.loads(path.read_text()) == {"a": 1}
    assert len(list(tmp_path.iterdir())) == 1
