"""A study's answer in plain words, as one page that needs no other file."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path

from sonotune.evaluation.averages import read_cells
from sonotune.report.advice import Advice, read_advice
from sonotune.report.figures.summary_figure import picture
from sonotune.report.names import dataset_title, mixture_notes, percent_text, source_notes
from sonotune.report.shown import Shown
from sonotune.report.summary_words import (
    name_of,
    notes,
    paragraph,
    parameters,
    signed,
    sureness,
    time_of,
    what_ran,
)
from sonotune.runtime.files import atomic

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #111; background: #fff; margin: 1.5rem auto;
  padding: 0 1rem; max-width: 62rem; }
h1 { font-size: 1.5rem; margin-bottom: .3rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
main { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .6rem; text-align: left; vertical-align: top; }
thead th { border-top: 2px solid #111; border-bottom: 1px solid #333; vertical-align: bottom; }
tbody { border-bottom: 1px solid #333; } tbody:last-of-type { border-bottom: 2px solid #111; }
td.number { text-align: right; white-space: nowrap; }
tbody th { white-space: nowrap; }
small { color: #333; } img { max-width: 100%; } li { margin: .3rem 0; }
"""
HEAD = (
    "Data set",
    "Images used",
    "Use",
    "Dice (95% interval)",
    "Parameters tuned",
    "Time of a training",
    "How sure",
    "Fewer parameters, about as good",
)


def write_summary(
    cells: str | Path,
    differences: str | Path,
    ranks: str | Path,
    page: str | Path,
    *,
    study: str,
    counts: Sequence[Mapping[str, object]],
    margins: Mapping[str, float],
    shown: Shown,
) -> None:
    """Write which strategy to use, what it costs and how sure that is.

    Parameters
    ----------
    cells, differences, ranks, margins
        See `sonotune.report.advice.read_advice`.
    page
        The HTML to write; its figures are inside it.
    study
        Name of the study.
    counts
        Sizes of the splits (see `sonotune.data.split_file.read_counts`).
    """
    runs = read_cells(cells)
    sources = runs.dropna(subset="source").groupby("dataset")["source"].first().to_dict()
    titles = {name: dataset_title(name, shown.datasets, sources) for name in shown.datasets}
    advice = read_advice(cells, differences, ranks, margins, shown.leave_out)
    sizes = _sizes(counts)
    parts = [
        f"<h1>Which layers should be fine-tuned? The answer of {html.escape(study)}</h1>",
        f"<p>{what_ran(runs[runs['percent'] > 0])}</p>",
        _table(advice, shown.strategies, titles, sizes),
    ]
    for name, group in groupby(advice, key=lambda one: one.dataset):
        mine = list(group)
        parts.append(f"<h2>{html.escape(titles[name])}</h2>")
        parts += [f"<p>{paragraph(one, shown.strategies, sizes)}</p>" for one in mine]
        parts.append(picture(mine, shown.strategies, titles[name]))
    said = [
        *notes(advice, titles, margins, shown.leave_out),
        *map(html.escape, source_notes(list(titles), shown.datasets, sources)),
        *map(html.escape, mixture_notes(runs)),
    ]
    parts.append("<h2>How to read this</h2>")
    parts.append("<ul>" + "".join(f"<li>{note}</li>" for note in said) + "</ul>")
    with atomic(page) as temporary:
        temporary.write_text(_page(f"Summary of {study}", parts), "utf-8")


def _page(title: str, parts: Sequence[str]) -> str:
    lines = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{html.escape(title)}</title>",
        f"<style>{STYLE}</style>",
        "</head>",
        "<body>",
        *parts,
        "</body>",
        "</html>",
    ]
    return "\n".join(lines) + "\n"


def _sizes(counts: Sequence[Mapping[str, object]]) -> dict[tuple[object, float], str]:
    """By data set and percent, how many images trained and validated in the first fold."""
    found: dict[tuple[object, float], str] = {}
    for row in counts:
        key = row["dataset"], float(str(row["percent"]))
        found.setdefault(key, f"{row['training']} for training, {row['validation']} for validation")
    return found


def _table(
    advice: Sequence[Advice],
    strategies: Mapping[str, str],
    titles: Mapping[str, str],
    sizes: Mapping[tuple[object, float], str],
) -> str:
    head = "".join(f'<th scope="col">{text}</th>' for text in HEAD)
    bodies = []
    for name, group in groupby(advice, key=lambda one: one.dataset):
        rows = list(group)
        lines = []
        for number, one in enumerate(rows):
            stub = (
                f'<th scope="rowgroup" rowspan="{len(rows)}">{html.escape(titles[name])}</th>'
                if number == 0
                else ""
            )
            size = sizes.get((one.dataset, one.percent), "")
            used = f"<td>{percent_text(one.percent)}<br><small>{size}</small></td>"
            lines.append(f"<tr>{stub}{used}{_row(one, strategies)}</tr>")
        bodies.append("<tbody>" + "".join(lines) + "</tbody>")
    return f"<main><table><thead><tr>{head}</tr></thead>{''.join(bodies)}</table></main>"


def _row(one: Advice, strategies: Mapping[str, str]) -> str:
    if one.use is None:
        return '<td colspan="6">no strategy: each has an unusable run</td>'
    smaller = "none"
    if one.smaller is not None:
        smaller = (
            f"{name_of(one.smaller, strategies)}<br><small>{parameters(one.smaller)}, "
            f"{time_of(one.smaller.seconds)}; Dice {signed(-one.smaller.behind)}</small>"
        )
    return (
        f"<td><strong>{name_of(one.use, strategies)}</strong></td>"
        f'<td class="number">{one.use.dice:.3f}<br><small>{one.use.lower:.3f} to '
        f"{one.use.upper:.3f}</small></td>"
        f"<td>{parameters(one.use)}</td><td>{time_of(one.use.seconds)}</td>"
        f"<td>{sureness(one)}</td><td>{smaller}</td>"
    )
