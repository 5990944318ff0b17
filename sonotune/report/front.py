"""What the front page and the captions of Snakemake's report say, as reStructuredText."""

from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sonotune.config.cells import cells_of
from sonotune.data.audit_files import describe_problems
from sonotune.layout import RESULTS, format_percent
from sonotune.report.names import source_notes
from sonotune.report.provenance import changed_packages
from sonotune.report.registry import FIGURES, TABLES
from sonotune.report.rst import rst_text
from sonotune.runtime.files import read_json
from sonotune.studies.study import Study


def front_page(studies: Iterable[Study], home: Path) -> dict[str, Any]:
    """Texts for the templates of the workflow's folder ``report``.

    Parameters
    ----------
    studies
        All of the configuration.
    home
        The folder that has the results.

    Returns
    -------
    dict
        ``studies`` (by name), ``suspicious`` (by data set), ``changed_packages``, and ``captions``
        of ``figures`` and ``tables`` by their names.
    """
    studies = list(studies)
    names = {name: study for study in studies for name in study.all_datasets}
    audits = {name: home / study.folder_of(name) / "audit.csv" for name, study in names.items()}
    warnings = {name: describe_problems(file) for name, file in audits.items() if file.is_file()}
    runs = [
        home / RESULTS / cell.folder / "run.json"
        for study in studies
        for dataset in study.datasets
        for cell in cells_of(study.config, study.name, dataset)
    ]
    now = {package: version(package) for package in ("torch", "numpy", "sonotune")}
    return {
        "studies": {study.name: _about(study, home) for study in studies},
        "suspicious": {name: rst_text(text) for name, text in warnings.items() if text},
        "changed_packages": rst_text(changed_packages(runs, now)),
        "captions": {
            "figures": {name: view.caption for name, view in FIGURES.items()},
            "tables": {name: view.caption for name, view in TABLES.items()},
        },
    }


def _about(study: Study, home: Path) -> dict[str, Any]:
    design, answer = study.design, home / study.home / "answer.txt"
    lines = answer.read_text("utf-8").splitlines() if answer.is_file() else []
    titles = {name: study.config["datasets"][name]["label"] for name in study.datasets}
    files = {name: home / study.arrays_of(name)[-1] for name in study.datasets}
    sources = {name: read_json(file)["source"] for name, file in files.items() if file.is_file()}
    stand_ins = " ".join(source_notes(list(sources), titles, sources)).removeprefix("* ")
    return {
        "answers": [rst_text(line) for line in lines],
        "strategies": len(design["strategies"]),
        "fractions": ", ".join(map(format_percent, design["fractions"])),
        "run_folds": len(design["resampling"]["run_folds"]),
        "folds": design["resampling"]["folds"],
        "size": design["image_size"],
        "networks": rst_text(" and ".join(dict.fromkeys(study.network_titles.values()))),
        "pretraining": design.get("pretraining", {}).get("dataset", ""),
        "stand_ins": rst_text(stand_ins),
    }
