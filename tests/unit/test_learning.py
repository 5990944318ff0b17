"""Forecasts of learning curves."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_up_cells import drawn, inputs

from benchmarks.learning import simulated, stored
from sonotune.report.display_options import DisplayOptions
from sonotune.report.learning_table import table as describe
from sonotune.statistics.learning import forecast, forecast_table
from sonotune.statistics.runs import fold_scores
from sonotune.statistics.sentences import learning_sentence

RUNS = Path(__file__).parents[2] / "docs/results/learning/runs_new.csv"
FRACTIONS = [0.05, 0.1, 0.2, 0.4, 0.8]


def power_law(fractions, folds, noise, seed=0):
    random = np.random.default_rng(seed)
    error = 0.05 + 0.3 * (np.array(fractions) / 0.05) ** -0.7
    return 1 - error * np.exp(random.normal(0, noise, (folds, len(fractions))))


def test_a_clean_curve_is_continued_and_only_ratios_of_images_count():
    scores = power_law(FRACTIONS, 5, 0.01)
    found = forecast(scores, FRACTIONS, 1.6)
    truth = 1 - 0.05 - 0.3 * 32**-0.7
    assert found.lower < truth < found.upper
    assert found.expected == pytest.approx(truth, abs=0.01)
    by_images = forecast(scores, [one * 340 for one in FRACTIONS], 544)
    assert vars(by_images) == pytest.approx(vars(found))


def test_noise_and_distance_widen_the_interval():
    def width(noise, wanted):
        found = forecast(power_law(FRACTIONS, 5, noise), FRACTIONS, wanted)
        return found.upper - found.lower

    assert width(0.02, 0.9) < width(0.02, 1.6) < width(0.3, 1.6)


def test_a_deviation_that_persists_is_continued():
    random = np.random.default_rng(0)
    misses = []
    for _ in range(20):
        walks = np.cumsum(random.normal(0, 0.3, (3, 8)), axis=1)
        scores = 1 - 0.2 * np.exp(np.clip(walks, -2, 1.4))
        known, hidden = scores[:, :-1], scores[:, -1].mean()
        found = forecast(known, 2.0 ** np.arange(7), 128).expected
        misses.append((abs(found - hidden), abs(known[:, -1].mean() - hidden)))
    ours, of_the_last = np.mean(misses, axis=0)
    assert ours < 1.15 * of_the_last  # of a walk, nothing tells more than its last value


def rows_of(fractions, folds, failed=0, strategy="whole", seed=0):
    scores = power_law(fractions, folds, 0.1, seed)
    table = pd.DataFrame(scores, columns=fractions).rename_axis("fold").reset_index()
    table = table.melt("fold", var_name="fraction", value_name="dice").astype({"fraction": float})
    lost = (table["fold"] < failed) & (table["fraction"] == 0.4)
    outcome = np.where(lost, "not_finite", "converged")
    return table.assign(dataset="sus", strategy=strategy, outcome=outcome, tuned_parameters=10)


def runs(*options):
    return fold_scores(rows_of(*options), "tuned_parameters")


@pytest.mark.parametrize(
    ("fractions", "folds", "failed", "refused"),
    [
        (FRACTIONS, 3, 0, False),
        (FRACTIONS[1:], 5, 2, False),
        (FRACTIONS[2:], 5, 0, True),
        (FRACTIONS, 2, 0, True),
        (FRACTIONS, 5, 3, True),
        ([0.4, 0.5, 0.6, 0.8], 5, 0, True),
    ],
)
def test_too_little_is_refused(fractions, folds, failed, refused):
    (row,) = forecast_table(runs(fractions, folds, failed)).to_dict("records")
    assert bool(row["refused"]) == refused == np.isnan(row["expected"])
    if not refused:
        assert 0 <= row["lower"] < row["expected"] < row["upper"] <= 1


def test_intervals_cover_what_comes_on_curves_of_many_forms():
    """A small form of the benchmark: 240 forecasts, the mean of six forms."""
    rows = list(simulated(40, 5, 0.2))
    covered, _, score, last = np.mean([row[-4:] for row in rows], axis=0)
    assert 0.65 < covered < 0.95
    assert score < last


def test_intervals_cover_what_came_in_trainings_that_did_not_choose_the_model():
    rows = list(stored(RUNS))
    made = sum(row[3] for row in rows)
    covered, _, score, last = np.average(
        [row[-4:] for row in rows], axis=0, weights=[row[3] for row in rows]
    )
    assert made >= 60
    assert 0.75 <= covered <= 0.9
    assert score < last


def test_the_table_says_what_is_forecast_and_why_not(tmp_path):
    found = pd.concat(
        [
            forecast_table(runs(FRACTIONS, 3)).assign(source="sus"),
            forecast_table(runs(FRACTIONS[2:], 3)).assign(source="sus", strategy="scratch"),
        ]
    )
    found.to_csv(tmp_path / "learning.csv", index=False)
    strategies = {"scratch": "From scratch", "whole": "Whole network"}
    rows, table = describe(tmp_path / "learning.csv", DisplayOptions(strategies, {"sus": "SUS"}))
    assert rows["strategy"].tolist() == ["scratch", "whole"]
    assert rows["refused"].astype(bool).tolist() == [True, False]
    assert [entry.text for entry in table.body[1].entries][:4] == [
        f"{rows.iloc[1][name]:.3f}" for name in ("dice", "expected", "lower", "upper")
    ]
    sentence = learning_sentence(rows.iloc[1], strategies.get)
    assert all(f"{rows.iloc[1][name]:.3f}" in sentence for name in ("expected", "lower", "upper"))


def test_the_figure_shows_means_and_what_is_to_be_expected(tmp_path):
    table = pd.concat([rows_of(FRACTIONS, 4), rows_of(FRACTIONS, 4, strategy="scratch", seed=1)])
    strategies = {"whole": "Whole network", "scratch": "From scratch"}
    given = inputs("more_images", table, tmp_path, DisplayOptions(strategies, {"sus": "SUS"}))
    (panel,) = drawn("more_images", **given).axes
    found = pd.read_csv(given["learning"])
    curves = {line.get_label(): line.get_ydata() for line in panel.lines}
    for name, title in strategies.items():
        means = table[table["strategy"] == name].groupby("fraction")["dice"].mean()
        assert curves[title] == pytest.approx(means.to_numpy())
    hollow = [one.get_ydata()[0] for one in panel.lines if one.get_markerfacecolor() == "white"]
    assert sorted(hollow) == pytest.approx(sorted(found["expected"]))
