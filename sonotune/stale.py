"""What lies under the results but is not what the configuration at hand gives.

Snakemake knows what it ran from its own records, which can be lost, copied without the results or
left behind by a job that failed. So every run says in its own record what it rests on, and at each
start of the workflow that is compared with what the configuration asks for.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from sonotune.config.jobs import (
    cell_settings,
    cells_of,
    dataset_settings,
    feature_settings,
    generation_code,
    has_features,
    keeps_weights,
    preparation_code,
    pretraining_settings,
    pretrainings_of,
    race_settings,
)
from sonotune.config.networks import (
    PRETRAINED,
    EncoderWeights,
    all_encoder_weights,
    encoder_weights_of,
    start_of,
)
from sonotune.data.grouping import BOTH, DUPLICATES
from sonotune.data.readers import MADE_HERE, files_of
from sonotune.errors import SonotuneError
from sonotune.layout import (
    CELL_FILES,
    ENCODER,
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
from sonotune.runtime.run_record import damaged, seal, short_seal
from sonotune.runtime.view_record import read_view_records

INDEX = "index.csv"
# Digests of files by path, size, times and inode, below the results.
CACHE = ".digests.json"
# Large files; the records of the jobs that made them have their digests.
ARRAYS = (".npy", ".npz", ".safetensors")


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
        config: Mapping[str, Any],
        results: str | Path,
        settings_of: Callable[[Cell], dict[str, Any]] | None = None,
    ) -> None:
        self.config, self.results = config, Path(results)
        self.settings_of = settings_of or partial(cell_settings, config)
        self.files: list[str] = []
        self.inputs: dict[str, list[str]] = {}
        self.recorded: set[str] = set()
        self._prepared_from: dict[str, str] = {}
        self._read: dict[str, dict[str, Any] | None] = {}

    def find(self) -> list[str]:
        """Paths, as the rules name them, of one file of each such job.

        Raises
        ------
        SonotuneError
            If the record of a job is damaged: nobody can tell what its results rest on.
        """
        starts: dict[str | None, str | None] = {}
        for name, encoder in self._encoders():
            starts[name] = self._encoder(name, encoder)
        for study, design in self.config["studies"].items():
            names = list(design["datasets"])
            if "pretraining" in design:
                names.append(design["pretraining"]["dataset"])
            for name in names:
                self._dataset(name, design["image_size"])
            weights = {
                number: self._pretraining(study, design, starts, number)
                for number in pretrainings_of(design)
            }
            for name in design["datasets"]:
                self._cells(study, design, name, starts, weights)
                self._race(study, design, name)
        self._views()
        return list(dict.fromkeys(self.files))

    def _record(self, path: str) -> dict[str, Any] | None:
        """What a job wrote of itself; None where it has not run."""
        if path not in self._read:
            file = self.results / below_results(path)
            try:
                record = read_json(file)
                whole = {key: value for key, value in record.items() if key != "sha256"}
            except FileNotFoundError:
                record = None
            except (OSError, ValueError, AttributeError) as error:
                raise SonotuneError(damaged(file, f"cannot be read ({error!r})")) from None
            if record and record.get("sha256") not in (None, seal(whole)):
                raise SonotuneError(damaged(file, "was changed after it was written"))
            self._read[path] = record
        return self._read[path]

    def _dataset(self, name: str, size: int) -> None:
        settings = dataset_settings(self.config, name)
        digest, reader = digest_of(settings), settings["reader"]
        made = arrays(name, digest, "original")[-1]
        if reader in MADE_HERE:
            self._compare(
                made, [], "rests_on", {"settings": settings, "code": generation_code(reader)}
            )
        prepared = arrays(name, digest, size)[-1]
        files, originals = self._originals(name, digest, settings)
        expected = {"settings": settings, "code": preparation_code(reader), "originals": originals}
        if originals:
            folder = dataset_folder(name, digest)
            self._prepared_from[below_results(f"{folder}/audit.csv")] = originals
            if not self._compare(prepared, files, "rests_on", expected):
                self.files.append(f"{folder}/circumferences.csv")

    def _originals(
        self, name: str, digest: str, settings: Mapping[str, Any]
    ) -> tuple[list[str], str | None]:
        """Files that a data set is prepared from, and their digest; None if they are not there."""
        if settings["reader"] in MADE_HERE:
            files = arrays(name, digest, "original")
            made = self._record(files[-1])
            return files, made["sha256"] if made else None
        folder: str | Path = "."
        if "catalogue" in settings:
            source = self._record(f"{dataset_folder(name, digest)}/source.json")
            if not source or not (folder := source.get("folder", "")):
                return [], None
        try:
            content = originals_digest(settings, folder, self.results / CACHE)
            named = [] if "catalogue" in settings else map(str, files_of(settings, folder))
            return list(named), content
        except (SonotuneError, OSError):  # what was prepared from them is still as good
            return [], None

    def _pretraining(
        self,
        study: str,
        design: Mapping[str, Any],
        starts: Mapping[str | None, str | None],
        number: int,
    ) -> str | None:
        """Digest of the start weights that one of a study's pre-trainings gave."""
        path = f"{pretrained_folder(study, number)}/{RECORD}"
        dataset = design["pretraining"]["dataset"]
        inputs = self._arrays(dataset, design["image_size"])
        files = self._files(dataset, design["image_size"])
        if weights := starts.get(start := encoder_weights_of(design["network"])):
            inputs["weights_sha256"] = weights
            files.append(f"{ENCODER}/{WEIGHTS}".format(weights=start))
        expected = pretraining_settings(self.config, study, number)
        self._compare(path, files, "settings", expected, inputs)
        record = self._record(path)
        return record.get("outputs", {}).get(WEIGHTS) if record else None

    def _encoders(self) -> Iterator[tuple[str, EncoderWeights]]:
        """Encoder weights, by name; none where a file of them is not there (any more)."""
        try:
            yield from all_encoder_weights(self.config).items()
        except SonotuneError:
            return

    def _encoder(self, name: str, weights: EncoderWeights) -> str | None:
        """Digest of an encoder's weights, as their record tells it."""
        path = f"{ENCODER}/{RECORD}".format(weights=name)
        if not weights.entry:
            ((_, digest),) = _digests([Path(weights.source)], self.results / CACHE)
            self._compare(path, [], "source_sha256", digest)
        record = self._record(path)
        return record["outputs"][WEIGHTS] if record else None

    def _cells(
        self,
        study: str,
        design: Mapping[str, Any],
        dataset: str,
        starts: Mapping[str | None, str | None],
        weights: Mapping[int, str | None],
    ) -> None:
        inputs = self._arrays(dataset, design["image_size"])
        read = self._files(dataset, design["image_size"])
        if design["resampling"]["grouped"] in (DUPLICATES, BOTH):
            together, duplicates = self._duplicates(dataset)  # which images stay together
            read += together
            inputs |= duplicates
        # Before its first scores a data set is scored anyway, and so its cells are trained.
        is_scored = (self.results / f"{study}/scores/{dataset}.csv").exists()
        for cell in cells_of(self.config, study, dataset):
            own = dict(inputs)
            strategy = design["strategies"][cell.strategy]
            files = list(read)
            start = start_of(design, cell.strategy)
            digest, home = starts.get(start), ENCODER.format(weights=start)
            if start == PRETRAINED:
                digest = weights.get(cell.pretraining)
                home = pretrained_folder(study, cell.pretraining)
            if strategy["init"] == "pretrained" and digest:
                own["weights_sha256"] = digest
                files.append(f"{home}/{WEIGHTS}")
            path = f"{RESULTS}/{cell.folder}/{RECORD}"
            there = self._names(cell)
            wanted = [WEIGHTS] if keeps_weights(design, cell.strategy) else []
            if there.issuperset([*CELL_FILES, *wanted]):
                self._compare(path, files, "settings", self.settings_of(cell), own)
            # A race asks for some cells only.
            elif RECORD in there or (is_scored and "race" not in design):
                self.files.append(path)

    def _names(self, cell: Cell) -> set[str]:
        """Names of the files of a cell."""
        try:
            return set(os.listdir(self.results / cell.folder))
        except FileNotFoundError:
            return set()

    def _files(self, dataset: str, size: int) -> list[str]:
        return arrays(dataset, digest_of(dataset_settings(self.config, dataset)), size)

    def _race(self, study: str, design: Mapping[str, Any], dataset: str) -> None:
        """Rounds of another race, or that other runs have decided."""
        if "race" not in design:
            return
        for fraction in design["fractions"]:
            expected = race_settings(self.config, study, dataset, fraction)
            for number in range(1, len(expected["rounds"]) + 1):
                path = race_file(study, dataset, fraction, number)
                self._compare(path, [], "settings", expected)
                self.inputs.pop(path, None)
                for folder, told in (self._record(path) or {}).get("cells", {}).items():
                    run = self._record(f"{RESULTS}/{folder}/{RECORD}")
                    if run is None:  # deleted
                        self.files.append(f"{RESULTS}/{folder}/{RECORD}")
                    elif short_seal(run) != told:
                        self.files.append(path)

    def _arrays(self, dataset: str, size: int) -> dict[str, str]:
        description = self._record(self._files(dataset, size)[-1]) or {}
        keys = ("images_sha256", "masks_sha256", "index_sha256")
        return {key: description[key] for key in keys if key in description}

    def _duplicates(self, name: str) -> tuple[list[str], dict[str, str]]:
        """The table of near-duplicates, and its digest as the user corrected it or it was found."""
        folder = dataset_folder(name, digest_of(dataset_settings(self.config, name)))
        table, audited = (f"{folder}/{kind}.csv" for kind in ("duplicates", "audit_duplicates"))
        source = self.config["datasets"][name].get("duplicates")
        source = Path(source) if source else self.results / below_results(audited)
        paths = [self.results / below_results(table), source]
        now = dict(_digests(filter(Path.is_file, paths), self.results / CACHE))
        taken, digest = (now.get(path) for path in paths)
        if not digest:  # it is made first
            return [], {}
        if taken not in (None, digest):
            self.files.append(table)
        return [table], {"duplicates_sha256": digest}

    def _compare(
        self,
        path: str,
        files: list[str],
        key: str,
        expected: Any,
        inputs: Mapping[str, str] | None = None,
    ) -> bool:
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
        features = {
            f"{study}/features/{dataset}.npz": feature_settings(self.config, study, dataset)
            for study, design in self.config["studies"].items()
            if has_features(self.config, study)
            for dataset in design["datasets"]
        }
        told = []
        for record in read_view_records(self.results, "datasets", *self.config["studies"]):
            self.recorded |= record.outputs.keys()
            asked = [features[name] for name in record.outputs if name in features]
            # An audit looks at the files that its data set is prepared from.
            looked_at = {*map(self._prepared_from.get, record.outputs)} - {None}
            if looked_at and record.params.get("originals") not in looked_at:
                self.files += [f"{RESULTS}/{name}" for name in record.outputs]
            if asked and record.params != _plain(asked[0]):
                self.files += [f"{RESULTS}/{name}" for name in record.outputs]
            named = {**record.inputs, **record.outputs}
            read = {
                name: digest
                for name, digest in named.items()
                if (Path(name).suffix in ARRAYS) == bool(asked) or Path(name).name == INDEX
            }
            told.append((record, read))
        paths = {self.results / name for _, read in told for name in read}
        digests = dict(_digests(filter(Path.is_file, paths), self.results / CACHE))
        for record, read in told:
            now = {name: digests.get(self.results / name) for name in read}
            if any(now[name] not in (None, digest) for name, digest in read.items()):
                self.files += [f"{RESULTS}/{name}" for name in record.outputs]


