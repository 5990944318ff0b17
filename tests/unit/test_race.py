"""Racing: who trains next, and when it ends."""

import numpy as np
import pytest

from benchmarks.decision_scenarios import THREE_BEST, gaussian
from benchmarks.race import race
from sonotune.statistics.race import next_round, standing

ONES = np.ones((1, 4))


def rounds(scores):
    """One study, [1,F,S]."""
    return np.array(scores, float)[None]


@pytest.mark.parametrize(("left", "number"), [(9.0, 2), (2.0, 2), (1.9, 0), (0.0, 0)])
def test_a_budget_is_never_passed_and_one_strategy_makes_no_round(left, number):
    now = standing(rounds([[0.8, 0.8, 0.8, 0.8]]), ONES > 0, 0.05)
    assert next_round(now, np.array([4]), ONES, np.array([left]), 0.01).sum() == number


def test_a_hard_fold_is_not_held_against_those_that_trained_in_it():
    now = standing(rounds([[0.9, 0.8, 0.7, 0.6], [0.7, 0.6, np.nan, np.nan]]), ONES > 0, 0.02)
    assert (np.diff(now.means[0]) < 0).all()
    assert now.means[0, 1] - now.means[0, 2] == pytest.approx(0.1, abs=0.03)


def test_more_rounds_leave_less_regret():
    few = standing(rounds([[0.80, 0.79, 0.70, 0.60]]), ONES > 0, 0.05)
    many = standing(rounds([[0.80, 0.79, 0.70, 0.60]] * 8), ONES > 0, 0.05)
    assert many.regret[0] < few.regret[0] / 2


def test_simulated_races_spend_less_and_recommend_a_good_strategy():
    sample = gaussian(THREE_BEST, 0.03, 200, 5, np.random.default_rng(1))
    found = race(sample.scores, sample.clean, np.ones(13), 0.05, 0.01)
    assert found.spent.max() <= 0.4 * 65
    assert (found.picked < 3).mean() > 0.98
