"""Claims are judged by folds, and neither hold nor fail without evidence."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_1samp

from sonotune.statistics.claims import (
    Estimate,
    attainable_correlation,
    critical,
    estimate_mean,
    estimate_pair,
    evaluate_top,
    fails_more_often,
    folds_for_equivalence,
    mean_ranks,
    significantly_better,
    variance_difference,
)
from sonotune.statistics.pairs import compare
from sonotune.statistics.variance import COMPONENTS, variance_components

THREE_BEST = np.array([0.8] * 3 + [0.7] * 10)


def scores(random, means=(0.7,) * 13, fold_sd=0.03, run_sd=0.03, folds=5):
    means = np.asarray(means)
    shared = random.normal(0, fold_sd, (folds, 1))
    return means + shared + random.normal(0, run_sd, (folds, len(means)))


def bounds(estimate, tests=1):
    reach = estimate.reach(tests)
    return estimate.value - reach, estimate.value + reach


def test_bounds_of_a_mean_are_those_of_the_one_sample_t_test():
    values = np.array([0.01, 0.03, 0.02, 0.05, -0.01, np.nan])
    for tests in (1, 8):
        level = 1 - 0.05 / tests
        above = ttest_1samp(values[:5], 0, alternative="greater").confidence_interval(level)
        below = ttest_1samp(values[:5], 0, alternative="less").confidence_interval(level)
        assert bounds(estimate_mean([values]), tests) == pytest.approx((above.low, below.high))


def test_data_sets_weigh_equally_and_their_differences_are_no_error():
    random = np.random.default_rng(1)
    parts = [random.normal(mean, 0.01, 5) for mean in (0.0, 0.5)]
    estimate = estimate_mean(parts)
    assert estimate.value == pytest.approx(np.mean([part.mean() for part in parts]))
    assert estimate.error < 0.01
    assert 4 < estimate.df <= 8


@pytest.mark.parametrize(
    "values", [[], [[]], [[0.1, 0.2]], [[0.1] * 4], [[np.nan] * 5], [[0.1, 0.2, 0.3], [0.1, 0.4]]]
)
def test_too_little_has_no_bounds(values):
    assert np.isnan(bounds(estimate_mean([np.array(part, float) for part in values]))).all()


def test_a_pair_is_no_surer_than_in_the_comparison_of_all_pairs():
    pairs = compare(scores(np.random.default_rng(1), THREE_BEST)[None])
    estimate = estimate_pair(pairs, 0, 5)
    lower, upper = (array[0, 0, 5] for array in pairs.bounds())
    for tests in (1, 2, 50):
        reach = estimate.reach(tests)
        assert estimate.value - reach == pytest.approx(lower)
        assert estimate.value + reach == pytest.approx(upper)
    assert estimate.reach(10_000) > upper - estimate.value


def test_among_the_best_needs_enough_others_shown_to_be_worse():
    better = np.zeros((1, 5, 5), bool)
    better[0, 0, 2:] = True
    assert evaluate_top(better, [0], 2) == ([True], [False])
    assert evaluate_top(better, [0], 1) == ([False], [False])
    assert evaluate_top(better, [2], 1) == ([False], [True])
    assert evaluate_top(better, [2], 2) == ([False], [False])
    assert evaluate_top(better, [0, 1], 2) == ([False], [False])


def test_mean_ranks_have_folds_as_units_not_fractions():
    random = np.random.default_rng(1)
    found = np.array([scores(random, THREE_BEST) for _ in range(3)])
    ranks = mean_ranks([found, found[:1]])
    assert ranks.shape == (10, 13)
    assert ranks[:5, :3].min() > ranks[:5, 3:].max()
    found[0, 2, 4] = np.nan
    assert len(mean_ranks([found])) == 4
    assert len(mean_ranks([found[:, :2], found])) == 0


def test_equal_strategies_have_no_best_mean_ranks():
    random = np.random.default_rng(2)
    judged = []
    for _ in range(200):
        ranks = mean_ranks([scores(random)[None] for _ in range(4)])
        judged.append(evaluate_top(significantly_better(compare(ranks[None]), 30), [0, 1, 2], 3))
    holds, fails = np.mean(judged, axis=0)
    assert holds == 0
    assert fails <= 0.05


def test_a_folds_own_variance_is_no_evidence_of_strategies_that_vary():
    # A fold of each condition is one draw for all strategies.
    random = np.random.default_rng(3)
    judged = []
    for _ in range(400):
        both = (scores(random, fold_sd=0.08), scores(random, fold_sd=0.08))
        judged.append(bounds(estimate_mean([variance_difference(*both)])))
    lower, upper = np.array(judged).T
    assert (lower > 0).mean() < 0.08
    assert (upper < 0).mean() < 0.08
    wide, narrow = scores(random, fold_sd=0.3, folds=20), scores(random, folds=20)
    assert bounds(estimate_mean([variance_difference(wide, narrow)]))[0] > 0


def test_failures_are_exchanged_within_folds():
    random = np.random.default_rng(5)
    failures = np.zeros((6, 13), int)
    failures[:4, 12] = 1
    more, less = fails_more_often(failures, [12], random)
    assert more == pytest.approx(13.0**-4, abs=2e-4)
    assert less == pytest.approx(1)
    assert fails_more_often(failures, [0], random)[1] == pytest.approx((12 / 13) ** 4, abs=0.02)


def test_the_correlation_to_expect_is_below_one():
    published = np.linspace(0.5, 0.8, 13)
    random = np.random.default_rng(4)
    noisy = attainable_correlation(published[::-1], np.full(13, 0.05), published, random)
    assert noisy.value == pytest.approx(-1)
    assert noisy.share_below == 0
    assert 0.6 < noisy.expected_lower < noisy.expected < noisy.expected_upper < 1
    exact = attainable_correlation(published, np.full(13, 1e-9), published, random)
    assert exact.expected == pytest.approx(1)


def test_what_no_feasible_number_of_folds_can_support():
    five = Estimate(0.0, 0.01, 4.0, 5)
    needed = folds_for_equivalence(0.02, five, 1)
    assert critical(np.array([needed - 1.0]), 1)[0] * 0.01 * np.sqrt(5 / needed) <= 0.02
    assert folds_for_equivalence(0.01, five, 1) > needed
    assert folds_for_equivalence(0.02, five, 24) > needed
    assert folds_for_equivalence(0.001, five, 1) == np.inf


def test_what_could_have_been_found():
    precise, coarse = Estimate(0.0, 0.001, 40.0, 5), Estimate(0.0, 0.05, 40.0, 5)
    assert precise.has_power(-0.05, precise.reach(12))
    assert not coarse.has_power(-0.05, coarse.reach(12))


def test_intervals_of_variance_components_cover():
    random = np.random.default_rng(5)
    truth = {"fold": 0.03**2, "image": 0.12**2, "run": 0.04**2, "rest": 0.05**2}
    covered = dict.fromkeys(COMPONENTS, 0)
    studies = 25
    for _ in range(studies):
        sizes = (5, 17, 6)  # folds, images, strategies
        dice = random.normal(0, 0.03, (5, 1, 1)) + random.normal(0, 0.12, (5, 17, 1))
        dice = dice + random.normal(0, 0.04, (5, 1, 6)) + random.normal(0, 0.05, sizes)
        index = pd.MultiIndex.from_product(map(range, sizes), names=["fold", "name", "strategy"])
        table = pd.DataFrame({"dice": dice.ravel()}, index=index).reset_index()
        for name, (value, low, high) in variance_components(table, random, 500).items():
            assert low <= value <= high
            covered[name] += low <= truth[name] <= high
    assert min(covered.values()) / studies > 0.8, covered
