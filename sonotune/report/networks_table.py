"""The networks of a study side by side: which part of each is the better one to tune?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from sonotune.evaluation.tables import read_table
from sonotune.layout import format_percent
from sonotune.report.display_options import DisplayOptions, sources_of
from sonotune.report.names import dataset_title, source_notes
from sonotune.report.tables import DASH, Entry, Head, HeadRow, Row, Table, mean_entry, short_count

LEVEL = 0.05
COLUMNS = (
    *("dataset", "source", "fraction", "network", "strategy", "network_parameters"),
    *("tuned_parameters", "n", "folds", "dice_mean", "dice_std", "minutes_mean"),
)


def table(
    averages: str | Path,
    comparisons: str | Path,
    display: DisplayOptions,
    network_titles: Mapping[str, str],
    pairs: Sequence[tuple[str, str]],
) -> tuple[pd.DataFrame, Table]:
    """Every network's strategies, and what tuning one side or the other makes of it.

    Parameters
    ----------
    averages, comparisons
        ``averages.csv`` of a study, and the comparisons of its strategies.
    display
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
    strategies, datasets = display.strategies, display.datasets
    means = _by_network(display.averages(averages), networks)
    contrasts = read_table(comparisons)
    sides = [pair for pair in pairs if networks.get(pair[0]) == networks.get(pair[1])]
    notes = [
        *_sides(contrasts, sides, networks, strategies, datasets),
        *_best(means, contrasts, strategies, datasets),
    ]
    return means, _describe(means, strategies, datasets, notes)


def _by_network(averages: pd.DataFrame, networks: Mapping[str, str]) -> pd.DataFrame:
    """`COLUMNS` of what was trained; a network stands where the first of its strategies does."""
    table = averages[(averages["fraction"] > 0) & (averages["n"] > 0)]
    table = table.assign(
        network=table["strategy"].map(networks),
        network_parameters=table["total_parameters"],
        minutes_mean=table["seconds_mean"] / 60,
    )
    order = {network: number for number, network in enumerate(dict.fromkeys(networks.values()))}
    condition = table.groupby(["dataset", "fraction"], sort=False).ngroup()
    keys = pd.DataFrame({"condition": condition, "network": table["network"].map(order)})
    rows = keys.sort_values(["condition", "network"], kind="stable").index
    return table.loc[rows, list(COLUMNS)].reset_index(drop=True)


def _describe(
    table: pd.DataFrame,
    strategies: Mapping[str, str],
    datasets: Mapping[str, str],
    notes: Sequence[str],
) -> Table:
    sources = sources_of(table)
    present = [name for name in datasets if name in sources]
    conditions = table[["dataset", "fraction"]].drop_duplicates().itertuples(index=False)
    columns = [(dataset, float(fraction)) for dataset, fraction in conditions]
    known = table.set_index(["strategy", "dataset", "fraction"])
    body = []
    for (network, strategy), part in table.groupby(["network", "strategy"], sort=False):
        row = [Entry(short_count(part["tuned_parameters"].iloc[0]))]
        for condition in columns:
            if (strategy, *condition) not in known.index:
                row.append(Entry(DASH, hover="no run that counts"))
                continue
            run = known.loc[(strategy, *condition)]
            row.append(mean_entry(run["dice_mean"], run["dice_std"]))
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
    sentences = []
    for first, second in pairs:
        for dataset, fraction, difference in _conditions(contrasts, first, second):
            sentences.append(
                f"{networks[first]}, {datasets.get(dataset, dataset)} at "
                f"{format_percent(fraction)}: "
                + _in_words(difference, strategies[first], strategies[second])
            )
    return sentences


def _best(
    table: pd.DataFrame,
    contrasts: pd.DataFrame,
    strategies: Mapping[str, str],
    datasets: Mapping[str, str],
) -> list[str]:
    """The best strategies of the two best networks of each data set and fraction."""
    sentences = []
    for (dataset, fraction), part in table.groupby(["dataset", "fraction"], sort=False):
        best = part.loc[part.groupby("network")["dice_mean"].idxmax()]
        best = best.sort_values("dice_mean", ascending=False)
        if len(best) < 2:
            continue
        first_name, second_name = best["strategy"].iloc[:2]
        for _, where, difference in (
            condition
            for condition in _conditions(contrasts, first_name, second_name)
            if condition[:2] == (dataset, fraction)
        ):
            sentences.append(
                f"The best of each network, {datasets.get(dataset, dataset)} at "
                f"{format_percent(where)}: "
                + _in_words(difference, strategies[first_name], strategies[second_name])
            )
    return sentences


def _conditions(
    contrasts: pd.DataFrame, first: str, second: str
) -> list[tuple[str, float, tuple[float, float, float, float]]]:
    """Data sets and fractions of a contrast, with difference, interval and p value."""
    conditions = []
    for sign, better, worse in ((1, first, second), (-1, second, first)):
        rows = contrasts[(contrasts["first"] == better) & (contrasts["second"] == worse)]
        for row in rows.to_dict("records"):
            ends = sorted((sign * row["lower"], sign * row["upper"]))
            difference = (sign * row["difference"], ends[0], ends[1], row["p"])
            conditions.append((str(row["dataset"]), float(row["fraction"]), difference))
    return conditions


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
