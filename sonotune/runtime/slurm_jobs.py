"""Jobs of Slurm stay in view while Slurm does not answer.

The executor plugin of Slurm (2.8) asks for the states of its jobs a few times. If no answer comes,
because the controller is away, it continues without reporting any of them, and Snakemake takes
jobs that were not reported for no longer active: nobody asks for them again, and the run
waits for ever.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Any


def keep_unreported_jobs(executor: type[Any]) -> None:
    """Make a remote executor ask again for jobs about which it said nothing.

    Parameters
    ----------
    executor
        A class with the methods of Snakemake's remote executors: ``check_active_jobs`` gives those
        that are still active, and calls ``report_job_success`` or ``report_job_error`` for others.
    """
    if hasattr(executor, "unsaid"):
        return
    check = executor.check_active_jobs
    executor.unsaid = {}  # by identity: the jobs of this round that were not reported yet

    async def check_active_jobs(self: Any, active_jobs: Sequence[Any]) -> AsyncIterator[Any]:
        self.unsaid = {id(job): job for job in active_jobs}
        async for job in check(self, active_jobs):
            self.unsaid.pop(id(job), None)
            yield job
        for job in list(self.unsaid.values()):
            yield job

    executor.check_active_jobs = check_active_jobs
    for name in ("report_job_success", "report_job_error"):
        setattr(executor, name, _noting(getattr(executor, name)))


def _noting(report: Any) -> Any:
    """The same report, after which its job counts as reported."""

    def reported(self: Any, job: Any, *given: Any, **named: Any) -> None:
        self.unsaid.pop(id(job), None)
        report(self, job, *given, **named)

    return reported
