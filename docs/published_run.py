"""Write docs/results.md, and a page for each study, from stored results.

python docs/published_run.py --configfile FILE results/STUDY [...]   # keeps, then writes
python docs/published_run.py --finished --configfile FILE results/STUDY [...]  # of a part
python docs/published_run.py --restore results/STUDY [...]           # puts kept cells back
python docs/published_run.py                                        # writes from what is kept

Of each finished study named it keeps what the page is made of, small tables, under
docs/results/STUDY. The page and its figures are made from these alone, so whoever has the project
can make them again. No number is chosen here: what does not agree with the papers stands first.

Of a study that will be resumed ``--finished`` keeps the records, histories and, up to `MOST` bytes,
predictions of its finished cells under docs/results/STUDY/cells, and its tables as far as they go.
"""

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from published_pages import SECTIONS, write_pages

from sonotune.config.cells import cells_of
from sonotune.config.check import read_configuration
from sonotune.config.jobs import dataset_settings
from sonotune.errors import SonotuneError
from sonotune.evaluation.averages import read_cells, write_averages
from sonotune.evaluation.scores import aggregate, load_predictions, score_dataset
from sonotune.layout import (
    RUN,
    Cell,
    below_results,
    dataset_folder,
    digest_of,
    pretrained_folder,
)
from sonotune.layout.found import cells_of_study
from sonotune.report.display_options import DisplayOptions
from sonotune.report.names import PAPER_DATASETS
from sonotune.report.views import write_figure, write_table
from sonotune.runtime.files import read_json, write_json
from sonotune.runtime.run_record import read_record
from sonotune.runtime.workflow import DEFAULT_CONFIGURATION
from sonotune.statistics.tables import rank_tables, read_runs

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / "docs/results"
PAGE = ROOT / "docs/results.md"
TABLES = ("tables/table2.csv", "statistics/claims.csv", "cells.csv")
EXTRA = tuple(f"tables/{name}.csv" for name in (*SECTIONS, "as_published"))
MOST = 20_000_000  # bytes of predictions, of all studies that are kept together
SMALL_FILES, LARGE = ("run.json", "history.csv"), "predictions.npz"


def keep(study: Path, folder: Path, display: dict[str, Any]) -> None:
    """Copy what the page and its figures, which show ``display``, are made of.

    Raises
    ------
    SonotuneError
        If the study is not finished.
    """
    for name in TABLES:
        if not (study / name).is_file():
            raise SonotuneError(f"{study / name} is missing: {study} is no finished study")
    for old in (*folder.glob("*.csv"), *folder.glob("*.json"), *folder.glob("figures/*")):
        old.unlink()
    folder.mkdir(parents=True, exist_ok=True)
    for name in (*TABLES, *EXTRA):
        _copy((study / name).parent, folder, (Path(name).name,))
    write_json(folder / "about.json", _about(study, study / "cells.csv") | {"shown": display})


def keep_part(
    study: Path, folder: Path, config: Mapping[str, Any], display: dict[str, Any]
) -> None:
    """Keep the finished cells of a study that will be resumed; its claims are not judged yet.

    Raises
    ------
    SonotuneError
        If nothing is finished.
    """
    cells = [file.parent for file in cells_of_study(study, "run.json")]
    if not cells:
        raise SonotuneError(f"{study}: no cell is finished")
    kept = sum(file.stat().st_size for file in folder.parent.glob(f"*/cells/**/{LARGE}"))
    for cell in cells:
        target = folder / cell.relative_to(study)
        _copy(cell, target, SMALL_FILES)
        size = (cell / LARGE).stat().st_size
        if not (target / LARGE).exists() and kept + size <= MOST:
            _copy(cell, target, (LARGE,))
            kept += size
    pretrained = study.parent / below_results(pretrained_folder(study.name))
    _copy(pretrained, folder / "pretrained" / pretrained.name, SMALL_FILES)
    parts = {key: display[key] for key in ("strategies", "datasets", "exclude_runs", "ddof")}
    _write_tables(study, cells, folder, config, DisplayOptions(**parts))
    datasets = config["studies"][study.name]["datasets"]
    planned = sum(len(list(cells_of(config, study.name, dataset))) for dataset in datasets)
    if len(cells) < planned:
        (folder / "claims.csv").unlink(missing_ok=True)
    write_protocols(folder, config["studies"][study.name], DisplayOptions(**parts))
    about = _about(study, folder / "cells.csv") | {"shown": display, "planned": planned}
    write_json(folder / "about.json", about)


