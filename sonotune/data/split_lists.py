"""Splits that are given as lists of names."""

import io
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from sonotune.data.names import without_suffix
from sonotune.data.tables import read_text
from sonotune.errors import SonotuneError, printable


def read_lists(files: Mapping[str, str]) -> dict[str, list[str]]:
    """Read names of images, one a line and with or without folders and a suffix, from two files.

    Parameters
    ----------
    files
        ``train`` and ``test``: paths.

    Raises
    ------
    SonotuneError
        If a file is not there, no text or empty, or a name is listed twice or in both.
    """
    lists = {}
    for part in ("train", "test"):
        path = Path(files[part])
        if not path.is_file():
            raise SonotuneError(f"resampling: lists: {part}: there is no file {printable(path)}")
        # Not str.splitlines, for which a line also ends at characters that names may hold.
        text = io.StringIO(read_text(path), newline=None)
        lines = [line.strip(" \t\n").strip('"') for line in text]
        lists[part] = [without_suffix(line) for line in lines if line]
        if not lists[part]:
            raise SonotuneError(f"resampling: lists: {part}: {printable(path)} names no image")
    every = Counter([*lists["train"], *lists["test"]])
    if twice := [name for name, count in every.items() if count > 1]:
        raise SonotuneError(
            f"resampling: lists: {printable(twice[0])} is listed twice; name it once"
        )
    return lists
