"""Which configuration a study's folder belongs to, so that two never write into one unawares.

A configuration is known by its file, seen from the working folder: edited, it is the same one, and
what is stale is trained again. Another file that has a study of the same name is refused while the
first one is there and still has that study; a file that was renamed takes its studies along.
"""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import yaml

from sonotune.errors import SonotuneError, printable
from sonotune.runtime.files import read_json, write_json

OWNER = "configuration.json"


def name_of(files: Sequence[str | Path]) -> str:
    """A configuration's name: its files, relative to the working folder.

    Parameters
    ----------
    files
        Configuration files, in the order in which they are read.
    """
    return " + ".join(os.path.relpath(file) for file in files)


def check_owner(studies: Iterable[str], files: Sequence[str | Path], results: str | Path) -> None:
    """Refuse studies whose folders belong to another configuration.

    Parameters
    ----------
    studies
        Names of the configuration's studies.
    files
        Its files; without one, as where a workflow sets everything by itself, nothing is refused.
    results
        The folder of results.

    Raises
    ------
    SonotuneError
        Naming both configurations, and what to do.
    """
    mine = name_of(files)
    for study in studies if mine else ():
        path = Path(results) / study / OWNER
        try:
            owner = read_json(path)["configuration"]
        except (OSError, ValueError, KeyError, TypeError):
            continue
        if owner != mine and isinstance(owner, str) and _has_study(owner, study):
            raise SonotuneError(
                f"studies: {study}: {path.parent} belongs to the study of this name in "
                f"{printable(owner)}, which {printable(mine)} would overwrite; rename the study in "
                f"one of them, run in another folder, or delete {path} to let this configuration "
                "take it over"
            )


def claim_folders(studies: Iterable[str], files: Sequence[str | Path], results: str | Path) -> None:
    """Write down that these studies' folders belong to a configuration.

    Parameters
    ----------
    studies
        Names of the studies.
    files
        Configuration files, in the order in which they are read.
    results
        Folder of all results.
    """
    mine = name_of(files)
    for study in studies if mine else ():
        folder = Path(results) / study
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / OWNER, {"configuration": mine})


def _has_study(configuration: str, study: str) -> bool:
    """Whether one of the files of a configuration is there and has a study of this name."""
    for file in configuration.split(" + "):
        try:
            content = yaml.safe_load(Path(file).read_text("utf-8"))
            if study in content["studies"]:
                return True
        except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError):
            continue
    return False
