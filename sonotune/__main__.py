"""Which layers of a segmentation network should be fine-tuned?"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from sonotune import data_command as data_commands
from sonotune.browse_command import add_browse
from sonotune.check_command import add_check
from sonotune.errors import SonotuneError
from sonotune.inference_command import add_export, add_predict, add_recommend
from sonotune.plan_command import add_plan
from sonotune.simulation import simulate
from sonotune.verify_command import add_verify


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return its exit status. The user's mistakes are one line, no traceback."""
    parser = argparse.ArgumentParser(prog="sonotune", description=__doc__)
    commands = parser.add_subparsers(title="commands", required=True)
    command = commands.add_parser(
        "simulate",
        help="make simulated ultrasound images with masks",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    simulate.add_arguments(command)
    command.set_defaults(run=simulate.run)
    data = commands.add_parser("data", help="list, find, fetch and check data sets")
    of_data = data.add_subparsers(title="commands", required=True)
    data_commands.add_arguments(of_data)
    add_check(of_data)
    add_plan(commands)
    add_recommend(commands)
    add_browse(commands)
    add_predict(commands)
    add_export(commands)
    add_verify(commands)
    parsed = parser.parse_args(arguments)
    try:
        return parsed.run(parsed)
    except SonotuneError as error:
        print(f"sonotune: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
