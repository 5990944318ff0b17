"""`sonotune recommend`: a finished study's answer as lines of text."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from sonotune.data.split_file import read_counts
from sonotune.errors import SonotuneError
from sonotune.evaluation.averages import measured_on, read_cells, training_seconds
from sonotune.layout import format_percent
from sonotune.report.names import time_text
from sonotune.report.tables import short_count
from sonotune.statistics.decision import read_decisions
from sonotune.statistics.decision_types import Decision
from sonotune.statistics.sentences import decision_sentences


def recommend(study: str | Path, images: int | None = None) -> list[str]:
    """Say which strategy a study recommends for which number of images, and at what cost.

    Parameters
    ----------
    study
        A finished study's folder.
    images
        How many images (for training and validation) the reader has; the measured numbers on
        either side are named, and there is no advice beyond them.

    Raises
    ------
    SonotuneError
        If the study is not finished.
    """
    study = Path(study)
    decisions = read_decisions(study / "statistics")
    sizes, runs = _sizes(study), read_cells(study / "cells.csv")
    lines = []
    for dataset in dict.fromkeys(decision.dataset for decision in decisions):
        own_decisions: Sequence[Decision] = [each for each in decisions if each.dataset == dataset]
        lines.append(f"{dataset}:")
        if images is not None:
            own_decisions, said = _nearest(own_decisions, sizes, images)
            lines.append(f"  {said}")
        for decision in own_decisions:
            number = sizes.get((dataset, decision.fraction))
            of_images = f" ({number})" if number else ""
            lines.append(f"  {format_percent(decision.fraction)} of the images{of_images}:")
            lines += [f"    {line}" for line in decision_sentences(decision)]
            if decision.recommended is not None:
                lines.append(f"    {cost_text(runs, decision)}")
    names = sorted(
        {decision.recommended for decision in decisions if decision.recommended is not None}
    )
    if names:
        lines.append(f"To keep the weights of these: keep_weights: [{', '.join(names)}]")
    return lines


def cost_text(runs: pd.DataFrame, decision: Decision) -> str:
    """What a training of the recommended strategy costs, one sentence.

    Parameters
    ----------
    runs
        Rows of ``cells.csv``.
    decision
        A decision at one data set and fraction.
    """
    mine = runs[
        (runs["dataset"] == decision.dataset)
        & (runs["strategy"] == decision.recommended)
        & (runs["fraction"] == decision.fraction)
    ]
    tuned, total = mine["tuned_parameters"].iloc[0], mine["total_parameters"].iloc[0]
    seconds = training_seconds(mine).mean()
    text = (
        f"It trains {short_count(tuned)} of {short_count(total)} parameters "
        f"({100 * tuned / total:.3g}%). A training took {time_text(seconds)} of "
        f"{measured_on(mine)}"
    )
    # The memory of a small network matters to nobody.
    if "memory" in mine and mine["memory"].iloc[0] > 1e8:
        text += f" and {mine['memory'].iloc[0] / 1e9:.2g} GB for weights and Adam"
    return f"{text}."


def _sizes(study: Path) -> dict[tuple[str, float], int]:
    """By data set and fraction, images for training and validation in the first fold."""
    file = study / "splits.json"
    if not file.is_file():
        raise SonotuneError(f"{file} is missing; run the study first")
    return {
        (row["dataset"], float(row["fraction"])): row["training"] + row["validation"]
        for row in reversed(read_counts(file))  # so that the first fold counts
    }


def _nearest(
    decisions: Sequence[Decision], sizes: Mapping[tuple[str, float], int], images: int
) -> tuple[list[Decision], str]:
    """The measured numbers of images around a given one, and a sentence about them."""
    known = {sizes[decision.dataset, decision.fraction]: decision for decision in decisions}
    if images in known:
        return [known[images]], f"with {images} images, as measured:"
    below = max((n for n in known if n < images), default=None)
    above = min((n for n in known if n > images), default=None)
    nearest = [known[n] for n in (below, above) if n is not None]
    if below is None:
        said = (
            f"{images} images for training and validation are fewer than the {above} measured; "
            "the following may not hold for them:"
        )
    elif above is None:
        said = (
            f"{images} images are more than the {below} that the study used for training and "
            "validation; the following may not hold for them:"
        )
    else:
        said = f"{images} images were not measured; the nearest are {below} and {above}:"
    return nearest, said
