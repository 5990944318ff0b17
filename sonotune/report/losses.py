"""Training loss by epoch, beside the authors' own logs (Wang et al. 2023).

The logs are those of the public repository 13204942/FT_Methods_for_Fetal_Head_Segmentation (Apache
2.0): binary cross-entropy of each batch of 10, averaged here by epoch. Only logs on the full
training set are used; they were matched to strategies by the numbers of parameters in their names.
"""

from collections.abc import Iterable, Mapping
from itertools import chain
from pathlib import Path

import pandas as pd

from sonotune.layout import Cell
from sonotune.report.display_options import DisplayOptions
from sonotune.report.published import published_table
from sonotune.report.tables import DASH, Head, HeadRow, Table, head_row, text_row

# Epochs in which losses are compared, and by how much the range of the logs is widened.
EARLY, WIDENED = 5, 0.03
SHOWN = (1, 2, 3, 4, 5, 10, 15, 20)
VERDICT = f"1 to {EARLY} inside"


def _compare(histories: Iterable[str | Path]) -> pd.DataFrame:
    """Every repeat's training loss beside the least and largest mean of the authors' logs."""
    by_strategy: dict[str, list[pd.DataFrame]] = {}
    for file in map(Path, histories):
        strategy = Cell.of(file).strategy
        repeats = by_strategy.setdefault(strategy, [])
        history = pd.read_csv(file, usecols=["epoch", "training_loss"])
        repeats.append(history.assign(strategy=strategy, repeat=len(repeats) + 1))
    ours = pd.concat(chain.from_iterable(by_strategy.values()))
    ours = ours.rename(columns={"training_loss": "loss"})[["strategy", "repeat", "epoch", "loss"]]
    logs = published_table("wang2023_logs").query("losses == 'training'")
    ranges = logs.groupby(["strategy", "epoch"], sort=False)["mean_loss"]
    ranges = ranges.agg(lowest="min", highest="max", logs="size").reset_index()
    joined = ours.merge(ranges, on=["strategy", "epoch"], how="inner")
    low, high = joined["lowest"] - WIDENED, joined["highest"] + WIDENED
    return joined.assign(inside=joined["loss"].between(low, high))


def table(
    published_histories: Iterable[str | Path], display: DisplayOptions, recipe: Mapping[str, float]
) -> tuple[pd.DataFrame, Table]:
    """Every repeat's training loss beside the range of the authors' logs.

    Parameters
    ----------
    published_histories
        The ``history.csv`` of every cell; their folders tell which cell.
    display
        Titles of the strategies, in the order of the table; its data sets are not used.
    recipe
        ``image_size`` and ``learning_rate`` of the study.

    Returns
    -------
    DataFrame, Table
        strategy, repeat (from 1), epoch, loss, lowest, highest, logs (how many), inside (whether
        the loss lies in the range widened by `WIDENED`); one row per epoch of a strategy that has
        logs.
    """
    compared = _compare(published_histories)
    last = int(compared["epoch"].max()) if len(compared) else 0
    rows: dict[tuple[str, str], dict[int | str, str]] = {}
    for strategy, title in display.strategies_of(compared).items():
        mine = compared[compared["strategy"] == strategy]
        ranges = {
            row.epoch: f"{row.lowest:.3f}" + f" to {row.highest:.3f}" * (row.lowest < row.highest)
            for row in mine.itertuples()
        }
        count = int(mine["logs"].max())
        rows[title, f"{count} log{'s' * (count > 1)}"] = ranges | {VERDICT: ""}
        for repeat, part in mine.groupby("repeat"):
            losses = {row.epoch: f"{row.loss:.3f}" for row in part.itertuples()}
            inside = part.loc[part["epoch"] <= EARLY, "inside"]
            verdict = "yes" if inside.all() else f"{inside.sum()} of {len(inside)}"
            rows[title, f"here, repeat {repeat}"] = losses | {VERDICT: verdict}
    columns: list[int | str] = [*(epoch for epoch in SHOWN if epoch <= last), VERDICT]
    return compared, Table(
        "Training loss after each epoch: the authors' logs and this run.",
        (
            HeadRow(("", ""), (Head("Epoch", len(columns) - 1), Head(""))),
            head_row(("Strategy", "Run"), map(str, columns)),
        ),
        [text_row(names, [texts.get(c, DASH) for c in columns]) for names, texts in rows.items()],
        (
            "Logs: least and largest mean of an epoch over the authors' runs on the full training "
            "set, at 512 pixels and learning rate 0.0001, 80 batches of 10 per epoch "
            "(github.com/13204942/FT_Methods_for_Fetal_Head_Segmentation).",
            f"Here: {recipe['image_size']} pixels, learning rate {recipe['learning_rate']:g}. "
            f"Inside: the loss lies in the range of the logs widened by {WIDENED:g} on each side, "
            f"in every epoch from 1 to {EARLY}.",
            "Where a strategy freezes a random decoder or head, its loss depends on that draw.",
        ),
    )
