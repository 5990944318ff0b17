"""Slots of GPUs, with real processes and device numbers that no device has to stand behind."""

import os
import signal
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest
import torch
from test_training import bright_disks, settings

from sonotune.data.dataset import save_set
from sonotune.errors import SonotuneError
from sonotune.jobs.finetune import run_cell
from sonotune.runtime import gpus

ROOT = Path(__file__).parents[2]

# Takes a slot, prints which device it sees, and works until it is stopped.
JOB = """
import os, sys
from sonotune.runtime.gpus import run_on_gpu

def run():
    print(os.environ.get("CUDA_VISIBLE_DEVICES", "all"), flush=True)
    sys.stdin.readline()

run_on_gpu(run, sys.argv[1], lambda line: print(line, file=sys.stderr, flush=True))
"""


class Jobs:
    """Concurrent processes of one workflow."""

    def __init__(self, folder, slots, each, visible=None):
        own = {gpus.SLOTS: slots, gpus.CELLS: each, gpus.VISIBLE: visible, gpus.FOLDER: folder}
        self.environment = {k: v for k, v in os.environ.items() if k not in own}
        self.environment |= {k: str(v) for k, v in own.items() if v is not None}
        self.environment["PYTHONPATH"] = str(ROOT)
        self.running = []

    def start(self, device="auto"):
        job = subprocess.Popen(
            [sys.executable, "-c", JOB, device],
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.running.append(job)
        return job

    def devices(self, number):
        """What each of several concurrent jobs sees."""
        started = [self.start() for _ in range(number)]
        return [device_of(job) for job in started]

    def end(self):
        for job in self.running:
            job.kill()
            job.communicate()


def device_of(job):
    return job.stdout.readline().strip()


@pytest.fixture
def jobs(tmp_path):
    made = []

    def make(*arguments, **named):
        made.append(Jobs(tmp_path / "locks", *arguments, **named))
        return made[-1]

    yield make
    for one in made:
        one.end()


@pytest.mark.parametrize(
    ("slots", "each", "visible", "devices"),
    [
        (4, 1, None, ["0", "1", "2", "3"]),
        (6, 3, None, ["0", "0", "0", "1", "1", "1"]),
        (2, 1, "5,GPU-abc", ["5", "GPU-abc"]),
        (2, 1, "", ["", ""]),
        # With `--resources gpu=0`, cells of device auto compute on the processor.
        (0, 1, None, ["", ""]),
        # A scheduler's assignment is left alone, and nothing is packed.
        (None, 3, "3", ["3", "3"]),
        ("", 3, None, ["all"]),
    ],
)
def test_concurrent_jobs_get_slots_of_the_visible_devices(jobs, slots, each, visible, devices):
    assert sorted(jobs(slots, each, visible=visible).devices(len(devices))) == devices


def test_a_slot_is_free_again_when_its_holder_is_killed(jobs):
    workflow = jobs(2, 1)
    first, second = workflow.start(), workflow.start()
    device = device_of(first)
    assert {device, device_of(second)} == {"0", "1"}
    third = workflow.start()
    assert third.stderr.readline().startswith("waiting for GPU 0, 1")
    os.kill(first.pid, signal.SIGKILL)
    assert device_of(third) == device


def test_with_device_cpu_no_slot_is_taken(jobs):
    workflow = jobs(1, 1)
    assert device_of(workflow.start()) == "0"
    assert device_of(workflow.start("cpu")) == "all"


@pytest.fixture
def memory_ends():
    """PyTorch says that memory is used up, in chosen forward passes of a network."""
    passes, hooks = [], []

    def ends(*at):
        def look(module, inputs):
            if hasattr(module, "stages"):
                passes.append(len(passes))
                if passes[-1] in at:
                    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB.")

        hooks.append(torch.nn.modules.module.register_module_forward_pre_hook(look))

    yield ends
    for hook in hooks:
        hook.remove()


@pytest.fixture
def cell(tmp_path, monkeypatch):
    """Runs a real tiny cell with a slot of GPU 0, which it shares with one other cell."""
    folder = str(tmp_path / "locks")
    monkeypatch.setenv(gpus.FOLDER, folder)
    for key, value in {gpus.SLOTS: "2", gpus.CELLS: "2", gpus.VISIBLE: "0"}.items():
        monkeypatch.setenv(key, value)
    save_set(tmp_path / "disks", bright_disks(20))

    def run(folder, log=lambda line: None):
        folder = tmp_path / folder
        gpus.run_on_gpu(
            lambda: run_cell(settings(), tmp_path / "disks", None, folder, lambda line: None),
            "auto",
            log,
        )
        return (folder / "predictions.npz").read_bytes()

    return run


def test_a_cell_that_runs_out_of_memory_is_retried_alone_and_ends_the_same(cell, jobs, memory_ends):
    undisturbed = cell("undisturbed")
    other = jobs(2, 2, visible="0").start()
    assert device_of(other) == "0"
    said, alone = [], []

    def log(line):
        said.append(line)
        if line.startswith("waiting for GPU 0"):
            other.kill()
            other.wait()
            alone.append(True)

    memory_ends(5)
    assert cell("retried", log) == undisturbed
    assert alone
    assert "out of memory: once more, with the GPU to itself" in said[1]


def test_a_cell_that_runs_out_of_memory_alone_says_what_to_lower(cell, memory_ends):
    memory_ends(5, 9)
    with pytest.raises(SonotuneError, match=r"also with the GPU to itself.* lower .*batch_size"):
        cell("failed")
    # Its slots are free again.
    assert cell("again")


def test_more_slots_than_devices_are_refused_before_anything_starts(monkeypatch, capsys):
    monkeypatch.setenv(gpus.VISIBLE, "0,1")
    with pytest.raises(SonotuneError, match=r"gpu=3 needs 3 GPUs .* there are 2"):
        gpus.check_gpu_slots(3, 1)
    gpus.check_gpu_slots(4, 2)
    assert capsys.readouterr().err == ""
    gpus.check_gpu_slots(1, 2)
    assert "--resources gpu=4 uses all" in capsys.readouterr().err


def test_locks_are_nobody_elses(monkeypatch, tmp_path):
    monkeypatch.delenv(gpus.FOLDER, raising=False)
    monkeypatch.setattr("sonotune.runtime.gpus.SHARED", tmp_path)
    folder = gpus.lock_folder()
    assert folder.parent == tmp_path
    assert folder.stat().st_mode & 0o077 == 0
    folder.rmdir()
    folder.symlink_to(tmp_path)
    with pytest.raises(SonotuneError, match="belongs to another user"):
        gpus.lock_folder()


SMI = """#!/bin/sh
cat <<END
GPU 0: NVIDIA A100 (UUID: GPU-aaaa-1)
GPU 1: NVIDIA A100 (UUID: GPU-bbbb-2)
  MIG 3g.20gb     Device  0: (UUID: MIG-cccc-3)
  MIG 3g.20gb     Device  1: (UUID: MIG-dddd-4)
END
"""


@pytest.fixture
def driver(tmp_path, monkeypatch):
    """A program that lists a whole GPU and one that is divided in two."""
    program = tmp_path / "bin/nvidia-smi"
    program.parent.mkdir()
    program.write_text(SMI)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    gpus.list_devices.cache_clear()
    yield
    gpus.list_devices.cache_clear()


def test_parts_of_a_divided_gpu_are_devices(driver, monkeypatch):
    monkeypatch.delenv(gpus.VISIBLE, raising=False)
    monkeypatch.setenv(gpus.SLOTS, "6")
    monkeypatch.setenv(gpus.CELLS, "2")
    assert gpus.usable_devices() == 3
    assert [slot.device for slot in gpus.local_slots()][::2] == ["0", "MIG-cccc-3", "MIG-dddd-4"]
    gpus.check_gpu_slots(3, 1)
    with pytest.raises(SonotuneError, match="there are 3"):
        gpus.check_gpu_slots(4, 1)


def test_a_device_is_one_whatever_it_is_called(driver, monkeypatch, tmp_path):
    monkeypatch.setenv(gpus.FOLDER, str(tmp_path / "locks"))
    held = gpus.Slot("0", 0).lock()
    for name in ("GPU-aaaa-1", "GPU-aa", "0"):
        assert gpus.physical(name) == "GPU-aaaa-1"
    code = "from sonotune.runtime.gpus import Slot; Slot('GPU-aaaa-1', 0).lock()"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    held.release()
    assert "GPU GPU-aaaa-1" in run.stderr
    assert run.returncode == 1
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_devices_behind_one_that_is_not_there_are_hidden(monkeypatch):
    monkeypatch.setenv(gpus.VISIBLE, "0,-1,1")
    assert gpus.visible_devices() == ["0"]
    assert gpus.usable_devices() == 1


def test_a_job_that_wants_a_gpu_is_refused_where_there_is_none(jobs):
    assert "run with --resources gpu=N" in jobs(0, 1).start("cuda").communicate()[1]


@pytest.mark.parametrize(
    ("error", "runs"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried"), 2),
        (RuntimeError("CUDA error: out of memory"), 2),
        (RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"), 2),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate`"), 2),
        (RuntimeError("a fault"), 1),
    ],
    ids=str,
)
def test_only_what_found_memory_full_is_tried_once_more(error, runs, monkeypatch):
    monkeypatch.setenv(gpus.SLOTS, "")
    said = []

    def run():
        said.append("run")
        if said == ["run"]:
            raise error

    with pytest.raises(RuntimeError, match="a fault") if runs == 1 else nullcontext():
        gpus.run_on_gpu(run, "auto", said.append)
    assert said.count("run") == runs
