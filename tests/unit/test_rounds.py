"""What a race in a study decides after each round."""

import numpy as np
import pandas as pd
import pytest
from builders import one_study

from benchmarks.decision_scenarios import THREE_BEST, gaussian
from benchmarks.race import race
from sonotune.config.check import complete
from sonotune.config.jobs import race_settings
from sonotune.errors import SonotuneError
from sonotune.runtime.files import write_json
from sonotune.statistics.decision import decide
from sonotune.statistics.race import next_round, standing
from sonotune.statistics.rounds import decide_round, race_sentences, write_race

TUNED = {"whole": "all", "block_9": ["block9"], "unchanged": "none"}
NAMES = ["good", "near", "far", "worst"]
SETTINGS = {
    "dataset": "sus",
    "fraction": 0.8,
    "strategies": NAMES,
    "efforts": [1.0, 1.0, 1.0, 1.0],
    "rounds": [[fold, seed] for seed in (1, 2) for fold in range(5)],
    "margin": 0.01,
    "budget": 1.0,
}


def first(dice=(0.9, 0.89, 0.6, 0.4), **changed):
    """Runs of a first round in which all strategies trained."""
    usual = {"epochs": 10, "failed": False, "clean": True}
    runs = {(0, name): usual | {"dice": value} for name, value in zip(NAMES, dice, strict=True)}
    for name, own in changed.items():
        runs[0, name] = runs[0, name] | own
    return [{"fold": 0, "seed": 1, "strategies": NAMES}], runs


def test_far_strategies_are_left_out_with_a_reason():
    told = decide_round(SETTINGS, *first())
    assert told["next"] == ["good", "near"]
    assert (told["leader"], told["ended"]) == ("good", None)
    assert told["effort_share"] == pytest.approx(1 / 5)
    rows = {row["strategy"]: row for row in told["standing"]}
    assert [rows[name]["continues"] for name in NAMES] == [True, True, False, False]
    assert rows["far"]["why"] == "expected gain below 0.1 times the margin"
    assert rows["worst"]["gap"] > rows["far"]["gap"] > rows["near"]["gap"] > 0


def test_a_failed_strategy_leaves_and_if_all_fail_the_race_ends():
    failed = {"failed": True, "clean": False}
    told = decide_round(SETTINGS, *first(good=failed))
    assert told["leader"] == "near"
    assert "good" not in told["next"]
    told = decide_round(SETTINGS, *first(**dict.fromkeys(NAMES, failed)))
    assert (told["next"], told["ended"]) == ([], "failed")
    assert {row["why"] for row in told["standing"]} == {"failed or collapsed"}


def test_a_race_ends_within_the_margin_and_when_the_budget_is_spent():
    assert decide_round(SETTINGS | {"margin": 0.5}, *first())["ended"] == "margin"
    assert decide_round(SETTINGS | {"budget": 0.2}, *first())["ended"] == "budget"
    whole = SETTINGS | {"margin": 0.5, "budget": "grid"}
    assert decide_round(whole, *first((0.9, 0.9, 0.9, 0.9)))["ended"] != "margin"
    one_round = SETTINGS | {"rounds": [[0, 1]]}
    assert decide_round(one_round, *first())["ended"] == "rounds"


def test_what_costs_more_spends_more():
    rounds, runs = first(good={"epochs": 100})
    told = decide_round(SETTINGS | {"efforts": [2.0, 1.0, 1.0, 1.0], "budget": 0.21}, rounds, runs)
    assert told["ended"] == "budget"
    again = decide_round(SETTINGS | {"budget": 0.8}, rounds, runs)
    assert again["next"] == ["good", "near"]


@pytest.mark.parametrize("dataset", ["sus", "null", "nan", "na"])
def test_the_table_has_each_round_and_the_sentence_why_it_ended(tmp_path, dataset):
    rounds, runs = first()
    told = decide_round(SETTINGS, rounds, runs)
    rounds[0] |= {key: value for key, value in told.items() if key != "next"}
    rounds.append({"fold": 1, "seed": 1, "strategies": told["next"]})
    usual = {"epochs": 10, "failed": False, "clean": True}
    runs |= {(1, name): usual | {"dice": 0.9} for name in told["next"]}
    last = decide_round(SETTINGS | {"budget": 0.3}, rounds, runs)
    rounds[1] |= {key: value for key, value in last.items() if key != "next"}
    settings = SETTINGS | {"dataset": dataset}
    write_json(tmp_path / "5.json", {"settings": settings, "cells": {}, "rounds": rounds})
    write_race([tmp_path / "5.json"], tmp_path / "race.csv")
    table = pd.read_csv(tmp_path / "race.csv")
    assert table.groupby("round")["strategy"].apply(list).to_list() == [NAMES, ["good", "near"]]
    assert table["ended"].isna().tolist() == [True] * 4 + [False] * 2
    told = race_sentences(tmp_path / "race.csv")
    assert "2 rounds trained 4, 2 strategies" in told[dataset, 0.8]


def test_only_what_trained_in_all_folds_of_a_race_is_recommended():
    rows = [
        {"dataset": "sus", "strategy": name, "fraction": 0.8, "fold": fold, "dice": dice}
        for name, values in {"a": (0.8, 0.82, 0.81), "b": (0.79, 0.8, 0.83), "c": (0.9,)}.items()
        for fold, dice in enumerate(values)
    ]
    table = pd.DataFrame(rows).assign(failed=False, tuned_parameters=1)
    (raced,), (whole,) = decide(table, raced=True), decide(table)
    assert raced.strategy("c").candidate
    assert not whole.strategy("c").candidate
    for decision in (raced, whole):
        assert decision.recommended in ("a", "b")
    # What was left out early may be the best, and the expected loss says so.
    name = raced.recommended
    assert raced.strategy(name).expected_regret > whole.strategy(name).expected_regret


def with_keys(**keys):
    strategies = {name: {"init": "random", "tune": tune} for name, tune in TUNED.items()}
    usual = {"image_size": 64, "fractions": [0.5], "race": {}, "strategies": strategies}
    return one_study(**usual | keys)


def test_a_race_has_the_folds_first_and_then_further_seeds():
    config = complete(with_keys(resampling={"folds": 3, "run_folds": [2, 0], "seeds": 2}))
    settings = race_settings(config, "s", "mine", 0.5)
    assert settings["rounds"] == [[2, 1], [0, 1], [2, 2], [0, 2]]
    assert settings["strategies"] == ["whole", "block_9"]
    assert settings["efforts"][0] > settings["efforts"][1]
    assert (settings["margin"], settings["budget"]) == (0.01, 0.4)


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({"race": {"budget": "grid"}}, "set resampling: seeds"),
        ({"race": {"budget": 1.5}}, "budget"),
        ({"resampling": {"test_images": 5, "resample_test_set": "by_strategy"}}, "by_strategy"),
        ({"strategies": {"whole": {"init": "random", "tune": "all"}}}, "needs two strategies"),
    ],
)
def test_what_a_race_cannot_do_is_refused(keys, says):
    with pytest.raises(SonotuneError, match=says):
        complete(with_keys(**keys))


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
