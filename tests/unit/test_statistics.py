"""Tests of differences, against published examples and independent implementations."""

import warnings
from itertools import product

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as formulas
from made_up_scores import cells_of_scores, made_up_scores, with_strategies, write_tables
from statsmodels.stats.multicomp import pairwise_tukeyhsd

from sonotune.statistics.friedman import critical_difference, nemenyi, rank_strategies
from sonotune.statistics.tukey import tukey_pairs
from sonotune.statistics.variance import variance_components

# Relief of three drugs (SAS/STAT; also the example of scipy.stats.tukey_hsd).
RELIEF = {
    "a": [24.5, 23.5, 26.4, 27.1, 29.9],
    "b": [28.4, 34.2, 29.5, 32.2, 30.1],
    "c": [26.1, 28.3, 24.3, 26.2, 27.8],
}
# Four methods on fourteen data sets, with ties.
LEARNERS = pd.DataFrame(
    np.array([
        763, 768, 771, 798, 599, 591, 590, 569, 954, 971, 968, 967, 628, 661, 654, 657,
        882, 888, 886, 898, 936, 931, 916, 931, 661, 668, 609, 685, 583, 583, 563, 625,
        775, 838, 866, 875, 1000, 1000, 1000, 1000, 940, 962, 965, 962, 619, 666, 614, 669,
        972, 981, 975, 975, 957, 978, 946, 970,
    ]).reshape(14, 4) / 1000,
    columns=list("abcd"),
)  # fmt: skip


def runs_of(groups):
    rows = [
        (level, block, value)
        for level, values in groups.items()
        for block, value in enumerate(values)
    ]
    return pd.DataFrame(rows, columns=["level", "block", "value"])


def statistics_of(scores, folder, exclude_runs="failed", cells=None):
    """The tables of made-up scores, by name."""
    cells = cells_of_scores(scores) if cells is None else cells
    written = write_tables(scores, cells, folder, exclude_runs)
    return {path.stem: pd.read_csv(path) for path in written.iterdir()}


def test_tukey_gives_the_published_example():
    table = tukey_pairs(runs_of(RELIEF))
    assert table["difference"].round(2).tolist() == [-4.60, -0.26, 4.34]
    assert table["p"].round(3).tolist() == [0.014, 0.980, 0.020]
    assert table["lower"].round(3).tolist() == [-8.249, -3.909, 0.691]
    assert table["upper"].round(3).tolist() == [-0.951, 3.389, 7.989]


def test_tukey_kramer_agrees_with_statsmodels_where_runs_are_missing():
    groups = {name: values[: 3 + number] for number, (name, values) in enumerate(RELIEF.items())}
    runs = runs_of(groups)
    table = tukey_pairs(runs)
    other = pairwise_tukeyhsd(runs["value"], runs["level"])
    np.testing.assert_allclose(-table["difference"], other.meandiffs, atol=1e-9)
    np.testing.assert_allclose(table["p"], other.pvalues, atol=1e-4)
    np.testing.assert_allclose(-table["upper"], other.confint[:, 0], atol=1e-3)


def test_variance_components_are_those_of_the_mixed_model_of_every_image():
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
    parts = {k: v for k, (v, _, _) in variance_components(scores, np.random.default_rng(0)).items()}
    assert parts["image"] == pytest.approx(fitted.vcomp[0], rel=0.02)
    assert parts["run"] == pytest.approx(fitted.vcomp[1], rel=0.02)
    assert parts["rest"] == pytest.approx(fitted.scale, rel=0.02)


def test_the_critical_difference_is_that_of_the_published_example():
    """Demsar 2006, section 3.2.2: four learners on 14 data sets."""
    assert critical_difference(4, 14) == pytest.approx(1.25, abs=0.005)


def test_ranks_agree_with_pandas_and_nemenyi_with_the_critical_difference():
    ranking = rank_strategies(LEARNERS)
    mean_ranks = LEARNERS.rank(axis=1, ascending=False).mean().sort_values()
    assert ranking.set_index("strategy")["mean_rank"].to_dict() == mean_ranks.to_dict()
    assert ranking["strategy"].tolist() == list(mean_ranks.index)
    # The effect size by its own formula (Kendall 1939), with ties corrected.
    ties = LEARNERS.apply(lambda row: sum(n**3 - n for n in row.value_counts()), axis=1).sum()
    spread = ((LEARNERS.rank(axis=1).sum() - 14 * 2.5) ** 2).sum()
    assert ranking["kendall_w"][0] == pytest.approx(12 * spread / (14**2 * (4**3 - 4) - 14 * ties))
    found = nemenyi(LEARNERS)
    for first, second in product("abcd", repeat=2):
        apart = abs(mean_ranks[first] - mean_ranks[second]) > ranking["critical_difference"][0]
        assert (found.loc[first, second] < 0.05) == apart