def _write_tables(
    study: Path,
    cells: Sequence[Path],
    folder: Path,
    config: Mapping[str, Any],
    display: DisplayOptions,
) -> None:
    """Write ``cells.csv`` and ``table2.csv`` of some cells."""
    of_dataset: dict[str, list[Path]] = {}
    for cell in cells:
        of_dataset.setdefault(Cell.of(cell).dataset, []).append(cell)
    with tempfile.TemporaryDirectory() as temporary:
        aside = Path(temporary)
        for dataset, own in of_dataset.items():
            digest = digest_of(dataset_settings(config, dataset))
            prepared = study.parent / below_results(dataset_folder(dataset, digest))
            size = config["studies"][study.name]["image_size"]
            measured = prepared / "circumferences.csv"
            known = measured if measured.is_file() else None
            score_dataset(prepared / str(size), own, aside / f"{dataset}.csv", known)
        made = {"cells": folder / "cells.csv", "averages": aside / "averages.csv"}
        scores = sorted(aside / f"{dataset}.csv" for dataset in of_dataset)
        runs = [one / "run.json" for one in cells]
        aggregate(scores, runs, *made.values(), display.exclude_runs, display.ddof)
        other = [aside / f"table2.{kind}" for kind in ("tex", "html")]
        write_table("table2", folder / "table2.csv", *other, **made, display=display)


def write_protocols(folder: Path, asked: Mapping[str, Any], display: DisplayOptions) -> None:
    """Write what follows from the kept histories of a study as Wang et al. ran it."""
    if asked["network"]["name"] != "smp_unet":
        return
    histories = sorted(folder.glob("cells/**/history.csv"))
    recipe = {"image_size": asked["image_size"]}
    recipe |= {"learning_rate": asked["training"]["learning_rate"]}
    made: dict[str, Any] = {"published_histories": histories, "display": display}
    tables = {"losses": {**made, "recipe": recipe}}
    if protocols := asked.get("protocols"):
        made |= {"cells": folder / "cells.csv", "epochs": protocols["epochs"]}
        tables["as_published"] = made
        corrected = folder.parent / protocols["corrected"] / "cells.csv"
        if corrected.is_file():
            tables["protocols"] = {**made, "corrected": corrected}
    with tempfile.TemporaryDirectory() as aside:
        for name, arguments in tables.items():
            others = (Path(aside, f"{name}.{kind}") for kind in ("tex", "html"))
            write_table(name, folder / f"{name}.csv", *others, **arguments)


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


def _about(study: Path, cells_csv: Path) -> dict[str, Any]:
    """How the study departs from the papers, as its records say."""
    # Those of the table: the folder may hold cells of an earlier configuration as well.
    table = read_cells(cells_csv)[list(RUN)]
    cells = [study.parent / Cell(study.name, *row).folder for row in table.itertuples(index=False)]
    records = [read_record(cell / "run.json") for cell in cells]
    settings, processors = records[0]["settings"], [record["processor"] for record in records]
    _, predicted = load_predictions(cells[0] / "predictions.npz")
    pretraining = None
    if (run := study / "pretrained/1/run.json").is_file():
        record = read_record(run)
        pretraining = {"source": record["source"], "images": record["images"]["training"]}
        pretraining |= {"epochs": record["epochs"], "training": record["settings"]["training"]}
    networks = {json.dumps(record["settings"]["network"], sort_keys=True) for record in records}
    prepared = {
        dataset: read_json(file / "dataset.json").get("settings", {})
        for dataset in sorted(set(table["dataset"]))
        for file in sorted(study.parent.glob(f"datasets/{dataset}-*/{predicted.shape[1]}"))
    }
    return {
        **{key: settings[key] for key in ("network", "augmentation", "training", "resampling")},
        "networks": [json.loads(text) for text in sorted(networks)],
        "datasets": prepared,
        "image_size": predicted.shape[1],
        "folds_run": sorted({record["settings"]["fold"] for record in records}),
        "cells": len(records),
        "hours": sum(record["seconds"] for record in records) / 3600,
        "processor": sorted({one["name"] for one in processors}),
        **{
            key: sorted({one[key] for one in processors})
            for key in ("precision", "sonotune", "torch")
        },
        "pretraining": pretraining,
    }


