"""Where a job's inputs lie: with storage elsewhere (S3), not where the rules say, but in a copy."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def array_folders(files: Iterable[str]) -> dict[str, Path]:
    """Folder of each data set, from its prepared files ``.../{dataset}/{size}/{file}``."""
    return {path.parts[-3]: path.parent for path in map(Path, files)}


def cell_folders(files: Iterable[str]) -> list[Path]:
    """Folders of cells, in the order in which their files come, each once."""
    return list(dict.fromkeys(Path(file).parent for file in files))


def cell_files(files: Iterable[str]) -> dict[str, dict[str, Path]]:
    """A file of each strategy of each data set, from those of one percent and fold.

    They are ``.../{dataset}/{strategy}/{percent}/{fold}/{file}``.
    """
    found: dict[str, dict[str, Path]] = {}
    for path in map(Path, files):
        dataset, strategy = path.parts[-5:-3]
        found.setdefault(dataset, {})[strategy] = path
    return found
