"""Locks and the end of orphans, with real processes."""

import errno
import fcntl
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from faulty import python

from sonotune.runtime.locks import Lock, lock_results
from sonotune.runtime.parent_watch import name_process

HOLD = """
import sys, time
from sonotune.runtime.locks import Lock
lock = Lock(sys.argv[1], "the folder")
print("ready", flush=True)
time.sleep(float(sys.argv[2]))
lock.release(remove=True)
"""


@pytest.fixture
def holder(tmp_path):
    process = python(HOLD, tmp_path / "lock", 60)
    yield process
    process.kill()
    process.wait()


def test_a_killed_holder_leaves_no_lock_behind(holder, tmp_path):
    holder.kill()
    holder.wait()
    lock = Lock(tmp_path / "lock", "the folder")
    assert lock.left_by.startswith(f"process {holder.pid} on ")


def test_one_that_waits_gets_the_lock_that_another_removes(tmp_path):
    process = python(HOLD, tmp_path / "lock", 0.5)
    lock = Lock(tmp_path / "lock", "the folder", wait=30)
    assert process.wait() == 0
    # It is a lock on the file that is there now, not on the removed one.
    code = "import sys; from sonotune.runtime.locks import Lock; Lock(sys.argv[1], 'it')"
    other = [sys.executable, "-c", code, str(tmp_path / "lock")]
    said = subprocess.run(other, capture_output=True, text=True).stderr
    assert f"it is in use by process {os.getpid()} on " in said
    lock.release(remove=True)
    assert not (tmp_path / "lock").exists()


def test_a_lock_left_on_another_machine_is_told(tmp_path, capsys):
    (tmp_path / ".lock").write_text("process 1 on elsewhere")
    lock_results(tmp_path).release()
    assert "was last used by process 1 on elsewhere" in capsys.readouterr().err
    lock_results(tmp_path)
    assert capsys.readouterr().err == ""


WATCH = """
import os, sys, time
from sonotune.runtime.parent_watch import watch
watch(sys.argv[1], lambda: os._exit(7))
print("ready", flush=True)
time.sleep(60)
"""


def test_who_watches_a_process_learns_of_its_end(holder):
    process = python(WATCH, name_process(holder.pid))
    assert process.poll() is None
    holder.kill()
    # It is a zombie until here: dead all the same.
    assert process.wait(10) == 7
    holder.wait()


@pytest.mark.parametrize("ended", [True, False])
def test_a_process_that_ended_before_is_noticed_also_if_another_has_its_number(holder, ended):
    pid, _, began = name_process(holder.pid).partition(":")
    if ended:
        holder.kill()
        holder.wait()
    name = f"{pid}:{int(began) - (not ended)}"
    watched = subprocess.Popen([sys.executable, "-c", WATCH, name], stdout=subprocess.DEVNULL)
    assert watched.wait(20) == 7


SHELL = """
import os, subprocess, sys, time
from sonotune.runtime.parent_watch import WORKFLOW, name_process
os.environ[WORKFLOW] = name_process(os.getpid())
job = "from sonotune.runtime.parent_watch import exit_with_parent as e; e(); "
job += "import time; time.sleep(60)"
subprocess.Popen(f"{sys.executable} -c '{job}' ; true", shell=True)
print("ready", flush=True)
time.sleep(60)
"""


def test_a_job_ends_with_the_workflow_that_started_it_through_a_shell():
    workflow = python(SHELL, start_new_session=True)
    deadline = time.monotonic() + 20
    while len(members(workflow.pid)) < 3:  # the workflow, its shell, and the job
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(1)
    workflow.kill()
    workflow.wait()
    while members(workflow.pid):
        assert time.monotonic() < deadline, members(workflow.pid)
        time.sleep(0.05)


def members(session):
    """Processes of a session that still run."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, number = stat.read_text().rpartition(")")[2].split()[:4]
        except (OSError, ValueError):
            continue
        if int(number) == session and state != "Z":
            found.append(stat.parent.name)
    return found


def test_without_locks_a_workflow_says_so_once_and_its_jobs_do_not(tmp_path, monkeypatch, capsys):
    def refuse(*arguments):
        raise OSError(errno.ENOLCK, "no locks")

    monkeypatch.setattr(fcntl, "lockf", refuse)
    Lock(tmp_path / "job.lock", "a job").release()
    assert capsys.readouterr().err == ""
    lock_results(tmp_path / "results").release()
    assert str(tmp_path / "results") in capsys.readouterr().err
