"""The figures of docs/results.md, drawn from the tables that are kept of a study."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sonotune.errors import SonotuneError
from sonotune.evaluation.averages import write_averages
from sonotune.report.names import PAPER_DATASETS
from sonotune.report.shown import Shown
from sonotune.report.views import write_figure, write_table
from sonotune.statistics.tables import rank_tables, read_runs


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

        def draw_one(name: str, **arguments: Any) -> None:
            files = aside / f"{name}.pdf", folder / f"figures/{name}.png"
            write_figure(name, *files, shown=shown, **arguments)

        averages = aside / "averages.csv"
        write_averages(cells, averages, shown.exclude_runs, shown.ddof)
        draw_one("fig4", cells=cells, averages=averages, pairs=pairs)
        draw_one("pareto", cells=cells, averages=averages)
        # Ranks over one data set are its order of means and allow no test.
        if len(shown.datasets) > 1:
            runs = read_runs(cells, list(shown.strategies), shown.exclude_runs)
            for name, table in rank_tables(runs).items():
                table.to_csv(aside / f"{name}.csv", index=False)
            draw_one("ranks", friedman=aside / "friedman.csv", nemenyi=aside / "nemenyi.csv")
        if set(shown.datasets) & set(PAPER_DATASETS):
            tables = [aside / f"against_paper.{kind}" for kind in ("csv", "tex", "html")]
            write_table("against_paper", *tables, averages=averages, shown=shown)
            draw_one("against_paper", against_paper=tables[0])
        if protocols.is_file():
            draw_one("fig1b", protocols=protocols)
            draw_one("fig1c", protocols=protocols)
