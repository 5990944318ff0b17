"""What lies under the results but is not what the configuration at hand gives.

Snakemake knows what it ran from its own records, which can be lost, copied without the results or
left behind by a job that failed. So every run says in its own record what it rests on, and at each
start of the workflow that is compared with what the configuration asks for.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from sonotune.config.jobs import (
    cell_settings,
    cells_of,
    dataset_settings,
    making_code,
    preparing_code,
    pretraining_settings,
    pretrainings_of,
    race_settings,
)
from sonotune.data.readers import MADE_HERE
from sonotune.errors import SonotuneError
from sonotune.layout import (
    RECORD,
    RESULTS,
    WEIGHTS,
    Cell,
    arrays,
    below_results,
    dataset_folder,
    digest_of,
    pretrained_folder,
    race_file,
)
from sonotune.runtime.files import read_json, write_json
from sonotune.runtime.run_record import seal, short_seal

DATASET = "dataset.json"


class Stale:
    """Files of finished jobs that do not belong to a configuration.

    Parameters
    ----------
    config
        Complete.
    results
        The folder of results.
    settings_of
        Gives a cell's settings, where these are known already.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        results: str | Path,
        settings_of: Callable[[Cell], dict[str, Any]] | None = None,
    ) -> None:
        self.config, self.results = config, Path(results)
        self.settings_of = settings_of or partial(cell_settings, config)
        self.files: list[str] = []
        self._read: dict[str, dict[str, Any] | None] = {}

    def find(self) -> list[str]:
        """Paths, as the rules name them, of one file of each such job."""
        for study, design in self.config["studies"].items():
            names = list(design["datasets"])
            if "pretraining" in design:
                names.append(design["pretraining"]["dataset"])
            for name in names:
                self._dataset(name, design["image_size"])
            weights = {n: self._pretraining(study, design, n) for n in pretrainings_of(design)}
            for name in design["datasets"]:
                self._cells(study, design, name, weights)
                self._race(study, design, name)
            self._table(study, design)
        return list(dict.fromkeys(self.files))

    def _record(self, path: str) -> dict[str, Any] | None:
        """What a job wrote of itself; None where it has not run.

        Also None where the record is damaged: whoever reads it says so, and what was finished is
        not trained again for it.
        """
        if path not in self._read:
            try:
                found = read_json(self.results / below_results(path))
                whole = {key: value for key, value in found.items() if key != "sha256"}
                self._read[path] = found if found.get("sha256") in (None, seal(whole)) else None
            except (OSError, ValueError, AttributeError):
                self._read[path] = None
        return self._read[path]

    def _dataset(self, name: str, size: int) -> None:
        settings = dataset_settings(self.config, name)
        digest, reader = digest_of(settings), settings["reader"]
        made = arrays(name, digest, "original")[-1]
        if reader in MADE_HERE:
            self._compare(made, "rests_on", {"settings": settings, "code": making_code(reader)})
        prepared = arrays(name, digest, size)[-1]
        originals = self._originals(name, digest, settings)
        expected = {"settings": settings, "code": preparing_code(reader), "originals": originals}
        if originals is not None:
            self._compare(prepared, "rests_on", expected)

    def _originals(self, name: str, digest: str, settings: Mapping[str, Any]) -> str | None:
        """Digest of what a data set is prepared from; None where that is not there (any more)."""
        if settings["reader"] in MADE_HERE:
            made = self._record(arrays(name, digest, "original")[-1])
            return made["sha256"] if made else None
        folder: str | Path = "."
        if "catalogue" in settings:
            source = self._record(f"{dataset_folder(name, digest)}/source.json")
            if not source or not (folder := source.get("folder", "")):
                return None
        try:
            return originals_digest(settings, folder, self.results / ".digests.json")
        except (SonotuneError, OSError):  # what was prepared from them is still as good
            return None

    def _pretraining(self, study: str, design: Mapping[str, Any], number: int) -> str | None:
        """Digest of the start weights that one of a study's pre-trainings gave."""
        path = f"{pretrained_folder(study, number)}/{RECORD}"
        inputs = self._arrays(design["pretraining"]["dataset"], design["image_size"])
        self._compare(path, "settings", pretraining_settings(self.config, study, number), inputs)
        record = self._record(path)
        return record.get("outputs", {}).get(WEIGHTS) if record else None

    def _cells(
        self, study: str, design: Mapping[str, Any], dataset: str, weights: Mapping[int, str | None]
    ) -> None:
        inputs = self._arrays(dataset, design["image_size"])
        for cell in cells_of(self.config, study, dataset):
            own = dict(inputs)
            strategy = design["strategies"][cell.strategy]
            start = weights.get(cell.pretraining)
            if start and strategy["init"] == "pretrained" and "network" not in strategy:
                own["weights_sha256"] = start
            path = f"{RESULTS}/{cell.folder}/{RECORD}"
            self._compare(path, "settings", self.settings_of(cell), own)

    def _race(self, study: str, design: Mapping[str, Any], dataset: str) -> None:
        """Rounds of another race, or that other runs have decided."""
        if "race" not in design:
            return
        for fraction in design["fractions"]:
            expected = race_settings(self.config, study, dataset, fraction)
            for number in range(1, len(expected["rounds"]) + 1):
                path = race_file(study, dataset, fraction, number)
                self._compare(path, "settings", expected)
                for folder, told in (self._record(path) or {}).get("cells", {}).items():
                    run = self._record(f"{RESULTS}/{folder}/{RECORD}")
                    if run and short_seal(run) != told:
                        self.files.append(path)

    def _arrays(self, dataset: str, size: int) -> dict[str, str]:
        digest = digest_of(dataset_settings(self.config, dataset))
        about = self._record(arrays(dataset, digest, size)[-1]) or {}
        return {key: about[key] for key in ("images_sha256", "masks_sha256") if key in about}

    def _compare(
        self,
        path: str,
        key: str,
        expected: Mapping[str, Any],
        inputs: Mapping[str, str] | None = None,
    ) -> None:
        record = self._record(path)
        if record is None:
            return
        told = record.get("inputs", {})
        same = record.get(key) == json.loads(json.dumps(expected)) and all(
            told.get(name) == value for name, value in (inputs or {}).items()
        )
        if not same:
            self.files.append(path)

    def _table(self, study: str, design: Mapping[str, Any]) -> None:
        """A table of runs that is older than one of them, or holds one that is gone."""
        path = f"{RESULTS}/{study}/cells.csv"
        try:
            with (self.results / below_results(path)).open(newline="", encoding="utf-8") as file:
                rows = [(row["dataset"], row.get("record")) for row in csv.DictReader(file)]
        except (OSError, ValueError, KeyError):
            return
        for name in design["datasets"]:
            told = {record for dataset, record in rows if dataset == name}
            paths = [
                f"{RESULTS}/{one.folder}/{RECORD}" for one in cells_of(self.config, study, name)
            ]
            records = [self._record(one) for one in paths]
            found = {short_seal(record) for record in records if record}
            # A cell that is missing is trained, and its data set scored, anyway.
            stale = found ^ told if all(records) else found - told
            if "race" in design:  # there may be runs that another race had asked for
                stale = told - found
            if stale:
                self.files += [f"{RESULTS}/{study}/scores/{name}.csv", path]