def _plain(value: Any) -> Any:
    """As a record has it."""
    return json.loads(json.dumps(value))


def source_digest(settings: Mapping[str, Any], folder: str | Path, results: str | Path) -> str:
    """Digest of what a data set is prepared from: its files, or images that were made for it.

    Parameters
    ----------
    settings
        The data set's.
    folder
        Where its originals lie.
    results
        The folder of results.

    Raises
    ------
    SonotuneError
        If files are missing or do not belong together.
    """
    if settings["reader"] in MADE_HERE:
        return str(read_json(Path(folder) / "dataset.json")["sha256"])
    return originals_digest(settings, folder, Path(results) / CACHE)


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
    kept, digests = dict(known), []
    here = Path.cwd()
    for path in sorted(files, key=lambda file: file.parts):
        status = path.stat()
        key = os.path.join(here, path).encode("utf-8", "surrogateescape").hex()
        times = [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]
        if key not in kept or kept[key][:4] != times:
            with path.open("rb") as file:
                kept[key] = [*times, hashlib.file_digest(file, "sha256").hexdigest()]
        digests.append((path, kept[key][4]))
    if kept != known and cache.parent.is_dir():
        with suppress(OSError):  # a study can be looked at where nothing can be written
            write_json(cache, kept)
    yield from digests
