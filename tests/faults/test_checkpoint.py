"""A stopped training resumes from its checkpoint and ends as if it had never stopped."""

import os
import signal
import time
from dataclasses import replace

import pytest
import torch
from builders import outputs_of
from test_training import bright_disks, settings

from sonotune.data.dataset import save_set
from sonotune.errors import Stopped
from sonotune.jobs.finetune import run_cell
from sonotune.jobs.pretrain import pretrain
from sonotune.runtime.checkpoint import APART, Checkpoint
from sonotune.training import cpu

RECIPE = {"learning_rate": 0.01, "batch_size": 4, "epochs": 4, "patience": 4}


class Run:
    """One cell in a folder, with a checkpoint outside of it."""

    def __init__(self, disks, folder, train=run_cell, **changes):
        self.disks, self.folder, self.train = disks, folder, train
        self.settings = settings(training=RECIPE, **changes)
        if train is pretrain:
            self.settings["validation_fraction"] = 0.2
        self.checkpoint = folder / "checkpoints/cell.safetensors"
        self.said = []

    def go(self, stop_after=None, with_signal=signal.SIGTERM):
        """Run to the end, or until a signal comes at the end of an epoch."""

        def log(line):
            self.said.append(line)
            if stop_after and line.startswith(f"epoch {stop_after:3d} "):
                os.kill(os.getpid(), with_signal)

        files = self.folder / "cell", log, self.checkpoint
        if self.train is pretrain:
            return pretrain(self.settings, self.disks, *files)
        return run_cell(self.settings, self.disks, None, *files, keep_weights=True)

    def stop(self, after=2, **how):
        with pytest.raises(Stopped) as caught:
            self.go(after, **how)
        assert self.checkpoint.exists()
        return caught.value

    def results(self):
        return outputs_of(self.folder / "cell")


def undisturbed(disks, folder, **changes):
    run = Run(disks, folder, **changes)
    assert run.go()["resumed"] == 0
    return run.results()


@pytest.fixture(scope="module")
def plain(disks, tmp_path_factory):
    """Results of a cell that nothing disturbed."""
    return undisturbed(disks, tmp_path_factory.mktemp("plain"))


@pytest.mark.parametrize(
    "changes",
    [
        {"train": run_cell},
        {"train": pretrain},
        {"tune": ["block9"], "augmentation": None},
        {"precision": "bf16"},
    ],
    ids=lambda c: next(f"{k}-{v.__name__ if callable(v) else v}" for k, v in c.items()),
)
def test_a_stopped_training_ends_like_an_undisturbed_one(disks, tmp_path, changes):
    run = Run(disks, tmp_path / "stopped", **changes)
    run.stop(after=2)
    # It stopped within an epoch, and had been stopped once more in another before it ended.
    run.stop(after=3)
    record = run.go()
    assert any("resuming in epoch 3 after 1 of" in line for line in run.said)
    assert any("resuming in epoch 4 after 1 of" in line for line in run.said)
    assert record["resumed"] == 2
    assert [path.name for path in run.folder.iterdir()] == ["cell"]
    assert run.results() == undisturbed(disks, tmp_path / "undisturbed", **changes)


def other_images(run, monkeypatch, data=None):
    run.disks = run.folder / "others"
    save_set(run.disks, data or bright_disks(20, seed=1))


def other_patients(run, monkeypatch):
    """The same images: another split."""
    data = bright_disks(20)
    index = [{**row, "group": str(number // 4)} for number, row in enumerate(data.index)]
    other_images(run, monkeypatch, replace(data, index=index))


@pytest.mark.parametrize(
    "change",
    [
        lambda run, monkeypatch: run.settings.update(code="1"),
        lambda run, monkeypatch: run.settings.update(fold=2),
        other_images,
        other_patients,
        # It rounds in another way.
        lambda run, monkeypatch: monkeypatch.setattr(cpu, "name", lambda: "another"),
    ],
)
def test_a_checkpoint_of_other_settings_code_data_or_processor_is_left_out(
    disks, tmp_path, monkeypatch, change
):
    run = Run(disks, tmp_path / "changed")
    run.stop()
    change(run, monkeypatch)
    assert run.go()["resumed"] == 0
    assert "the checkpoint belongs to other settings, code or data: starting over" in run.said


def _cut(content):
    return content[: len(content) // 2]


def _flip(content):
    at = len(content) - 1000
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


def _rewrite_facts(content):
    return content.replace(rb"\"batches\": 1", rb"\"batches\": 2")


@pytest.mark.parametrize("damage", [_cut, _flip, _rewrite_facts])
def test_a_damaged_checkpoint_is_left_out(disks, tmp_path, plain, damage):
    run = Run(disks, tmp_path / "damaged")
    run.stop()
    content = run.checkpoint.read_bytes()
    assert damage(content) != content
    run.checkpoint.write_bytes(damage(content))
    assert run.go()["resumed"] == 0
    assert any(line.startswith("the checkpoint is damaged (") for line in run.said)
    assert run.results() == plain


def test_a_checkpoint_that_cannot_be_written_costs_no_training(disks, tmp_path, plain, monkeypatch):
    monkeypatch.setenv("SONOTUNE_CHECKPOINT_SECONDS", "0")
    run = Run(disks, tmp_path / "run")
    (tmp_path / "run").mkdir()
    (tmp_path / "run/checkpoints").write_text("in the way")
    run.go()
    assert any(line.startswith("no checkpoint could be written (") for line in run.said)
    assert run.results() == plain


def test_a_signal_becomes_the_status_that_a_scheduler_knows(disks, tmp_path):
    # As in a terminal: what a shell starts in its background ignores Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    assert Run(disks, tmp_path / "a").stop().signal == signal.SIGTERM
    assert Run(disks, tmp_path / "b").stop(with_signal=signal.SIGINT).signal == signal.SIGINT
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_time_of_earlier_processes_counts(disks, tmp_path):
    run = Run(disks, tmp_path)
    began = time.perf_counter()
    run.stop(after=3)
    first = time.perf_counter() - began
    record = run.go()
    assert record["seconds"] > first * 0.6
    assert record["cpu_seconds"]["total"] > record["cpu_seconds"]["training"] > 0


def test_checkpoints_cost_about_a_hundredth_of_the_time(tmp_path):
    checkpoint = Checkpoint(tmp_path / "c.safetensors", {}, print, seconds=0)
    tensors = {"weights": torch.zeros(300_000)}
    assert checkpoint.due()
    began = time.monotonic()
    checkpoint.save(tensors, {})
    took = time.monotonic() - began
    assert not checkpoint.due()
    time.sleep(took * APART / 2)
    assert not checkpoint.due()
    time.sleep(took * APART * 0.6)
    assert checkpoint.due()
