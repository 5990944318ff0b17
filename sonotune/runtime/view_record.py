"""Records of views: by content, what every table, figure and page was made from.

A view's record lies under ``results/records`` as its log does under ``results/logs``. Trainings and
data sets have a ``run.json`` or ``dataset.json`` of their own instead.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sonotune.layout import RECORDS, RESULTS
from sonotune.runtime.files import read_json, write_json
from sonotune.runtime.run_record import file_digest


@dataclass(frozen=True)
class ViewRecord:
    """What a job read and wrote.

    Attributes
    ----------
    inputs, outputs
        SHA-256 by path, below the folder of results.
    params
        The job's settings.
    """

    inputs: Mapping[str, str]
    outputs: Mapping[str, str]
    params: Mapping[str, Any]


def write_view_record(
    log: str | Path, inputs: Iterable[str], outputs: Iterable[str], params: Mapping[str, Any]
) -> None:
    """Write down what a job has made, and from what.

    Parameters
    ----------
    log
        Of the job; nothing is written if it is not under ``results/logs``.
    inputs, outputs
        Paths. Folders, and what lies outside of the results, are left out.
    params
        The job's settings.
    """
    above, logs, below = Path(log).as_posix().rpartition(f"{RESULTS}/logs/")
    if not logs:
        return
    results = Path(above, RESULTS)

    def digests(paths: Iterable[str]) -> dict[str, str]:
        names = {os.path.relpath(path, results): path for path in paths if Path(path).is_file()}
        return {
            name: file_digest(path)
            for name, path in sorted(names.items())
            if not name.startswith("..")
        }

    content = {"inputs": digests(inputs), "outputs": digests(outputs), "params": dict(params)}
    write_json((results / RECORDS / below).with_suffix(".json"), content)


def read_view_records(results: str | Path, *folders: str) -> list[ViewRecord]:
    """Records of all views of some studies, or of data sets.

    Parameters
    ----------
    results
        The folder of results.
    *folders
        Names of studies, ``datasets``, or patterns of folders. What cannot be read is left out.
    """
    records = []
    for folder in folders:
        for path in sorted(Path(results, RECORDS).glob(f"{folder}/**/*.json")):
            try:
                records.append(ViewRecord(**read_json(path)))
            except (OSError, ValueError, TypeError):
                continue
    return records
