"""Signals to a workflow's process, with real processes."""

import os
import signal
import subprocess
import sys
import time

import pytest
from faulty import hear_interrupts, python

from sonotune.runtime import signals
from sonotune.runtime.parent_watch import WORKFLOW, name_process

HEARD = """
import signal, sys, time
from sonotune.runtime.signals import DebouncedHandler
def then(number, frame):
    print(number, flush=True)
signal.signal(signal.SIGINT, DebouncedHandler(then))
print("ready", flush=True)
time.sleep(0.5)
"""


def test_a_signal_that_is_sent_twice_in_haste_is_heard_once():
    process = python(HEARD)
    for _ in range(2):
        process.send_signal(signal.SIGINT)
        time.sleep(0.1)
    assert process.communicate()[0].split() == [str(int(signal.SIGINT))]
    assert process.returncode == 0


def test_a_signal_that_comes_again_later_is_heard_again(monkeypatch):
    monkeypatch.setattr(signals, "DEBOUNCE_SECONDS", 0.05)
    heard = []
    once = signals.DebouncedHandler(lambda number, frame: heard.append(number))
    once(2, None)
    once(2, None)
    time.sleep(0.1)
    once(2, None)
    assert heard == [2, 2]


JOB = """
import atexit, sys, time
from sonotune.runtime.checkpoint import Checkpoint
from sonotune.runtime.job import logged
atexit.register(time.sleep, 1)
with logged(sys.argv[1] + "/job.log"), Checkpoint(sys.argv[1] + "/c", {}, print, 60) as checkpoint:
    print("ready", flush=True)
    while not checkpoint.due():
        time.sleep(0.01)
    checkpoint.save({}, {})
"""
NO_CHECKPOINT = JOB.replace(', Checkpoint(sys.argv[1] + "/c", {}, print, 60) as checkpoint', "")
NO_CHECKPOINT = NO_CHECKPOINT.replace("from sonotune.runtime.checkpoint import Checkpoint\n", "")
NO_CHECKPOINT = NO_CHECKPOINT.replace("while not checkpoint.due()", "while True")


@pytest.mark.parametrize("code", [JOB, NO_CHECKPOINT], ids=["training", "another job"])
def test_a_job_that_is_interrupted_twice_in_haste_ends_in_one_line(code, tmp_path):
    process = python(code, tmp_path, stderr=subprocess.PIPE, preexec_fn=hear_interrupts)
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)  # it is ending
    process.send_signal(signal.SIGINT)
    (line,) = process.communicate()[1].splitlines()
    assert "stopped by SIGINT" in line
    assert process.returncode == 128 + signal.SIGINT


@pytest.fixture
def job(tmp_path):
    """A process that runs a script as Snakemake has it run."""
    script = tmp_path / ".snakemake/scripts/job.py"
    script.parent.mkdir(parents=True)
    script.write_text("import time\nprint('ready', flush=True)\ntime.sleep(60)\n")
    environment = {**os.environ, WORKFLOW: name_process(os.getpid())}
    process = subprocess.Popen(
        [sys.executable, script], env=environment, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "ready\n"
    yield process
    process.kill()
    process.wait()


def test_jobs_hear_of_sigterm_before_the_workflow_does_what_it_did(job, monkeypatch):
    monkeypatch.setenv(WORKFLOW, name_process(os.getpid()))
    assert signals.jobs_of_workflow(name_process(1)) == []
    heard = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: heard.append(number))
    interrupt = signal.getsignal(signal.SIGINT)
    try:
        signals.forward_signals()
        os.kill(os.getpid(), signal.SIGTERM)
        assert job.wait(10) == -signal.SIGTERM
        assert heard == [signal.SIGTERM]
    finally:
        signal.signal(signal.SIGTERM, before)
        signal.signal(signal.SIGINT, interrupt)