def originals_digest(settings: Mapping[str, Any], folder: str | Path, cache: str | Path) -> str:
    """Digest of the names and contents of all files that a data set is prepared from.

    Parameters
    ----------
    settings
        The data set's.
    folder
        Where its originals lie.
    cache
        JSON file that keeps digests by path, size, times and inode of a file, so that files are
        read once.

    Raises
    ------
    SonotuneError
        If files are missing or do not belong together.
    """
    from sonotune.data.readers import files_of

    whole = hashlib.sha256()
    for path, digest in _digests(files_of(settings, folder), Path(cache)):
        whole.update(
            f"{os.path.relpath(path, folder)}\0{digest}\n".encode("utf-8", "surrogateescape")
        )
    return whole.hexdigest()


def _digests(files: Iterable[Path], cache: Path) -> Iterator[tuple[Path, str]]:
    try:
        known = read_json(cache)
    except (OSError, ValueError):
        known = {}
    kept, found = dict(known), []
    for path in sorted(files):
        about = path.stat()
        key = os.fspath(path.absolute()).encode("utf-8", "surrogateescape").hex()
        times = [about.st_size, about.st_mtime_ns, about.st_ctime_ns, about.st_ino]
        if key not in kept or kept[key][:4] != times:
            with path.open("rb") as file:
                kept[key] = [*times, hashlib.file_digest(file, "sha256").hexdigest()]
        found.append((path, kept[key][4]))
    if kept != known and cache.parent.is_dir():
        write_json(cache, kept)
    yield from found
