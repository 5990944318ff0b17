"""Edits, failures, kills, lost records and copies in any order: never a stale number, nothing lost.

Sequences are drawn by hypothesis. SONOTUNE_PLANS and SONOTUNE_RUNS say how many: of those that end
in a plan (`snakemake -n`), and of those that run the study in between and at the end.
"""

import os
import shutil
from contextlib import contextmanager

import pytest
from edited_study import CODE, MINE, PRETRAINED, VALUES, EditedStudy
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

PLANS = int(os.environ.get("SONOTUNE_PLANS", "300"))
RUNS = int(os.environ.get("SONOTUNE_RUNS", "30"))

WHOLE, BLOCK, SCRATCH = (("cell", name, "0.5", "0") for name in ("whole", "block_9", "scratch"))
JOBS = [WHOLE, BLOCK, SCRATCH, PRETRAINED, MINE, ("prepared", "collage", 1), ("images", 1)]

EDITS = [("set", name, value) for name, values in VALUES.items() for value in values]
DAMAGE = [
    *(("delete", job) for job in JOBS),
    *(("delete_one_file", WHOLE, name) for name in ("predictions.npz", "history.csv", "run.json")),
    ("delete_one_file", PRETRAINED, "weights.safetensors"),
    ("delete_one_file", MINE, "masks.npy"),
    ("put_another_cell_in_its_place", BLOCK, WHOLE),
    *(("lose_records", how) for how in ("all", "half", "some")),
    *(("move", records, times) for records in (True, False) for times in (True, False)),
    ("touch",),
    ("touch_by_snakemake",),
    *(("damage_record", job) for job in (WHOLE, PRETRAINED, MINE)),
]
FAULTS = [
    ("run",),
    *(("run", after, what) for after in (1, 3, 6) for what in ("jobs", "everything")),
    ("fail_to_prepare",),
]
# Fewer configurations than plans meet, so that fresh runs are shared.
RUN_EDITS = [e for e in EDITS if e[1] in ("rate", "stages", "mask", "optimiser", "margin", "label")]
RUN_DAMAGE = [one for one in DAMAGE if one[0] not in ("delete_one_file", "damage_record")]

drawn = settings(
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)


def act(study, step):
    return getattr(study, step[0])(*step[1:])


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    study = EditedStudy.begin(tmp_path_factory.mktemp("finished"))
    assert study.run()
    return study


@pytest.fixture(scope="module")
def fresh_numbers(finished, tmp_path_factory):
    """Gives the numbers of a fresh run of a study's configuration; each is run once."""
    known = {}

    def numbers(study):
        key = repr(sorted(study.wanted.items(), key=str))
        if key not in known:
            fresh = EditedStudy.begin(tmp_path_factory.mktemp("fresh"))
            for name, value in study.wanted.items():
                if value != VALUES[name][0]:
                    fresh.set(name, value)
            assert fresh.run()
            known[key] = fresh.numbers()
            shutil.rmtree(fresh.folder)
        return known[key]

    known[repr(sorted(finished.wanted.items(), key=str))] = finished.numbers()
    return numbers


@contextmanager
def copy_of(finished, folder):
    study = finished.copy_to(folder / "study")
    try:
        yield study
    finally:
        shutil.rmtree(study.folder, ignore_errors=True)


def check_plan(finished, folder, steps):
    with copy_of(finished, folder) as study:
        for step in steps:
            act(study, step)
        assert study.planned() == study.expected()


def check_runs(finished, fresh_numbers, folder, steps):
    with copy_of(finished, folder) as study:
        for step in [*steps, ("run",)]:
            ended_well = act(study, step)
            if ended_well:
                assert study.numbers() == fresh_numbers(study)
        assert ended_well, study.output.read_text()
        assert study.planned() == set()


def test_a_finished_study_has_nothing_to_run(finished):
    assert finished.planned() == finished.expected() == set()


# Plans of which every second one is fast enough for each run of the tests.
PLANNED = (
    [("set", "stages", ["block8", "block9"]), ("lose_records", "all"), ("touch",)],
    [("set", "mask", 1), ("touch_by_snakemake",)],
    [("damage_record", WHOLE), ("damage_record", MINE), ("move", False, False)],
    [("set", "pretraining rate", 0.02), ("delete", MINE), ("set", "pretraining rate", 0.01)],
    [("set", name, 1) for name in CODE if name in ("metric", "message", "another device")],
    [("set", "rate", 0.02), ("set", "rate", 0.01), ("set", "kept", ["block_9"])],
    [("set", "fractions", [0.5, 0.4]), ("set", "folds", [0, 1]), ("delete", SCRATCH)],
    [("set", "pretraining rate", 0.02), ("set", "left out", "whole")],
    # One of two shows in the cell from scratch, the other in those that are pre-trained.
    [("set", "splits", 1), ("set", "collages", 1)],
    [("set", "augmentation", 1), ("delete_one_file", PRETRAINED, "weights.safetensors")],
    [("put_another_cell_in_its_place", BLOCK, WHOLE), ("lose_records", "half")],
    [("delete_one_file", SCRATCH, "run.json"), ("delete", ("images", 1))],
    [("delete_one_file", WHOLE, "predictions.npz"), ("delete_one_file", BLOCK, "history.csv")],
    [("set", "resizing", 1)],
    [("delete_one_file", MINE, "masks.npy")],
    [("set", "kept", ["block_9"]), ("run",), ("set", "kept", "none")],
)


@pytest.mark.parametrize("first", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_each_kind_of_edit_and_damage_in_one_study(finished, tmp_path, first):
    """What follows is trained again, and what is undone is not."""
    for steps in PLANNED[first::2]:
        check_plan(finished, tmp_path, steps)


@pytest.mark.slow  # plans and kills have fast tests of their own
def test_edited_killed_copied_and_edited_back(finished, fresh_numbers, tmp_path):
    steps = [
        ("set", "stages", ["block8", "block9"]),
        ("set", "label", "All of it"),
        ("run", 1, "everything"),
        ("move", False, False),
        ("set", "stages", ["block9"]),
        ("set", "label", "Whole"),
    ]
    check_runs(finished, fresh_numbers, tmp_path, steps)


@pytest.mark.slow
def test_plans(finished, tmp_path_factory):
    @settings(drawn, max_examples=PLANS)
    @given(st.lists(st.sampled_from([*EDITS, *DAMAGE]), min_size=1, max_size=5))
    def plans(steps):
        check_plan(finished, tmp_path_factory.mktemp("plan"), steps)

    plans()


@pytest.mark.slow
def test_runs(finished, fresh_numbers, tmp_path_factory):
    steps = st.sampled_from(RUN_EDITS) | st.sampled_from(RUN_DAMAGE) | st.sampled_from(FAULTS)

    @settings(drawn, max_examples=RUNS)
    @given(st.lists(steps, min_size=2, max_size=6))
    def runs(steps):
        check_runs(finished, fresh_numbers, tmp_path_factory.mktemp("runs"), steps)

    runs()
