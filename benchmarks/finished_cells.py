"""Keep the finished cells of an unfinished study, so that it can be resumed later.

Of each cell its record, its history and, as far as `MOST` bytes allow, its predictions are copied
to ``docs/results/STUDY/cells`` in the layout of results/; weights are not. `restore` puts them
back.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sonotune.config.jobs import dataset_settings
from sonotune.errors import SonotuneError
from sonotune.evaluation.scores import aggregate, score_dataset
from sonotune.layout import (
    Cell,
    below_results,
    cells_of_study,
    dataset_folder,
    digest_of,
    pretrained_folder,
)
from sonotune.report.shown import Shown
from sonotune.report.views import write_table

MOST = 20_000_000  # bytes of predictions, of all studies that are kept together
SMALL_FILES, LARGE = ("run.json", "history.csv"), "predictions.npz"


def keep_finished(study: Path, folder: Path, config: Mapping[str, Any], shown: Shown) -> int:
    """Keep the finished cells of a study, and the tables that can be made of them.

    Parameters
    ----------
    study
        ``results/STUDY``.
    folder
        Gets ``cells/``, ``pretrained/``, ``cells.csv`` and ``table2.csv``.
    config
        The complete configuration that the study is run with.

    Returns
    -------
    int
        How many cells there are.

    Raises
    ------
    SonotuneError
        If no cell is finished.
    """
    cells = [file.parent for file in cells_of_study(study, "run.json")]
    if not cells:
        raise SonotuneError(f"{study}: no cell is finished")
    for cell in cells:
        _copy(cell, folder / "cells" / cell.relative_to(study / "cells"), SMALL_FILES)
    pretrained = study.parent / below_results(pretrained_folder(study.name))
    _copy(pretrained, folder / "pretrained" / pretrained.name, SMALL_FILES)
    kept = sum(file.stat().st_size for file in folder.parent.glob(f"*/cells/**/{LARGE}"))
    for cell in cells:
        target = folder / "cells" / cell.relative_to(study / "cells")
        size = (cell / LARGE).stat().st_size
        if not (target / LARGE).exists() and kept + size <= MOST:
            _copy(cell, target, (LARGE,))
            kept += size
    scores = folder / "scores"
    scores.mkdir(exist_ok=True)
    by_dataset: dict[str, list[Path]] = {}
    for cell in cells:
        by_dataset.setdefault(Cell.of(cell).dataset, []).append(cell)
    for dataset, own in by_dataset.items():
        digest = digest_of(dataset_settings(config, dataset))
        prepared = study.parent / below_results(dataset_folder(dataset, digest))
        size = config["studies"][study.name]["image_size"]
        measured = prepared / "circumferences.csv"
        score_dataset(
            prepared / str(size),
            own,
            scores / f"{dataset}.csv",
            measured if measured.is_file() else None,
        )
    tables, runs = (
        (folder / "cells.csv", scores / "averages.csv"),
        [one / "run.json" for one in cells],
    )
    aggregate(sorted(scores.iterdir()), runs, *tables, shown.exclude_runs, shown.ddof)
    files = [folder / f"table2.{kind}" for kind in ("csv", "tex", "html")]
    write_table("table2", *files, cells=tables[0], averages=tables[1], shown=shown)
    shutil.rmtree(scores)
    for file in files[1:]:
        file.unlink()
    return len(cells)


def restore(folder: Path, study: Path) -> int:
    """Put kept cells back into ``results/STUDY`` where they are missing; those with predictions.

    Returns
    -------
    int
        How many were put back.
    """
    count = 0
    for file in sorted(folder.glob(f"cells/**/{LARGE}")):
        target = study / file.parent.relative_to(folder)
        if not (target / "run.json").exists():
            _copy(file.parent, target, (*SMALL_FILES, LARGE))
            count += 1
    return count


def _copy(source: Path, target: Path, names: tuple[str, ...]) -> None:
    for name in names:
        if (source / name).is_file():
            target.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source / name, target / name)
