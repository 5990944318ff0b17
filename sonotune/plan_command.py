"""`sonotune plan`: how long a study takes here and how much disk, before it starts."""

from __future__ import annotations

import argparse
from typing import Any

from sonotune.check_command import DEFAULT_CONFIGURATION
from sonotune.config.check import read_configuration
from sonotune.runtime.processors import usable_processors


def add_plan(commands: Any) -> None:
    """Add `plan` and its arguments."""
    text = "measure a few training steps and say what a configuration's studies take"
    command = commands.add_parser("plan", help=text, description=text)
    command.add_argument("--configfile", default=DEFAULT_CONFIGURATION, metavar="FILE")
    command.add_argument("--results", default="results", metavar="FOLDER", help="what is done")
    command.add_argument(
        "--cores", type=int, default=usable_processors(), help="as for snakemake (all)"
    )
    command.add_argument(
        "--gpu", type=int, default=1, help="slots, as in --resources gpu=N, where there is a GPU"
    )
    command.set_defaults(run=_plan)


def _plan(arguments: argparse.Namespace) -> int:
    # PyTorch is loaded by this command alone.
    from sonotune.plan import plan_study

    config = read_configuration(arguments.configfile)
    for name, study in config["studies"].items():
        plan = plan_study(config, name, arguments.results)
        on_gpu = plan.processor.device == "cuda"
        beside = arguments.gpu if on_gpu else max(1, arguments.cores // study["threads"])
        least, typical, most = (
            None if seconds is None else seconds / 3600 / beside for seconds in plan.seconds
        )
        limits = study["training"]
        print(
            f"{name}: {plan.cells} cells, {plan.done} of them done; {plan.processor.name}, "
            f"{plan.processor.precision}, {beside} at a time\n"
            f"  a step takes {1000 * plan.step[0]:.3g} to {1000 * plan.step[1]:.3g} ms, measured "
            "now, alone, by strategy\n"
            f"  {least:.3g} hours are left if every training ends as early as it can"
            f"{_epochs(limits)}, {most:.3g} if each takes all {limits['epochs']} epochs"
        )
        if typical is not None:
            print(f"  {typical:.3g} hours with as many epochs as the cells that are done took")
        print(
            f"  at most {plan.bytes / 1e9:.3g} GB for arrays, predictions and kept weights; "
            "predictions are compressed\n"
            "  not counted: making and fetching data, starting of jobs, scores and figures, and "
            "that cells side by side slow each other down"
        )
    return 0


def _epochs(training: dict[str, Any]) -> str:
    if training["patience"] is False:
        return ""
    return f" ({min(training['patience'] + 1, training['epochs'])} epochs)"
