"""Tests of differences, against published examples and independent implementations."""

import warnings

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as formulas
from made_up_scores import cells_of_scores, made_up_scores, with_strategies, write_study
from scipy.stats import tukey_hsd
from statsmodels.stats.multicomp import pairwise_tukeyhsd

from sonotune.statistics.bootstrap import bootstrap_differences, bootstrap_means, bootstrap_ranks
from sonotune.statistics.contrasts import contrasts, corrected_p, fit_means
from sonotune.statistics.friedman import critical_difference, nemenyi, rank_strategies
from sonotune.statistics.tables import (
    PERCENTS,
    POOLED,
    STRATEGIES,
    compare_runs,
    read_evidence,
    write_statistics,
)
from sonotune.statistics.variance import variance_parts

# Relief of three drugs (SAS/STAT; also the example of scipy.stats.tukey_hsd).
RELIEF = {
    "a": [24.5, 23.5, 26.4, 27.1, 29.9],
    "b": [28.4, 34.2, 29.5, 32.2, 30.1],
    "c": [26.1, 28.3, 24.3, 26.2, 27.8],
}
# Yield of vascular grafts by pressure and batch of resin (Montgomery, Design and Analysis of
# Experiments, example 4.1).
GRAFTS = {
    "8500": [90.3, 89.2, 98.2, 93.9, 87.4, 97.9],
    "8700": [92.5, 89.5, 90.6, 94.7, 87.0, 95.8],
    "8900": [85.5, 90.8, 89.6, 86.2, 88.0, 93.4],
    "9100": [82.5, 89.5, 85.6, 87.4, 78.9, 90.7],
}
# Four methods on fourteen data sets, with ties.
LEARNERS = pd.DataFrame(
    [
        [0.763, 0.768, 0.771, 0.798],
        [0.599, 0.591, 0.590, 0.569],
        [0.954, 0.971, 0.968, 0.967],
        [0.628, 0.661, 0.654, 0.657],
        [0.882, 0.888, 0.886, 0.898],
        [0.936, 0.931, 0.916, 0.931],
        [0.661, 0.668, 0.609, 0.685],
        [0.583, 0.583, 0.563, 0.625],
        [0.775, 0.838, 0.866, 0.875],
        [1.000, 1.000, 1.000, 1.000],
        [0.940, 0.962, 0.965, 0.962],
        [0.619, 0.666, 0.614, 0.669],
        [0.972, 0.981, 0.975, 0.975],
        [0.957, 0.978, 0.946, 0.970],
    ],
    columns=list("abcd"),
)


def runs_of(groups):
    rows = [
        (level, block, value)
        for level, values in groups.items()
        for block, value in enumerate(values)
    ]
    return pd.DataFrame(rows, columns=["level", "block", "value"])


def evidence_of(scores, folder, leave_out="failed", cells=None):
    names = list(dict.fromkeys(scores["strategy"]))
    paths = write_study(scores, cells_of_scores(scores) if cells is None else cells, folder)
    return read_evidence(*paths, names, leave_out)


def test_tukey_gives_the_published_example():
    table = contrasts(runs_of(RELIEF), blocked=False)
    assert table["difference"].round(2).tolist() == [-4.60, -0.26, 4.34]
    assert table["p"].round(3).tolist() == [0.014, 0.980, 0.020]
    assert table["lower"].round(3).tolist() == [-8.249, -3.909, 0.691]
    assert table["upper"].round(3).tolist() == [-0.951, 3.389, 7.989]


def test_tukey_kramer_agrees_with_statsmodels_and_scipy_where_runs_are_missing():
    groups = {name: values[: 3 + number] for number, (name, values) in enumerate(RELIEF.items())}
    runs = runs_of(groups)
    table = contrasts(runs, blocked=False)
    other = pairwise_tukeyhsd(runs["value"], runs["level"])
    np.testing.assert_allclose(-table["difference"], other.meandiffs, atol=1e-9)
    np.testing.assert_allclose(table["p"], other.pvalues, atol=1e-4)
    np.testing.assert_allclose(-table["upper"], other.confint[:, 0], atol=1e-3)
    third = tukey_hsd(*groups.values())
    np.testing.assert_allclose(table["p"], third.pvalue[np.triu_indices(3, 1)], atol=1e-6)


