"""The networks of a study side by side: which part of each is the better one to tune?"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sonotune.evaluation.tables import read_table
from sonotune.layout import format_percent
from sonotune.report.display_options import DisplayOptions, either_way, sources_of
from sonotune.report.tables import NO_RUN, Entry, Row, Table, head_row, mean_entry, short_count

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
    datasets, source_notes = display.name_datasets(sources_of(means))
    conditions = list(dict.fromkeys(zip(means["dataset"], means["fraction"], strict=True)))
    known = means.set_index(["strategy", "dataset", "fraction"]).to_dict("index")
    body = []
    for (network, strategy), part in means.groupby(["network", "strategy"], sort=False):
        entries = [Entry(short_count(part["tuned_parameters"].iloc[0]))]
        for condition in conditions:
            run = known.get((strategy, *condition))
            entries.append(mean_entry(run["dice_mean"], run["dice_std"]) if run else NO_RUN)
        title = f"{network}, {short_count(part['network_parameters'].iloc[0])} parameters"
        body.append(Row((title, display.strategies[strategy]), entries))
    titles = [f"{datasets[dataset]}, {format_percent(share)}" for dataset, share in conditions]
    return means, Table(
        "Networks side by side: Dice by tuned part.",
        [head_row(("Network", "Strategy"), ("Tuned", *titles))],
        body,
        (
            *_statements(means, either_way(read_table(comparisons)), pairs, display),
            "Dice: mean over runs (standard deviation in parentheses). All networks are trained "
            "and tested on the same images; differences and p values are adjusted for all pairs of "
            "strategies of a data set and fraction.",
            *source_notes,
        ),
    )


def _by_network(averages: pd.DataFrame, networks: Mapping[str, str]) -> pd.DataFrame:
    """`COLUMNS` of what was trained; a network stands where the first of its strategies does."""
    table = averages[(averages["fraction"] > 0) & (averages["n"] > 0)]
    table = table.assign(
        network=table["strategy"].map(networks),
        network_parameters=table["total_parameters"],
        minutes_mean=table["seconds_mean"] / 60,
    )
    condition = table.groupby(["dataset", "fraction"], sort=False).ngroup()
    order = table["network"].map(list(dict.fromkeys(networks.values())).index)
    rows = table.assign(condition=condition, order=order)
    rows = rows.sort_values(["condition", "order"], kind="stable")
    return rows[list(COLUMNS)].reset_index(drop=True)


def _statements(
    means: pd.DataFrame,
    contrasts: pd.DataFrame,
    pairs: Sequence[tuple[str, str]],
    display: DisplayOptions,
) -> Iterator[str]:
    """What each pair of one network shows, and then the best of the two best networks."""
    networks = means.set_index("strategy")["network"].to_dict()
    for first, second in pairs:
        if networks.get(first) == networks.get(second):
            for contrast in _between(contrasts, first, second):
                yield f"{networks[first]}, {_in_words(contrast, display)}"
    for (dataset, fraction), part in means.groupby(["dataset", "fraction"], sort=False):
        best = part.loc[part.groupby("network")["dice_mean"].idxmax()]
        names = best.sort_values("dice_mean", ascending=False)["strategy"].tolist()
        here = (contrasts["dataset"] == dataset) & (contrasts["fraction"] == fraction)
        for contrast in _between(contrasts[here], *names[:2]) if len(names) > 1 else ():
            yield f"The best of each network, {_in_words(contrast, display)}"


def _between(contrasts: pd.DataFrame, first: str, second: str) -> list[dict[Any, Any]]:
    return [*contrasts.query("first == @first and second == @second").to_dict("records")]


def _in_words(contrast: Mapping[str, Any], display: DisplayOptions) -> str:
    """Where a difference was measured, and what it shows."""
    dataset, value, p = contrast["dataset"], contrast["difference"], contrast["p"]
    first, second = display.strategies[contrast["first"]], display.strategies[contrast["second"]]
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
