"""Several runs of a fold: seeds and pre-trained networks, in a real tiny study."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from warm import planned_jobs, run_config

from sonotune.inference.choose import choose_cells
from sonotune.inference.model import load_model
from sonotune.layout import RUN, Cell
from sonotune.runtime.files import read_json, write_json
from sonotune.runtime.run_record import seal
from sonotune.verify import Verification

ROOT = Path(__file__).parents[2]
MADE = ("tables/table2.csv", "statistics/decisions.csv", "splits.json")
MADE = ("--", *(f"results/tiny/{name}" for name in MADE))


def configuration(**keys):
    config = yaml.safe_load((ROOT / "tests/tiny.yaml").read_text())
    del config["datasets"]["sus_b"]
    study = config["studies"]["tiny"]
    study |= {"datasets": ["sus_a"], "fractions": [0.5], "keep_weights": ["whole"]}
    del study["strategies"]["block_9"]
    # A network that does not die of so little training, and runs that cannot fail to stop.
    study["network"] = {"name": "unet_bn", "width": 2}
    study["training"] = {"epochs": 3, "patience": False, "learning_rate": 0.02}
    study["training"]["select_weights"] = "last"
    study["resampling"]["seeds"] = keys.get("seeds", 1)
    study["pretraining"]["repeats"] = keys.get("repeats", 1)
    return config


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A study of one run per fold, to which seeds and a pre-training were added."""
    folder = tmp_path_factory.mktemp("runs")
    run_config(folder, configuration(), "--until", "finetune")
    results = folder / "results/tiny"
    before = {path: path.stat().st_mtime_ns for path in results.glob("cells/*/*/*/*/run.json")}
    run_config(folder, configuration(seeds=2, repeats=2), *MADE)
    return results, before


def test_runs_that_were_finished_stay_and_the_others_are_added(study):
    results, before = study
    assert len(before) == 3
    assert {path: path.stat().st_mtime_ns for path in before} == before
    runs = [path.parent for path in results.glob("cells/*/*/*/*/run.json")]
    names = {(Cell.of(run).strategy, run.name.partition("-")[2]) for run in runs}
    assert {run for strategy, run in names if strategy == "whole"} == {"", "s2", "p2", "s2-p2"}
    assert {run for strategy, run in names if strategy == "scratch"} == {"", "s2"}
    assert {run for strategy, run in names if strategy == "unchanged"} == {"", "p2"}
    assert len(runs) == 8


def test_every_run_is_another(study):
    results, _ = study
    stored = [np.load(run) for run in results.glob("cells/sus_a/whole/0.5/0*/predictions.npz")]
    assert len(stored) == 4
    assert all(np.array_equal(one["rows"], stored[0]["rows"]) for one in stored)
    assert len({one["probabilities"].tobytes() for one in stored}) == 4
    weights = [path.read_bytes() for path in results.glob("pretrained/*/weights.safetensors")]
    assert len(set(weights)) == 2


def test_tables_tell_runs_from_folds(study):
    results, _ = study
    cells = pd.read_csv(results / "cells.csv")
    assert len(cells) == len(cells.drop_duplicates(list(RUN))) == 8
    scores = pd.read_csv(results / "scores/sus_a.csv")
    means = scores.groupby(list(RUN))["dice"].mean()
    assert np.allclose(means, cells.set_index(list(RUN))["dice"].loc[means.index])
    table = pd.read_csv(results / "tables/table2.csv").set_index("strategy")
    assert table["n"].to_dict() == {"whole": 4, "scratch": 2, "unchanged": 2}
    assert set(table["folds"]) == {1}
    decision = pd.read_csv(results / "statistics/decisions.csv").iloc[0]
    assert (decision["folds"], decision["pretrainings"]) == (1, 2)


def test_nothing_is_left_to_do_and_all_belongs_together(study):
    results, _ = study
    said = run_config(results.parents[1], configuration(seeds=2, repeats=2), "-n", *MADE)
    assert "Nothing to be done" in said
    found = Verification(results.parent).run()
    assert found.faults == []
    assert found.checked["cells"] == 8
    assert found.checked["pre-trainings"] == 2


def test_a_run_is_used_alone_and_all_runs_together(study):
    results, _ = study
    every = choose_cells(results, strategy="whole")
    assert len(every) == 4
    (one,) = choose_cells(results, strategy="whole", fold="0-s2-p2")
    assert one.name == "0-s2-p2"
    assert [load_model(path).about.get("pretraining_number", 1) for path in every].count(2) == 2


def test_a_further_pretraining_that_is_another_makes_only_its_own_cells_stale(study):
    results, _ = study
    record = results / "pretrained/2/run.json"
    kept = read_json(record)
    other = {key: value for key, value in kept.items() if key != "sha256"}
    other["settings"] = {**kept["settings"], "seed": 5}
    try:
        write_json(record, other | {"sha256": seal(other)})
        said = run_config(results.parents[1], configuration(seeds=2, repeats=2), "-n", *MADE)
    finally:
        write_json(record, kept)
    jobs = planned_jobs(said)
    assert (jobs["pretrain"], jobs["finetune"]) == (1, 3)