def test_tukey_compares_strategies_and_fractions(tmp_path):
    means = {("sus", s, p): 0.6 + p / 4 for s in "ab" for p in (0.8, 0.5, 0.05)}
    table = statistics_of(made_up_scores(means), tmp_path)["tukey"]
    assert table.groupby("family").size().to_dict() == {"strategies": 3, "fractions": 6}
    fractions = table[table["family"] == "fractions"]
    assert fractions["first"].astype(float).tolist() == [0.8, 0.8, 0.5] * 2
    assert (fractions["p"] < 0.001).all()


def test_failed_runs_do_not_count_unless_asked_for(tmp_path):
    scores = made_up_scores(with_strategies("abc"))
    cells = cells_of_scores(scores)
    cells.loc[(cells["strategy"] == "c"), "failed"] = True
    table = statistics_of(scores, tmp_path, cells=cells)["tukey"].set_index(["first", "second"])
    assert table.loc[("a", "c"), "second_runs"] == 0
    assert np.isnan(table.loc[("a", "c"), "p"])
    assert np.isfinite(table.loc[("a", "b"), "p"])
    counted = statistics_of(scores, tmp_path, "none", cells)["tukey"]
    assert counted["p"].notna().all()


@pytest.mark.parametrize(
    "groups",
    [
        {"a": [0.7], "b": [0.8]},
        {"a": [0.7, 0.7], "b": [0.7, 0.7]},
        {"a": [0.7, 0.8], "b": [np.nan, np.nan]},
    ],
)
def test_what_cannot_be_tested_has_no_p_value(groups):
    table = tukey_pairs(runs_of(groups))
    assert table["p"].isna().all()
    assert table["difference"][0] == pytest.approx(
        np.mean(groups["a"]) - np.mean(groups["b"]), nan_ok=True
    )


def test_ranking_needs_two_data_sets_and_three_strategies():
    one = rank_strategies(LEARNERS.iloc[:1]).iloc[0]
    assert np.isnan(one["p"])
    assert one["says"].startswith("Not tested (1 data set, 4 strategies)")
    assert one["strategy"] == "d"
    equal = rank_strategies(pd.DataFrame(np.full((3, 3), 0.5))).iloc[0]
    assert np.isnan(equal["p"])
    assert "equal" in equal["says"]
    lost = LEARNERS.copy()
    lost.iloc[0, 0] = np.nan
    assert "Left out, without a mean in some data set: a." in rank_strategies(lost)["says"][0]


@pytest.mark.parametrize("folds", [1, 3])
def test_every_table_is_written_even_of_the_smallest_study(tmp_path, folds):
    scores = made_up_scores(with_strategies("ab"), folds=folds, images=4)
    tables = statistics_of(scores, tmp_path)
    assert {name: len(table) for name, table in tables.items()} == {
        "decisions": 1, "strategies": 2, "comparisons": 1, "tukey": 1,
        "variance": 1, "low_scores": 2, "calibration": 2, "friedman": 2, "nemenyi": 0,
        "learning": 2,
    }  # fmt: skip
    assert tables["calibration"]["calibration_error"].tolist() == pytest.approx([0.02, 0.02])
    assert tables["friedman"]["says"].str.contains("Not tested").all()
    for name in ("tukey", "variance", "low_scores", "learning"):
        assert set(tables[name]["source"]) == {"sus"}


def test_a_study_in_which_no_run_counts_has_tables_without_statements(tmp_path):
    scores = made_up_scores(with_strategies("ab"), folds=2, images=4)
    full = statistics_of(scores, tmp_path)
    tables = statistics_of(scores, tmp_path, cells=cells_of_scores(scores, failed=True))
    assert {name: list(table) for name, table in tables.items()} == {
        name: list(table) for name, table in full.items()
    }
    assert tables["decisions"]["recommended"].isna().all()
    assert tables["strategies"]["gap"].isna().all()
    assert not len(tables["variance"])
