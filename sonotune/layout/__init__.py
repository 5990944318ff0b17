"""Paths under ``results/``: the only room that knows folders and file names there.

Paths are texts relative to the working folder, with ``/``. Those in capitals hold Snakemake's
wildcards.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

RESULTS = "results"
# What tables, figures and pages were made from; laid out as the logs are.
RECORDS = "records"
# Folders beside the studies, which no study may be called.
RESERVED = ("datasets", "weights", "logs", "report", "benchmarks", RECORDS)

ARRAYS = ("images.npy", "masks.npy", "index.csv", "dataset.json")
DATASET = f"{RESULTS}/datasets/{{dataset}}-{{digest}}"
ENCODER = f"{RESULTS}/weights/{{weights}}"
STUDY = f"{RESULTS}/{{study}}"
PRETRAINED_NETWORK = f"{STUDY}/pretrained/{{pretraining}}"
CELL = f"{STUDY}/cells/{{dataset}}/{{strategy}}/{{fraction}}/{{fold}}"
SCORES = f"{STUDY}/scores/{{dataset}}.csv"
RACE = f"{STUDY}/race/{{dataset}}/{{fraction}}/{{round}}.json"

# Patterns of the wildcards. A fold's first seed and pre-training have no name of their own.
FRACTION = "[0-9.]+"
# Significant digits of a fraction in paths and tables, where it is a key.
FRACTION_DIGITS = 6
FOLD = r"[0-9]+(?:-s[0-9]+)?(?:-p[0-9]+)?"
DIGEST = "[0-9a-f]{8}"

WEIGHTS = "weights.safetensors"
RECORD = "run.json"
CELL_FILES = (RECORD, "predictions.npz", "history.csv")

# By content, what a training takes from a data set; keys of the data set's record and of the run's.
ARRAY_DIGESTS = ("images_sha256", "masks_sha256", "index_sha256")
# What the settings of every cell say of which it is.
CELL_KEYS = ("study", "dataset", "strategy", "fraction", "fold")
# Columns of tables that say which run of a study a row is about.
RUN = ("dataset", "strategy", "fraction", "fold", "seed", "pretraining")

_CELL = re.compile(rf"(?:.*/)?([^/]+)/cells/([^/]+)/([^/]+)/([0-9.]+)/({FOLD})(?:/[^/]+)?")
_FOLD = re.compile(r"([0-9]+)(?:-s([0-9]+))?(?:-p([0-9]+))?")


@dataclass(frozen=True)
class Cell:
    """One training, or one evaluation of the network as it starts (fraction 0).

    Attributes
    ----------
    study, dataset, strategy
        Their names.
    fraction
        Share of the data set drawn for training and validation: 0.8, 0.05, 0.125.
    fold
        Number of the held-out split, from 0.
    seed, pretraining
        Which training of this fold, and from which pre-trained network; both from 1.
    """

    study: str
    dataset: str
    strategy: str
    fraction: float
    fold: int
    seed: int = 1
    pretraining: int = 1

    @property
    def run(self) -> dict[str, Any]:
        """The columns `RUN` of this cell."""
        return {name: getattr(self, name) for name in RUN}

    @property
    def folder(self) -> str:
        """Where its files are, below the results."""
        return below_results(CELL).format(
            study=self.study,
            dataset=self.dataset,
            strategy=self.strategy,
            fraction=fraction_text(self.fraction),
            fold=fold_text(self.fold, self.seed, self.pretraining),
        )

    @classmethod
    def of_settings(cls, settings: Mapping[str, Any]) -> Cell:
        """The cell that has these settings (`sonotune.config.jobs.cell_settings`).

        Parameters
        ----------
        settings
            Settings of the cell.
        """
        numbers = [settings.get(f"{name}_number", 1) for name in ("seed", "pretraining")]
        return cls(*(settings[name] for name in CELL_KEYS), *numbers)

    @classmethod
    def of(cls, path: str | Path) -> Cell:
        """The cell whose folder, or a file in it, this is.

        Parameters
        ----------
        path
            Folder of the cell, or a file in it.

        Raises
        ------
        ValueError
            If the path is not one of a cell.
        """
        match = _CELL.fullmatch(Path(path).as_posix())
        if not match:
            raise ValueError(f"{path} is not the path of a cell")
        study, dataset, strategy, fraction, fold = match.groups()
        return cls(study, dataset, strategy, float(fraction), *fold_numbers(fold))


def fraction_text(fraction: float) -> str:
    """A share of the data set as written in paths: 0.8, 0.05, 0.125.

    Parameters
    ----------
    fraction
        Share of the data set, in [0,1].
    """
    return f"{Decimal(f'{fraction:.{FRACTION_DIGITS}g}'):f}"


def format_percent(fraction: float) -> str:
    """A share as people read it: 80%, 2.5%.

    Parameters
    ----------
    fraction
        Share of the data set, in [0,1].
    """
    return f"{100 * fraction:g}%"


def fold_text(fold: int, seed: int = 1, pretraining: int = 1) -> str:
    """A training of a fold as written in paths: 0, 0-s2, 0-p2, 0-s2-p3.

    Parameters
    ----------
    fold
        Number of the held-out split, from 0.
    seed, pretraining
        Numbers of the training and of the pre-trained network, from 1.
    """
    return _name_run(fold, {"-s": seed, "-p": pretraining})


def fold_title(fold: int, seed: int = 1, pretraining: int = 1) -> str:
    """A training of a fold for people to read: "0", "0, seed 2".

    Parameters
    ----------
    fold
        Number of the held-out split, from 0.
    seed, pretraining
        Numbers of the training and of the pre-trained network, from 1.
    """
    return _name_run(fold, {", seed ": seed, ", pre-training ": pretraining})


def _name_run(fold: int, numbers: Mapping[str, int]) -> str:
    """A fold with the numbers of what is not the first."""
    return f"{fold}" + "".join(f"{word}{number}" for word, number in numbers.items() if number > 1)


def fold_numbers(text: str) -> tuple[int, int, int]:
    """The inverse of `fold_text`: fold, seed and pre-training.

    Parameters
    ----------
    text
        A training of a fold as in paths.

    Raises
    ------
    ValueError
        If the text is not one of a fold.
    """
    match = _FOLD.fullmatch(text)
    if not match:
        raise ValueError(f"{text} is not the name of a fold")
    fold, seed, pretraining = match.groups(default="1")
    return int(fold), int(seed), int(pretraining)


def digest_of(settings: Mapping[str, Any]) -> str:
    """Eight digits for a data set's settings, so that two of one name have two folders.

    Parameters
    ----------
    settings
        The data set's settings.
    """
    text = json.dumps(_plain(settings), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _plain(value: Any) -> Any:
    """Numbers that are the same are written the same: 50 and 50.0."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def below_results(path: str) -> str:
    """A path of this module without the folder of results, which may lie elsewhere.

    Parameters
    ----------
    path
        A path that this module gives.
    """
    return path.removeprefix(f"{RESULTS}/")


