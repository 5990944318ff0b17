"""Folds, fractions and validation sets (Amiri 2020, section II-D and Table I)."""

from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sonotune.data.presence import _surely_possible
from sonotune.data.splits import (
    Resampling,
    _number_drawn,
    batches_per_epoch,
    kfold_test_rows,
    split,
    split_seed,
)
from sonotune.data.splits import test_size as number_of_test_images


@pytest.mark.parametrize(
    "percent", ["0.5", "1", "2.5", "5", "10", "12.5", "20", "33", "50", "66.7", "80", "90"]
)
def test_a_fraction_draws_what_its_per_cent_number_did(percent):
    share = Decimal(percent) / 100
    fraction, many = float(share), Resampling(folds=10_000)
    for images in range(1, 2001):
        drawn = (share * images).quantize(Decimal(1), ROUND_HALF_UP)
        assert _number_drawn(images, many, fraction, images) == drawn
        held = Resampling(test_fraction=fraction)
        assert number_of_test_images(images, held) == drawn


sizes = st.integers(40, 300)
seeds = st.integers(0, 2**31)


@given(sizes, st.integers(2, 7), seeds)
def test_test_sets_are_disjoint_and_cover_everything(images, folds, seed):
    tests = kfold_test_rows(images, Resampling(folds=folds), seed)
    assert sorted(np.concatenate(tests).tolist()) == list(range(images))
    assert max(map(len, tests)) - min(map(len, tests)) <= 1


@given(sizes, seeds, st.integers(0, 4), st.sampled_from([0.1, 0.2, 0.333]))
def test_smaller_fractions_lie_inside_larger_ones(images, seed, fold, validation):
    resampling = Resampling(validation_fraction=validation)
    smaller, middle, larger = (
        split(images, resampling, seed, fraction, fold) for fraction in (0.2, 0.5, 0.8)
    )
    for inner, outer in ((smaller, middle), (middle, larger)):
        assert set(inner.train) <= set(outer.train)
        assert set(inner.validation) <= set(outer.validation)
        assert np.array_equal(inner.test, outer.test)


@given(sizes, seeds, st.integers(0, 4))
def test_the_top_fraction_takes_all_that_is_not_test(images, seed, fold):
    part = split(images, Resampling(), seed, 0.8, fold)
    everything = np.concatenate([part.train, part.validation, part.test])
    assert sorted(everything.tolist()) == list(range(images))


@st.composite
def grouped_sets(draw):
    sizes = draw(st.lists(st.integers(1, 4), min_size=30, max_size=80))
    groups = [f"g{number}" for number, size in enumerate(sizes) for _ in range(size)]
    return draw(st.permutations(groups))


@settings(max_examples=50)
@given(grouped_sets(), seeds, st.integers(0, 4), st.sampled_from([0.5, 0.8]))
def test_no_group_straddles_a_cut_when_grouping_is_on(groups, seed, fold, fraction):
    part = split(len(groups), Resampling(grouped=True), seed, fraction, fold, groups)
    sides = [{groups[row] for row in rows} for rows in (part.train, part.validation, part.test)]
    assert not sides[0] & sides[1]
    assert not sides[0] & sides[2]
    assert not sides[1] & sides[2]


@settings(max_examples=50)
@given(grouped_sets(), seeds)
def test_grouped_test_sets_are_disjoint_and_cover_everything(groups, seed):
    tests = kfold_test_rows(len(groups), Resampling(grouped=True), seed, groups)
    assert sorted(np.concatenate(tests).tolist()) == list(range(len(groups)))
    assert max(map(len, tests)) - min(map(len, tests)) <= 4


def test_groups_of_one_image_give_the_counts_of_table_1():
    names = [f"image {row}" for row in range(85)]
    part = split(85, Resampling(grouped=True), 3, 0.5, 2, names)
    assert (len(part.train), len(part.validation), len(part.test)) == (34, 9, 17)


def test_data_sets_of_a_study_are_cut_differently():
    first, second = (
        kfold_test_rows(85, Resampling(), split_seed(1, name, Resampling()))[0]
        for name in ("sus", "bus")
    )
    assert not np.array_equal(first, second)


def test_two_thirds_is_the_top_fraction_of_three_folds():
    part = split(85, Resampling(folds=3), 0, 0.6667, 0)
    assert len(part.train) + len(part.validation) + len(part.test) == 85


@pytest.mark.parametrize(("images", "batches"), [(85, 27), (163, 52), (805, 258), (240, 77)])
def test_an_epoch_has_the_top_fractions_batches(images, batches):
    assert batches_per_epoch(images, Resampling(), 2) == batches


@pytest.mark.parametrize("folds", [2, 5])
@pytest.mark.parametrize("validation", [0.1, 0.3, 0.55])
def test_splits_that_are_called_possible_by_their_numbers_are(folds, validation):
    """What is planned without a split must not end in a job's error."""
    possible = 0
    for images in range(2, 50):
        for fraction in (0.05, 0.125, 0.4, (folds - 1) / folds):
            share = {"folds": folds, "validation_fraction": validation, "grouped": False}
            study = {"fractions": [fraction], "resampling": share, "strategies": {}}
            if _surely_possible(images, study):
                possible += 1
                for fold in range(folds):
                    split(images, Resampling(folds, validation), 1, fraction, fold)
    assert possible > 40