def shown_by(config: Mapping[str, Any], study: str) -> dict[str, Any]:
    """What a study's figures show, as its configuration says: titles, pairs, what is left out.

    Raises
    ------
    SonotuneError
        If the configuration has no such study.
    """
    if study not in config["studies"]:
        raise SonotuneError(
            f"studies: the configuration has no {study}, only {', '.join(config['studies'])}; name "
            "the one that the study was run with: --configfile FILE"
        )
    asked = config["studies"][study]
    return {
        "strategies": {name: one["label"] for name, one in asked["strategies"].items()},
        "datasets": {name: config["datasets"][name]["label"] for name in asked["datasets"]},
        **asked["averages"],
        "pairs": asked["figures"]["pairs"],
    }


def draw(folder: Path) -> None:
    """Draw the figures of what is kept in ``folder``, as PNG into ``figures`` there."""
    kept = read_json(folder / "about.json")["shown"]
    pairs, display = kept.pop("pairs"), DisplayOptions.of(kept)
    cells, protocols = folder / "cells.csv", folder / "protocols.csv"
    with tempfile.TemporaryDirectory() as temporary:
        aside = Path(temporary)
        averages = aside / "averages.csv"
        write_averages(cells, averages, display.exclude_runs, display.ddof)
        made: dict[str, Any] = {"cells": cells, "averages": averages}
        drawn = {"fig4": {**made, "pairs": pairs}, "pareto": made}
        # Ranks over one data set are its order of means and allow no test.
        if len(display.datasets) > 1:
            tests = rank_tables(read_runs(cells, list(display.strategies), display.exclude_runs))
            drawn["ranks"] = {name: aside / f"{name}.csv" for name in tests}
            for name, table in tests.items():
                table.to_csv(drawn["ranks"][name], index=False)
        if set(display.datasets) & set(PAPER_DATASETS):
            tables = [aside / f"against_paper.{kind}" for kind in ("csv", "tex", "html")]
            write_table("against_paper", *tables, averages=averages, display=display)
            drawn["against_paper"] = {"against_paper": tables[0]}
        if protocols.is_file():
            drawn |= {
                name: {"protocols": protocols} for name in ("wang2023_fig1b", "wang2023_fig1c")
            }
        (folder / "figures").mkdir(exist_ok=True)
        for name, arguments in drawn.items():
            files = aside / f"{name}.pdf", folder / f"figures/{name}.png"
            write_figure(name, *files, display=display, **arguments)


def folders_of(kept: Path) -> list[Path]:
    """Folders of the studies that are kept, of which there must be one."""
    folders = sorted(file.parent for file in kept.glob("*/about.json"))
    if not folders:
        raise SonotuneError(f"{kept}: nothing is kept; name a finished study: results/STUDY")
    return folders


def main(arguments: list[str] | None = None) -> int:
    """Keep what is asked for, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("studies", nargs="*", type=Path, help="finished studies: results/STUDY")
    parser.add_argument("--configfile", help="what the studies were run with")
    parser.add_argument("--finished", action="store_true", help="keep finished cells of a part")
    parser.add_argument("--restore", action="store_true", help="put kept cells back and end")
    parser.add_argument("--kept", type=Path, default=KEPT)
    parser.add_argument("--page", type=Path, default=PAGE)
    given = parser.parse_args(arguments)
    try:
        if given.restore:
            for study in given.studies:
                print(f"{study}: {restore(given.kept / study.name, study)} cells put back")
            return 0
        config = read_configuration(given.configfile or DEFAULT_CONFIGURATION)
        for study in given.studies:
            target, display = given.kept / study.name, shown_by(config, study.name)
            if given.finished:
                keep_part(study, target, config, display)
            else:
                keep(study, target, display)
        folders = folders_of(given.kept)
        for folder in folders:
            draw(folder)
        write_pages(folders, given.kept, given.page)
    except SonotuneError as error:
        print(f"published_run: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
