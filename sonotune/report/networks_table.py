"""The networks of a study side by side: which part of each is the better one to tune?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from sonotune.evaluation.averages import is_left_out, read_cells
from sonotune.layout import format_percent
from sonotune.report.layout import DASH, Cell, Head, HeadRow, Row, Table, short_count
from sonotune.report.names import dataset_title, source_notes
from sonotune.report.shown import Shown
from sonotune.statistics.decision import TEXT

LEVEL = 0.05
KEY = ["dataset", "fraction", "network", "strategy"]
COLUMNS = (
    "dataset",
    "source",
    "fraction",
    "network",
    "strategy",
    "network_parameters",
    "tuned_parameters",
    "n",
    "folds",
    "dice_mean",
    "dice_std",
    "minutes_mean",
)


def table(
    cells: str | Path,
    comparisons: str | Path,
    shown: Shown,
    network_titles: Mapping[str, str],
    pairs: Sequence[tuple[str, str]],
) -> tuple[pd.DataFrame, Table]:
    """Every network's strategies, and what tuning one side or the other makes of it.

    Parameters
    ----------
    cells, comparisons
        ``cells.csv`` of a study, and the comparisons of its strategies.
    shown
        Strategies and data sets to show, with their titles.
    network_titles
        By strategy, the title of its network.
    pairs
        Strategies to compare; those of two networks are left out.

    Returns
    -------
    DataFrame, Table
        `COLUMNS`, one row per (data set, fraction, strategy).
    """
    networks = network_titles
    strategies, datasets = shown.strategies, shown.datasets
    runs = shown.select(read_cells(cells))
    runs = runs[(runs["fraction"] > 0) & ~is_left_out(runs, shown.exclude_runs)]
    runs = runs.assign(network=runs["strategy"].map(networks))
    averages = _averages(runs, list(strategies), shown.ddof)
    contrasts = pd.read_csv(comparisons, dtype=TEXT, keep_default_na=False, na_values=[""])
    sides = [pair for pair in pairs if networks.get(pair[0]) == networks.get(pair[1])]
    notes = [
        *_sides(contrasts, sides, networks, strategies, datasets),
        *_best(averages, contrasts, strategies, datasets),
    ]
    return averages, _describe(averages, strategies, datasets, notes)


def _averages(runs: pd.DataFrame, order: list[str], ddof: int) -> pd.DataFrame:
    rows = []
    for (dataset, fraction, network, strategy), part in runs.groupby(KEY, sort=False):
        rows.append(
            {
                "dataset": dataset,
                "source": part["source"].iloc[0],
                "fraction": fraction,
                "network": network,
                "strategy": strategy,
                "network_parameters": part["total_parameters"].iloc[0],
                "tuned_parameters": part["tuned_parameters"].iloc[0],
                "n": len(part),
                "folds": part["fold"].nunique(),
                "dice_mean": part["dice"].mean(),
                "dice_std": part["dice"].std(ddof=ddof),
                "minutes_mean": part["seconds"].mean() / 60,
            }
        )
    table = pd.DataFrame(rows, columns=COLUMNS)
    first = {name: number for number, name in enumerate(dict.fromkeys(table["dataset"]))}
    # A network stands where the first of its strategies does.
    of_network = table.groupby("network")["strategy"].agg(
        lambda names: min(map(order.index, names))
    )
    keys = pd.DataFrame(
        {
            "dataset": table["dataset"].map(first),
            "fraction": -table["fraction"],
            "network": table["network"].map(of_network),
            "strategy": table["strategy"].map(order.index),
        }
    )
    return table.loc[keys.sort_values(list(keys)).index].reset_index(drop=True)


def _describe(
    table: pd.DataFrame,
    strategies: Mapping[str, str],
    datasets: Mapping[str, str],
    notes: Sequence[str],
) -> Table:
    sources = table.groupby("dataset")["source"].first().to_dict()
    present = [name for name in datasets if name in sources]
    places = table[["dataset", "fraction"]].drop_duplicates().itertuples(index=False)
    columns = [(dataset, float(fraction)) for dataset, fraction in places]
    known = table.set_index(["strategy", "dataset", "fraction"])
    body = []
    for (network, strategy), part in table.groupby(["network", "strategy"], sort=False):
        row = [Cell(short_count(part["tuned_parameters"].iloc[0]))]
        for place in columns:
            if (strategy, *place) not in known.index:
                row.append(Cell(DASH, hover="no run that counts"))
                continue
            run = known.loc[(strategy, *place)]
            below = "" if np.isnan(run["dice_std"]) else f"({run['dice_std']:.3f})"
            row.append(Cell(f"{run['dice_mean']:.3f}", below))
        title = f"{network}, {short_count(part['network_parameters'].iloc[0])} parameters"
        body.append(Row((title, strategies[strategy]), tuple(row)))
    titles = [
        f"{dataset_title(dataset, datasets, sources)}, {format_percent(fraction)}"
        for dataset, fraction in columns
    ]
    head = (HeadRow(("Network", "Strategy"), tuple(map(Head, ("Tuned", *titles)))),)
    explained = (
        "Dice: mean over runs (standard deviation in parentheses). All networks are trained and "
        "tested on the same images; differences and p values are adjusted for all pairs of "
        "strategies of a data set and fraction.",
        *source_notes(present, datasets, sources),
    )
    caption = "Networks side by side: Dice by tuned part."
    return Table("networks", caption, head, tuple(body), (*notes, *explained))


def _sides(
    contrasts: pd.DataFrame,
    pairs: Sequence[tuple[str, str]],
    networks: Mapping[str, str],
    strategies: Mapping[str, str],
    datasets: Mapping[str, str],
) -> list[str]:
    """A sentence a network, data set and fraction."""
    found = []
    for first, second in pairs:
        for dataset, fraction, difference in _places(contrasts, first, second):
            found.append(
                f"{networks[first]}, {datasets.get(dataset, dataset)} at "
                f"{format_percent(fraction)}: "
                + _in_words(difference, strategies[first], strategies[second])
            )
    return found


def _best(
    table: pd.DataFrame,
    contrasts: pd.DataFrame,
    strategies: Mapping[str, str],
    datasets: Mapping[str, str],
) -> list[str]:
    """The best strategies of the two best networks of each data set and fraction."""
    found = []
    for (dataset, fraction), part in table.groupby(["dataset", "fraction"], sort=False):
        best = part.loc[part.groupby("network")["dice_mean"].idxmax()]
        best = best.sort_values("dice_mean", ascending=False)
        if len(best) < 2:
            continue
        one, two = best["strategy"].iloc[:2]
        for _, where, difference in (
            place for place in _places(contrasts, one, two) if place[:2] == (dataset, fraction)
        ):
            found.append(
                f"The best of each network, {datasets.get(dataset, dataset)} at "
                f"{format_percent(where)}: "
                + _in_words(difference, strategies[one], strategies[two])
            )
    return found


def _places(
    contrasts: pd.DataFrame, first: str, second: str
) -> list[tuple[str, float, tuple[float, float, float, float]]]:
    """Data sets and fractions of a contrast, with difference, interval and p value."""
    places = []
    for sign, one, two in ((1, first, second), (-1, second, first)):
        rows = contrasts[(contrasts["first"] == one) & (contrasts["second"] == two)]
        for row in rows.to_dict("records"):
            ends = sorted((sign * row["lower"], sign * row["upper"]))
            difference = (sign * row["difference"], ends[0], ends[1], row["p"])
            places.append((str(row["dataset"]), float(row["fraction"]), difference))
    return places


def _in_words(difference: tuple[float, float, float, float], first: str, second: str) -> str:
    value, lower, upper, p = difference
    if np.isnan(p):
        return f"{first} minus {second}: Dice {value:+.3f}; too few runs for a test."
    if p >= LEVEL:
        says = "no significant difference"
    else:
        says = f"{first if value > 0 else second} is better"
    words = "p < .001" if p < 0.001 else f"p = {p:.3f}"
    interval = f"95% interval {lower:+.3f} to {upper:+.3f}"
    return f"{says} ({first} minus {second}: Dice {value:+.3f}, {interval}, {words})."
