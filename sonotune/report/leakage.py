"""The effect of sharing examinations between training and test sets.

The same test images; trained on all other images, on those without the test set's examinations,
and on as many drawn at random. The last two differ in nothing but which images are missing, so
their difference is what the shared examinations give; it is paired by examination and repeat.
"""

from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sonotune.evaluation.tables import read_table
from sonotune.report.protocols import ALL_METRICS, TITLES
from sonotune.report.tables import Entry, Row, Table, head_row
from sonotune.runtime.files import read_json
from sonotune.seeds import generator

ALL, WITHOUT, FEWER = "all", "test_groups", "size_matched"
EFFECTS = {
    "shared examinations": (FEWER, WITHOUT),
    "more images": (ALL, FEWER),
    "both": (ALL, WITHOUT),
}
REPLICATES = 4000


def table(
    leakage_scores: str | Path,
    leakage_splits: str | Path,
    arms: Mapping[str, str],
    first_dataset: str,
    seed: int,
) -> tuple[pd.DataFrame, Table]:
    """The effects (see `effects_of`).

    Parameters
    ----------
    leakage_scores
        Scores of the data set ``first_dataset`` in the study of leakage.
    leakage_splits
        Its ``splits.json``.
    arms
        By strategy, what it leaves out: ``all`` for nothing, ``test_groups`` or ``size_matched``.
    first_dataset
        Name of the data set.
    seed
        Seed of the study.

    Returns
    -------
    DataFrame, Table
        What `effects_of` gives, and the table of it.
    """
    scores = read_table(leakage_scores)
    scores = scores[scores["strategy"].isin(list(arms))].assign(arm=scores["strategy"].map(arms))
    shared = shared_images(read_json(leakage_splits)[first_dataset])
    effects = effects_of(scores, shared, seed)
    body = []
    for (which, effect), part in effects.groupby(["images", "effect"], sort=False):
        points = 100 * part[["difference", "lower", "upper"]]
        entries = [
            Entry(f"{row.difference:+z.2f}", f"({row.lower:+z.2f} to {row.upper:+z.2f})")
            for row in points.itertuples()
        ]
        entries += [Entry(str(part[name].iloc[0])) for name in ("number", "examinations")]
        body.append(Row((f"Test images: {which}", str(effect).capitalize()), entries))
    titles = [*(TITLES[metric] for metric in ALL_METRICS), "Images", "Examinations"]
    repeats = int(effects["repeats"].max())
    return effects, Table(
        "Effect of sharing examinations between training and test sets (percentage points, "
        "95% CI).",
        [head_row(("", "Effect of"), titles)],
        body,
        (
            "Shared examinations: training on as many images drawn at random, minus training "
            "without the test set's examinations. More images: training on all, minus training on "
            "as many. Both: their sum.",
            f"All use the same test images; {repeats} repeats with other seeds. Differences are "
            "paired by examination and repeat, and the intervals resample both (pigeonhole "
            "bootstrap). With few repeats they are coarse.",
            "Shared: test images of examinations that also have images among all training images.",
        ),
    )


def shared_images(splits: Mapping[str, Any]) -> set[str]:
    """Names of the test images whose examinations also have images in training.

    Parameters
    ----------
    splits
        What a file of `sonotune.data.split_file.write_splits` says of a data set.
    """
    names, groups = splits["names"], splits["groups"]
    images = set()
    for part in splits["splits"]:
        if "exclude" not in part:
            trained = {groups[row] for row in [*part["training"], *part["validation"]]}
            images |= {names[row] for row in part["test"] if groups[row] in trained}
    return images


def effects_of(scores: pd.DataFrame, shared: set[str], seed: int) -> pd.DataFrame:
    """Differences of the arms' metrics, with 95 % intervals.

    Parameters
    ----------
    scores
        A row an (arm, fold, image): arm, fold, name, group and the metrics.
    shared
        Names of test images of examinations that are in training too.
    seed
        Seed of the study.

    Returns
    -------
    DataFrame
        images (``all``, ``shared`` or ``not shared``), effect (of `EFFECTS`), metric, difference,
        lower, upper, examinations, repeats, number (of test images).
    """
    is_shared = scores["name"].isin(shared)
    parts = {"all": scores, "shared": scores[is_shared], "not shared": scores[~is_shared]}
    rows = []
    for (which, part), effect, metric in product(parts.items(), EFFECTS, ALL_METRICS):
        first, second = EFFECTS[effect]
        wide = part.pivot_table(index=["fold", "group", "name"], columns="arm", values=metric)
        if {first, second} <= set(wide):
            gaps = (wide[first] - wide[second]).dropna()
            condition = {"images": which, "effect": effect, "metric": metric}
            interval = _paired(gaps, generator(seed, "leakage", *condition.values()))
            number = gaps.index.get_level_values("name").nunique()
            rows.append(condition | interval | {"number": number})
    return pd.DataFrame(rows)


def _paired(gaps: pd.Series, random: np.random.Generator) -> dict[str, float]:
    """Mean of differences by (fold, group, name), and its interval.

    Repeats and examinations are crossed, so both are drawn again with replacement, each on its
    own (Owen, The pigeonhole bootstrap, Annals of Applied Statistics 1, 2007).
    """
    by_group = gaps.groupby(level=["fold", "group"]).agg(["sum", "size"])
    sums = by_group["sum"].unstack("group").fillna(0).to_numpy(float)
    sizes = by_group["size"].unstack("group").fillna(0).to_numpy(float)
    repeats, groups = sums.shape
    folds = random.multinomial(repeats, np.full(repeats, 1 / repeats), size=REPLICATES)
    drawn = random.multinomial(groups, np.full(groups, 1 / groups), size=REPLICATES)
    above = np.einsum("br,rg,bg->b", folds, sums, drawn)
    below = np.einsum("br,rg,bg->b", folds, sizes, drawn)
    means = above[below > 0] / below[below > 0]
    lower, upper = map(float, np.quantile(means, [0.025, 0.975]))
    difference = float(sums.sum() / sizes.sum())
    numbers = {"examinations": groups, "repeats": repeats}
    return {"difference": difference, "lower": lower, "upper": upper, **numbers}