def test_a_blocked_analysis_gives_the_published_error():
    fit = fit_means(runs_of(GRAFTS), blocked=True)
    assert fit.error_sd**2 == pytest.approx(7.33, abs=0.005)
    assert fit.df == 15
    np.testing.assert_allclose(fit.means, [92.82, 91.68, 88.92, 85.77], atol=0.006)


def test_the_blocked_analysis_is_that_of_the_mixed_model_of_every_image():
    means = with_strategies("abcd")
    spread = {"fold": 0.05, "run": 0.04}
    scores = made_up_scores(means, folds=8, images=12, spread=spread)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = formulas.mixedlm(
            "dice ~ 0 + C(strategy)",
            scores,
            groups="fold",
            re_formula="1",
            vc_formula={"image": "0 + C(name)", "run": "0 + C(strategy)"},
        ).fit()
    covariance = fitted.cov_params().iloc[:4, :4].to_numpy()
    error = np.sqrt(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])

    runs = scores.groupby(["strategy", "fold"])["dice"].mean().reset_index()
    runs = runs.rename(columns={"strategy": "level", "fold": "block", "dice": "value"})
    fit = fit_means(runs, blocked=True)
    mine = np.sqrt(fit.covariance[0, 0] + fit.covariance[1, 1] - 2 * fit.covariance[0, 1])
    assert mine == pytest.approx(error, rel=0.01)
    np.testing.assert_allclose(fit.means, fitted.params.iloc[:4], atol=1e-6)

    parts = variance_parts(scores)
    assert parts["image"] == pytest.approx(fitted.vcomp[0], rel=0.02)
    assert parts["run"] == pytest.approx(fitted.vcomp[1], rel=0.02)
    assert parts["rest"] == pytest.approx(fitted.scale, rel=0.02)


def test_blocks_find_what_hard_folds_hide():
    hard = np.array([0.0, -0.2, 0.1, -0.1, 0.05])
    noise = np.array([0.001, -0.002, 0.0, 0.002, -0.001])
    runs = runs_of({"a": 0.8 + hard + noise, "b": 0.78 + hard - noise, "c": 0.7 + hard})
    assert contrasts(runs, blocked=True)["p"][0] < 0.001
    assert contrasts(runs, blocked=False)["p"][0] > 0.9


def test_overlapping_training_sets_widen_the_test():
    differences = np.array([0.03, 0.01, 0.02, 0.05, 0.04])
    runs = runs_of({"a": 0.7 + differences, "b": np.full(5, 0.7)})
    pairs = pd.DataFrame({"first": ["a"], "second": ["b"]})
    # By hand: mean .03, variance .00025, t = .03 / sqrt(.00025 (1/5 + 1/4)), 4 degrees of freedom.
    assert corrected_p(runs, pairs, test_share=0.25)[0] == pytest.approx(0.0474, abs=5e-5)
    assert corrected_p(runs, pairs, test_share=0.0)[0] == pytest.approx(0.01324, abs=5e-5)


def test_the_critical_difference_is_that_of_the_published_example():
    """Demsar 2006, section 3.2.2: four learners on 14 data sets."""
    assert critical_difference(4, 14) == pytest.approx(1.25, abs=0.005)


