"""What the tables and figures of a study have in common: what they show, and which runs count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from sonotune.evaluation.averages import CONDITION, ExcludeRuns
from sonotune.evaluation.tables import read_table
from sonotune.report.names import dataset_title, source_notes
from sonotune.report.palette import style_of


def sources_of(runs: pd.DataFrame) -> dict[str, str]:
    """By data set, the images that stand behind its name, from columns dataset and source.

    Parameters
    ----------
    runs
        Rows of ``cells.csv``, or averages of them. A data set without a source has an empty text.
    """
    first: dict[str, str] = runs.groupby("dataset")["source"].first().fillna("").to_dict()
    return first


def either_way(comparisons: pd.DataFrame) -> pd.DataFrame:
    """Comparisons of pairs, and then the same with the second of each pair first.

    Parameters
    ----------
    comparisons
        Rows with ``first``, ``second``, and ``difference``, first minus second, with its interval
        from ``lower`` to ``upper``.
    """
    turned = comparisons.assign(
        first=comparisons["second"],
        second=comparisons["first"],
        difference=-comparisons["difference"],
        lower=-comparisons["upper"],
        upper=-comparisons["lower"],
    )
    return pd.concat([comparisons, turned])


@dataclass(frozen=True)
class DisplayOptions:
    """What a table or figure shows of a study, and which runs its averages leave out.

    Attributes
    ----------
    strategies, datasets
        Title of each strategy and data set, in the order of the tables; others are not shown.
    exclude_runs
        See `sonotune.evaluation.averages.is_excluded`.
    ddof
        Standard deviations divide by n - ddof.
    """

    strategies: Mapping[str, str]
    datasets: Mapping[str, str]
    exclude_runs: ExcludeRuns = "failed"
    ddof: int = 1

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> DisplayOptions:
        """From a rule's params: lists of names with titles, and nothing that it does not use.

        Parameters
        ----------
        params
            Params of a rule of the workflow.
        """
        titles = {name: dict(params.get(name, ())) for name in ("strategies", "datasets")}
        return cls(**{**params, **titles})

    def label(self, strategy: str) -> str:
        """Title of a strategy.

        Parameters
        ----------
        strategy
            Its name, which is shown where it has no title.
        """
        return self.strategies.get(strategy, strategy)

    def look(self, strategy: str) -> dict[str, Any]:
        """Colour and marker of a strategy, as Matplotlib names them.

        Parameters
        ----------
        strategy
            Its name.
        """
        colour, marker = style_of(strategy, list(self.strategies))
        return {"color": colour, "marker": marker}

    def strategies_of(self, table: pd.DataFrame) -> dict[str, str]:
        """Titles of the strategies that a table has, by name, in the order of the tables.

        Parameters
        ----------
        table
            With a column ``strategy``.
        """
        present = set(table["strategy"])
        return {name: title for name, title in self.strategies.items() if name in present}

    def datasets_of(self, table: pd.DataFrame) -> dict[str, str]:
        """Titles of the data sets that a table has, by name, in the order of the tables.

        Parameters
        ----------
        table
            With a column ``dataset``.
        """
        present = set(table["dataset"])
        return {name: title for name, title in self.datasets.items() if name in present}

    def select(self, cells: pd.DataFrame) -> pd.DataFrame:
        """The cells of these strategies and data sets.

        Parameters
        ----------
        cells
            Rows of ``cells.csv``.
        """
        wanted = cells["strategy"].isin(list(self.strategies))
        return cells[wanted & cells["dataset"].isin(list(self.datasets))]

    def name_datasets(self, sources: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
        """Titles of the data sets that are shown, and notes on those that stand in for others.

        Parameters
        ----------
        sources
            By data set, the images that stand behind its name; others are left out.

        Returns
        -------
        dict, list of str
            Titles by name, in the order of the tables, with an asterisk where a note says what
            replaces the original.
        """
        present = [name for name in self.datasets if name in sources]
        titles = {name: dataset_title(name, self.datasets, sources) for name in present}
        return titles, source_notes(present, self.datasets, sources)

    def averages(self, path: str | Path) -> pd.DataFrame:
        """Averages of these, in the order of the tables: data sets, falling fractions, strategies.

        Parameters
        ----------
        path
            ``averages.csv`` of a study.
        """
        return self.sort(self.select(read_table(path)), CONDITION)

    def sort(self, table: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
        """Rows in the order of the tables: data sets, falling fractions, strategies.

        Parameters
        ----------
        table
            Rows of data sets and strategies that are shown.
        columns
            Those of ``dataset``, ``fraction`` and ``strategy`` that count, the first most.
        """
        order = table.assign(
            dataset=table["dataset"].map(list(self.datasets).index),
            fraction=-table["fraction"],
            strategy=table["strategy"].map(list(self.strategies).index),
        ).sort_values(list(columns), kind="stable")
        return table.loc[order.index].reset_index(drop=True)
