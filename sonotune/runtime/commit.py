"""Which commit of this project's repository the code is, for the records."""

import os
import subprocess
from pathlib import Path

# Set by the workflow, read by its jobs.
COMMIT = "SONOTUNE_COMMIT"
UNKNOWN = "unknown"


def find_commit(root: str | Path) -> str:
    """The commit that is checked out in ``root``.

    Parameters
    ----------
    root
        Folder of the checkout.

    Returns
    -------
    str
        12 digits or more, with ``-dirty`` where files that git knows were changed; `UNKNOWN` where
        ``root`` is no repository of its own, or git is not there or refuses.
    """
    if not (Path(root) / ".git").exists():
        return UNKNOWN
    command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        run = subprocess.run(
            [*command, "--exclude=*"], capture_output=True, text=True, timeout=20, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return UNKNOWN
    return run.stdout.strip() or UNKNOWN


def export_commit(root: str | Path) -> None:
    """Let the jobs of this workflow know; one that a workflow elsewhere started knows already.

    Parameters
    ----------
    root
        Folder of the checkout.
    """
    if COMMIT not in os.environ:
        os.environ[COMMIT] = find_commit(root)


def commit() -> str:
    """What the workflow told."""
    return os.environ.get(COMMIT, UNKNOWN)
