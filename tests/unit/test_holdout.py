"""Hold-out sets: drawn again in every repeat, by examination or not, or given as lists of names."""

import json

import numpy as np
import pytest
from builders import image_set
from hypothesis import given
from hypothesis import strategies as st

from sonotune.data.dataset import save_set
from sonotune.data.split_file import read_counts, write_splits
from sonotune.data.splits import Resampling, batches_per_epoch, split
from sonotune.data.tables import read_lists
from sonotune.errors import SonotuneError

seeds = st.integers(0, 2**31)
WANG = Resampling(folds=4, test_images=200, validation_fraction=0)


@st.composite
def examinations(draw):
    sizes = draw(st.lists(st.integers(1, 4), min_size=30, max_size=60))
    return [f"{number:03d}" for number, size in enumerate(sizes) for _ in range(size)]


def test_wangs_numbers_follow():
    part = split(999, WANG, 0, 0.8, 0)
    assert (len(part.train), len(part.validation), len(part.test)) == (799, 0, 200)
    assert batches_per_epoch(999, WANG, 10) == 80


def test_without_redrawing_all_repeats_have_the_test_images_of_the_first():
    fixed = Resampling(folds=4, test_images=200, validation_fraction=0, resample_test_set=False)
    tests = [split(999, fixed, 5, 0.7998, fold).test for fold in range(4)]
    assert all(np.array_equal(test, tests[0]) for test in tests)
    assert np.array_equal(tests[0], split(999, WANG, 5, 0.7998, 0).test)


@given(examinations(), seeds, st.integers(0, 3))
def test_by_examination_none_is_on_both_sides_and_the_size_is_as_asked(groups, seed, fold):
    resampling = Resampling(folds=4, test_images=12, validation_fraction=0.2, grouped=True)
    fraction = (len(groups) - 12) / len(groups)
    part = split(len(groups), resampling, seed, round(fraction, 6), fold, groups)
    sides = [{groups[row] for row in rows} for rows in (part.train, part.validation, part.test)]
    assert not sides[0] & sides[1]
    assert not (sides[0] | sides[1]) & sides[2]
    # Short of it only where no examination is left that is small enough.
    assert 9 <= len(part.test) <= 12
    assert len(part.train) + len(part.validation) + len(part.test) == len(groups)


@given(examinations(), seeds)
def test_what_is_left_out_is_as_many_images_either_way(groups, seed):
    resampling = Resampling(folds=4, test_fraction=0.2, validation_fraction=0)
    whole, without, fewer = (
        split(len(groups), resampling, seed, 0.7, 1, groups, exclude=exclude)
        for exclude in (None, "test_groups", "size_matched")
    )
    tested = {groups[row] for row in whole.test}
    assert not {groups[row] for row in without.train} & tested
    for part in (without, fewer):
        assert np.array_equal(part.test, whole.test)
    largest = [
        split(len(groups), resampling, seed, 0.8, 1, groups, exclude=exclude).train
        for exclude in ("test_groups", "size_matched")
    ]
    assert len(largest[0]) == len(largest[1])


def test_lists_fix_the_split_of_every_repeat(tmp_path):
    names = [f"{number:03d}_HC" for number in range(10)]
    (tmp_path / "train.txt").write_text("003_HC.png\n001_HC.png\n009_HC.png\n\n")
    (tmp_path / "test.txt").write_text("000_HC\n")
    lists = read_lists({part: str(tmp_path / f"{part}.txt") for part in ("train", "test")})
    resampling = Resampling(folds=4, lists=lists, validation_fraction=0)
    parts = [split(10, resampling, 3, 0.3, fold, names=names) for fold in range(4)]
    assert all(part.train.tolist() == [1, 3, 9] for part in parts)
    assert all(part.test.tolist() == [0] for part in parts)
    (tmp_path / "test.txt").write_text("000_HC\n001_HC\n")
    with pytest.raises(SonotuneError, match="001_HC is listed twice"):
        read_lists({part: str(tmp_path / f"{part}.txt") for part in ("train", "test")})
    with pytest.raises(SonotuneError, match="lists: train: 1 of 3 names are not in the data set"):
        split(9, resampling, 3, 0.3, 0, names=names[:9])


def test_the_file_of_splits_says_what_was_left_out(tmp_path):
    save_set(tmp_path / "disks", image_set(np.ones((10, 8, 8), np.uint8)))
    resampling = Resampling(folds=2, test_fraction=0.2, validation_fraction=0)
    path = tmp_path / "splits.json"
    write_splits({"disks": tmp_path / "disks"}, [0.8], resampling, 1, path, ["test_groups"])
    parts = json.loads(path.read_text())["disks"]["splits"]
    assert [part.get("exclude") for part in parts] == [None, "test_groups"] * 2
    assert [row["test"] for row in read_counts(path)] == [2, 2]
