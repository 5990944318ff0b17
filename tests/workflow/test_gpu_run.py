"""The command for a GPU machine, rehearsed on the CPU with tiny data."""

import json
import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import pytest
from test_training import bright_disks
from warm import warm_python

from benchmarks.gpu.bundle import SETS, part_of, read_set, write_set
from benchmarks.gpu.collect import collect
from benchmarks.gpu.results import Results, read
from benchmarks.gpu.speed import SMALL, plain_seconds

ROOT = Path(__file__).parents[2]


def go(bundle, folder, *options):
    command = [warm_python(), str(ROOT / "benchmarks/gpu/run.py"), "--device", "cpu", "--small"]
    command += ["--out", str(folder / "out"), "--bundle", str(bundle)]
    command += ["--work", str(folder / "work"), "--beside", "2", *options]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    run = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout, (folder / "out/gpu.csv").read_text()


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundle")
    for seed, name in enumerate(SETS):
        write_set(folder / f"sets/{name}.zip", bright_disks(20, seed=seed))
    return folder


@pytest.fixture(scope="module")
def finished(bundle, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    said, table = go(bundle, folder, "--minutes", "60")
    return folder, said, table


def test_every_part_leaves_its_numbers(finished):
    folder, said, _ = finished
    rows = {(row["measure"], row["variant"]): row for row in read(folder / "out/gpu.csv")}
    assert rows["check", "all"]["value"] == 1, said
    for key in (("step", "convolutions, bf16"), ("card", "copy"), ("evaluation", "bf16"),
                ("strategy_step", "block_9"), ("cells_per_hour", "graph, 1")):  # fmt: skip
        assert rows[key]["value"] > 0, said
    for name in ("amiri2020/pretraining", "amiri2020/sus/block_9/0.8/0"):
        assert 0 <= rows["dice", name]["value"] <= 1, said
    assert rows["epochs", "wang2023/hc18/scratch_unet/0.8/0"]["value"] == 1
    assert len({row["card"] for row in rows.values()}) == 1


def test_records_and_predictions_come_back(finished):
    with zipfile.ZipFile(finished[0] / "out/trainings-1.zip") as file:
        record = json.loads(file.read("amiri2020/sus/block_9/0.8/0/run.json"))
        assert record["processor"]["device"] == "cpu"
        assert "amiri2020/sus/block_9/0.8/0/predictions.npz" in file.namelist()


def test_given_again_it_does_what_is_missing_also_on_an_empty_machine(bundle, finished):
    """Records come back from a machine and start weights do not: they are made once more."""
    folder, _, table = finished
    cell = "amiri2020/sus/block_9/0.8/0"
    lost = [
        line
        for line in table.splitlines(keepends=True)
        if not line.startswith("step,") and cell not in line
    ]
    (folder / "out/gpu.csv").write_text("".join(lost))
    shutil.rmtree(folder / "work")
    _, again = go(bundle, folder, "--minutes", "60")
    added = again.removeprefix("".join(lost)).splitlines()
    done = [line.split(",")[1] for line in added if line.startswith("dice,")]
    assert done == ["amiri2020/pretraining", cell]
    assert {line.split(",")[0] for line in added} >= {"step", "dice"}
    assert not [line for line in added if line.startswith(("check", "card", "strategy_step"))]


def test_what_came_back_is_taken_into_the_docs(finished, tmp_path):
    collect([finished[0] / "out"], tmp_path)
    text = (tmp_path / "README.md").read_text()
    assert "block_9" in text
    assert (tmp_path / "estimate.csv").exists()
    assert (tmp_path / "gpu.csv").read_text().count("\n") > 20


def test_without_time_it_does_nothing_and_says_what_is_left(bundle, tmp_path):
    said, table = go(bundle, tmp_path, "--minutes", "0.01")
    assert "not done: amiri2020/sus/block_9/0.8/0" in said
    assert len(table.splitlines()) == 1


@pytest.mark.parametrize("fast", [False, True])
def test_plain_pytorch_takes_steps(fast):
    seconds, repeats = plain_seconds(SMALL, "cpu", fast)
    assert seconds > 0
    assert repeats == SMALL.repeats


def test_a_packed_set_is_the_same(tmp_path):
    data = bright_disks(20)
    write_set(tmp_path / "a.zip", data)
    found = read_set(tmp_path / "a.zip")
    assert np.array_equal(found.images, data.images)
    assert np.array_equal(found.masks, data.masks)
    assert found.index == data.index
    assert "5 of 20" in part_of(data, 5).about["source"]


def test_a_number_of_another_card_does_not_count_and_a_torn_line_is_left_out(tmp_path):
    first = Results(tmp_path, "one")
    first.add("step", "x", 1.5, "ms")
    with first.path.open("a") as file:
        file.write("step,y,one")
    assert not Results(tmp_path, "other").has("step", "x")
    assert Results(tmp_path, "one").has("step", "x")
    assert not Results(tmp_path, "one").has("step", "y")
