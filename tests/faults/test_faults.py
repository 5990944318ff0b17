"""The workflow amid faults: it reports what is wrong, keeps what is finished, and resumes."""

import os
import random
import re
import shutil
import signal
import time
from copy import copy

import pytest
from faulty import STRATEGIES, Study, copy_project, damage, small_study

from sonotune.runtime.files import read_json

pytestmark = pytest.mark.slow
YEARS = 365 * 86400


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A study that ran undisturbed."""
    study = Study(tmp_path_factory.mktemp("finished"))
    assert study.complete() == STRATEGIES
    assert study.leftovers() == []
    return study


@pytest.fixture
def study(finished, tmp_path):
    """A copy of the finished study."""
    return finished.copy(tmp_path / "copy")


def without_cells(study, *strategies):
    """Forget some cells and what is made of them."""
    for name in strategies:
        shutil.rmtree(study.folder / f"results/tiny/cells/sus_a/{name}")
    shutil.rmtree(study.folder / "results/tiny/scores", ignore_errors=True)
    (study.folder / "results/tiny/cells.csv").unlink(missing_ok=True)
    return study


def find_job(study, strategy, timeout=300):
    """The process that trains a strategy's cell."""
    log = study.wait_for_job(f"results/logs/tiny/sus_a/{strategy}_*.lock", timeout)
    until = time.monotonic() + timeout
    while time.monotonic() < until:
        if found := re.match(r"process (\d+) on ", log.read_text() if log.exists() else ""):
            return int(found[1])
        time.sleep(0.01)
    raise AssertionError(f"nobody trains {strategy}")


def start_training(study, *options):
    """A workflow that trains one cell, and the process that does, with its first checkpoint."""
    workflow = without_cells(study, "whole").start(*options)
    pid = find_job(study, "whole")
    study.wait_for_job("results/tiny/checkpoints/cells/sus_a/whole/0.5/0.safetensors")
    return workflow, pid


def resumed(study):
    """How often the one cell went on."""
    return read_json(study.folder / "results/tiny/cells/sus_a/whole/0.5/0/run.json")["resumed"]


def assert_equal(study, finished):
    assert study.results() == finished.results()
    assert study.jobs() == study.leftovers() == []


def test_a_second_workflow_on_the_folder_says_so(study):
    without_cells(study, "whole")
    first = study.start()
    holder = find_job(study, "whole")
    assert holder != first.pid
    second = copy(study)
    second.output = study.folder / "second.txt"
    status, said = second.run()
    assert status != 0
    assert f"results is in use by process {first.pid} on " in said
    assert "one workflow at a time" in said
    assert "Traceback" not in said
    # Looking is allowed meanwhile.
    for look in (["-n"], ["--summary"], ["--unlock"], ["--lint"]):
        assert "in use by" not in second.run(*look)[1], look
    assert first.wait() == 0, study.output.read_text()


def test_a_cell_whose_memory_ran_out_is_tried_again_from_its_checkpoint(study, finished):
    workflow, pid = start_training(without_cells(study, "block_9"))
    os.kill(pid, signal.SIGKILL)
    assert workflow.wait() == 0, study.output.read_text()
    assert resumed(study) == 1
    assert_equal(study, finished)


def test_a_cell_that_is_killed_for_good_is_named_and_the_others_go_on(study, finished):
    without_cells(study, "whole", "block_9")
    workflow = study.start("--retries", "0")
    os.kill(find_job(study, "whole"), signal.SIGKILL)
    assert workflow.wait() != 0
    said = study.output.read_text()
    end = said[said.index("sonotune: 1 of the jobs failed:") :]
    assert "finetune: tiny: whole on 0.5 of sus_a, fold 0" in end
    assert "killed without an error message" in end
    assert "(results/logs/tiny/sus_a/whole_0.5_0.log)" in end
    assert "more jobs wait for them" in end
    assert "Run the same command again to resume." in end
    assert (study.folder / "results/tiny/cells/sus_a/block_9/0.5/0/run.json").exists()
    assert study.complete() == {"whole"}
    assert study.results() == finished.results()


def test_a_preempted_training_ends_with_the_signals_status_and_goes_on(study, finished):
    workflow, pid = start_training(study, "--retries", "0")
    os.kill(pid, signal.SIGTERM)
    assert workflow.wait() != 0
    said = study.output.read_text()
    assert "stopped by SIGTERM; run again to resume" in said
    # The terminal is brief; Snakemake's own log is not.
    newest = max((study.folder / ".snakemake/log").glob("*.log"), key=os.path.getmtime)
    assert "143" in newest.read_text()
    assert study.complete() == {"whole"}
    assert study.results() == finished.results()


