"""How long trainings take, free of what else the machine did."""

from __future__ import annotations

import pandas as pd


def training_seconds(runs: pd.DataFrame) -> pd.Series:
    """Seconds of each training: processor time per thread on a CPU, wall time on a GPU.

    Wall time of a CPU grows with the load of the machine, and strategies are trained one after
    the other, so it would compare loads.

    Parameters
    ----------
    runs
        Rows of ``cells.csv``. Files without processor times give wall times.
    """
    if "cpu_training" not in runs:
        return runs["seconds"]
    processor = runs["cpu_training"] / runs["threads"].clip(lower=1)
    return runs["seconds"].where(runs["device"] != "cpu", processor)


def measured_on(runs: pd.DataFrame) -> str:
    """What `training_seconds` of these runs are: ``processor time`` or ``wall time``.

    Parameters
    ----------
    runs
        Runs, as `sonotune.statistics.tables.read_runs` gives them.
    """
    known = "cpu_training" in runs and (runs["device"] == "cpu").all()
    return "processor time" if known else "wall time"
