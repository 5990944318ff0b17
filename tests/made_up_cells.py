"""Cells of a study that nobody ran: plausible Dice around the means of Amiri 2020, Table II."""

from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.image import imread

from sonotune.config.presets import expand_preset
from sonotune.evaluation.averages import read_cells, write_averages
from sonotune.report.published import published_table
from sonotune.report.registry import FIGURES
from sonotune.report.style import journal_style
from sonotune.report.views import write_figure, write_table
from sonotune.statistics.decision import decision_tables
from sonotune.statistics.tables import rank_tables, read_runs

EVERY = {name: one["label"] for name, one in expand_preset({"preset": "amiri2020"}).items()}
STRATEGIES = {name: label for name, label in EVERY.items() if name != "unchanged"}
DATASETS = {"sus": "SUS", "bus": "BUS"}


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


def decisions_of(cells: pd.DataFrame, folder: Path) -> Path:
    """Write the tables of decisions as the workflow does."""
    for name, table in decision_tables(cells).items():
        table.to_csv(folder / f"{name}.csv", index=False)
    return folder


def write_cells(cells: pd.DataFrame, folder: Path) -> Path:
    """Write ``cells.csv`` as the workflow does."""
    path = folder / "cells.csv"
    cells.to_csv(path, index=False)
    return path


def ranks_of(cells: Path) -> dict[str, Path]:
    """Write the ranks of strategies beside ``cells.csv`` as the workflow does."""
    strategies = list(dict.fromkeys(read_cells(cells)["strategy"]))
    paths = {}
    for name, table in rank_tables(read_runs(cells, strategies, "failed")).items():
        paths[name] = cells.with_name(f"{name}.csv")
        table.to_csv(paths[name], index=False)
    return paths


def averages_of(cells: Path, exclude_runs: str = "failed", ddof: int = 1) -> Path:
    """Write ``averages.csv`` beside ``cells.csv`` as the workflow does."""
    path = cells.with_name("averages.csv")
    write_averages(cells, path, exclude_runs, ddof)
    return path
