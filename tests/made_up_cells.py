"""Cells of a study that nobody ran: plausible Dice around the means of Amiri 2020, Table II."""

from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.image import imread

from sonotune.config.presets import expand_preset
from sonotune.evaluation.averages import read_cells, write_averages
from sonotune.report.display_options import DisplayOptions
from sonotune.report.published import published_table
from sonotune.report.registry import FIGURES, TABLES
from sonotune.report.style import journal_style
from sonotune.report.views import write_figure, write_table
from sonotune.statistics.decision import decision_tables
from sonotune.statistics.learning import forecast_table
from sonotune.statistics.runs import fold_scores
from sonotune.statistics.tables import rank_tables, read_runs

EVERY = {name: one["label"] for name, one in expand_preset({"preset": "amiri2020"}).items()}
STRATEGIES = {name: label for name, label in EVERY.items() if name != "unchanged"}
DATASETS = {"sus": "SUS", "bus": "BUS"}
SHOWN = DisplayOptions(EVERY, DATASETS)


def made_up_cells(folds: int = 5) -> pd.DataFrame:
    """13 strategies x 3 fractions x ``folds`` x 2 data sets: some failed, one collapsed."""
    table = published_table("amiri2020_table2").query("dataset in @DATASETS")
    parameters = published_table("amiri2020_parameters").set_index("strategy")["exact_parameters"]
    cells = table.merge(pd.DataFrame({"fold": range(folds)}), how="cross")
    dice = cells["dice_mean"] + np.random.default_rng(1).normal(0, 0.04, len(cells))
    failures = np.where(cells["fraction"] == 0.05, 2, cells["dataset"] == "bus")
    failed = (cells["strategy"] == "scratch") & (cells["fold"] < failures)
    key = ["dataset", "fraction", "strategy", "fold"]
    collapsed = (cells[key] == ["bus", 0.05, "block_9", 1]).all(axis=1)
    return cells[key].assign(
        source=cells["dataset"].replace("bus", "busi"),
        dice=dice.mask(failed, 0.2).mask(collapsed, 0.0).round(6),
        outcome=np.where(failed, "no_early_stop", "converged"),
        failed=failed,
        collapsed=collapsed,
        tuned_parameters=cells["strategy"].map(parameters),
        total_parameters=parameters["whole"],
        device="cpu",
        precision="fp32",
        torch="2.14.1",
    )


def with_unchanged(cells: pd.DataFrame, **columns: object) -> pd.DataFrame:
    """The cells with those of the network as it is, one for each of the whole network's at 80 %."""
    unchanged = cells[(cells["strategy"] == "whole") & (cells["fraction"] == 0.8)]
    about = {"strategy": "unchanged", "fraction": 0, "tuned_parameters": 0}
    return pd.concat([cells, unchanged.assign(**about | columns)])


def table_of(name: str, folder: Path, **arguments: object) -> dict[str, str]:
    """Write a table; its texts by format."""
    files = {kind: folder / f"{name}.{kind}" for kind in ("csv", "tex", "html")}
    write_table(name, *files.values(), **arguments)
    return {kind: file.read_text("utf-8") for kind, file in files.items()}


def drawn(name: str, **arguments: object) -> Figure:
    """A figure that can be asked what it shows."""
    view = FIGURES[name]
    with journal_style():
        function = getattr(import_module(view.module), view.function.partition(":")[2])
        return function(**arguments)


def notes_of(figure: Figure) -> str:
    """The notes under a figure, on one line."""
    return " ".join(" ".join(text.get_text() for text in figure.texts).split())


def figure_of(name: str, folder: Path, **arguments: object) -> tuple[Path, Path]:
    """Draw a figure, which is no blank page; its PDF and PNG."""
    folder.mkdir(exist_ok=True)
    files = folder / f"{name}.pdf", folder / f"{name}.png"
    write_figure(name, *files, **arguments)
    picture = imread(files[1])
    assert (picture != picture[0, 0]).any()
    return files


def write_cells(cells: pd.DataFrame, folder: Path) -> Path:
    """Write ``cells.csv`` as the workflow does."""
    path = folder / "cells.csv"
    cells.to_csv(path, index=False)
    return path


def inputs(
    name: str, cells: pd.DataFrame, folder: Path, display: DisplayOptions = SHOWN, views=None
) -> dict:
    """What a table or figure takes, made of cells in a folder as the workflow makes it.

    Files that are not made of cells alone, and other settings, are left to the test.
    """
    folder.mkdir(exist_ok=True)
    path = write_cells(cells, folder)

    def averages() -> Path:
        write_averages(path, folder / "averages.csv", display.exclude_runs, display.ddof)
        return folder / "averages.csv"

    def written(tables: dict[str, pd.DataFrame]) -> Path:
        for key, table in tables.items():
            table.to_csv(folder / f"{key}.csv", index=False)
        return folder

    def forecasts() -> Path:
        found = forecast_table(fold_scores(cells, "tuned_parameters")).assign(source="sus")
        return written({"learning": found}) / "learning.csv"

    def decisions() -> Path:
        return written(decision_tables(cells))

    def ranks() -> Path:
        strategies = list(dict.fromkeys(read_cells(path)["strategy"]))
        return written(rank_tables(read_runs(path, strategies, "failed")))

    def beside_paper() -> Path:
        table_of("against_paper", folder, averages=averages(), display=display)
        return folder / "against_paper.csv"

    makers = {
        "cells": lambda: path,
        "averages": averages,
        "decisions": decisions,
        "comparisons": lambda: decisions() / "comparisons.csv",
        "friedman": lambda: ranks() / "friedman.csv",
        "nemenyi": lambda: ranks() / "nemenyi.csv",
        "learning": forecasts,
        "against_paper": beside_paper,
    }
    needs = (views or {**FIGURES, **TABLES})[name].needs
    return {**{need: makers[need]() for need in needs if need in makers}, "display": display}
