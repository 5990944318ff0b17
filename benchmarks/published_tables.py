"""The tables of docs/results.md that only some studies have: protocols, gap, leakage, networks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from sonotune.layout import format_percent

# Kept where a study has them.
EXTRA = tuple(
    f"tables/{name}.csv"
    for name in ("protocols", "gap", "leakage", "networks", "losses", "as_published")
)
PROTOCOLS = {"paper": "printed", "as_published": "as published", "corrected": "corrected"}
STEPS = {
    "as_published": "as published",
    "last_epoch": "last epoch",
    "clean": "clean images",
    "per_image": "image by image",
    "corrected": "by examination",
}


def extra_tables(folder: Path) -> Iterator[str]:
    """Sections of Markdown for what is kept in ``folder``."""
    for name, section in (
        ("protocols", _protocols),
        ("gap", _gap),
        ("leakage", _leakage),
        ("losses", _losses),
        ("networks", _networks),
    ):
        if (file := folder / f"{name}.csv").is_file():
            yield ""
            yield from section(pd.read_csv(file))


def _protocols(table: pd.DataFrame) -> Iterator[str]:
    yield "### Wang's table: printed, and here under both protocols"
    yield ""
    yield "Dice and mean IoU in percent, deviations over repeats where there are several."
    yield ""
    names = [f"{metric} {PROTOCOLS[p]}" for metric in ("Dice", "mIoU") for p in PROTOCOLS]
    yield f"| strategy | tuned parameters | {' | '.join(names)} |"
    yield "|---|---|" + "---|" * len(names)
    for strategy, part in table.groupby("strategy", sort=False):
        known = part.set_index(["protocol", "metric"])
        cells = [
            f"{100 * known.loc[key, 'mean']:.2f}{_deviation(known.loc[key, 'std'])}"
            if (key := (protocol, metric)) in known.index
            else ""
            for metric in ("dice", "miou")
            for protocol in PROTOCOLS
        ]
        tuned = int(part["tuned_parameters"].iloc[-1])  # this run's; the paper's come first
        yield f"| {strategy} | {tuned:,} | {' | '.join(cells)} |"
    yield ""
    yield from _agreement(table[table["metric"] == "dice"])


def _deviation(std: float) -> str:
    return "" if pd.isna(std) else f" ± {100 * std:.2f}"


def _agreement(dice: pd.DataFrame) -> Iterator[str]:
    """How the strategies rank beside the printed table."""
    means = dice.pivot(index="strategy", columns="protocol", values="mean")
    for protocol in ("as_published", "corrected"):
        both = means[["paper", protocol]].dropna() if protocol in means else means[:0]
        if len(both) > 2:
            value = both["paper"].corr(both[protocol], method="spearman")
            order = both[protocol].sort_values().index
            yield (
                f"- {PROTOCOLS[protocol]}: rank correlation with the printed Dice {value:.2f} over "
                f"{len(both)} strategies; worst {', '.join(order[:2])}; best {order[-1]}."
            )


def _gap(table: pd.DataFrame) -> Iterator[str]:
    yield "### The gap between the protocols, taken apart"
    yield ""
    yield "Points of Dice; each column changes one thing more."
    yield ""
    yield "| strategy | as published | " + " | ".join(list(STEPS.values())[1:]) + " | corrected |"
    yield "|---|---|" + "---|" * len(STEPS)
    for strategy, part in table[table["metric"] == "dice"].groupby("strategy", sort=False):
        known = part.set_index("step")
        changes = [
            f"{100 * known.loc[step, 'change']:+z.2f}" if step in known.index else ""
            for step in list(STEPS)[1:]
        ]
        ends = [
            f"{100 * known.loc[step, 'value']:.2f}" if step in known.index else ""
            for step in ("as_published", "corrected")
        ]
        yield f"| {strategy} | {ends[0]} | {' | '.join(changes)} | {ends[1]} |"


def _losses(table: pd.DataFrame) -> Iterator[str]:
    yield "### Training loss beside the authors' logs"
    yield ""
    yield "Mean loss of an epoch; inside: in the range of the logs widened by 0.03 on each side."
    yield ""
    yield "| strategy | repeat | epoch 1 | 3 | 5 | last | epochs 1 to 5 inside |"
    yield "|---|---|---|---|---|---|---|"
    for (strategy, repeat), part in table.groupby(["strategy", "repeat"], sort=False):
        known = part.set_index("epoch")
        cells = [
            f"{row.loss:.3f} ({row.lowest:.3f} to {row.highest:.3f})"
            for row in (known.loc[epoch] for epoch in (1, 3, 5, known.index.max()))
        ]
        inside = int(part[part["epoch"] <= 5]["inside"].sum())
        yield f"| {strategy} | {repeat} | {' | '.join(cells)} | {inside} of 5 |"


def _leakage(table: pd.DataFrame) -> Iterator[str]:
    yield "### What examinations in training and test add"
    yield ""
    yield "| test images | effect of | points of Dice | 95 % interval | examinations |"
    yield "|---|---|---|---|---|"
    for row in table[table["metric"] == "dice"].to_dict("records"):
        yield (
            f"| {row['images']} | {row['effect']} | {100 * row['difference']:+z.2f} "
            f"| {100 * row['lower']:+z.2f} to {100 * row['upper']:+z.2f} "
            f"| {row['examinations']} |"
        )


def _networks(table: pd.DataFrame) -> Iterator[str]:
    yield "### Networks side by side"
    yield ""
    yield "| data set | images used | network | strategy | tuned parameters | Dice | minutes |"
    yield "|---|---|---|---|---|---|---|"
    for row in table.to_dict("records"):
        std = "" if pd.isna(row["dice_std"]) else f" ± {row['dice_std']:.3f}"
        yield (
            f"| {row['dataset']} | {format_percent(row['fraction'])} | {row['network']} "
            f"| {row['strategy']} | {row['tuned_parameters']:,} | {row['dice_mean']:.3f}{std} "
            f"| {row['minutes_mean']:.1f} |"
        )
