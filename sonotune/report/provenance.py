"""Which cells ran where and on which versions."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from sonotune.evaluation.current import run_folders
from sonotune.layout import RECORD
from sonotune.report.tables import Table, head_row, text_row
from sonotune.runtime.run_record import read_record

# Title of each column and where a run.json has it.
COLUMNS = {
    "device": "Device",
    "name": "Processor",
    "precision": "Precision",
    "threads": "Threads",
    "torch": "PyTorch",
    "numpy": "NumPy",
    "python": "Python",
    "sonotune": "sonotune",
    "code": "Code",
    "commit": "Commit",
}


def table(cells: str | Path, pretrained: Iterable[str | Path]) -> tuple[pd.DataFrame, Table]:
    """How many runs there are of each combination of machine, versions and code.

    Parameters
    ----------
    cells
        ``cells.csv`` of a study, beside its runs.
    pretrained
        The ``run.json`` of every pre-training.
    """
    records = [("cells", read_record(folder / RECORD)) for folder in run_folders(cells).values()]
    records += [("pre-training", read_record(path)) for path in pretrained]
    origins = pd.DataFrame(
        {
            **{"run": kind, "commit": "unknown", **run["processor"]},
            **{"code": run["settings"]["code"], "network": str(run["settings"]["network"])},
        }
        for kind, run in records
    )
    grouped = origins.groupby(["run", *COLUMNS], sort=False, dropna=False)
    counted = grouped.size().rename("runs").reset_index()
    return counted, Table(
        "Devices, versions and code of all runs",
        [head_row(("Runs of",), [*COLUMNS.values(), "Runs"])],
        [
            text_row((run,), map(str, values))
            for run, *values in counted.itertuples(index=False, name=None)
        ],
        [*_notes(origins, records)],
    )


def changed_packages(cells: Iterable[str | Path], now: dict[str, str]) -> str:
    """One sentence on runs whose packages differ from those installed now, or an empty text.

    Such runs stay as they are: a change of packages makes nothing stale.

    Parameters
    ----------
    cells
        The ``run.json`` files; those that are not there are passed over.
    now
        Version of each package that counts.
    """
    processors = [read_record(path)["processor"] for path in cells if Path(path).exists()]
    parts = []
    for package, version in now.items():
        others = [run[package] for run in processors if run[package] != version]
        if others:
            parts.append(
                f"{len(others)} of {len(processors)} cells ran with {package} "
                f"{', '.join(sorted(set(others)))}, not {version} as installed now"
            )
    return "; ".join(parts)


def _notes(origins: pd.DataFrame, records: list[tuple[str, dict[str, Any]]]) -> Iterable[str]:
    cells = origins[origins["run"] == "cells"]
    # The fingerprint tells what a commit's training code computes.
    mixed = [
        title
        for key, title in COLUMNS.items()
        if key not in ("commit", "code") and cells[key].nunique() > 1
    ]
    # Other networks and devices run other code.
    if (cells.groupby(["network", "device"])["code"].nunique() > 1).any():
        mixed.append(COLUMNS["code"])
    yield (
        f"The cells differ in {', '.join(mixed)}. Cells are not run again when packages or "
        "machines change; to run all of them again, use snakemake --forcerun finetune."
        if mixed
        else "All cells ran on the same kind of processor, versions and code."
    )
    yield (
        "Code: hash of the training code without comments; a run is stale when it changes. "
        "Commit is that of the project's repository, -dirty where files were "
        "changed since."
    )
    sources = sorted({(r["settings"]["dataset"], r["source"]) for _, r in records})
    images = [name if name == source else f"{name} ({source})" for name, source in sources]
    yield f"Images: {', '.join(images)}."
    for record in (record for kind, record in records if kind == "pre-training"):
        stop = "early stop" if record["outcome"] == "converged" else "no early stop"
        if record["collapsed"]:
            result = "; its validation Dice was always 0, so the weights are useless."
        else:
            result = f" (validation Dice {record['best_validation_dice']:.3f})."
        yield (
            f"Pre-training took {record['epochs']} epochs ({stop}) on "
            f"{record['images']['training']} images and kept epoch {record['best_epoch']}{result}"
        )
