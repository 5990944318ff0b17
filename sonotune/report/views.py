"""Draw the figures and make the tables of the registry."""

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from sonotune.layout.found import array_folders, dataset_of, files_of_cells
from sonotune.report.display_options import DisplayOptions
from sonotune.report.registry import DISPLAY_SETTINGS, FIGURES, TABLES, View
from sonotune.report.style import journal_style, save_figure
from sonotune.report.table_files import save_table


def _by_dataset(files: list[str]) -> dict[str, str]:
    return {dataset_of(file): file for file in files}


# What a function gets for files that are not passed as they are. With storage elsewhere (S3) files
# lie not where the rules say, but in a copy, so folders and names are taken from the paths.
FORMS: dict[str, Callable[[Any], Any]] = {
    "arrays": array_folders,
    "all_arrays": array_folders,
    "audits": _by_dataset,
    "audit_duplicates": _by_dataset,
    "decisions": lambda files: Path(files[0]).parent,
    "example_predictions": files_of_cells,
    "features": lambda files: {Path(file).stem: file for file in files},
    "scores": lambda files: {Path(file).stem: file for file in files},
}
# Settings that are lists of pairs, since the order of their keys counts.
PAIRS = ("network_titles", "pretraining", "titles")


def arguments_of(inputs: Any, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a view's function.

    Parameters
    ----------
    inputs
        Named files of a job, as Snakemake gives them. ``run_files`` are only fetched: ``cells``
        tells where they lie (`sonotune.evaluation.current.run_folders`).
    settings
        Of the job, as `sonotune.studies.study.Study.settings` gives them.

    Returns
    -------
    dict
        Files and settings by name; those of `DISPLAY_SETTINGS` as one `DisplayOptions`,
        ``display``.
    """
    arguments = {
        name: FORMS.get(name, lambda files: files)(files)
        for name, files in inputs.items()
        if name != "run_files"
    }
    for name, value in settings.items():
        if name not in DISPLAY_SETTINGS:
            arguments[name] = dict(value) if name in PAIRS else value
    if display := {name: settings[name] for name in DISPLAY_SETTINGS if name in settings}:
        arguments["display"] = DisplayOptions.of(display)
    return arguments


def write_figure(name: str, pdf: str | Path, png: str | Path, **arguments: Any) -> None:
    """Draw a figure into files.

    Parameters
    ----------
    name
        One of `FIGURES`.
    pdf, png
        Files to write.
    **arguments
        Of its function.
    """
    with journal_style():
        save_figure(_function(FIGURES[name])(**arguments), pdf, png)


def write_table(
    name: str, csv: str | Path, tex: str | Path, html: str | Path, **arguments: Any
) -> None:
    """Make a table as CSV, LaTeX and HTML.

    Parameters
    ----------
    name
        One of `TABLES`.
    csv, tex, html
        Files to write.
    **arguments
        Of its function.
    """
    data, table = _function(TABLES[name])(**arguments)
    save_table(name, data, table, csv, tex, html)


def _function(view: View) -> Callable[..., Any]:
    function: Callable[..., Any] = getattr(
        import_module(view.module), view.function.partition(":")[2]
    )
    return function