def test_ranks_agree_with_pandas_and_nemenyi_with_the_critical_difference():
    ranking = rank_strategies(LEARNERS)
    mean_ranks = LEARNERS.rank(axis=1, ascending=False).mean()
    assert ranking.ranks.to_dict() == pytest.approx(mean_ranks.to_dict())
    assert list(ranking.ranks) == sorted(mean_ranks)
    # The effect size by its own formula (Kendall 1939), with ties corrected.
    ties = LEARNERS.apply(lambda row: sum(n**3 - n for n in row.value_counts()), axis=1).sum()
    spread = ((LEARNERS.rank(axis=1).sum() - 14 * 2.5) ** 2).sum()
    assert ranking.kendall_w == pytest.approx(12 * spread / (14**2 * (4**3 - 4) - 14 * ties))
    found = nemenyi(LEARNERS)
    for first in "abcd":
        for second in "abcd":
            apart = abs(mean_ranks[first] - mean_ranks[second]) > ranking.critical_difference
            assert (found.loc[first, second] < 0.05) == apart


def test_four_data_sets_and_13_strategies_need_nine_ranks():
    assert critical_difference(13, 4) == pytest.approx(9.1, abs=0.1)
    means = pd.DataFrame(np.random.default_rng(0).random((4, 13)))
    assert "must differ by 9.12 to differ significantly" in rank_strategies(means).says


def test_examinations_are_drawn_whole():
    """Images of an examination that are alike carry no more than one of them."""
    random = np.random.default_rng(0)
    once = pd.DataFrame(
        {"strategy": "a", "percent": 80.0, "fold": 0, "dice": random.normal(0.8, 0.1, 30)}
    )
    once["name"] = once["group"] = [str(number) for number in range(30)]
    often = pd.concat([once.assign(name=once["name"] + f"_{copy}") for copy in range(4)])
    apart = often.assign(group=often["name"])
    width = {}
    for name, table in (("once", once), ("often", often), ("apart", apart)):
        drawn = bootstrap_means(table, 1).drawn[:, 0]
        width[name] = drawn.std()
    assert width["often"] == pytest.approx(width["once"], rel=0.1)
    assert width["apart"] == pytest.approx(width["once"] / 2, rel=0.1)


def test_the_bootstrap_is_paired_and_knows_that_runs_vary():
    scores = made_up_scores(with_strategies("ab"), spread={"fold": 0.2, "run": 0.0})
    differences = bootstrap_differences(bootstrap_means(scores, 1))
    assert differences["upper"][0] - differences["lower"][0] < 0.03
    scores = made_up_scores(with_strategies("ab"), spread={"fold": 0.2, "run": 0.1})
    differences = bootstrap_differences(bootstrap_means(scores, 1))
    assert differences["upper"][0] - differences["lower"][0] > 0.06


