"""What a run of the workflow prints: a line per finished training, few others, and the answer.

Snakemake's own log file under ``.snakemake/log`` keeps everything.
"""

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from snakemake.logging import DefaultFormatter
from snakemake_interface_logger_plugins.common import LogEvent

# A training prints its own line when it is done; other light jobs are not worth one.
ANNOUNCED = (
    *("download", "encoder_weights", "simulate", "collage", "pretrain", "features"),
    *("score", "page"),
)
# Snakemake's words about its machine, between two jobs, after the answer, for each file of a
# report, and about a failure that `failure_summary` explains.
CHATTER = (
    *("Building DAG of jobs", "Using shell", "Conda environments", "Select jobs to execute"),
    *("Complete log(s)", "Elapsed time", "Adding ", "Loading script code", "Downloading resources"),
    *("RuleException", "Exiting because a job", "WorkflowError:\nAt least one job"),
    "At least one job did not complete",
)
EVENTS = (
    *(LogEvent.WORKFLOW_STARTED, LogEvent.RESOURCES_INFO),
    *(LogEvent.JOB_STARTED, LogEvent.JOB_FINISHED, LogEvent.PROGRESS),
)


class _NewsFilter(logging.Filter):
    """Only what tells a person something new."""

    def filter(self, record: logging.LogRecord) -> bool:
        event = getattr(record, "event", None)
        if event == LogEvent.JOB_INFO:
            return vars(record)["rule_name"] in ANNOUNCED
        text = str(record.msg or "").strip()
        if event is None and not text:
            return False
        return event not in EVENTS and not text.startswith(CHATTER)


class _OneLineFormatter(DefaultFormatter):  # type: ignore[misc]  # Snakemake has no types
    """One line per job."""

    def format_run_info(self, msg: dict[str, Any]) -> str:
        jobs = msg["stats"]
        return f"sonotune: {jobs['total']} jobs, {jobs.get('finetune', 0)} of them trainings"

    def format_job_info(self, msg: dict[str, Any]) -> str:
        return f"sonotune: {msg['rule_msg'] or msg['rule_name']}"

    def format_job_error(self, msg: dict[str, Any]) -> str:
        logs = f" ({', '.join(msg['log'])})" if msg["log"] else ""
        return f"sonotune: failed: {msg['rule_msg'] or msg['rule_name']}{logs}"


def quiet_terminal(logger: logging.Logger) -> None:
    """Have Snakemake's logger print little on the terminal; its log file stays whole.

    Parameters
    ----------
    logger
        Snakemake's logger.
    """
    for handler in logger.handlers:
        if handler.name == "DefaultStreamHandler":
            handler.addFilter(_NewsFilter())
            handler.setFormatter(_OneLineFormatter())


def answer_summary(pages: Iterable[Path]) -> str:
    """The answers of studies, and where their pages are.

    Parameters
    ----------
    pages
        Pages of studies, each with ``answer.txt`` beside it; those that are missing are left out.
    """
    lines = []
    for page in pages:
        answer = page.with_name("answer.txt")
        if answer.is_file():
            lines += [*answer.read_text("utf-8").splitlines(), f"Page: {page}", ""]
    return "\n".join(lines).rstrip()
