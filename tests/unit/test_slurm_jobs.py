"""Jobs stay in view while nobody answers about them (the whole of it: test_slurm.py)."""

import asyncio

import pytest
from snakemake_executor_plugin_slurm import Executor
from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor

from sonotune.runtime.slurm_jobs import keep_unreported_jobs


def forgetful(answers):
    """An executor that reports the given states, and nothing about other jobs."""

    class Forgetful:
        def __init__(self):
            self.reported = []

        async def check_active_jobs(self, active_jobs):
            for job in active_jobs:
                if answers.get(job) == "active":
                    yield job
                elif answers.get(job) == "done":
                    self.report_job_success(job)
                elif answers.get(job) == "failed":
                    self.report_job_error(job, msg="why")

        def report_job_success(self, job):
            self.reported.append((job, "done"))

        def report_job_error(self, job, msg=None):
            self.reported.append((job, msg))

    return Forgetful


def ask(executor, jobs):
    async def collect():
        return [job async for job in executor.check_active_jobs(jobs)]

    return asyncio.run(collect())


@pytest.mark.parametrize("times", [1, 2])
def test_only_what_was_reported_leaves_the_view(times):
    answers = {"a": "active", "b": "done", "c": "failed"}
    kind = forgetful(answers)
    for _ in range(times):
        keep_unreported_jobs(kind)
    executor = kind()
    assert ask(executor, ["a", "b", "c", "d"]) == ["a", "d"]
    assert executor.reported == [("b", "done"), ("c", "why")]
    assert ask(executor, ["a", "d"]) == ["a", "d"]
    answers["d"] = "done"
    assert ask(executor, ["a", "d"]) == ["a"]


def test_an_error_at_submission_is_reported_as_before():
    kind = forgetful({})
    keep_unreported_jobs(kind)
    executor = kind()
    executor.report_job_error("a", msg="no such partition")
    assert executor.reported == [("a", "no such partition")]


def test_the_plugin_has_the_methods_that_are_wrapped():
    assert issubclass(Executor, RemoteExecutor)
    for name in ("check_active_jobs", "report_job_success", "report_job_error"):
        assert callable(getattr(Executor, name))
