"""Fig. 5: example segmentations."""

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from sonotune.data.dataset import load_set
from sonotune.data.image_set import ImageSet
from sonotune.errors import SonotuneError
from sonotune.evaluation.metrics import THRESHOLD
from sonotune.evaluation.scores import load_predictions
from sonotune.evaluation.tables import read_table
from sonotune.layout import format_percent
from sonotune.report.display_options import DisplayOptions
from sonotune.report.geometry import aspect_of, scale_bar
from sonotune.report.images import PREDICTION, REFERENCE, add_scale_bar, show_image
from sonotune.report.style import TWO_COLUMNS, message_figure, noted_figure
from sonotune.statistics.decision import read_decisions
from sonotune.statistics.decision_types import Decision

QUARTILES = {0.25: "lower quartile", 0.5: "median", 0.75: "upper quartile"}
OUTER_QUARTILES = {0.25: "lower quartile", 0.75: "upper quartile"}
MOST_WITH_MEDIAN = 2  # data sets; with more, a page has no room for three images of each
LEFT, TOP, UNDER = 0.34, 0.25, 0.19  # inches: names of rows and columns, Dice under an image


def draw(
    arrays: Mapping[str, str | Path],
    scores: Mapping[str, str | Path],
    example_predictions: Mapping[str, Mapping[str, str | Path]],
    decisions: str | Path,
    display: DisplayOptions,
    examples: Mapping[str, Any],
) -> Figure:
    """Draw Fig. 5: image, reference and what each strategy found, two or three images each.

    Parameters
    ----------
    arrays, scores
        Folder of the prepared arrays and CSV of the study's scores, of each data set.
    example_predictions
        For each data set a mapping from strategy to ``predictions.npz`` of the cells shown.
    decisions
        Folder of the study's statistics.
    display
        Titles of the strategies, and data sets in the order of the rows.
    examples
        ``fraction`` and ``fold`` of the cells shown; `choose_rows` takes the images from this
        fold's test set. ``asked``: the strategies to show, or none, for those of
        `choose_strategies` with its ``baselines``. Strategies without predictions are left out; if
        all are, the figure says so.

    Raises
    ------
    SonotuneError
        If scores or predictions lack an image that is to be shown.
    """
    fraction, fold = examples["fraction"], examples["fold"]
    asked = examples["asked"] or choose_strategies(read_decisions(decisions), examples["baselines"])
    present = {name for cells in example_predictions.values() for name in cells}
    columns = {n: display.strategies[n] for n in asked if n in present and n in display.strategies}
    names = [name for name in display.datasets if example_predictions.get(name)]
    if not columns or not names:
        return message_figure(
            "Fig. 5 shows example segmentations; none of its strategies has predictions at "
            f"{format_percent(fraction)} in fold {fold}."
        )
    sets = {name: load_set(arrays[name]) for name in names}
    tables = {name: _read_scores(scores[name], list(columns), fraction, fold) for name in names}
    datasets, source_notes = display.name_datasets(
        {name: str(data.about.get("source", name)) for name, data in sets.items()}
    )
    notes = [
        f"Networks trained with {format_percent(fraction)} of the data set; test images of fold "
        f"{fold}: those whose Dice, averaged over the strategies shown, is at the quartiles of "
        "the fold. Blue: reference (dashed under predictions). Orange: prediction (threshold "
        "0.5). Under each image: its Dice; (empty): nothing was predicted, (all): every pixel.",
        *source_notes,
    ]
    return _draw(sets, tables, example_predictions, columns, datasets, notes)


def choose_strategies(decisions: Sequence[Decision], baselines: Sequence[str]) -> list[str]:
    """The strategies to show: the recommended one, the next best, then the baselines.

    Parameters
    ----------
    decisions
        Of a study. That of the smallest fraction of the first data set counts.
    baselines
        Training from scratch and the unchanged network, where the study has them.
    """
    if not decisions:
        return list(baselines)
    first = [each for each in decisions if each.dataset == decisions[0].dataset]
    decision = min(first, key=lambda each: each.fraction)
    best = [strategy.name for strategy in decision.strategies if strategy.name not in baselines]
    recommended = [] if decision.recommended is None else [decision.recommended]
    return list(dict.fromkeys([*recommended, *best]))[:2] + [
        name for name in baselines if name not in recommended
    ]


