"""`sonotune verify`."""

from __future__ import annotations

import argparse
from typing import Any


def add_verify(commands: Any) -> None:
    """Add `verify` and its arguments."""
    text = "check that the files of finished studies are whole and belong together"
    command = commands.add_parser("verify", help=text, description=text)
    command.add_argument("results", nargs="?", default="results", help="(results)")
    command.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from sonotune.verify import Verification

    found = Verification(arguments.results).run()
    for fault in found.faults:
        print(fault)
    looked = ", ".join(f"{count} {name}" for name, count in found.checked.items())
    faults = f"{len(found.faults)} faults" if found.faults else "all belongs together"
    print(f"{arguments.results}: {looked}: {faults}")
    return 1 if found.faults else 0
