"""Try every address before anything runs, in seconds."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from sonotune.data.catalogue import CatalogueEntry, RemoteFile
from sonotune.data.download import NO_NAME, TransientError, request
from sonotune.data.fetch import is_address, locations_of
from sonotune.data.sources import RESOURCES, absent_entries, alternatives_to, cannot_train
from sonotune.errors import SonotuneError, without_password

# Seconds to connect, to the next byte of the answer, and to all of it.
TIMEOUT = (4, 6)
ANSWER = 12.0


class Failure(NamedTuple):
    """An address that would fail, or a file that a mirror folder lacks.

    Parameters
    ----------
    dataset
        The data set's name in the configuration.
    address
        What was tried.
    reason
        What it answered.
    advice
        What to do, with the one line of the configuration to change.
    """

    dataset: str
    address: str
    reason: str
    advice: str

    def __str__(self) -> str:
        return f"{self.dataset}: {self.address}: {self.reason}. {self.advice}"


def check_addresses(
    config: Mapping[str, Any],
    wanted: Mapping[str, CatalogueEntry],
    mirror: str | None,
    resources: str | Path = RESOURCES,
) -> str:
    """Try every address; refuse to start if no study can be run without those that fail.

    Parameters
    ----------
    config
        A complete configuration.
    wanted, mirror, resources
        See `preflight`.

    Returns
    -------
    str
        What the run has to do without; empty if every address answers.

    Raises
    ------
    SonotuneError
        Naming every address that fails, why, and the lines to change.
    """
    failures = preflight(wanted, mirror, resources)
    if not failures:
        return ""
    lines = [str(failure) for failure in failures]
    failing = dict.fromkeys(failure.dataset for failure in failures)
    lines += [
        f"Without {name}: {line}" for name in failing for line in alternatives_to(config, name)
    ]
    if all(NO_NAME in failure.reason for failure in failures):
        lines.append(
            "No server can be found. Without internet, download the files elsewhere and name the "
            "folder with `data_mirror:`."
        )
    text = "These data sets cannot be downloaded now:\n  " + "\n  ".join(lines)
    stopped = [study for study in config["studies"] if cannot_train(config, study, failing)]
    if len(stopped) == len(config["studies"]):
        raise SonotuneError(text)
    return (
        f"sonotune: {text}\n  Everything that needs none of them will run"
        + (f"; nothing is trained in {', '.join(stopped)}" if stopped else "")
        + "."
    )


def preflight(
    wanted: Mapping[str, CatalogueEntry], mirror: str | None, resources: str | Path = RESOURCES
) -> list[Failure]:
    """Try the address of every file that is not there yet, all at once; return those that fail.

    Parameters
    ----------
    wanted
        Entries of the catalogue by the data sets' names in the configuration.
    mirror
        Folder or address that is used instead of the publishers'; None for none.
    resources
        The folder that has a folder for every data set.
    """
    tries = [
        (name, entry, file)
        for name, entry in absent_entries(wanted, mirror, resources).items()
        for file in entry.files
        if not (Path(resources) / entry.name / file.name).exists()
    ]
    with ThreadPoolExecutor(len(tries) or 1) as pool:
        reasons = pool.map(lambda tried: _try_one(tried[1], tried[2], mirror), tries)
        return [
            Failure(
                name,
                " and ".join(map(without_password, locations_of(entry, file, mirror))),
                reason,
                _advice(name, entry, Path(resources) / entry.name),
            )
            for (name, entry, file), reason in zip(tries, reasons, strict=True)
            if reason
        ]


def _advice(name: str, entry: CatalogueEntry, folder: Path) -> str:
    by_hand = f"Place it by hand in {folder}, or name a copy with `data_mirror:`"
    if entry.stand_ins:
        by_hand += f"; or set `datasets: {name}: catalogue:` to {' or '.join(entry.stand_ins)}"
    return by_hand


def _try_one(entry: CatalogueEntry, file: RemoteFile, mirror: str | None) -> str:
    """What is wrong with a file; nothing where it is offered in one of its places."""
    reason = ""
    for location in locations_of(entry, file, mirror):
        if is_address(location):
            reason = _ask(location, file)
        else:
            reason = "" if Path(location).is_file() else "is not there"
        if not reason:
            break
    return reason


def _ask(address: str, file: RemoteFile) -> str:
    """What is wrong with an address; nothing if it offers the file."""
    try:
        answer = request("HEAD", address, TIMEOUT, ANSWER)
        answer.close()
        if not answer.ok:
            # Some servers answer only to those who want the file.
            answer = request("GET", address, TIMEOUT, ANSWER, Range="bytes=0-0")
            answer.close()
    except (SonotuneError, TransientError) as error:
        return str(error)
    if not answer.ok:
        return f"{answer.status_code} {answer.reason}"
    if file.unpack and answer.headers.get("content-type", "").startswith("text/html"):
        return "a web page is there, not the archive"
    size = answer.headers.get("content-length", "")
    if answer.status_code == 206:
        size = answer.headers.get("content-range", "").rpartition("/")[2]
    if file.bytes is not None and size.isdigit() and int(size) != file.bytes:
        return f"the file there has {size} bytes where {file.bytes} are expected"
    return ""
