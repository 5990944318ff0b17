"""A plan in words."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sonotune.errors import SonotuneError
from sonotune.layout import format_percent
from sonotune.plan.estimate import Plan, estimate_hours
from sonotune.statistics.choice import VERDICT_FOLDS
from sonotune.statistics.planning import plan_folds, typical_run_sd

NIGHT = 12  # hours
LONG = 2 * 86400  # seconds after which somebody with a CPU wants other advice


def no_gpu_warning(config: Mapping[str, Any], results: str | Path, cores: int) -> str:
    """How long a configuration takes on a machine without a GPU, and what to run instead.

    Parameters
    ----------
    config
        A complete configuration.
    results
        The folder of results, for what is done already.
    cores
        Of the run.

    Returns
    -------
    str
        Empty if every study is done within a night (`NIGHT`), or its images are not here yet.
    """
    try:
        hours = estimate_hours(config, results, cores)
    except SonotuneError:  # nobody knows yet how many images there are
        return ""
    if hours[1] < NIGHT:
        return ""
    least, most = (duration(3600 * each) for each in hours)
    on = "one core" if cores == 1 else f"{cores} cores"
    return (
        f"sonotune: this machine has no GPU. The trainings that are left take about {least} on "
        f"{on} if each stops as early as it can, {most} if each takes all its epochs "
        "(estimated from a few steps on small images). Smaller: config/demo.yaml (minutes) and "
        "config/laptop.yaml (a night), by --configfile; `sonotune plan` measures a configuration."
    )


def describe(name: str, study: Mapping[str, Any], plan: Plan, cores: int, gpu: int) -> str:
    """A plan in words, for cells that run side by side on cores or slots of GPUs.

    Parameters
    ----------
    name
        Name of the study.
    study
        A study of a complete configuration.
    plan
        What is to be done.
    cores, gpu
        Processor cores and slots of GPUs of the run.
    """
    beside = gpu if plan.processor.device == "cuda" else max(1, cores // study["threads"])
    least, most = plan.seconds[0] / beside, plan.seconds[2] / beside
    typical = plan.seconds[1] and plan.seconds[1] / beside
    if plan.done == plan.cells:
        time_words = "nothing is left to train"
    elif typical is not None:
        time_words = f"about {duration(typical)} left, judged by the epochs of finished trainings"
    elif duration(least) == duration(most):
        time_words = f"about {duration(least)}"
    else:
        time_words = (
            f"{duration(least)} to {duration(most)}, depending on when trainings stop early"
        )
    lines = [
        f"{name}: {time_words}",
        f"  {plan.cells} trainings and evaluations, {plan.done} done, {beside} at a time on "
        f"{plan.processor.name} ({plan.processor.precision})",
        f"  disk: at most {size_text(plan.bytes)}",
        *(f"  {line}" for line in power_summary(study)),
    ]
    if "race" in study:
        budget = study["race"]["budget"]
        share = "as much time as" if budget == "grid" else f"at most {budget:.0%} of the time of"
        lines.insert(1, f"  an upper limit: the race takes {share} all strategies in all folds")
    if plan.processor.device != "cuda" and least > LONG:
        lines.append(
            "  That is long for a CPU. A GPU, fewer strategies or folds, or a smaller network and "
            "image size help; config/laptop.yaml takes a night."
        )
    return "\n".join(lines)


def power_summary(study: Mapping[str, Any]) -> list[str]:
    """What the configured folds can tell, at each fraction, with runs as in docs/results.

    Parameters
    ----------
    study
        A study of a complete configuration.
    """
    strategies = sum(1 for strategy in study["strategies"].values() if strategy["tune"])
    folds = len(study["resampling"]["run_folds"])
    if strategies < 2:
        return []
    if folds < VERDICT_FOLDS:
        return [
            f"{folds} of {study['resampling']['folds']} folds: too few to call a strategy worse "
            f"or about as good; use at least {VERDICT_FOLDS}, preferably five"
        ]
    lines = []
    spreads: dict[float, list[float]] = {}
    for fraction in study["fractions"]:
        spreads.setdefault(typical_run_sd(fraction), []).append(fraction)
    for spread, fractions in spreads.items():
        plan = plan_folds(folds, [spread] * strategies)
        at = ", ".join(format_percent(fraction) for fraction in fractions)
        lines.append(
            f"{folds} folds at {at} show differences of {plan.detectable:.2f} Dice and more "
            f"(80% power); expect the recommended strategy to be {plan.regret:.3f} behind the best"
        )
    return [*lines, f"(if runs vary as in our studies: SD {', '.join(map(str, spreads))})"]


def duration(seconds: float) -> str:
    """Seconds in words, rounded as an estimate deserves.

    Parameters
    ----------
    seconds
        Seconds, at least 0.
    """
    for unit, length in (("year", 365 * 86400), ("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= 1.5 * length:
            number = seconds / length
            return f"{number:.1f} {unit}s" if unit == "year" else f"{number:.0f} {unit}s"
    return "a minute"


def size_text(number: float) -> str:
    """Bytes in MB or GB.

    Parameters
    ----------
    number
        Number of bytes.
    """
    return f"{number / 1e9:.1f} GB" if number >= 1e9 else f"{max(number / 1e6, 1):.0f} MB"
