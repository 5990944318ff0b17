"""A race in the workflow: real runs of a tiny study."""

import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
import yaml
from warm import planned_jobs, run_config

from sonotune.runtime.files import read_json
from sonotune.verify import Verification

ROOT = Path(__file__).parents[2]
RACE = {"margin": 0.0001, "budget": 1}
# A network and a recipe with which so little training leads to something.
LEARNS = {
    "network": {"name": "unet_bn", "width": 2},
    "training": {"epochs": 40, "patience": False, "select_weights": "last", "learning_rate": 0.02},
    "augmentation": False,
    "resampling": {"folds": 3, "validation_fraction": 0.3},
    "strategies": {
        "whole": {"init": "random", "tune": "all"},
        "expanding": {"init": "random", "tune": ["block6", "block7", "block8", "block9"]},
        "block_9": {"init": "random", "tune": ["block9"]},
    },
}


class Study:
    """The smallest study with three strategies and three folds, as a race or not."""

    def __init__(self, folder):
        self.folder, self.results = folder, folder / "results/smallest"

    def snakemake(self, *options, race=RACE):
        config = yaml.safe_load((ROOT / "tests/smallest.yaml").read_text())
        config["studies"]["smallest"] |= LEARNS | ({"race": race} if race else {})
        return run_config(self.folder, config, *options)

    def run_cells(self, **how):
        """Run all that the table of cells needs."""
        self.snakemake("--", "results/smallest/cells.csv", **how)

    def planned(self, **how):
        """Number of jobs of each rule that would run."""
        return planned_jobs(self.snakemake("-n", **how))

    def cells(self):
        return {
            path.relative_to(self.results): (path.stat().st_mtime_ns, path.read_bytes())
            for path in self.results.glob("cells/*/*/*/*/run.json")
        }

    def rounds(self, number=3):
        return read_json(self.results / f"race/sus/0.5/{number}.json")["rounds"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    study = Study(tmp_path_factory.mktemp("race"))
    certain = study.planned()
    study.snakemake()
    return study, certain


@pytest.fixture
def study(finished, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(finished[0].folder, folder, symlinks=True)
    return Study(folder)


def test_the_rounds_say_which_cells_there_are(finished):
    study, certain = finished
    # Before the first round is over, only its cells are certain.
    assert certain["finetune"] == 3
    rounds = study.rounds()
    asked = {(one["fold"], name) for one in rounds for name in one["strategies"]}
    trained = {(int(path.parts[-2]), path.parts[-4]) for path in study.cells()}
    assert trained == asked
    assert len(rounds[0]["strategies"]) == 3
    assert all(len(one["strategies"]) == 2 for one in rounds[1:])
    table = pd.read_csv(study.results / "cells.csv")
    assert len(table) == len(asked) < 9
    race = pd.read_csv(study.results / "statistics/race.csv")
    assert len(race) == len(asked)
    text = (study.results / "index.html").read_text("utf-8")
    assert "A race of" in text
    # The page needs nothing from elsewhere.
    assert set(re.findall(r"https?://[^\s\"']+", text)) <= {"http://www.w3.org/2000/svg"}
    assert "default-src 'none'" in text
    answer = (study.results / "answer.txt").read_text("utf-8")
    assert answer.startswith("SUS, 50% of the images")


def test_a_finished_race_is_complete_and_belongs_together(finished):
    study, _ = finished
    assert study.planned() == {}
    assert Verification(study.results.parent).run().faults == []


def test_without_snakemakes_records_a_race_resumes_where_it_was(study):
    cells, rounds = study.cells(), study.rounds()
    shutil.rmtree(study.folder / ".snakemake")
    for number in (2, 3):
        (study.results / f"race/sus/0.5/{number}.json").unlink()
    study.run_cells()
    assert study.cells() == cells
    assert study.rounds() == rounds


def test_another_rule_keeps_all_cells_and_so_does_the_full_grid(study):
    cells = study.cells()
    # A margin that the first round reaches already.
    study.run_cells(race={"margin": 0.9})
    assert study.cells() == cells
    assert len(pd.read_csv(study.results / "cells.csv")) == 3
    left = 9 - len(cells)
    assert study.planned(race=None)["finetune"] == left


def test_a_deleted_cell_is_trained_again_and_the_rounds_after_it_are_repeated(study):
    cells, rounds = study.cells(), study.rounds()
    lost = study.results / f"cells/sus/{rounds[1]['strategies'][0]}/0.5/1"
    shutil.rmtree(lost)
    planned = study.planned()
    assert planned["finetune"] == 1
    assert planned["race_round"] == 2
    study.run_cells()
    assert [one["strategies"] for one in study.rounds()] == [one["strategies"] for one in rounds]
    same = {path for path, content in study.cells().items() if cells[path] == content}
    assert len(same) == len(cells) - 1
