"""What failed in a run of the workflow, and why, at its end and in one place."""

from collections.abc import Iterable
from pathlib import Path

from sonotune.runtime.job import DONE

MOST_LINES = 12  # of one job's reason


def failure_summary(failed: Iterable[tuple[str, str | Path]], remaining: int) -> str:
    """A summary for the terminal.

    Parameters
    ----------
    failed
        What each failed job was to do, and its log.
    remaining
        Jobs that were not run: they wait for failed ones, or the run was stopped.
    """
    logs = sorted((what, Path(log)) for what, log in failed)
    lines = [f"sonotune: {len(logs)} of the jobs failed:" if logs else "sonotune: stopped."]
    for what, log in logs:
        lines += [f"  {what}", f"    {_reason(log)} ({log})"]
    if remaining:
        waiting = "wait for them or for" if logs else "remain for"
        lines.append(f"sonotune: {remaining} more jobs {waiting} the next run.")
    lines.append("sonotune: finished results are kept. Run the same command again to resume.")
    return "\n".join(lines)


def _reason(log: Path) -> str:
    """The error that a job's log ends with; a job that was killed had no time to write one."""
    try:
        lines = log.read_text("utf-8", "replace").strip().splitlines()
    except OSError:
        lines = []
    if lines and lines[-1] == DONE:
        return "it ended normally, but Snakemake refused its outputs (see above)"
    errors = [number for number, line in enumerate(lines) if line.startswith("error: ")]
    if errors:
        told = lines[errors[-1] : errors[-1] + MOST_LINES]
        return "\n    ".join(told).removeprefix("error: ")
    return "killed without an error message, possibly out of memory"