def dataset_folder(dataset: str, digest: str) -> str:
    """Folder of a data set with these settings (`digest_of`).

    Parameters
    ----------
    dataset
        Name of a data set.
    digest
        Digest of its settings.
    """
    return DATASET.format(dataset=dataset, digest=digest)


def arrays(dataset: str, digest: str, size: int | str) -> list[str]:
    """Files of a data set's arrays; ``size`` is the side in pixels, or ``original``.

    Parameters
    ----------
    dataset
        Name of a data set.
    digest
        Digest of its settings.
    size
        Side in pixels, or ``original``.
    """
    return [f"{dataset_folder(dataset, digest)}/{size}/{file}" for file in ARRAYS]


def pretrained_folder(study: str, pretraining: int = 1) -> str:
    """Folder of a study's pre-training, counted from 1.

    Parameters
    ----------
    study
        Name of a study.
    pretraining
        Number of the pre-trained network, from 1.
    """
    return PRETRAINED_NETWORK.format(study=study, pretraining=pretraining)


def race_file(study: str, dataset: str, fraction: float, number: int) -> str:
    """What a race decided after a round, counted from 1.

    Parameters
    ----------
    study
        Name of a study.
    dataset
        Name of a data set.
    fraction
        Share of the whole data set that is drawn for training and validation, in (0,1].
    number
        Number of the round, from 1.
    """
    text = fraction_text(fraction)
    return RACE.format(study=study, dataset=dataset, fraction=text, round=number)
