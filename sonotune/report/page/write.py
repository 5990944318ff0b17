"""A study's page: what it recommends, and what that rests on."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from sonotune.data.split_file import read_counts
from sonotune.evaluation.averages import CONDITION, measured_on, read_cells
from sonotune.evaluation.current import run_folders
from sonotune.evaluation.tables import read_table
from sonotune.layout import format_percent, fraction_text
from sonotune.networks.settings import stages_of
from sonotune.report.display_options import DisplayOptions, sources_of
from sonotune.report.learning_table import read_forecasts
from sonotune.report.names import mixture_notes
from sonotune.report.page import content
from sonotune.report.page.details import finite, to_json, write_details
from sonotune.report.page.drawing import describe_network
from sonotune.report.template import write_template
from sonotune.runtime.files import atomic
from sonotune.statistics.decision import read_decisions
from sonotune.statistics.decision_types import Decision
from sonotune.statistics.rounds import race_sentences
from sonotune.statistics.sentences import learning_sentence, low_score_sentence

Strategy = tuple[str, str, str, Sequence[str]]  # name, title, start, tuned stages
MOSTLY = 0.5  # share of low scores from which the answer itself tells it


def write_page(
    page: str | Path,
    details: str | Path,
    answer: str | Path,
    *,
    study: str,
    cells: str | Path,
    averages: str | Path,
    splits: str | Path,
    decisions: str | Path,
    learning: str | Path,
    low_scores: str | Path,
    claims: str | Path,
    provenance: str | Path,
    scores: Mapping[str, str | Path],
    arrays: Mapping[str, str | Path],
    audits: Mapping[str, str | Path],
    display: DisplayOptions,
    networks: Sequence[tuple[Mapping[str, Any], Sequence[Strategy]]],
    image_size: int,
    simulated: bool,
    titles: Mapping[str, str],
    downloads: Sequence[str],
    race: str | Path | None = None,
) -> None:
    """Write ``index.html``, which needs no other file, and the folder of details beside it.

    Parameters
    ----------
    page, details
        What to write. The page loads curves and test images from the folder ``page`` beside it.
    answer
        Gets the recommendations as text, for the terminal and the front page of the report.
    study
        Name of the study.
    cells, averages, splits
        ``cells.csv``, ``averages.csv`` and ``splits.json`` of the study, beside its runs.
    decisions
        Folder of its statistics.
    learning, low_scores, claims, provenance
        Tables of the study.
    scores, arrays
        By data set: file of scores, folder of prepared arrays.
    audits
        By data set: table of the audit.
    display
        Strategies and data sets to show, with their titles.
    networks
        ``network`` keys of the study, each with its strategies.
    image_size
        Side of the images in pixels.
    simulated
        Whether all images that were tested are simulated.
    titles
        Of data sets in ``audits``.
    downloads
        Files that readers may want, relative to the page.
    race
        The table of races, of a study that has them.
    """
    runs = read_cells(cells)
    trained = runs[runs["fraction"] > 0]
    all_decisions = read_decisions(decisions)
    images = {row["dataset"]: row["size"] for row in read_counts(splits)}
    origins = pd.read_csv(provenance, dtype=str, keep_default_na=False)
    conditions = content.describe_conditions(all_decisions, trained, images, display)
    races = race_sentences(race) if race else {}
    forecasts, low = (
        table.set_index(CONDITION, drop=False).to_dict("index")
        for table in (read_forecasts(learning), read_table(low_scores))
    )
    recommended: dict[str | None, list[str]] = {}
    for condition in conditions:
        decision, sentences = condition["decision"], condition["sentences"]
        if (decision.dataset, decision.fraction) in races:
            sentences.append(races[decision.dataset, decision.fraction])
        place = (decision.dataset, decision.fraction, decision.recommended)
        if place in forecasts and not forecasts[place]["refused"]:
            sentences.append(learning_sentence(forecasts[place], display.label))
        if place in low:
            sentences.append(low_score_sentence(low[place], display.label))
            if low[place]["share_low"] >= MOSTLY:
                condition["headline"] += f" {sentences[-1]}"
        where = f"{condition['title']}, {condition['fraction']}"
        recommended.setdefault(decision.recommended, []).append(where)
    drawn = {
        strategy[0]: describe_network(*strategy, stages_of(network))
        for network, strategies in networks
        for strategy in strategies
        if strategy[0] in recommended
    }
    drawings = [drawn[n] | {"conditions": at} for n, at in recommended.items() if n in drawn]
    write_details(run_folders(cells), arrays, scores, runs, details)
    lines = [
        f"{condition['title']}, {condition['fraction']} of the images ({condition['basis']}): "
        f"{condition['headline']}\n"
        for condition in conditions
    ]
    with atomic(answer) as temporary:
        temporary.write_text("".join(lines), "utf-8")
    assets = files("sonotune.report.page")
    script = assets.joinpath("page.js").read_text("utf-8")
    write_template(
        "page/index.html",
        page,
        study=study,
        script=Markup(script),  # noqa: S704 - this package's own file
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        style=Markup(assets.joinpath("page.css").read_text("utf-8")),  # noqa: S704 - likewise
        data=Markup(to_json(_for_script(all_decisions, trained, display))),  # noqa: S704 - JSON, escaped
        conditions=conditions,
        drawings=drawings,
        banners=content.describe_banners(all_decisions, image_size, simulated),
        tables=content.describe_tables(display.averages(averages), all_decisions, display),
        strategies=display.strategies_of(trained).items(),
        audits=content.describe_audits(audits, titles),
        claims=content.describe_claims(Path(claims), display.datasets),
        low=content.describe_low_scores(Path(low_scores), trained, display),
        costs=content.describe_costs(trained, display),
        timed=measured_on(trained),
        provenance=origins.to_dict("records"),
        downloads=_by_folder(downloads),
        figures=[file for file in downloads if file.endswith(".png")],
        notes=[*display.name_datasets(sources_of(runs))[1], *mixture_notes(runs)],
    )


def _for_script(
    decisions: Sequence[Decision], runs: pd.DataFrame, display: DisplayOptions
) -> dict[str, Any]:
    """What the page's script needs: titles, fractions in words, and every pair of strategies."""
    pairs = {}
    for decision in decisions:
        condition = f"{decision.dataset}|{fraction_text(decision.fraction)}"
        for pair in decision.comparisons:
            values = (pair.difference, pair.lower, pair.upper, pair.p)
            pairs[f"{condition}|{pair.first}|{pair.second}"] = list(map(finite, values))
    return {
        "strategies": dict(display.strategies),
        "datasets": dict(display.datasets),
        "fractions": {
            fraction_text(fraction): format_percent(fraction)
            for fraction in runs["fraction"].unique()
        },
        "pairs": pairs,
    }


def _by_folder(paths: Sequence[str]) -> list[tuple[str, list[str]]]:
    folders: dict[str, list[str]] = {}
    for path in paths:
        folders.setdefault((Path(path).parent.name or "tables").capitalize(), []).append(path)
    return sorted(folders.items())
