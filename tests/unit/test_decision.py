"""The decision: against other software, on degenerate studies, and its error rates."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_rel
from statsmodels.formula.api import ols
from statsmodels.stats.multitest import multipletests

from benchmarks.decision_scenarios import EQUAL, SCENARIOS, SEEN_SD, THREE_BEST, gaussian
from benchmarks.decisions import measure
from sonotune.statistics.choice import choose
from sonotune.statistics.decision import decide, decision_tables, read_decisions
from sonotune.statistics.pairs import compare, gap_bounds
from sonotune.statistics.planning import folds_to_show, plan_folds
from sonotune.statistics.regret import posterior
from sonotune.statistics.sentences import decision_sentences

RANDOM = partial(np.random.default_rng, 1)


def runs_of(scores, **columns):
    """One row per run from an array [folds, strategies]; NaN is a failed run."""
    places = [one.ravel() for one in np.indices(np.shape(scores))]
    table = pd.DataFrame({"fold": places[0], "number": places[1], "dice": np.ravel(scores)})
    return table.assign(
        dataset="sus",
        strategy="s" + table["number"].astype(str),
        fraction=0.8,
        failed=table["dice"].isna(),
        collapsed=False,
        tuned_parameters=100 - table.pop("number"),
    ).assign(**columns)


def study(means, sd=0.01, folds=5):
    random = RANDOM()
    shared = random.normal(0, 0.05, (folds, 1))
    return np.asarray(means) + shared + random.normal(size=(folds, len(means))) * sd


def only(table, **options):
    (decision,) = decide(table, **options)
    return decision


# Against other software


def test_two_strategies_get_the_paired_t_test():
    scores = study([0.8, 0.77])
    expected = ttest_rel(scores[:, 0], scores[:, 1])
    (pair,) = only(runs_of(scores)).comparisons
    assert pair.p == pytest.approx(expected.pvalue)
    interval = expected.confidence_interval()
    assert (pair.lower, pair.upper) == pytest.approx((interval.low, interval.high))
    assert (pair.single_lower, pair.single_upper) == pytest.approx((pair.lower, pair.upper))


def test_adjusted_means_are_least_squares_over_folds():
    scores = study([0.8, 0.7, 0.75, 0.6])
    scores[0, 1] = scores[3, 1] = scores[2, 3] = np.nan
    table = runs_of(scores).dropna()
    fitted = ols("dice ~ C(strategy) + C(fold)", table).fit()
    means = compare(scores[None]).means[0]
    expected = [fitted.params[f"C(strategy)[T.s{j}]"] for j in (1, 2, 3)]
    np.testing.assert_allclose(means[1:] - means[0], expected, atol=1e-12)


def test_adjusted_p_values_are_those_of_sidak():
    pairs = compare(study([0.8, 0.79, 0.78, 0.8])[None])
    first, second = np.triu_indices(4, 1)
    adjusted = pairs.p_values()[0][first, second]
    single = 1 - (1 - adjusted) ** (1 / 6)
    np.testing.assert_allclose(multipletests(single, method="sidak")[1], adjusted)
    lower, upper = (bound[0][first, second] for bound in pairs.bounds())
    np.testing.assert_array_equal((lower > 0) | (upper < 0), adjusted < 0.05)


def test_equal_variances_are_pooled_and_unequal_ones_are_not():
    random = RANDOM()
    equal = compare(random.normal(size=(200, 5, 13)))
    assert np.median(equal.df[:, 0, 1]) > 20
    unequal = compare(random.normal(size=(200, 5, 13)) * np.resize([0.01, 0.1, 1.0], 13))
    assert np.median(unequal.df[:, 0, 1]) < 8
    precise = unequal.error[:, 0, 3]
    assert np.median(precise) < 0.05, "strategies 0 and 3 have an SD of .01, others of 1"


# Error rates: small forms of benchmarks/decisions.py


@pytest.mark.parametrize(
    ("name", "folds"), [("equal, SD .03", 5), ("equal, SD as measured", 5), ("equal, SD .11", 3)]
)
def test_equal_strategies_are_rarely_called_worse(name, folds):
    row, _ = measure(name, folds, SCENARIOS[name][1], 200)
    # .05 and three standard errors of 200 studies.
    assert row["any_worse"] < 0.1
    assert row["coverage_simultaneous"] > 0.9
    assert 0.92 < row["coverage_pair"] < 0.98
    assert 0.88 < row["coverage_recommended"] < 0.99
    assert abs(row["bias_recommended"]) < 0.02
    assert row["width_recommended"] < 1.5
    assert row["recommended"] == 1
    assert row["true_claim_fails"] < 0.05


def test_large_differences_are_found():
    row, _ = measure("three", 5, partial(gaussian, THREE_BEST, 0.03), 200)
    assert row["power"] > 0.8
    assert row["false_claim_fails"] > 0.6
    assert row["true_claim_fails"] < 0.05


def test_a_loss_of_the_margin_is_rarely_called_about_as_good():
    # At 5 % of 60 studies, seven or more have a probability of 3 %.
    row, _ = measure("one", 20, SCENARIOS["one best by .02, SD .01 in all"][1], 60)
    assert row["false_equivalent"] < 0.1
    assert row["true_equivalent"] > 0.8


def test_one_fold_decides_nothing_whatever_the_scores():
    row, _ = measure("one fold", 1, partial(gaussian, EQUAL, SEEN_SD), 50)
    assert row["any_worse"] == 0
    assert row["true_claim_fails"] == 0
    assert row["recommended"] == 0


# Degenerate studies


def without(scores, *lost):
    """The same scores after some runs, each given by fold and strategy, have failed."""
    for run in lost:
        scores[run] = np.nan
    return scores


# Scores, the recommended strategy, the reason, words of the message, and whether there is a test.
CASES = {
    "one fold": (study([0.9, 0.5], folds=1), None, "none", "Nothing is decided", False),
    "two folds": (study([0.9, 0.5, 0.3], folds=2), "s0", "least_regret", "too few", False),
    "one strategy": (study([0.8]), "s0", "only_candidate", "there is no choice", False),
    "equal constants": (np.full((5, 3), 0.8), "s0", "least_regret", "do not vary", False),
    "all failed": (np.full((5, 3), np.nan), None, "none", "", False),
    "a failed run": (
        without(study([0.9, 0.7, 0.5]), (2, 0)), "s1", "about_as_good",
        "s0 (1 failed; 5 runs)", True,
    ),
    "failed runs of two": (
        without(study([0.9, 0.7, 0.5]), (0, 0), (1, 1)), "s2", "only_candidate",
        "the only strategy", True,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_is_recommended_of_odd_studies_and_called_worse_only_by_a_test(case):
    scores, recommended, reason, says, tested = CASES[case]
    decision = only(runs_of(scores))
    assert (decision.recommended, decision.reason) == (recommended, reason)
    assert any(says in sentence for sentence in decision_sentences(decision))
    worse = {one.name for one in decision.strategies if one.significantly_worse}
    # Where a run failed, a strategy is compared all the same.
    assert worse == ({"s1", "s2"} if tested else set())
    assert any(one.about_as_good for one in decision.strategies) == (reason == "about_as_good")
    assert decision.tested == tested
    # An interval of its own has only what ran in several folds.
    assert (decision.dice_lower < decision.dice) == (tested or case == "one strategy")


@pytest.mark.parametrize("folds", [1, 3, 5])
@pytest.mark.parametrize("flag", ["collapsed", "blank"])
def test_a_strategy_that_collapsed_or_marked_nothing_is_not_recommended(flag, folds):
    table = runs_of(study([0.9, 0.7]), images=17, no_component=0)
    first = (table["strategy"] == "s0") & (table["fold"] < folds)
    if flag == "collapsed":
        table.loc[first, "collapsed"] = True
    else:
        table.loc[first, "no_component"] = 17
    decision = only(table)
    assert decision.recommended == "s1"
    assert getattr(decision.strategy("s0"), flag) == folds


def test_the_mean_of_the_easiest_fold_is_no_advantage():
    scores = study([0.6, 0.6, 0.6, 0.6], sd=0.005)
    easiest = scores.mean(1).argmax()
    scores[np.arange(5) != easiest, 0] = np.nan
    decision = only(runs_of(scores))
    lucky = decision.strategy("s0")
    assert lucky.mean > lucky.adjusted_mean + 0.02
    assert not any("s0" in strategy.worse_than for strategy in decision.strategies)


def test_strategies_without_a_fold_in_common_are_not_compared():
    scores = study([0.9, 0.5, 0.7], folds=6)
    scores[:3, 0] = scores[3:, 1] = np.nan
    decision = only(runs_of(scores))
    pair = next(pair for pair in decision.comparisons if (pair.first, pair.second) == ("s0", "s1"))
    assert pair.folds == 0
    assert np.isnan(pair.p)


def test_what_a_race_dropped_early_is_named_as_not_compared():
    table = runs_of(study([0.9, 0.5, 0.89, 0.88], sd=0.03))
    raced = table[(table["strategy"] != "s1") | (table["fold"] == 0)]
    decision = only(raced, raced=True)
    assert "s1" in decision.inconclusive
    assert decision.untested == ("s1",)
    assert only(table).untested == ()


def test_runs_are_failed_by_their_outcome_and_missing_ones_make_a_strategy_incomplete():
    table = runs_of(study([0.9, 0.7])).drop(columns="failed").assign(outcome="converged")
    table.loc[0, "outcome"] = "dead"
    assert only(table).strategy("s0").failed == 1
    missing = only(table[(table["strategy"] != "s0") | (table["fold"] == 4)]).strategy("s0")
    assert (missing.failed, missing.candidate) == (0, False)


# The recommendation


def test_the_cheapest_strategy_about_as_good_is_recommended():
    scores = study([0.80, 0.801, 0.7], sd=0.004, folds=10)
    decision = only(runs_of(scores))
    assert (decision.recommended, decision.reason) == ("s1", "about_as_good")
    by_price = only(runs_of(scores).assign(seconds=[1.0, 2.0, 3.0] * 10), cost="seconds")
    assert by_price.recommended == "s0"
    assert by_price.strategy("s0").most_lost <= by_price.margin
    assert by_price.strategy("s2").significantly_worse
    assert not by_price.strategy("s2").about_as_good


def test_margins_are_per_data_set():
    runs = runs_of(study([0.80, 0.795], sd=0.001, folds=10))
    found = {margin: only(runs, margins={"sus": margin}).recommended for margin in (0.02, 0.001)}
    assert found == {0.02: "s1", 0.001: "s0"}


def test_nothing_is_about_as_good_and_shown_worse_beyond_the_margin():
    random = RANDOM()
    scores = random.normal(0.8, 0.03, (300, 5, 1)) + random.normal(0, 0.02, (300, 5, 6))
    everyone = np.ones((300, 6), bool)
    choices = choose(scores, everyone, np.zeros(6), 0.02)
    behind = gap_bounds(*choices.pairs.bounds(), everyone)[0]
    assert not (choices.about_as_good & (behind > 0.02)).any()


def test_regret_of_strategies_that_are_far_apart_is_their_distance():
    means = np.array([[0.8, 0.6, 0.5]])
    model = posterior(means, np.full((1, 3), 1e-4), np.ones((1, 3), bool), 0.02)
    np.testing.assert_allclose(model.regret[0], [0, 0.2, 0.3], atol=0.01)
    np.testing.assert_allclose(model.within[0], [1, 0, 0], atol=0.01)


def test_strategies_that_do_not_differ_are_pulled_together():
    means = RANDOM().normal(0.7, 0.03, (1, 13))
    model = posterior(means, np.full((1, 13), 0.03**2), np.ones((1, 13), bool), 0.02)
    assert np.ptp(model.means) < 0.5 * np.ptp(means)
    assert model.means.argmax() == means.argmax()


def test_no_strategy_is_called_worse_and_about_as_good():
    decision = only(runs_of(study([0.805, 0.8, 0.7], sd=0.001, folds=10)))
    slight = decision.strategy("s1")
    assert slight.significantly_worse
    assert slight.about_as_good
    sentences = decision_sentences(decision, {"s0": "A", "s1": "B", "s2": "C"}.get)
    assert "Shown to be worse than the best (5% for all pairs): C." in sentences
    assert "Shown to be worse, but by at most the margin of 0.02: B." in sentences


# Columns


def test_seeds_of_one_fold_are_no_further_folds():
    scores = study([0.8, 0.7])
    twice = pd.concat([runs_of(scores, seed=1), runs_of(scores + 0.01, seed=2)])
    decision = only(twice)
    assert decision.folds == 5
    assert decision.strategy("s0").runs == 10
    assert decision.comparisons[0].p == pytest.approx(only(runs_of(scores)).comparisons[0].p)


def test_the_unchanged_network_is_left_out():
    table = runs_of(study([0.8, 0.7]))
    unchanged = table[table["strategy"] == "s1"].assign(strategy="unchanged", fraction=0)
    assert repr(decide(pd.concat([table, unchanged]))) == repr(decide(table))


@pytest.mark.parametrize("name", ["NA", "null", "nan", "None", "n/a"])
def test_decisions_are_read_as_they_were_written(tmp_path, name):
    few = runs_of(study([0.9, 0.895, 0.5]))
    two = few[few["fold"] < 2].assign(dataset=name)
    runs = pd.concat([few, two, few.assign(dataset="failed", failed=True)])
    for name, table in decision_tables(runs).items():
        table.to_csv(tmp_path / f"{name}.csv", index=False)
    assert repr(read_decisions(tmp_path)) == repr(decide(runs))


# Planning


def test_the_detectable_difference_is_found_in_four_of_five_studies():
    plan = plan_folds(5, np.full(6, 0.03))
    scores = RANDOM().normal(size=(400, 5, 6)) * 0.03
    scores[:, :, 0] += plan.detectable
    found = compare(scores).bounds()[0][:, 0, 1] > 0
    assert 0.72 < found.mean() < 0.88


def test_folds_to_show_a_difference():
    assert folds_to_show(0.1, 0.01, 5, 13) == 5
    some, more = folds_to_show(0.04, 0.02, 5, 13), folds_to_show(0.03, 0.02, 5, 13)
    assert 5 < some < more
    assert np.isnan([folds_to_show(1e-5, 0.02, 5, 13), folds_to_show(0.1, np.nan, 5, 13)]).all()


def crossed_runs(seed, networks, between=0.05, studies=1, folds=5, strategies=6):
    """Runs of equal strategies that differ between networks, float64 [B,P,F,S]."""
    random = np.random.default_rng(seed)
    of_fold = 0.02 * random.normal(size=(studies, 1, folds, strategies))
    of_network = between * random.normal(size=(studies, networks, 1, strategies))
    run = 0.03 * random.normal(size=(studies, networks, folds, strategies))
    return 0.8 + of_fold + of_network + run


@pytest.mark.parametrize("networks", [2, 4])
def test_what_another_network_would_change_is_in_the_errors(networks):
    runs = crossed_runs(5, networks, studies=400)
    worse = [
        (compare(runs.mean(1), by_network).bounds()[0] > 0).any((1, 2)).mean()
        for by_network in (None, runs.mean(2))
    ]
    assert worse[0] > 0.4
    assert worse[1] < 0.07


def test_a_strategy_that_starts_at_random_has_no_network_to_differ_by():
    runs = crossed_runs(6, 2)
    means = runs.mean(2)
    means[0, 1, 4:] = np.nan
    plain, joined = compare(runs.mean(1)), compare(runs.mean(1), means)
    added = joined.error[0] ** 2 - plain.error[0] ** 2
    assert added[4, 5] == 0
    assert added[0, 1] == pytest.approx(2 * added[0, 5])
    assert joined.df[0, 4, 5] == plain.df[0, 4, 5]
    assert joined.df[0, 0, 1] < plain.df[0, 0, 1]


def test_seeds_are_averaged_and_networks_widen_the_intervals():
    runs = crossed_runs(7, 2)[0]
    parts = [
        runs_of(scores + 0.001 * (seed - 1.5), seed=seed, pretraining=network)
        for network, scores in enumerate(runs, 1)
        for seed in (1, 2)
    ]
    table = pd.concat(parts, ignore_index=True).assign(tuned_parameters=1)
    (both,) = decide(table)
    assert (both.folds, both.pretrainings) == (5, 2)
    averaged = table.groupby(["dataset", "fraction", "strategy", "fold"])["dice"].mean()
    (plain,) = decide(averaged.reset_index().assign(failed=False, tuned_parameters=1))
    for one, other in zip(both.comparisons, plain.comparisons, strict=True):
        assert one.difference == pytest.approx(other.difference)
        assert one.upper - one.lower > other.upper - other.lower
