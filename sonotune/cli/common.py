"""What commands share: how one is added, and how it shows its progress."""

import argparse
import sys
from collections.abc import Callable
from typing import Any


def add_command(
    commands: Any, name: str, run: Callable[[argparse.Namespace], int] | None, text: str
) -> argparse.ArgumentParser:
    """Add a command to those of a parser.

    Parameters
    ----------
    commands
        What ``add_subparsers`` returned.
    name
        Word that calls it.
    run
        Function that runs it with the parsed arguments and returns the exit status; None for a
        command that has commands of its own.
    text
        What it does, in one line.
    """
    command: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    if run is not None:
        command.set_defaults(run=run)
    return command


def show_progress(done: int, every: int) -> None:
    """Draw a bar on the terminal, if there is one.

    Parameters
    ----------
    done, every
        Number of things that are done, and of all.
    """
    if sys.stderr.isatty():
        end = "\n" if done == every else ""
        bar = f"[{'#' * (30 * done // every):<30}]"
        print(f"\r{bar} {done} of {every}", end=end, file=sys.stderr, flush=True)
