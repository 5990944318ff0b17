"""What lies under the results but is not what the configuration at hand gives.

Snakemake knows what it ran from its own records, which can be lost, copied without the results or
left behind by a job that failed. So every run says in its own record what it rests on, and at each
start of the workflow that is compared with what the configuration asks for.
"""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from sonotune.config.cells import cells_of, keeps_weights, pretrainings_of
from sonotune.config.code import generation_code, preparation_code
from sonotune.config.jobs import (
    dataset_settings,
    feature_settings,
    pretraining_settings,
    race_settings,
)
from sonotune.config.networks import EncoderWeights, all_encoder_weights
from sonotune.data.originals import CACHE, file_digests, originals_digest
from sonotune.data.readers import MADE_HERE, files_of
from sonotune.errors import SonotuneError
from sonotune.layout import (
    ARRAY_DIGESTS,
    CELL_FILES,
    ENCODER,
    RECORD,
    RESULTS,
    WEIGHTS,
    Cell,
    arrays,
    below_results,
    pretrained_folder,
    race_file,
)
from sonotune.runtime.run_record import read_sealed, short_seal
from sonotune.runtime.view_record import read_view_records
from sonotune.studies.files import StudyFiles

INDEX = "index.csv"
# Large files; the records of the jobs that made them have their digests.
ARRAYS = (".npy", ".npz", ".safetensors")