def choose_rows(scores: pd.DataFrame, quantiles: Mapping[float, str] = QUARTILES) -> dict[int, str]:
    """The images to show: those at the quartiles of Dice, so that nobody picks them.

    Parameters
    ----------
    scores
        row and dice, one row an (image, strategy); an image counts with its mean.
    quantiles
        Names of the quantiles, lower first.

    Returns
    -------
    dict
        From row of the data set to the quartile's name, lower first; fewer images than
        quantiles are each shown once.
    """
    means = scores.groupby("row")["dice"].mean().sort_values(kind="stable")
    chosen: dict[int, str] = {}
    for quantile, name in quantiles.items():
        chosen.setdefault(int(means.index[round(quantile * (len(means) - 1))]), name)
    return chosen


def _read_scores(
    path: str | Path, strategies: list[str], fraction: float, fold: int
) -> pd.DataFrame:
    # The network that is evaluated unchanged has fraction 0 and may be among the columns.
    scores = read_table(path).query(
        "fraction in [@fraction, 0] and fold == @fold and seed == 1 and pretraining == 1 "
        "and strategy in @strategies"
    )
    if not len(scores):
        raise SonotuneError(
            f"{path}: no scores of {', '.join(strategies)} at {format_percent(fraction)} in fold "
            f"{fold}; make the scores again"
        )
    return scores


def _draw(
    sets: Mapping[str, ImageSet],
    scores: Mapping[str, pd.DataFrame],
    predictions: Mapping[str, Mapping[str, str | Path]],
    strategies: Mapping[str, str],
    datasets: Mapping[str, str],
    notes: Sequence[str],
) -> Figure:
    quantiles = QUARTILES if len(sets) <= MOST_WITH_MEDIAN else OUTER_QUARTILES
    chosen = {name: choose_rows(table, quantiles) for name, table in scores.items()}
    wide = (TWO_COLUMNS - LEFT) / (2 + len(strategies))
    aspects = {(name, row): aspect_of(sets[name], row) for name in sets for row in chosen[name]}
    talls = [wide * aspect for aspect in aspects.values()]
    titles = [
        textwrap.fill(title, max(8, int(16 * wide)))
        for title in ("Image", "Reference", *strategies.values())
    ]
    top = TOP + 0.11 * max(title.count("\n") for title in titles)
    figure = noted_figure(notes, top + sum(talls) + len(talls) * UNDER)
    axes = figure.subplots(len(talls), 2 + len(strategies), squeeze=False, height_ratios=talls)
    for panel, title in zip(axes[0], titles, strict=True):
        panel.set_title(title, fontsize=7)
    for panels, (name, row) in zip(axes, aspects, strict=True):
        data, table = sets[name], scores[name]
        panels[0].set_ylabel(f"{datasets[name]}\n{chosen[name][row]}", fontsize=7)
        picture = (data.images[row], aspects[name, row])
        show_image(panels[0], *picture)
        show_image(panels[1], *picture, [(data.masks[row], REFERENCE, "solid")])
        add_scale_bar(panels[0], scale_bar(data.index[row], data.images.shape[2]))
        for panel, strategy in zip(panels[2:], strategies, strict=True):
            dice = table[(table["strategy"] == strategy) & (table["row"] == row)]["dice"]
            # Strategies that draw splits of their own do not test all on the same images.
            if strategy not in predictions[name] or not len(dice):
                panel.axis("off")
                panel.set_aspect(panels[0].get_aspect())  # keeps its title in line
                continue
            prediction = _prediction_of(predictions[name][strategy], row)
            dashed = (data.masks[row], REFERENCE, (0, (2, 1.5)))
            show_image(panel, *picture, [(prediction, PREDICTION, "solid"), dashed])
            # Where a prediction has no outline to see.
            extreme = " (all)" if prediction.all() else "" if prediction.any() else " (empty)"
            panel.set_xlabel(f"{dice.iloc[0]:.3f}{extreme}", labelpad=2)
        for panel in panels:
            panel.set_axisbelow("line")  # names over outlines
    return figure


def _prediction_of(path: str | Path, row: int) -> np.ndarray:
    rows, probabilities = load_predictions(path)
    matches = np.flatnonzero(rows == row)
    if not len(matches):
        raise SonotuneError(
            f"{path}: no prediction for row {row}, which the scores list; delete the cell's "
            "folder and run again"
        )
    return np.asarray(probabilities[matches[0]] >= THRESHOLD)
