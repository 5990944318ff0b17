"""The figures of docs/results.md, drawn from the tables that are kept of a study."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sonotune.errors import SonotuneError
from sonotune.report.figures.against_paper import write_against_paper
from sonotune.report.figures.fig1b import write_fig1b
from sonotune.report.figures.fig1c import write_fig1c
from sonotune.report.figures.fig4 import write_fig4
from sonotune.report.figures.fig_pareto import write_figure as write_pareto
from sonotune.report.figures.fig_ranks import write_ranks
from sonotune.report.names import PAPER_DATASETS
from sonotune.report.shown import Shown


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
    kept = json.loads((folder / "about.json").read_text("utf-8"))["shown"]
    pairs, shown = kept.pop("pairs"), Shown.of(kept)
    cells, protocols = folder / "cells.csv", folder / "protocols.csv"
    with tempfile.TemporaryDirectory() as temporary:
        aside = Path(temporary)

        def of(name: str) -> tuple[Path, Path]:
            return aside / f"{name}.pdf", folder / f"figures/{name}.png"

        write_fig4(cells, *of("fig4"), pairs=pairs, shown=shown)
        write_pareto(cells, *of("pareto"), shown=shown)
        # Ranks over one data set are its order of means and allow no test.
        if len(shown.datasets) > 1:
            write_ranks(
                cells, *of("ranks"), strategies=shown.strategies, exclude_runs=shown.exclude_runs
            )
        if set(shown.datasets) & set(PAPER_DATASETS):
            write_against_paper(
                cells, aside / "against_paper.csv", *of("against_paper"), shown=shown
            )
        if protocols.is_file():
            write_fig1b(protocols, *of("fig1b"), strategies=shown.strategies)
            write_fig1c(protocols, *of("fig1c"), strategies=shown.strategies)
