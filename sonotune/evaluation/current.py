"""The cells behind a study's tables, without those of earlier configurations."""

import csv
from pathlib import Path
from typing import Any

from sonotune.errors import SonotuneError
from sonotune.layout import RECORD, Cell
from sonotune.layout.found import cells_of_study
from sonotune.runtime.run_record import read_record, short_seal

TABLE = "cells.csv"


def current_cells(study: str | Path) -> dict[Path, dict[str, Any]]:
    """Folders of the cells that ``cells.csv`` names, with their records.

    Cells whose folder was not copied along are left out.

    Parameters
    ----------
    study
        Folder of a study's results.

    Raises
    ------
    SonotuneError
        If the table is missing or is none, or a cell was trained again after it was made.
    """
    study = Path(study).absolute()
    cells = {}
    for cell, told in listed_cells(study).items():
        folder = _folder(study, cell)
        if not (folder / RECORD).is_file():
            continue
        record = read_record(folder / RECORD)
        if told and told != short_seal(record):
            raise SonotuneError(
                f"{folder / RECORD}: is not the run that {study / TABLE} was made from; run the "
                "workflow again"
            )
        cells[folder] = record
    return cells


def records_below(study: str | Path) -> dict[Path, dict[str, Any]]:
    """All cells in the folder of a study that is not finished, with their records.

    Parameters
    ----------
    study
        Folder of a study's results.
    """
    return {path.parent: read_record(path) for path in cells_of_study(study, RECORD)}


def run_folders(path: str | Path) -> dict[tuple[Any, ...], Path]:
    """Folder of each run in a table, by `sonotune.layout.RUN`.

    Parameters
    ----------
    path
        ``cells.csv`` in the folder of its study, or a copy of both.
    """
    study = Path(path).absolute().parent
    return {tuple(cell.run.values()): _folder(study, cell) for cell in listed_cells(study)}


def _folder(study: Path, cell: Cell) -> Path:
    return study / Path(cell.folder).relative_to(study.name)


def listed_cells(study: str | Path) -> dict[Cell, str]:
    """The cells that ``cells.csv`` names, each with the seal of its record.

    Parameters
    ----------
    study
        Folder of a study's results.

    Raises
    ------
    SonotuneError
        If the table is missing or is none.
    """
    path = Path(study) / TABLE
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return {
                Cell(
                    path.absolute().parent.name,
                    row["dataset"],
                    row["strategy"],
                    float(row["fraction"]),
                    int(row["fold"]),
                    *(int(row.get(name) or 1) for name in ("seed", "pretraining")),
                ): row.get("record") or ""
                for row in csv.DictReader(file)
            }
    except FileNotFoundError:
        raise SonotuneError(
            f"{path} is missing: {study} is no finished study; run it first"
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SonotuneError(
            f"{path}: cannot be read ({error!r}); delete it and run again"
        ) from None
