"""The networks of a study side by side: which part of each is the better one to tune?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sonotune.evaluation.tables import read_table
from sonotune.layout import format_percent
from sonotune.report.display_options import DisplayOptions, sources_of
from sonotune.report.tables import DASH, Entry, Row, Table, mean_entry, one_head, short_count

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
    means = _by_network(display.averages(averages), network_titles)
    contrasts = read_table(comparisons)
    notes = [
        *_sides(contrasts, pairs, network_titles, display),
        *_best(means, contrasts, display),
    ]
    datasets, source_notes = display.name_datasets(sources_of(means))
    conditions = means[["dataset", "fraction"]].drop_duplicates().itertuples(index=False)
    columns = [(dataset, float(fraction)) for dataset, fraction in conditions]
    known = means.set_index(["strategy", "dataset", "fraction"])
    body = []
    for (network, strategy), part in means.groupby(["network", "strategy"], sort=False):
        row = [Entry(short_count(part["tuned_parameters"].iloc[0]))]
        for condition in columns:
            if (strategy, *condition) not in known.index:
                row.append(Entry(DASH, hover="no run that counts"))
                continue
            run = known.loc[(strategy, *condition)]
            row.append(mean_entry(run["dice_mean"], run["dice_std"]))
        title = f"{network}, {short_count(part['network_parameters'].iloc[0])} parameters"
        body.append(Row((title, display.strategies[strategy]), tuple(row)))
    titles = [f"{datasets[dataset]}, {format_percent(fraction)}" for dataset, fraction in columns]
    explained = (
        "Dice: mean over runs (standard deviation in parentheses). All networks are trained and "
        "tested on the same images; differences and p values are adjusted for all pairs of "
        "strategies of a data set and fraction."
    )
    return means, Table(
        "networks",
        "Networks side by side: Dice by tuned part.",
        one_head(("Network", "Strategy"), ("Tuned", *titles)),
        tuple(body),
        (*notes, explained, *source_notes),
    )


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


def _sides(
    contrasts: pd.DataFrame,
    pairs: Sequence[tuple[str, str]],
    networks: Mapping[str, str],
    display: DisplayOptions,
) -> Iterator[str]:
    """A sentence for each pair of one network, data set and fraction."""
    for first, second in pairs:
        if networks.get(first) == networks.get(second):
            for contrast in _contrasts(contrasts, first, second):
                yield f"{networks[first]}, {_in_words(contrast, first, second, display)}"


def _best(table: pd.DataFrame, contrasts: pd.DataFrame, display: DisplayOptions) -> Iterator[str]:
    """The best strategies of the two best networks of each data set and fraction."""
    for (dataset, fraction), part in table.groupby(["dataset", "fraction"], sort=False):
        best = part.loc[part.groupby("network")["dice_mean"].idxmax()]
        best = best.sort_values("dice_mean", ascending=False)
        if len(best) < 2:
            continue
        first, second = best["strategy"].iloc[:2]
        here = (contrasts["dataset"] == dataset) & (contrasts["fraction"] == fraction)
        for contrast in _contrasts(contrasts[here], first, second):
            yield f"The best of each network, {_in_words(contrast, first, second, display)}"


def _contrasts(contrasts: pd.DataFrame, first: str, second: str) -> list[dict[str, Any]]:
    """Rows about a pair, whichever way round the table has them, as first minus second."""
    as_is = contrasts[(contrasts["first"] == first) & (contrasts["second"] == second)]
    turned = contrasts[(contrasts["first"] == second) & (contrasts["second"] == first)]
    turned = turned.assign(
        difference=-turned["difference"], lower=-turned["upper"], upper=-turned["lower"]
    )
    return [*as_is.to_dict("records"), *turned.to_dict("records")]


def _in_words(
    contrast: Mapping[str, Any], first_name: str, second_name: str, display: DisplayOptions
) -> str:
    """Where a difference was measured, and what it shows."""
    dataset, value, p = contrast["dataset"], contrast["difference"], contrast["p"]
    first, second = display.strategies[first_name], display.strategies[second_name]
    where = f"{display.datasets.get(dataset, dataset)} at {format_percent(contrast['fraction'])}"
    if np.isnan(p):
        return f"{where}: {first} minus {second}: Dice {value:+.3f}; too few runs for a test."
    if p >= LEVEL:
        says = "no significant difference"
    else:
        says = f"{first if value > 0 else second} is better"
    words = "p < .001" if p < 0.001 else f"p = {p:.3f}"
    interval = f"95% interval {contrast['lower']:+.3f} to {contrast['upper']:+.3f}"
    return f"{where}: {says} ({first} minus {second}: Dice {value:+.3f}, {interval}, {words})."
