"""The rounds of a race in a study: what trains next, from the runs so far (docs/racing.md).

Each round writes a file. It depends only on the records and predictions of finished runs,
so a race that was interrupted takes the same course when it resumes.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sonotune.data.dataset import load_set
from sonotune.evaluation.metrics import THRESHOLD, overlap
from sonotune.evaluation.scores import load_predictions
from sonotune.evaluation.tables import read_table, save_csv
from sonotune.layout import RECORD, Cell
from sonotune.runtime.files import read_json, write_json
from sonotune.runtime.run_record import check_output, read_record, short_seal
from sonotune.statistics.planning import typical_run_sd
from sonotune.statistics.race import KEPT, WORTH, next_round, standing

# Why a race ended, for people.
ENDS = {
    "margin": "the leading strategy is expected to be behind the best by less than the margin",
    "settled": "no other strategy is likely to turn out better",
    "budget": "the budget does not allow another round",
    "rounds": "all folds and seeds were used",
    "failed": "every strategy had a run that failed or collapsed",
}
COLUMNS = (
    *("dataset", "fraction", "round", "fold", "seed", "strategy", "dice", "gap", "gain"),
    *("continues", "why", "regret", "effort_share", "ended"),
)


def decide_round(
    settings: Mapping[str, Any],
    rounds: Sequence[Mapping[str, Any]],
    runs: Mapping[tuple[int, str], Mapping[str, Any]],
) -> dict[str, Any]:
    """Judge the runs of all rounds so far.

    Parameters
    ----------
    settings
        Of `sonotune.config.jobs.race_settings`.
    rounds
        Fold, seed and strategies of each round that was trained.
    runs
        By number of the round, from 0, and strategy: ``dice``, mean over the test images;
        ``epochs``; ``failed``; ``clean``, whether it neither failed nor collapsed.

    Returns
    -------
    dict
        ``next``: the strategies of the next round, none at the end; ``ended``: why it is the end (a
        key of `ENDS`), or None; ``leader``; ``regret``, how far it is expected to be behind the
        best; ``effort_share`` spent, of the full grid's; ``standing``: for each strategy of the
        last round its Dice in it, how far its expected mean is behind the leader's, its expected
        gain over the leader, whether it continues, and why.
    """
    names = settings["strategies"]
    scores = np.full((1, len(rounds), len(names)), np.nan)
    efforts = np.full(scores.shape[1:], np.nan)
    clean = np.ones(len(names), bool)
    for (number, strategy), run in runs.items():
        index = names.index(strategy)
        scores[0, number, index] = np.nan if run["failed"] else run["dice"]
        efforts[number, index] = run["epochs"] * settings["efforts"][index]
        clean[index] &= run["clean"]
    costs = np.nanmean(efforts, 0)
    folds = len({fold for fold, _ in settings["rounds"]})
    grid, spent = folds * costs.sum(), np.nansum(efforts)
    share = 1.0 if settings["budget"] == "grid" else settings["budget"]
    told: dict[str, Any] = {"next": [], "leader": None, "regret": None}
    told["effort_share"] = float(spent / grid)
    if not clean.any():
        nothing = dict.fromkeys(("dice", "gap", "gain")) | {"continues": False}
        left_out = [
            {"strategy": name, **nothing, "why": "failed or collapsed"}
            for name in rounds[-1]["strategies"]
        ]
        return told | {"ended": "failed", "standing": left_out}
    now = standing(scores, clean[None], typical_run_sd(settings["fraction"]))
    leader, regret, gains = int(now.leader[0]), float(now.regret[0]), now.gain[0]
    trained = np.array([len(rounds[-1]["strategies"])])
    affordable, unlimited = (
        next_round(now, trained, costs[None], np.array([money]), settings["margin"])[0]
        for money in (share * grid - spent, np.inf)
    )
    ended = None
    if settings["budget"] != "grid" and regret < settings["margin"]:
        ended = "margin"
    elif len(rounds) == len(settings["rounds"]):
        ended = "rounds"
    elif not affordable.any():
        ended = "budget" if unlimited.any() else "settled"
    training = affordable & (ended is None)
    rows = []
    for name in rounds[-1]["strategies"]:
        index = names.index(name)
        if training[index]:
            why = "leads" if index == leader else "may still turn out better"
        elif not clean[index]:
            why = "failed or collapsed"
        elif ended:
            why = "the race ended"
        elif gains[index] < WORTH * settings["margin"]:
            why = f"expected gain below {WORTH:g} times the margin"
        elif unlimited[index]:
            why = "over the budget"
        else:
            why = f"at most a share of {KEPT:g} of a round's strategies continues"
        dice, gain = scores[0, len(rounds) - 1, index], gains[index]
        rows.append(
            {
                "strategy": name,
                "dice": float(dice) if np.isfinite(dice) else None,
                "gap": float(now.means[0, leader] - now.means[0, index]),
                "gain": float(gain) if np.isfinite(gain) else None,
                "continues": bool(training[index]),
                "why": why,
            }
        )
    return told | {
        "next": [names[index] for index in np.flatnonzero(training)],
        "ended": ended,
        "leader": names[leader],
        "regret": regret,
        "standing": rows,
    }


def write_round(
    settings: Mapping[str, Any],
    arrays: str | Path,
    cells: Iterable[str | Path],
    earlier: str | Path | None,
    path: str | Path,
) -> None:
    """Write what a round of a race decides.

    Parameters
    ----------
    settings
        Settings of the race.
    arrays
        Folder of the prepared data set.
    cells
        Folders of all cells that the race has trained so far.
    earlier
        What the round before wrote, or None for the first.
    path
        The JSON to write: ``settings``; ``cells``, with the seal of each one's record; and
        ``rounds``, each with fold, seed, strategies and what `decide_round` says. The last one
        is the next round and has no more than these three, unless the race has ended.
    """
    fold, seed = settings["rounds"][0]
    first = {"fold": fold, "seed": seed, "strategies": list(settings["strategies"])}
    rounds = read_json(earlier)["rounds"] if earlier else [first]
    records = {Cell.of(folder): read_record(Path(folder) / RECORD) for folder in cells}
    if "ended" not in rounds[-1]:
        round_of = {(entry["fold"], entry["seed"]): number for number, entry in enumerate(rounds)}
        masks = load_set(arrays).masks
        runs = {
            (round_of[cell.fold, cell.seed], cell.strategy): _run(Path(folder), record, masks)
            for (cell, record), folder in zip(records.items(), cells, strict=True)
        }
        decision = decide_round(settings, rounds, runs)
        rounds[-1] |= {key: value for key, value in decision.items() if key != "next"}
        if decision["next"]:
            fold, seed = settings["rounds"][len(rounds)]
            rounds.append({"fold": fold, "seed": seed, "strategies": decision["next"]})
    seals = {cell.folder: short_seal(record) for cell, record in records.items()}
    write_json(path, {"settings": dict(settings), "cells": seals, "rounds": rounds})


def _run(folder: Path, record: Mapping[str, Any], masks: np.ndarray) -> dict[str, Any]:
    check_output(folder / "predictions.npz", record)
    rows, probabilities = load_predictions(folder / "predictions.npz")
    dice = overlap(probabilities >= THRESHOLD, masks[rows] > 0)["dice"]
    return {
        "dice": float(dice.mean()),
        "epochs": record["epochs"],
        "failed": record["failed"],
        "clean": not (record["failed"] or record["collapsed"]),
    }


def write_race(rounds: Iterable[str | Path], path: str | Path) -> None:
    """Write one row per round and strategy of every race of a study.

    Parameters
    ----------
    rounds
        What the last round of each wrote (`write_round`).
    path
        The CSV, with the columns `COLUMNS`.
    """
    rows = []
    for file in rounds:
        content = read_json(file)
        where = {key: content["settings"][key] for key in ("dataset", "fraction")}
        for number, entry in enumerate(content["rounds"], 1):
            shared = {
                key: entry[key] for key in ("fold", "seed", "regret", "effort_share", "ended")
            }
            rows += [where | {"round": number} | shared | row for row in entry["standing"]]
    save_csv(pd.DataFrame(rows, columns=list(COLUMNS)), path, digits=6)


def race_sentences(path: str | Path) -> dict[tuple[str, float], str]:
    """What happened in each race, by data set and fraction, from the CSV of `write_race`.

    Parameters
    ----------
    path
        CSV of `write_race`.
    """
    told = {}
    for (dataset, fraction), part in read_table(path).groupby(["dataset", "fraction"], sort=False):
        last = part[part["round"] == part["round"].max()].iloc[0]
        runs = part.groupby("round").size()
        told[str(dataset), float(fraction)] = (
            f"A race of {len(runs)} rounds trained {', '.join(map(str, runs))} strategies, with "
            f"{last['effort_share']:.0%} of the full grid's cost. It ended because "
            f"{ENDS[last['ended']]}. Strategies that were dropped have fewer runs; all "
            "comparisons take into account in which folds a strategy was trained."
        )
    return told