class Stale:
    """Files of finished jobs that do not belong to a configuration.

    Parameters
    ----------
    studies
        All studies of the configuration.
    results
        The folder of results.
    settings_of
        Gives a cell's settings.

    Attributes
    ----------
    inputs
        By record of a job that does belong to the configuration, the files that it has read. Jobs
        come after those that they rest on.
    recorded
        Views, below the folder of results, of which it is known what they were made from.
    """

    def __init__(
        self,
        studies: Sequence[StudyFiles],
        results: str | Path,
        settings_of: Callable[[Cell], dict[str, Any]],
    ) -> None:
        self.studies, self.config = studies, studies[0].config
        self.results, self.settings_of = Path(results), settings_of
        self.files: list[str] = []
        self.inputs: dict[str, list[str]] = {}
        self.recorded: set[str] = set()
        self._prepared_from: dict[str, str] = {}
        self._record = cache(self._read)

    def find(self) -> list[str]:
        """Paths, as the rules name them, of one file of each such job.

        Raises
        ------
        SonotuneError
            If the record of a job is damaged: nobody can tell what its results rest on.
        """
        for name, encoder in all_encoder_weights(self.config).items():
            self._encoder(name, encoder)
        for study in self.studies:
            for dataset in study.all_datasets:
                self._dataset(study, dataset)
            for number in pretrainings_of(study.design):
                self._pretraining(study, number)
            for dataset in study.datasets:
                self._cells(study, dataset)
                if "race" in study.design:
                    self._race(study, dataset)
        self._views()
        return list(dict.fromkeys(self.files))

    def _at(self, path: str) -> Path:
        """Where a file of the rules lies."""
        return self.results / below_results(path)

    def _read(self, path: str) -> dict[str, Any] | None:
        """What a job wrote of itself; None where it has not run."""
        file = self._at(path)
        return read_sealed(file) if file.exists() else None

    def _encoder(self, name: str, weights: EncoderWeights) -> None:
        if not weights.entry:
            ((_, digest),) = file_digests([Path(weights.source)], self.results / CACHE)
            self._compare(f"{ENCODER}/{RECORD}".format(weights=name), [], "source_sha256", digest)

    def _dataset(self, study: StudyFiles, name: str) -> None:
        settings, folder = dataset_settings(self.config, name), study.folder_of(name)
        reader = settings["reader"]
        if reader in MADE_HERE:
            made = {"settings": settings, "code": generation_code(reader)}
            self._compare(arrays(name, study.digests[name], "original")[-1], [], "rests_on", made)
        files, originals = self._originals(study, name, settings)
        expected = {"settings": settings, "code": preparation_code(reader), "originals": originals}
        if originals:
            self._prepared_from[below_results(f"{folder}/audit.csv")] = originals
            if not self._compare(study.arrays_of(name)[-1], files, "rests_on", expected):
                self.files.append(f"{folder}/circumferences.csv")

    def _originals(
        self, study: StudyFiles, name: str, settings: Mapping[str, Any]
    ) -> tuple[list[str], str | None]:
        """Files that a data set is prepared from, and their digest; None if they are not there."""
        if settings["reader"] in MADE_HERE:
            files = arrays(name, study.digests[name], "original")
            made = self._record(files[-1])
            return files, made["sha256"] if made else None
        folder: str | Path = "."
        if "catalogue" in settings:
            source = self._record(f"{study.folder_of(name)}/source.json")
            if not source or not (folder := source.get("folder", "")):
                return [], None
        try:
            content = originals_digest(settings, folder, self.results / CACHE)
            named = [] if "catalogue" in settings else map(str, files_of(settings, folder))
            return list(named), content
        except (SonotuneError, OSError):  # what was prepared from them is still as good
            return [], None

    def _pretraining(self, study: StudyFiles, number: int) -> None:
        """The weights that one of a study's pre-trainings gave."""
        files, inputs = self._arrays(study, study.design["pretraining"]["dataset"])
        started, weights = self._start(study.files("start"))
        path = f"{pretrained_folder(study.name, number)}/{RECORD}"
        expected = pretraining_settings(self.config, study.name, number)
        self._compare(path, files + started, "settings", expected, inputs | weights)

    def _cells(self, study: StudyFiles, dataset: str) -> None:
        files, inputs = self._arrays(study, dataset)
        for table in study.files("duplicates", dataset=dataset):
            if digest := self._duplicates(study, dataset, table):
                files, inputs = [*files, table], {**inputs, "duplicates_sha256": digest}
        # Before its first scores a data set is scored anyway, and so its cells are trained.
        is_scored = self._at(f"{study.home}/scores/{dataset}.csv").exists()
        for cell in cells_of(self.config, study.name, dataset):
            path = f"{RESULTS}/{cell.folder}/{RECORD}"
            folder = self.results / cell.folder
            there = {*os.listdir(folder)} if folder.is_dir() else set()
            wanted = [WEIGHTS] if keeps_weights(study.design, cell.strategy) else []
            if there.issuperset([*CELL_FILES, *wanted]):
                start = study.start_weights(cell.strategy, cell.pretraining)
                started, weights = self._start(start)
                expected = self.settings_of(cell)
                self._compare(path, files + started, "settings", expected, inputs | weights)
            # A race asks for some cells only.
            elif RECORD in there or (is_scored and "race" not in study.design):
                self.files.append(path)

    def _arrays(self, study: StudyFiles, dataset: str) -> tuple[list[str], dict[str, str]]:
        """Files of a data set's arrays, and the digests that a training on them records."""
        files = study.arrays_of(dataset)
        description = self._record(files[-1]) or {}
        return files, {key: description[key] for key in ARRAY_DIGESTS if key in description}

    def _start(self, path: str | list[str]) -> tuple[list[str], dict[str, str]]:
        """A file of start weights, and its digest in the record beside it; nothing without both."""
        record = self._record(f"{os.path.dirname(path)}/{RECORD}") if isinstance(path, str) else {}
        digest = (record or {}).get("outputs", {}).get(WEIGHTS)
        return ([str(path)], {"weights_sha256": digest}) if digest else ([], {})

    def _race(self, study: StudyFiles, dataset: str) -> None:
        """Rounds of another race, or that other runs have decided."""
        for fraction in study.design["fractions"]:
            expected = race_settings(self.config, study.name, dataset, fraction)
            for number in range(1, len(expected["rounds"]) + 1):
                path = race_file(study.name, dataset, fraction, number)
                self._compare(path, [], "settings", expected)
                self.inputs.pop(path, None)
                for folder, told in (self._record(path) or {}).get("cells", {}).items():
                    run = self._record(f"{RESULTS}/{folder}/{RECORD}")
                    if run is None:  # deleted
                        self.files.append(f"{RESULTS}/{folder}/{RECORD}")
                    elif short_seal(run) != told:
                        self.files.append(path)

    def _duplicates(self, study: StudyFiles, dataset: str, table: str) -> str | None:
        """Digest of the near-duplicates as the user corrected them or the audit found them."""
        own = self.config["datasets"][dataset].get("duplicates")
        found = self._at(f"{study.folder_of(dataset)}/audit_duplicates.csv")
        paths = [self._at(table), Path(own) if own else found]
        now = dict(file_digests(filter(Path.is_file, paths), self.results / CACHE))
        taken, digest = (now.get(path) for path in paths)
        if digest and taken not in (None, digest):
            self.files.append(table)
        return digest  # None where the table is made first

    def _compare(
        self,
        path: str,
        files: list[str],
        key: str,
        expected: Any,
        inputs: Mapping[str, str] | None = None,
    ) -> bool:
        """Whether the record of a job, if it has run, says what is expected of it."""
        record = self._record(path)
        if record is None:
            return True
        told, recorded = record.get("inputs", {}), record.get(key)
        # As they are, or as JSON has them.
        same = (recorded == expected or recorded == _plain(expected)) and all(
            told.get(name) == value for name, value in (inputs or {}).items()
        )
        if same:
            self.inputs[path] = files
        else:
            self.files.append(path)
        return same

    def _views(self) -> None:
        """Tables, figures and pages that were changed, or made from others than are there now.

        Feature maps are a training that is kept as a view: its settings and arrays decide.
        """
        features = {}
        for study in self.studies:
            for dataset in study.datasets if study.has_features else ():
                settings = feature_settings(self.config, study.name, dataset)
                features[f"{study.name}/features/{dataset}.npz"] = settings
        names = [study.name for study in self.studies]
        records = read_view_records(self.results, "datasets", *names)
        read = []
        for record in records:
            self.recorded |= record.outputs.keys()
            asked = [features[name] for name in record.outputs if name in features]
            # An audit looks at the files that its data set is prepared from.
            looked_at = {*map(self._prepared_from.get, record.outputs)} - {None}
            if (looked_at and record.params.get("originals") not in looked_at) or (
                asked and record.params != _plain(asked[0])
            ):
                self.files += [f"{RESULTS}/{name}" for name in record.outputs]
            read.append(
                {
                    self.results / name: digest
                    for name, digest in {**record.inputs, **record.outputs}.items()
                    if (Path(name).suffix in ARRAYS) == bool(asked) or Path(name).name == INDEX
                }
            )
        there = {path for told in read for path in told if path.is_file()}
        now = dict(file_digests(there, self.results / CACHE))
        for record, told in zip(records, read, strict=True):
            if any(now.get(path, digest) != digest for path, digest in told.items()):
                self.files += [f"{RESULTS}/{name}" for name in record.outputs]


def _plain(value: Any) -> Any:
    """As a record has it."""
    return json.loads(json.dumps(value))
