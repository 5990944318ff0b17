"""Names of data sets in tables and figures, and notes on substitutes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the workflow reads this module without pandas
    import pandas as pd


def time_text(seconds: float) -> str:
    """Seconds, or minutes from one minute on.

    Parameters
    ----------
    seconds
        Seconds, at least 0.
    """
    return f"{seconds / 60:.1f} min" if seconds >= 60 else f"{seconds:.0f} s"


def in_words(parts: Sequence[str]) -> str:
    """Join as in a sentence: a, b and c.

    Parameters
    ----------
    parts
        Words or phrases.
    """
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def mixture_notes(runs: pd.DataFrame) -> list[str]:
    """One sentence for each of precision, device, torch and numpy that trainings do not share.

    Parameters
    ----------
    runs
        Rows of ``cells.csv``. New versions of packages make no cell stale, so an average may rest
        on several.
    """
    trained = runs[runs["fraction"] > 0]
    notes = []
    for column in ("precision", "device", "torch", "numpy"):
        if column not in trained:
            continue
        counts = trained[column].astype("string").value_counts(sort=False).sort_index()
        if len(counts) > 1:
            parts = [f"{value} ({number} runs)" for value, number in counts.items()]
            notes.append(
                f"The trainings did not all share one {column}: {in_words(parts)}; column "
                f"{column} of cells.csv says which."
            )
    return notes


def stage_title(stage: str) -> str:
    """Name of a stage for readers: ``block5a`` is block 5a.

    Parameters
    ----------
    stage
        Name of the stage.
    """
    return re.sub(r"(?<=[a-z])(?=\d)", " ", stage, count=1)


# Data sets of Amiri 2020, by their names in its tables.
PAPER_DATASETS = ("sus", "bus", "fus", "xray")

# The papers' own data sets, by their names in the papers: entries of the catalogue.
ORIGINALS = {"bus": ("bus_b",), "fus": ("hc18",), "xray": ("scr", "jsrt")}


def stands_in(name: str, sources: Mapping[str, str]) -> bool:
    """Whether a name of the papers is used for other images.

    Parameters
    ----------
    name
        Name of a data set.
    sources
        What stands behind each data set, by name.
    """
    return bool(sources.get(name)) and sources[name] not in (name, *ORIGINALS.get(name, ()))


def dataset_title(name: str, datasets: Mapping[str, str], sources: Mapping[str, str]) -> str:
    """Title of a data set, marked with an asterisk if another one stands in for it.

    Parameters
    ----------
    name
        Name of a data set.
    datasets
        Titles of the data sets, by name.
    sources
        What stands behind each data set, by name.
    """
    title = datasets.get(name, name)
    return f"{title}*" if stands_in(name, sources) else title


def source_notes(
    present: Sequence[str], datasets: Mapping[str, str], sources: Mapping[str, str]
) -> list[str]:
    """A sentence on substitute data sets, or nothing.

    Parameters
    ----------
    present
        Names of the data sets that are shown.
    datasets
        Titles of the data sets, by name.
    sources
        What stands behind each data set, by name.
    """
    names_by_source: dict[str, list[str]] = {}
    for name in present:
        if stands_in(name, sources):
            names_by_source.setdefault(sources[name], []).append(datasets.get(name, name))
    parts = [
        f"{in_words(titles)} {'is' if len(titles) == 1 else 'are'} {source}"
        for source, titles in names_by_source.items()
    ]
    return [f"* Another data set replaces the original: {in_words(parts)}."] if parts else []
