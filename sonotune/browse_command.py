"""`sonotune browse`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any


def add_browse(commands: Any) -> None:
    """Add `browse` and its arguments."""
    text = "write a finished study as pages to click through, for any browser, without a server"
    command = commands.add_parser("browse", help=text, description=text)
    command.add_argument("study", help="a finished study's folder: results/STUDY")
    command.add_argument("--output", metavar="FOLDER", help="(results/STUDY/browse)")
    command.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from sonotune.report.browse.write import write_pages

    study = Path(arguments.study)
    page = write_pages(study, Path(arguments.output or study / "browse"), _progress)
    print(f"open {page} in a browser")
    return 0


def _progress(done: int, cells: int) -> None:
    if sys.stderr.isatty():
        end = "\n" if done == cells else ""
        print(f"\r{done} of {cells} cells", end=end, file=sys.stderr, flush=True)
