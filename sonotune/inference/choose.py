"""Which cells of a study answer for it."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from sonotune.errors import SonotuneError
from sonotune.evaluation.current import TABLE, current_cells, records_below
from sonotune.layout import WEIGHTS, Cell, format_percent
from sonotune.statistics.decision import read_decisions


def choose_cells(
    path: str | Path,
    dataset: str | None = None,
    strategy: str | None = None,
    fraction: float | None = None,
    fold: int | str | None = None,
) -> list[Path]:
    """The cell that a path means, or the best of a study, or all folds of one.

    Parameters
    ----------
    path
        A cell's folder, a file of `sonotune export`, or a study's folder.
    dataset, strategy, fraction
        Of a study: by default its only data set, the recommended strategy (see
        `sonotune.statistics.decision`) and the largest fraction that kept weights.
    fold
        Of a study: a fold's number, or the name of a further run of it, such as "0-s2"; "best" for
        the one with the highest validation Dice (the test images have no say, so that scores on
        them stay what they are); None for all.

    Raises
    ------
    SonotuneError
        If nothing fits, with what there is.
    """
    path = Path(path)
    if not path.exists():
        raise SonotuneError(f"{path}: there is no such file or folder")
    if path.is_file() or (path / "run.json").is_file():
        return [path]
    # What earlier configurations left behind is not in the table of a finished study.
    finished = (path / TABLE).is_file()
    records = current_cells(path) if finished else records_below(path)
    kept = [folder for folder, record in records.items() if WEIGHTS in record["outputs"]]
    cells = {folder: Cell.of(folder) for folder in kept}
    if not cells:
        raise SonotuneError(
            f"{path}: is neither a cell nor a study with kept weights; write keep_weights: all or "
            "a list of strategies in the study's configuration and run again"
        )
    dataset = _one("data set", dataset, {cell.dataset for cell in cells.values()})
    cells = {folder: cell for folder, cell in cells.items() if cell.dataset == dataset}
    if fraction is None:
        fraction = max(cell.fraction for cell in cells.values())
    if strategy is None:
        strategy = recommended(path, dataset, fraction)
    wanted = (strategy, fraction)
    folders = [folder for folder, cell in cells.items() if (cell.strategy, cell.fraction) == wanted]
    if not folders:
        there = {f"{cell.strategy} at {format_percent(cell.fraction)}" for cell in cells.values()}
        known = ", ".join(sorted(there))
        raise SonotuneError(
            f"{path}: {strategy} at {format_percent(fraction)} of {dataset} kept no weights; "
            f"there are: {known}"
        )
    _check_same_training({folder: records[folder] for folder in folders})
    if fold is None:
        return sorted(folders)
    if fold == "best":
        # 0 where nothing was held out or trained.
        return [max(folders, key=lambda folder: records[folder]["best_validation_dice"] or 0.0)]
    named = {folder.name: folder for folder in folders}
    return [named[_one("fold", str(fold), named)]]


def _check_same_training(records: Mapping[Path, Mapping[str, Any]]) -> None:
    """Refuse runs if one was trained in another way, or on other images."""
    first, *others = records
    # Runs from different pre-trained networks start from different weights.
    own = dict.fromkeys(("fold", "seed_number", "pretraining_number", "weights_sha256"))
    for other in others:
        for key in ("settings", "inputs"):
            mine, its = (records[folder][key] | own for folder in (first, other))
            if mine != its:
                raise SonotuneError(
                    f"{other}: differs in {key} from {first}; run the workflow again, or give a "
                    "cell's folder"
                )


def recommended(study: Path, dataset: str, fraction: float) -> str:
    """The strategy that a study recommends for a data set and fraction.

    Parameters
    ----------
    study
        Folder of a study's results.
    dataset
        Name of a data set.
    fraction
        Share of the whole data set that is drawn for training and validation, in (0,1].

    Raises
    ------
    SonotuneError
        If it was not measured, or of each strategy a run failed.
    """
    for decision in read_decisions(study / "statistics"):
        is_asked = (decision.dataset, decision.fraction) == (dataset, fraction)
        if is_asked and decision.recommended is not None:
            return decision.recommended
    raise SonotuneError(
        f"{study}: recommends nothing for {format_percent(fraction)} of {dataset}; say which "
        "--strategy"
    )


def _one(what: str, asked: Any, there: Collection[Any]) -> Any:
    if asked is None and len(there) == 1:
        return next(iter(there))
    if asked in there:
        return asked
    known = ", ".join(str(name) for name in sorted(there))
    raise SonotuneError(
        f"which {what}? " + (f"there is no {asked}; " if asked is not None else "") + known
    )