def test_the_same_seed_draws_the_same_and_another_does_not():
    scores = made_up_scores(with_strategies("ab"))
    first, again, other = (bootstrap_means(scores, seed).drawn for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()


def test_a_missing_run_leaves_the_other_folds():
    scores = made_up_scores(with_strategies("ab"))
    lost = (scores["strategy"] == "b") & (scores["fold"] == 2)
    replicates = bootstrap_means(scores[~lost], 1)
    kept = scores[(scores["strategy"] == "b") & ~lost].groupby("fold")["dice"].mean()
    assert replicates.means[1] == pytest.approx(kept.mean())
    assert np.isfinite(replicates.drawn).all()


def test_ranks_tell_how_sure_an_order_is():
    scores = made_up_scores(with_strategies("abc", step=0.1))
    ranks = bootstrap_ranks(bootstrap_means(scores, 1)).set_index("strategy")
    assert ranks.loc["a", "best"] > 0.99
    assert ranks["rank"].tolist() == [1, 2, 3]
    close = made_up_scores(with_strategies("abc", step=0.0))
    assert bootstrap_ranks(bootstrap_means(close, 1))["best"].max() < 0.99


def test_families_are_strategies_percents_and_percents_pooled(tmp_path):
    means = {("sus", s, p): 0.6 + p / 400 for s in "ab" for p in (80.0, 50.0, 5.0)}
    table = compare_runs(evidence_of(made_up_scores(means), tmp_path).runs, blocked=True)
    assert table.groupby("family").size().to_dict() == {STRATEGIES: 3, PERCENTS: 6, POOLED: 3}
    pooled = table[table["family"] == POOLED]
    assert pooled["first"].tolist() == ["80", "80", "50"]
    assert (pooled["p"] < 0.001).all()
    assert (pooled["difference"] > 0).all()


def test_failed_runs_do_not_count_unless_asked_for(tmp_path):
    scores = made_up_scores(with_strategies("abc"))
    cells = cells_of_scores(scores)
    cells.loc[(cells["strategy"] == "c"), "failed"] = True
    table = compare_runs(evidence_of(scores, tmp_path, cells=cells).runs, blocked=True)
    table = table.set_index(["first", "second"])
    assert table.loc[("a", "c"), "second_runs"] == 0
    assert table.loc[("a", "c"), "note"] == "no run counts"
    assert np.isfinite(table.loc[("a", "b"), "p"])
    counted = compare_runs(evidence_of(scores, tmp_path, "none", cells).runs, blocked=True)
    assert counted["p"].notna().all()


@pytest.mark.parametrize(
    ("groups", "why"),
    [
        ({"a": [0.7], "b": [0.8]}, "one run each"),
        ({"a": [0.7, 0.7], "b": [0.7, 0.7]}, "the runs do not vary"),
        ({"a": [0.7, 0.8], "b": [np.nan, np.nan]}, "fewer than two"),
    ],
)
@pytest.mark.parametrize("blocked", [True, False])
def test_what_cannot_be_tested_says_why(groups, why, blocked):
    table = contrasts(runs_of(groups), blocked)
    assert table["p"].isna().all()
    assert why in table["note"][0]
    assert table["difference"][0] == pytest.approx(
        np.mean(groups["a"]) - np.mean(groups["b"]), nan_ok=True
    )


def test_ranking_needs_two_data_sets_and_three_strategies():
    one = rank_strategies(LEARNERS.iloc[:1])
    assert np.isnan(one.p)
    assert one.says.startswith("There is no test of 1 data set and 4 strategies")
    assert one.ranks.index[0] == "d"
    assert nemenyi(LEARNERS.iloc[:1]).empty
    equal = rank_strategies(pd.DataFrame(np.full((3, 3), 0.5)))
    assert np.isnan(equal.p)
    assert "equal" in equal.says
    lost = LEARNERS.copy()
    lost.iloc[0, 0] = np.nan
    assert "Left out, without a mean in some data set: a." in rank_strategies(lost).says


@pytest.mark.parametrize("folds", [1, 3])
def test_every_table_is_written_even_of_the_smallest_study(tmp_path, folds):
    scores = made_up_scores(with_strategies("ab"), folds=folds, images=4)
    write_statistics(evidence_of(scores, tmp_path), tmp_path / "out", 1, folds=5, validation=20)
    tables = {path.stem: pd.read_csv(path) for path in (tmp_path / "out").iterdir()}
    assert set(tables) == {
        "tukey", "mixed", "variance", "bootstrap", "ranks", "friedman", "nemenyi",
    }  # fmt: skip
    assert len(tables["tukey"]) == len(tables["mixed"]) == len(tables["bootstrap"]) == 1
    assert tables["tukey"]["p_corrected"].notna().all() == (folds > 1)
    level = "runs and examinations" if folds > 1 else "examinations, given the runs"
    assert set(tables["ranks"]["levels"]) == {level}
    assert tables["friedman"]["says"].str.contains("no test").all()
    for name in ("tukey", "mixed", "variance", "bootstrap", "ranks"):
        assert set(tables[name]["source"]) == {"sus"}


def test_a_study_in_which_no_run_counts_has_tables_without_rows(tmp_path):
    scores = made_up_scores(with_strategies("ab"), folds=2, images=4)
    cells = cells_of_scores(scores, failed=True)
    evidence = evidence_of(scores, tmp_path, cells=cells)
    write_statistics(evidence, tmp_path / "out", 1, folds=5, validation=20)
    for name in ("bootstrap", "ranks"):
        table = pd.read_csv(tmp_path / f"out/{name}.csv")
        assert {"dataset", "source", "percent"} <= set(table)
        assert not len(table)
