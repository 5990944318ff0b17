"""A study's page: what it recommends, and what that rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from sonotune.evaluation.averages import read_cells
from sonotune.report.layout import short_count
from sonotune.report.names import (
    dataset_title,
    mixture_notes,
    percent_text,
    source_notes,
    time_text,
)
from sonotune.report.recommend import cost_text
from sonotune.report.shown import Shown
from sonotune.runtime.files import atomic
from sonotune.statistics.decision import read_decisions
from sonotune.statistics.sentences import decision_sentences


def write_page(
    cells: str | Path,
    statistics: str | Path,
    page: str | Path,
    *,
    study: str,
    counts: Sequence[Mapping[str, object]],
    shown: Shown,
) -> None:
    """Write ``index.html``, which needs no other file.

    Parameters
    ----------
    cells
        ``cells.csv`` of the study.
    statistics
        Its folder of decisions.
    study
        Name of the study.
    counts
        Sizes of the splits (see `sonotune.data.split_file.read_counts`).
    """
    runs = read_cells(cells)
    trained = runs[runs["percent"] > 0]
    sources = runs.dropna(subset="source").groupby("dataset")["source"].first().to_dict()
    sizes: dict[tuple[object, float], str] = {}
    for row in counts:
        text = f"{row['training']} for training, {row['validation']} for validation"
        sizes.setdefault((row["dataset"], float(str(row["percent"])) / 100), text)
    of = trained.groupby(["dataset", "percent", "strategy"])
    costs = of[["tuned_parameters", "total_parameters", "seconds"]].mean().to_dict("index")

    def label(name: str) -> str:
        return shown.strategies.get(name, name)

    datasets = []
    for name, group in groupby(read_decisions(statistics), key=lambda one: one.dataset):
        places = []
        for one in group:
            rows = []
            for strategy in one.strategies:
                cost = costs[name, round(100 * one.fraction, 6), strategy.name]
                rows.append(
                    {
                        "label": label(strategy.name),
                        "of": strategy,
                        "tuned": short_count(cost["tuned_parameters"]),
                        "time": time_text(cost["seconds"]),
                    }
                )
            sentences = decision_sentences(one, label)
            if one.recommended is not None:
                sentences.insert(1, cost_text(trained, one))
            places.append(
                {
                    "percent": percent_text(100 * one.fraction),
                    "size": sizes.get((name, one.fraction), ""),
                    "decision": one,
                    "sentences": sentences,
                    "rows": rows,
                }
            )
        datasets.append({"title": dataset_title(name, shown.datasets, sources), "places": places})
    environment = Environment(
        loader=PackageLoader("sonotune.report.page", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    notes = [*source_notes(list(shown.datasets), shown.datasets, sources), *mixture_notes(runs)]
    text = environment.get_template("index.html").render(
        study=study, runs=len(trained), datasets=datasets, notes=notes
    )
    with atomic(page) as temporary:
        temporary.write_text(text, "utf-8")
