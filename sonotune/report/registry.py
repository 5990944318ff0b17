"""Every figure and table of a study, from ``views.yaml``: functions, words and what they need.

The workflow reads this module while it is parsed, so functions are named and not imported. A
function gets each file that its entry ``needs`` and each of its ``settings`` as an argument of that
name (`sonotune.studies` says what they are); those of `DISPLAY_SETTINGS` come as one
`sonotune.report.display_options.DisplayOptions`. A figure's function returns a Matplotlib figure, a
table's function the data for its CSV and a `sonotune.report.tables.Table`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from sonotune.report.names import PAPER_DATASETS

if TYPE_CHECKING:
    from sonotune.studies.base import BaseStudy

# Settings that a function gets as one `DisplayOptions`.
DISPLAY_SETTINGS = ("strategies", "datasets", "exclude_runs", "ddof")


def _compares_pairs(study: BaseStudy) -> bool:
    """Lines of pairs over fractions: with one fraction or no pair there is nothing to draw."""
    pairs = study.design["figures"]["pairs"]
    return len(study.design["fractions"]) > 1 and any(
        set(pair) <= set(study.strategies) for pair in pairs
    )


# Conditions on a study, by the names that the file gives them.
CONDITIONS: dict[str, Callable[[BaseStudy], bool]] = {
    "compares_pairs": _compares_pairs,
    "has_features": lambda study: study.has_features,
    "has_leakage": lambda study: "leakage" in study.design.get("protocols", {}),
    "has_protocols": lambda study: "protocols" in study.design,
    "is_of_the_paper": lambda study: bool(set(study.datasets) & set(PAPER_DATASETS)),
    # Ranks over one data set are its order of means and allow no test.
    "several_datasets": lambda study: len(study.datasets) > 1,
    "several_fractions": lambda study: len(study.design["fractions"]) > 1,
    "several_networks": lambda study: len(set(study.network_titles.values())) > 1,
}


@dataclass(frozen=True)
class View:
    """A figure or a table.

    Attributes
    ----------
    function
        ``module:function``, below ``sonotune.report``.
    title, caption, section
        In the report: the entry's name, the text beside it and where it stands.
    needs, settings
        Names of files and settings of a study, which are the function's arguments.
    strategies
        Those that are shown, in this order, if not all. A study without one of them has no such
        figure.
    data
        Patterns of files below ``sonotune/report`` that the function reads; their content counts.
    builds_networks
        Whether the function builds the study's networks, so that their code counts.
    when
        Which studies have it, one of `CONDITIONS`; by default all.
    """

    function: str
    title: str
    caption: str
    section: str
    needs: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    strategies: tuple[str, ...] = ()
    data: tuple[str, ...] = ()
    builds_networks: bool = False
    when: str = ""

    @property
    def module(self) -> str:
        """The module of the function."""
        return f"sonotune.report.{self.function.partition(':')[0]}"

    def is_of(self, study: BaseStudy) -> bool:
        """Whether a study has it.

        Parameters
        ----------
        study
            The study.
        """
        has_all = set(self.strategies) <= set(study.strategies)
        return has_all and (not self.when or CONDITIONS[self.when](study))


def _read(kind: str) -> dict[str, View]:
    entries = _FILE[kind]
    for entry in entries.values():
        entry |= {key: tuple(value) for key, value in entry.items() if isinstance(value, list)}
        if legend := entry.pop("legend", ""):  # what several captions end with
            entry["caption"] += f" {legend}"
    return {name: View(**entry) for name, entry in entries.items()}


# A fraction of the time that yaml.safe_load takes, where libyaml is there.
_FILE = yaml.load(
    Path(__file__).with_name("views.yaml").read_text("utf-8"),
    Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader),  # noqa: S506 - both are safe
)
FIGURES, TABLES = _read("figures"), _read("tables")
VIEWS = {"figure": FIGURES, "table": TABLES}
