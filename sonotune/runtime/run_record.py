"""Records of runs: a ``run.json`` that is sealed, and vouches for the files beside it."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from sonotune.errors import SonotuneError
from sonotune.runtime.files import read_json, write_json


def write_record(
    folder: str | Path, record: Mapping[str, Any], outputs: Iterable[str]
) -> dict[str, Any]:
    """Write ``run.json`` with the SHA-256 of the run's other files, and of itself.

    Parameters
    ----------
    folder
        Where the outputs lie already.
    record
        Content of ``run.json`` without its seal.
    outputs
        Their names.

    Returns
    -------
    dict
        The record with the digests of its files, as `read_record` gives it.
    """
    digests = {name: file_digest(Path(folder) / name) for name in sorted(outputs)}
    whole = {**record, "outputs": digests}
    write_json(Path(folder) / "run.json", {**whole, "sha256": seal(whole)})
    return whole


def read_record(path: str | Path) -> dict[str, Any]:
    """Read a ``run.json``, without its seal.

    Parameters
    ----------
    path
        A ``run.json``.

    Raises
    ------
    SonotuneError
        If it cannot be read, or says something else than what was written.
    """
    record = read_sealed(path)
    if record.pop("sha256", None) is None:
        raise SonotuneError(damaged(path, "cannot be read (it has no key sha256)"))
    return record


def read_sealed(path: str | Path) -> dict[str, Any]:
    """Read the record of any job, with its seal if it has one.

    Parameters
    ----------
    path
        A ``run.json``, ``dataset.json`` or other JSON file with a mapping.

    Raises
    ------
    SonotuneError
        If it cannot be read, or has a seal and says something else than what was written.
    """
    try:
        record: dict[str, Any] = read_json(path)
        whole = {key: value for key, value in record.items() if key != "sha256"}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise SonotuneError(damaged(path, f"cannot be read ({error!r})")) from None
    if record.get("sha256") not in (None, seal(whole)):
        raise SonotuneError(damaged(path, "was changed after it was written"))
    return record


def check_output(path: str | Path, record: Mapping[str, Any]) -> None:
    """See that a run's file is the one that the run wrote.

    Parameters
    ----------
    path
        The file.
    record
        What the ``run.json`` beside it holds.

    Raises
    ------
    SonotuneError
        If it is another, or cannot be read.
    """
    try:
        digest = file_digest(path)
    except OSError as error:
        raise SonotuneError(damaged(path, f"cannot be read ({error.strerror})")) from None
    if digest != record["outputs"].get(Path(path).name):
        raise SonotuneError(
            damaged(path, "is not what this run wrote: damaged, or from another run")
        )


def file_digest(path: str | Path) -> str:
    """SHA-256 of a file.

    Parameters
    ----------
    path
        A file.
    """
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def seal(record: Mapping[str, Any]) -> str:
    """SHA-256 of what a record says, whatever the order of its keys.

    Parameters
    ----------
    record
        Content of ``run.json`` without its seal.
    """
    text = json.dumps(record, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def short_seal(record: Mapping[str, Any]) -> str:
    """The first digits of a record's seal, as ``cells.csv`` names the record of each row.

    Parameters
    ----------
    record
        Content of ``run.json`` without its seal.
    """
    return f"sha256:{record.get('sha256') or seal(record)}"[:19]


def damaged(path: str | Path, what: str) -> str:
    """A message about a file of a run that cannot be believed, and what to do.

    Parameters
    ----------
    path
        The file.
    what
        What is wrong with it.
    """
    return f"{path}: {what}; delete the folder {Path(path).parent} and run again"
