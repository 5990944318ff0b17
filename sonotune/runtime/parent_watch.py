"""Jobs that end when the workflow that started them has ended, also by SIGKILL.

Snakemake starts a job through a shell, so the kernel's signal at a parent's death
(``PR_SET_PDEATHSIG``) would tell of the shell's death and not of the workflow's. So a job watches
the workflow itself, by a descriptor of its process (``pidfd_open``), which no later process of the
same number can take over.
"""

import os
import select
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

WORKFLOW = "SONOTUNE_WORKFLOW"
# Seconds for writing a last checkpoint.
GRACE = 30


def name_process(pid: int) -> str:
    """A name that no other process of this machine has or will have: number and start time.

    Parameters
    ----------
    pid
        Number of a process.

    Returns
    -------
    str
        "" where there is no such process, or no ``/proc`` to look into.
    """
    try:
        # The command's name may hold spaces and brackets; the start time is field 22.
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        return ""
    return f"{pid}:{fields[19]}"


def exit_with_parent() -> None:
    """End this process soon after the workflow, if a workflow has started it.

    First by SIGTERM, upon which a training writes a checkpoint; by SIGKILL if that took too long.
    """
    workflow = os.environ.get(WORKFLOW, "")
    if workflow and hasattr(os, "pidfd_open"):
        watch(workflow, lambda: _end_this_process(GRACE))


def watch(process: str, then: Callable[[], None]) -> None:
    """Call ``then``, in a thread, as soon as a process (see `name_process`) has ended.

    Where the kernel does not tell of that, nothing is called.

    Parameters
    ----------
    process
        Name of the process.
    then
        Called without arguments.
    """
    pid = int(process.partition(":")[0])
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        descriptor = -1
    except OSError:  # a kernel, or a sandbox, without this call
        return
    # Opened first and compared then: a later process with the same number is recognised.
    gone = name_process(pid) != process

    def wait() -> None:
        if descriptor >= 0 and not gone:
            poll = select.poll()
            poll.register(descriptor, select.POLLIN)
            poll.poll()
        then()

    threading.Thread(target=wait, daemon=True).start()


def _end_this_process(grace: float) -> None:
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(grace)
    os.kill(os.getpid(), signal.SIGKILL)
