"""Readers: what lies in a data set's folder, in the layout in which it is published.

A reader is a module with ``find(folder, **options)``, which lists a data set's entries without
reading a pixel, and, if it reads other files than images and masks, ``other_files``.
"""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from sonotune.data.readers.sample import Sample
from sonotune.data.sidecars import sidecars
from sonotune.errors import in_file

# Made and not read: sets of these names have no files.
MADE_HERE = ("simulate", "collage")

READERS = {
    "folder": "own_folder",
    "hc18": "hc18",
    "busi": "busi",
    "scr": "scr",
    "bus_b": "two_folders",
    "xpie": "two_folders",
    "ecssd": "two_folders",
    "duts": "two_folders",
    "msra10k": "two_folders",
}


def reader_module(reader: str) -> ModuleType:
    """The module of a reader; each is imported by those alone that use it.

    Parameters
    ----------
    reader
        Name of a reader, such as ``folder`` or ``hc18``.
    """
    return import_module(f"sonotune.data.readers.{READERS[reader]}")


def find_samples(settings: Mapping[str, Any], folder: str | Path = ".") -> list[Sample]:
    """List the images and masks of a data set.

    Parameters
    ----------
    settings
        A data set's configuration: ``reader``, and the reader's options under its name.
    folder
        Where the originals lie; for the reader ``folder``, what its paths are relative to.

    Raises
    ------
    SonotuneError
        If files are missing, do not belong together or lie in an unknown layout, or an option
        is impossible.
    """
    reader = settings["reader"]
    options = settings.get(reader) or {}
    # A module of several layouts takes the layout's name as an option of its own.
    layout = {"layout": reader} if READERS[reader] == "two_folders" else {}
    return reader_module(reader).find(Path(folder), **layout, **options)


def files_of(settings: Mapping[str, Any], folder: str | Path = ".") -> list[Path]:
    """All files that a data set is prepared from, each once, tables last.

    Parameters
    ----------
    settings
        A data set's configuration.
    folder
        Folder of the originals, to which its paths are relative.
    """
    samples = find_samples(settings, folder)
    files = []
    for file in (file for sample in samples for file in (sample.image, *sample.masks)):
        with in_file(file):
            files += [file, *sidecars(file)]
    others = getattr(reader_module(settings["reader"]), "other_files", None)
    if others:
        files += others(Path(folder), **(settings.get(settings["reader"]) or {}))
    return list(dict.fromkeys(files))
