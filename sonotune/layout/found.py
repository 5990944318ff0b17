"""What lies under ``results/``: the folders of files that a job gets, and those that are there."""

import re
from collections.abc import Iterable
from pathlib import Path

from sonotune.layout import DIGEST, WEIGHTS, Cell


def dataset_of(path: str | Path) -> str:
    """Name of the data set to whose folder of arrays, or a file in it, a path leads.

    Parameters
    ----------
    path
        Folder of the arrays, or a file in it.
    """
    match = re.search(rf"datasets/([^/]+)-{DIGEST}(?:/|$)", Path(path).as_posix())
    if not match:
        raise ValueError(f"{path} is not in the folder of a data set")
    return match[1]


def array_folders(files: Iterable[str]) -> dict[str, Path]:
    """Folder of each data set's arrays, from their files as a job gets them.

    With storage elsewhere (S3) they lie not where the rules say, but in a copy.

    Parameters
    ----------
    files
        Files of arrays.
    """
    return {dataset_of(file): Path(file).parent for file in files}


def cell_folders(files: Iterable[str]) -> list[Path]:
    """Folders of cells, in the order in which their files come, each once.

    Parameters
    ----------
    files
        Files of cells.
    """
    return list(dict.fromkeys(Path(file).parent for file in files))


def files_of_cells(files: Iterable[str]) -> dict[str, dict[str, Path]]:
    """By data set and strategy, a file of cells of one fraction and fold.

    Parameters
    ----------
    files
        Files of cells, one per cell.
    """
    files_of: dict[str, dict[str, Path]] = {}
    for path in map(Path, files):
        cell = Cell.of(path)
        files_of.setdefault(cell.dataset, {})[cell.strategy] = path
    return files_of


def checkpoint_beside(folder: str | Path) -> Path:
    """Where the checkpoint of a training lies: outside of what Snakemake clears.

    Parameters
    ----------
    folder
        The cell's or pre-training's, or the file of feature maps.
    """
    folder = Path(folder).with_suffix("") if str(folder).endswith(".npz") else Path(folder)
    depth = 2 if folder.parent.name in ("pretrained", "features") else 5
    study, below = folder.parents[depth - 1], Path(*folder.parts[-depth:])
    return study / "checkpoints" / below.parent / f"{below.name}.safetensors"


def cells_of_study(study: str | Path, file: str) -> list[Path]:
    """Paths of a file in all cells of a study's folder that have it, sorted.

    Parameters
    ----------
    study
        Folder of a study's results.
    file
        Name of the file in each cell's folder.
    """
    return sorted(Path(study).glob(f"cells/*/*/*/*/{file}"))


def prepared_sets(results: str | Path) -> list[Path]:
    """Folders of all prepared data sets, sorted.

    Parameters
    ----------
    results
        Folder of all results.
    """
    return sorted(path.parent for path in Path(results).glob("datasets/*/*/dataset.json"))


def studies_in(results: str | Path) -> list[Path]:
    """Folders of all studies that have trained anything, sorted.

    Parameters
    ----------
    results
        Folder of all results.
    """
    results = Path(results)
    return sorted(
        {path.parent for name in ("cells", "pretrained") for path in results.glob(f"*/{name}")}
    )


def start_weights_near(cell: str | Path) -> list[Path]:
    """Files of weights from which a cell may have started: its study's, and those of encoders.

    Parameters
    ----------
    cell
        Folder of the cell.
    """
    candidates: list[Path] = []
    for parent in Path(cell).resolve().parents[:6]:
        candidates += sorted(parent.glob(f"pretrained/*/{WEIGHTS}"))
        candidates += sorted(parent.glob(f"weights/*/{WEIGHTS}"))
    return candidates
