"""The end of a run that failed tells why."""

import errno
import os

import pytest

from sonotune.runtime.failures import failure_summary
from sonotune.runtime.job import logged
from sonotune.runtime.parent_watch import name_process, watch


def summary_after(tmp_path, error):
    log = tmp_path / "job.log"
    with pytest.raises((SystemExit, type(error))), logged(log):
        raise error
    return failure_summary([("prepare: images", log)], 3)


def test_a_reason_of_several_lines_is_told_whole(tmp_path):
    text = summary_after(tmp_path, ValueError("2 images cannot be used:\n  a.png\n  b.png"))
    assert "a.png" in text
    assert "b.png" in text


def test_a_job_that_wrote_nothing_is_not_said_to_have_ended_well(tmp_path):
    (tmp_path / "job.log").write_text("epoch 1\n")
    told = failure_summary([("train: a cell", tmp_path / "job.log")], 0)
    assert "memory" in told


def test_a_kernel_that_cannot_watch_processes_does_not_end_jobs(monkeypatch):
    def refused(pid):
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    called = []
    monkeypatch.setattr(os, "pidfd_open", refused, raising=False)
    watch(name_process(os.getpid()), lambda: called.append(True))
    assert not called
