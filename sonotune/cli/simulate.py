"""The command that makes simulated images."""

import argparse
from pathlib import Path
from typing import Any

from sonotune.cli.common import add_command, show_progress
from sonotune.errors import SonotuneError
from sonotune.runtime.processors import usable_processors

# The settings of the simulator that are options; a configuration file can set all of them.
SIMULATED = (
    *("lines", "center_frequency_mhz", "width_mm", "depth_mm", "focus_mm", "scatterers"),
    *("lesions", "lesion_radius_mm", "contrast", "contrast_of", "dynamic_range_db", "pixels"),
)


def add_commands(commands: Any) -> None:
    """Add these commands to the parser's.

    Parameters
    ----------
    commands
        What ``add_subparsers`` returned.
    """
    command = add_command(
        commands, "simulate", _simulate, "make simulated ultrasound images with masks"
    )
    command.description = (
        "Simulate B-mode ultrasound images of dark lesions in speckle. Writes images/NAME.png, "
        "masks/NAME.png (255 in lesions) and lesions.csv."
    )
    command.add_argument("--images", type=int, default=85, help="number of images (default: 85)")
    command.add_argument("--seed", type=int, default=0, help="0 or more (default: 0)")
    command.add_argument(
        "--workers", type=int, default=usable_processors(), help="images at a time (all processors)"
    )
    command.add_argument(
        "--output", type=Path, required=True, metavar="FOLDER", help="folder to write"
    )


def add_settings(command: argparse.ArgumentParser) -> None:
    """Add the simulator's settings to the options of its command.

    Parameters
    ----------
    command
        Parser of the command.
    """
    from sonotune.config.section import meanings_of
    from sonotune.simulation.settings import Simulation

    meanings = meanings_of(Simulation)
    for name in SIMULATED:
        default: Any = Simulation.model_fields[name].default
        pair = isinstance(default, list)
        default_text = f"{default[0]} {default[1]}" if pair else default
        command.add_argument(
            "--" + name.replace("_", "-"),
            type=type(default[0] if pair else default),
            nargs=2 if pair else None,
            default=default,
            metavar=("FIRST", "SECOND") if pair else "VALUE",
            help=f"{meanings[name][1].rstrip('.')} (default: {default_text})",
        )


def _simulate(arguments: argparse.Namespace) -> int:
    from pydantic import ValidationError

    from sonotune.config.mistakes import mistakes
    from sonotune.simulation.images import write_images
    from sonotune.simulation.settings import Simulation

    given = {name: getattr(arguments, name) for name in SIMULATED}
    try:
        settings = Simulation(**given)
    except ValidationError as error:
        lines = ["The settings cannot be used:", *mistakes(error, given)]
        raise SonotuneError("\n  ".join(lines)) from None
    number, output = arguments.images, arguments.output
    write_images(settings, output, number, arguments.seed, arguments.workers, show_progress)
    print(f"{number} images, their masks and lesions.csv are in {output}")
    return 0