@pytest.mark.parametrize(
    ("send", "signals"),
    [
        (os.killpg, [signal.SIGINT]),
        (os.killpg, [signal.SIGINT, signal.SIGINT]),
        (os.kill, [signal.SIGTERM]),
    ],
    ids=["Ctrl-C", "Ctrl-C twice in haste", "SIGTERM to Snakemake alone"],
)
def test_a_workflow_that_is_told_to_end_keeps_what_was_trained(study, finished, send, signals):
    workflow, _ = start_training(study)
    for number in signals:
        send(workflow.pid, number)
        time.sleep(0.3)
    assert workflow.wait() != 0
    said = study.output.read_text()
    assert "Traceback" not in said, said
    assert study.jobs() == []
    assert study.complete() == {"whole"}
    assert resumed(study) == 1
    assert study.results() == finished.results()


def test_an_orphan_ends_and_its_successor_waits_for_it(study, finished):
    without_cells(study, "whole")
    workflow = study.start()
    orphan = find_job(study, "whole")
    # It does not hear of its parent's death while it is stopped.
    os.kill(orphan, signal.SIGSTOP)
    workflow.kill()
    workflow.wait()
    successor = study.start()
    time.sleep(12)
    assert orphan in study.jobs()
    os.kill(orphan, signal.SIGCONT)
    assert successor.wait() == 0, study.output.read_text()
    assert_equal(study, finished)


def test_file_times_in_the_future_and_past_rerun_nothing_and_break_nothing(study, finished):
    chance = random.Random(1)
    for path in study.folder.glob("results/**/*.*"):
        moment = time.time() + chance.uniform(-20, 20) * YEARS
        os.utime(path, (moment, moment))
    assert study.complete() == set()
    without_cells(study, "whole")
    assert study.complete() == {"whole"}
    assert study.results() == finished.results()


def test_a_clock_that_is_set_back_while_a_cell_trains(study, finished):
    """What was made before the clock was set back is then dated in the future."""
    workflow, _ = start_training(study, "--retries", "0")
    ahead = time.time() + 3 * 86400
    for path in study.folder.glob("results/**/*.*"):
        if path.is_file() and "checkpoints" not in path.parts:
            os.utime(path, (ahead, ahead))
    # The training is kept. Jobs after it that Snakemake refuses for their files' times wait for the
    # next run, which sets these right before it starts.
    workflow.wait()
    said = study.output.read_text()
    assert (study.folder / "results/tiny/cells/sus_a/whole/0.5/0/run.json").exists(), said
    assert "it ended normally, but Snakemake refused its outputs (see above)" in said
    assert study.complete() == set()
    assert study.results() == finished.results()


def test_a_folder_with_spaces_and_other_letters(finished, tmp_path):
    """Of the project and of the study."""
    project = tmp_path / "Prüf ordner (1) & 'so' $HOME"
    project.mkdir()
    copy_project(project)
    study = Study(project / "Überblick é 超音波", small_study())
    study.root = project
    assert study.complete() == STRATEGIES
    assert study.results() == finished.results()


@pytest.mark.parametrize(
    ("name", "consumer"),
    [
        ("datasets/sus_a-*/16/images.npy", "cells/sus_a/block_9"),
        ("datasets/sus_a-*/16/dataset.json", "cells/sus_a/block_9"),
        ("tiny/pretrained/1/weights.safetensors", "cells/sus_a/block_9"),
        ("tiny/cells/sus_a/whole/0.5/0/predictions.npz", "scores"),
        ("tiny/cells/sus_a/whole/0.5/0/run.json", "scores"),
    ],
)
def test_what_was_damaged_is_named_and_made_anew_as_the_message_says(
    study, finished, name, consumer
):
    (path,) = (study.folder / "results").glob(name)
    damage(path)
    shutil.rmtree(study.folder / "results/tiny" / consumer)
    (study.folder / "results/tiny/cells.csv").unlink()
    status, said = study.run("--retries", "0")
    assert status != 0
    assert "Traceback" not in said
    # A record is read at the start, and other files by the job that needs them.
    assert path.name in said[max(0, said.find("of the jobs failed:")) :]
    assert "delete the folder" in said
    shutil.rmtree(path.parent)
    if name.startswith("datasets/"):
        # Preparing the arrays again first, on their own, costs no finished cell.
        study.targets = [str(path.relative_to(study.folder))]
        study.complete()
        study.targets = ["results/tiny/cells.csv"]
        assert study.complete() == {"block_9"}
    study.complete()
    assert study.results() == finished.results()


def test_a_plain_rerun_notices_predictions_that_changed(study):
    path = study.folder / "results/tiny/cells/sus_a/whole/0.5/0/predictions.npz"
    damage(path)
    os.utime(path)
    status, said = study.run("--retries", "0")
    assert status != 0
    assert "predictions.npz: is not what this run wrote" in said
