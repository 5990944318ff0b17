"""The command line: `sonotune COMMAND`.

A command imports what it needs when it runs, so that `sonotune --help` loads no numerics.
"""

import argparse
import gc
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import NoReturn

from sonotune import __doc__ as question
from sonotune import __version__
from sonotune.cli import data, models, simulate, studies
from sonotune.errors import SonotuneError

EXAMPLES = """examples:
  sonotune init --images 'images/*.png' --masks 'masks/*.png'   write my.yaml for your images
  sonotune run --configfile my.yaml --cores 4                   run that study
  sonotune recommend results/mine                               print the recommended strategy
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status. Mistakes in the input are one line each.

    Parameters
    ----------
    arguments
        Words of the command line; those of the process if None.
    """
    # Importing PyTorch makes objects by the hundred thousand and no garbage: looking through them
    # as often as Python does by default takes a quarter of a command's start.
    gc.set_threshold(100_000, 10, 10)
    given = list(sys.argv[1:] if arguments is None else arguments)
    options: list[str] = []
    if given[:1] == ["run"] and "--" in given:
        options = given[given.index("--") + 1 :]
        given = given[: given.index("--")]
    parser = _make_parser(given)
    parsed = parser.parse_args(given)
    if "run" not in parsed:
        parser.print_help()
        return 0
    parsed.options = options
    try:
        return int(parsed.run(parsed))
    except SonotuneError as error:
        print(f"sonotune: {error}", file=sys.stderr)
        return 1


def command() -> NoReturn:
    """Run the command of this process and end it, without taking PyTorch down piece by piece."""
    status = 1
    with suppress(BrokenPipeError):  # of a pager that was left
        status = main()
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(status)


def _make_parser(given: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sonotune",
        description=question,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"sonotune {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for part in (studies, models, data, simulate):
        part.add_commands(commands)
    # From the simulator's settings, whose import takes as long as all else.
    if given[:1] == ["simulate"]:
        simulate.add_settings(commands.choices["simulate"])
    return parser
