"""`sonotune recommend`: a finished study's answer as lines of text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from sonotune.data.split_file import read_counts
from sonotune.errors import SonotuneError
from sonotune.evaluation.averages import read_cells
from sonotune.report.advice import Advice, Option, read_advice
from sonotune.report.layout import short_count
from sonotune.report.names import percent_text
from sonotune.report.summary_words import signed, time_of

# Bytes that Adam holds for a tuned parameter (weight, gradient, two moments) and for another.
TUNED_BYTES, FROZEN_BYTES = 16, 4


def study_advice(study: str | Path, margins: Mapping[str, float] | float = 0.02) -> list[Advice]:
    """Advice of a finished study, read from its folder (see `read_advice`).

    Raises
    ------
    SonotuneError
        If the study is not finished.
    """
    study = Path(study)
    cells, statistics = study / "cells.csv", study / "statistics"
    differences, ranks = statistics / "bootstrap.csv", statistics / "ranks.csv"
    for file in (cells, differences, ranks):
        if not file.is_file():
            raise SonotuneError(f"{file} is missing: {study} is no finished study; run it first")
    if not isinstance(margins, Mapping):
        margins = dict.fromkeys(read_cells(cells)["dataset"].unique(), margins)
    return read_advice(cells, differences, ranks, margins)


def recommend(study: str | Path, images: int | None = None, margin: float = 0.02) -> list[str]:
    """Say which strategy to use for which number of images, at what cost and how surely.

    Parameters
    ----------
    study
        A finished study's folder.
    images
        How many images (for training and validation) the reader has; the measured numbers on
        either side are named, and nothing is said beyond them.
    margin
        A difference in Dice that counts as none.
    """
    study = Path(study)
    advice = study_advice(study, margin)
    sizes = _sizes(study)
    lines = []
    for dataset in dict.fromkeys(one.dataset for one in advice):
        of_set = [one for one in advice if one.dataset == dataset]
        lines.append(f"{dataset}:")
        if images is None:
            shown: Sequence[Advice] = of_set
        else:
            shown, said = _nearest(of_set, sizes, images)
            lines.append(f"  {said}")
        for one in shown:
            lines += [f"  {line}" for line in _lines(one, sizes.get((dataset, one.percent)))]
    strategies = sorted({one.use.strategy for one in advice if one.use})
    lines.append(f"To keep the weights of these: keep_weights: [{', '.join(strategies)}]")
    return lines


def _sizes(study: Path) -> dict[tuple[str, float], int]:
    """By data set and percent, images for training and validation in the first fold."""
    file = study / "splits.json"
    if not file.is_file():
        raise SonotuneError(f"{file} is missing: {study} is no finished study; run it first")
    found: dict[tuple[str, float], int] = {}
    for row in read_counts(file):
        key = row["dataset"], float(row["percent"])
        found.setdefault(key, row["training"] + row["validation"])
    return found


def _nearest(
    advice: Sequence[Advice], sizes: Mapping[tuple[str, float], int], images: int
) -> tuple[list[Advice], str]:
    """The measured numbers around one, and a sentence about what was not measured."""
    known = {sizes[one.dataset, one.percent]: one for one in advice}
    if images in known:
        return [known[images]], f"with {images} images, as measured:"
    below = max((n for n in known if n < images), default=None)
    above = min((n for n in known if n > images), default=None)
    shown = [known[n] for n in (below, above) if n is not None]
    if below is None:
        said = f"fewer than {above} images were not measured; what follows may not hold for them:"
    elif above is None:
        said = f"more than {below} images were not measured; what follows may not hold for them:"
    else:
        said = f"{images} images were not measured; the nearest are {below} and {above}:"
    return shown, said


def _lines(one: Advice, images: int | None) -> list[str]:
    where = f"{percent_text(one.percent)} of the images" + (f" ({images})" if images else "")
    if one.use is None:
        return [f"{where}: no strategy can be recommended: each has an unusable run"]
    use = one.use
    better = len(one.worse)
    lines = [
        f"{where}: {use.strategy}: Dice {use.dice:.3f} (95% interval {use.lower:.3f} to "
        f"{use.upper:.3f})",
        f"  costs {_cost(use)}",
        f"  {_sure(use.best)}: the best in {100 * use.best:.0f}% of bootstrap draws, known to be "
        f"better than {better} of {len(one.options) - 1} others",
    ]
    if use.healthy:
        lines.append(
            f"  marks something in {use.healthy_marked} of {use.healthy} healthy test images; "
            "Dice counts an empty prediction of these as 1"
        )
    if one.given_runs:
        lines.append("  one fold only: true of these trained networks, another may turn out else")
    if one.smaller is not None:
        small = one.smaller
        lines.append(
            f"  fewer parameters and about as good: {small.strategy}, {_cost(small)}, Dice "
            f"{signed(-small.behind)}"
        )
    if one.failed:
        failed = ", ".join(f"{name} ({n} of {runs})" for name, (n, runs) in one.failed.items())
        lines.append(f"  unusable runs (failed, collapsed or nothing marked): {failed}")
    return lines


def _cost(option: Option) -> str:
    share = 100 * option.tuned / option.total
    held = option.tuned * TUNED_BYTES + (option.total - option.tuned) * FROZEN_BYTES
    return (
        f"{short_count(option.tuned)} parameters ({share:.3g}%), {time_of(option.seconds)} a "
        f"training, {held / 1e9:.2g} GB for weights and Adam (activations were not measured)"
    )


def _sure(best: float) -> str:
    return "sure" if best >= 0.95 else "likely" if best >= 0.75 else "open"
