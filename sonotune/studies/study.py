"""A study: which files its jobs read and make, and what they are set to."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from sonotune.config.cells import cells_of, keeps_weights, pretrainings_of
from sonotune.config.code import NETWORKS, code_of
from sonotune.config.jobs import sort_keys_deep
from sonotune.config.networks import encoder_weights_of, networks_of
from sonotune.data.readers import MADE_HERE
from sonotune.errors import SonotuneError
from sonotune.layout import ENCODER, WEIGHTS, arrays, pretrained_folder
from sonotune.studies.files import StudyFiles
from sonotune.studies.settings import SETTINGS


class Study(StudyFiles):
    """A study with what its jobs read and are set to, and all that they make.

    Parameters
    ----------
    config, name, raced, is_remote
        See `sonotune.studies.base.BaseStudy`.
    """

    def check(self, wildcards: Mapping[str, str]) -> None:
        """See that a job is one of this study's; a file can be asked for by any name.

        Parameters
        ----------
        wildcards
            Of the job. Fractions and folds are looked up by `sonotune.config.cells.find_cell`.

        Raises
        ------
        SonotuneError
            If it has no such figure, table, data set, strategy or pre-trained network.
        """
        own: dict[str, Callable[[], Iterable[Any]]] = {
            "figure": partial(self.views, "figure"),
            "table": partial(self.views, "table"),
            "dataset": lambda: self.datasets,
            "strategy": lambda: self.strategies,
            "pretraining": partial(pretrainings_of, self.design),
        }
        for kind in own.keys() & wildcards.keys():
            names = [str(name) for name in own[kind]()]
            if wildcards[kind] not in names:
                raise SonotuneError(
                    f"{self.name} has no {kind} {wildcards[kind]}; "
                    f"there are: {', '.join(names) or 'none'}"
                )

    def settings(self, *names: str, strategies: Sequence[str] = ()) -> dict[str, Any]:
        """Settings by name, with sorted keys, since Snakemake compares texts.

        Titles are lists of pairs, since their order counts. A setting that few studies have is
        left out where there is none.

        Parameters
        ----------
        *names
            Of `SETTINGS`, as `sonotune.report.registry` and the workflow's rules use them.
        strategies
            Those that are shown, in their order; by default all.
        """
        values = {name: SETTINGS[name](self) for name in names}
        if strategies and "strategies" in values:
            values["strategies"] = [(name, self.labels[name]) for name in strategies]
        return sort_keys_deep({name: value for name, value in values.items() if value is not None})

    def view_inputs(self, kind: str, name: str) -> dict[str, str | list[str]]:
        """Files that a figure or table is made from, by name.

        Parameters
        ----------
        kind
            ``figure`` or ``table``.
        name
            One of its `views`.
        """
        return {need: self.files(need) for need in self.views(kind)[name].needs}

    def view_settings(self, kind: str, name: str) -> dict[str, Any]:
        """Settings of a figure or table.

        Parameters
        ----------
        kind
            ``figure`` or ``table``.
        name
            One of its `views`.
        """
        view = self.views(kind)[name]
        return self.settings(*view.settings, strategies=view.strategies)

    def view_code(self, kind: str, name: str) -> str:
        """Fingerprint of the code that draws a figure or makes a table, and of no other's.

        Parameters
        ----------
        kind
            ``figure`` or ``table``.
        name
            One of its `views`.
        """
        view = self.views(kind)[name]
        modules, data = [view.module], view.data
        if kind == "table":
            modules, data = [*modules, "sonotune.report.table_files"], (*data, "table.*")
        if view.builds_networks:
            built = {NETWORKS[network["name"]] for network in networks_of(self.design)}
            modules += [f"sonotune.networks.{network}" for network in sorted(built)]
        return code_of(*modules, data=tuple(f"report/{pattern}" for pattern in data))

    # Outputs

    def prerequisites(self) -> list[str]:
        """Data sets, pre-trained and encoder weights, and feature maps."""
        files = [file for name in self.all_datasets for file in self.arrays_of(name)]
        for name in self.all_datasets:
            settings = self.config["datasets"][name]
            if settings["reader"] in MADE_HERE:
                files += arrays(name, self.digests[name], "original")
            elif "catalogue" in settings:
                files.append(f"{self.folder_of(name)}/source.json")
        files += [
            f"{pretrained_folder(self.name, number)}/{name}"
            for number in pretrainings_of(self.design)
            for name in (WEIGHTS, "history.csv", "run.json")
        ]
        starts = {encoder_weights_of(network) for network in networks_of(self.design)}
        files += [f"{ENCODER}/{WEIGHTS}".format(weights=name) for name in filter(None, starts)]
        return files + ([*self.files("features")] if self.has_features else [])

    def planned(self) -> dict[str, Any]:
        """What jobs know of the study that makes none of their results stale.

        `sonotune.runtime.job.report_progress` prints it while cells run; ``kept`` names the
        strategies whose weights are kept.
        """
        cells = [c for name in self.datasets for c in cells_of(self.config, self.name, name)]
        folders = [Path(cell.folder).parts[-4:] for cell in cells]
        return {
            "cells": len(cells),
            "race": "race" in self.design,
            "names": [sorted({*names}) for names in zip(*folders, strict=True)],
            "kept": [name for name in self.strategies if keeps_weights(self.design, name)],
            "again": [],
            "began": time.time(),
        }

    def outputs(self) -> list[str]:
        """All files but those of its cells.

        All that a study rests on is named: what was deleted, or failed to be made again, is missed.
        """
        rounds = self.last_rounds(self.datasets)
        folders = map(self.folder_of, self.all_datasets)
        audits = [f"{folder}/audit.{kind}" for folder in folders for kind in ("csv", "html")]
        return [*self.prerequisites(), *rounds, *audits, *self.result_files()]
