"""Who a study is: its part of the configuration, its data sets, its cells and where they lie."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sonotune.config.cells import cells_of, has_features, race_rounds
from sonotune.config.jobs import dataset_settings
from sonotune.config.networks import network_titles
from sonotune.layout import RESULTS, Cell, arrays, dataset_folder, digest_of, race_file


def paths_in(cells: Iterable[Cell], *names: str) -> list[str]:
    """Paths of files of cells, as the rules name them.

    Parameters
    ----------
    cells
        Any cells.
    *names
        Names of files in a cell's folder.
    """
    return [f"{RESULTS}/{cell.folder}/{name}" for cell in cells for name in names]


@dataclass(frozen=True)
class BaseStudy:
    """A study of a complete configuration.

    Attributes
    ----------
    config
        The complete configuration.
    name
        Name of the study, a key of its ``studies``.
    raced
        Gives the cells that a race has asked for once a round is over, by data set, fraction and
        number of the round; may raise what its caller raises until that is known.
    is_remote
        Whether its files are kept in a cloud's storage, from which a job gets those that it names.
    """

    config: Mapping[str, Any]
    name: str
    raced: Callable[[BaseStudy, str, float, int], list[Cell]]
    is_remote: bool = False

    @property
    def home(self) -> str:
        """The study's folder."""
        return f"{RESULTS}/{self.name}"

    @cached_property
    def design(self) -> Mapping[str, Any]:
        """Its part of the configuration."""
        return dict(self.config["studies"][self.name])

    @property
    def datasets(self) -> list[str]:
        """Names of the data sets that it tests on."""
        return list(self.design["datasets"])

    @property
    def strategies(self) -> Mapping[str, Mapping[str, Any]]:
        """Its strategies by name."""
        return dict(self.design["strategies"])

    @cached_property
    def labels(self) -> dict[str, str]:
        """Titles of its strategies."""
        return {name: strategy["label"] for name, strategy in self.strategies.items()}

    @property
    def network_titles(self) -> dict[str, str]:
        """Title of each strategy's network."""
        return network_titles(self.design)

    @property
    def has_features(self) -> bool:
        """Whether it has feature maps to show."""
        return has_features(self.config, self.name)

    @cached_property
    def all_datasets(self) -> list[str]:
        """Those that it tests on, and that of the pre-training."""
        pretraining = self.design.get("pretraining", {}).get("dataset")
        return list(dict.fromkeys([*self.datasets, *filter(None, [pretraining])]))

    # Paths

    @cached_property
    def digests(self) -> dict[str, str]:
        """Digest of the settings of each data set."""
        return {n: digest_of(dataset_settings(self.config, n)) for n in self.all_datasets}

    def folder_of(self, dataset: str) -> str:
        """Folder of a data set.

        Parameters
        ----------
        dataset
            One of `all_datasets`.
        """
        return dataset_folder(dataset, self.digests[dataset])

    def arrays_of(self, dataset: str) -> list[str]:
        """Files of a data set's prepared arrays.

        Parameters
        ----------
        dataset
            One of `all_datasets`.
        """
        return arrays(dataset, self.digests[dataset], self.design["image_size"])

    def reported_cells(self, dataset: str) -> list[Cell]:
        """The cells that results are made of: all of them, or those that its races asked for.

        Parameters
        ----------
        dataset
            One of `datasets`.
        """
        cells = list(cells_of(self.config, self.name, dataset))
        if "race" not in self.design:
            return cells
        last = len(race_rounds(self.design))
        raced = {
            cell
            for fraction in self.design["fractions"]
            for cell in self.raced(self, dataset, fraction, last)
        }
        return [cell for cell in cells if not cell.fraction or cell in raced]

    def cell_files(self, datasets: Iterable[str], *names: str) -> list[str]:
        """Files of the cells that are shown.

        Parameters
        ----------
        datasets
            Names of data sets.
        *names
            Names of files in a cell's folder.
        """
        reported = (cell for dataset in datasets for cell in self.reported_cells(dataset))
        return paths_in(reported, *names)

    def last_rounds(self, datasets: Iterable[str]) -> list[str]:
        """What each race decides in the end; nothing where the study does not race.

        Parameters
        ----------
        datasets
            Names of data sets.
        """
        if "race" not in self.design:
            return []
        last = len(race_rounds(self.design))
        return [
            race_file(self.name, name, share, last)
            for name in datasets
            for share in self.design["fractions"]
        ]
