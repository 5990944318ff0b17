"""Commands of studies: init, run, plan, recommend and verify."""

import argparse
import os
from pathlib import Path
from typing import Any

from sonotune.cli.common import add_command
from sonotune.runtime.processors import usable_processors

CONFIGURATION = "configuration (default: config/config.yaml)"
STUDY = "folder of a finished study: results/STUDY"


def add_commands(commands: Any) -> None:
    """Add these commands to the parser's.

    Parameters
    ----------
    commands
        What ``add_subparsers`` returned.
    """
    init = add_command(
        commands, "init", _init, "write a configuration for a folder of images with masks"
    )
    init.add_argument("--images", required=True, metavar="GLOB", help="for example 'images/*.png'")
    init.add_argument("--masks", required=True, metavar="GLOB", help="one mask for each image")
    init.add_argument(
        "--output", default="my.yaml", metavar="FILE", help="file to write (default: my.yaml)"
    )

    run = add_command(commands, "run", _run, "run the studies of a configuration with Snakemake")
    run.usage = "sonotune run [--configfile FILE] [--cores N] [-- SNAKEMAKE OPTIONS]"
    run.add_argument("--configfile", metavar="FILE", help=CONFIGURATION)
    run.add_argument("--cores", metavar="N", help="number of cores (default: all)")

    plan = add_command(
        commands, "plan", _plan, "estimate time and disk, and what the folds can show"
    )
    plan.add_argument("--configfile", metavar="FILE", help=CONFIGURATION)
    plan.add_argument(
        "--results",
        default="results",
        metavar="FOLDER",
        help="folder of results (default: results)",
    )
    plan.add_argument(
        "--cores",
        type=int,
        default=usable_processors(),
        metavar="N",
        help="number of cores (default: all)",
    )
    plan.add_argument(
        "--gpu", type=int, default=1, metavar="N", help="trainings at a time on a GPU (default: 1)"
    )

    text = "print the strategy that a finished study recommends, its cost and its uncertainty"
    recommend = add_command(commands, "recommend", _recommend, text)
    recommend.add_argument("study", help=STUDY)
    recommend.add_argument(
        "--images", type=int, metavar="N", help="number of images for training and validation"
    )

    text = "check that the files of finished studies are complete and consistent"
    add_command(commands, "verify", _verify, text).add_argument(
        "results", nargs="?", default="results", help="folder of results (default: results)"
    )


def _init(arguments: argparse.Namespace) -> int:
    from sonotune.config.starter import write_starter

    images = write_starter(arguments.images, arguments.masks, arguments.output)
    file = arguments.output
    print(
        f"{file}: a study of {images} images with masks\n"
        f"  sonotune data check mine --configfile {file}    looks at every image\n"
        f"  sonotune plan --configfile {file}               estimates how long the study takes\n"
        f"  sonotune run --configfile {file} --cores 2      runs it"
    )
    return 0


def _run(arguments: argparse.Namespace) -> int:
    from sonotune.runtime.workflow import snakemake_command

    command = snakemake_command(arguments.configfile, arguments.cores, arguments.options)
    # Replaces this process, so that signals and the exit status are Snakemake's own.
    os.execv(command[0], command)  # noqa: S606


def _plan(arguments: argparse.Namespace) -> int:
    from sonotune.config.check import read_configuration
    from sonotune.plan.estimate import plan_study
    from sonotune.plan.speed import Meter
    from sonotune.plan.words import describe
    from sonotune.runtime.workflow import configuration_file

    config = read_configuration(configuration_file(arguments.configfile))
    meter = Meter()
    for name, study in config["studies"].items():
        plan = plan_study(config, name, arguments.results, meter)
        print(describe(name, study, plan, arguments.cores, arguments.gpu), flush=True)
    return 0


def _recommend(arguments: argparse.Namespace) -> int:
    from sonotune.evaluation.current import TABLE, current_cells
    from sonotune.report.recommend import recommend

    if (Path(arguments.study) / TABLE).is_file():
        current_cells(arguments.study)
    print("\n".join(recommend(arguments.study, arguments.images)))
    return 0


def _verify(arguments: argparse.Namespace) -> int:
    from sonotune.verify import Verification

    verification = Verification(arguments.results).run()
    for fault in verification.faults:
        print(fault)
    looked = ", ".join(f"{count} {name}" for name, count in verification.checked.items())
    faults = f"{len(verification.faults)} faults" if verification.faults else "no faults"
    print(f"{arguments.results}: {looked}: {faults}")
    return 1 if verification.faults else 0
