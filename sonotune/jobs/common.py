"""What a fine-tuning and a pre-training job have in common: checkpoint, clearing up, the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from sonotune.data.grouping import BOTH, DUPLICATES
from sonotune.data.image_set import DUPLICATES_FILE, ImageSet
from sonotune.runtime.checkpoint import Checkpoint
from sonotune.runtime.files import remove_unfinished
from sonotune.runtime.run_record import file_digest, write_record
from sonotune.training.device import Processor

LOADED = ("images", "masks", "index")  # of which a data set's record has digests


def clear(folder: Path) -> None:
    """Remove what a killed run of the same job was writing.

    Parameters
    ----------
    folder
        Folder of the job.
    """
    for name in ("predictions.npz", "weights.safetensors", "history.csv", "run.json"):
        remove_unfinished(folder / name)


def digests_of(data: ImageSet, settings: Mapping[str, Any]) -> dict[str, str]:
    """SHA-256 of what a training takes from a prepared data set.

    The index has the names and groups that decide which images it is trained on, and so has the
    table of near-duplicates where these are kept on one side of a split.

    Parameters
    ----------
    data
        As it was loaded.
    settings
        Settings of the training.
    """
    digests = {f"{name}_sha256": data.about[f"{name}_sha256"] for name in LOADED}
    if settings.get("resampling", {}).get("grouped") in (DUPLICATES, BOTH) and data.folder:
        digests["duplicates_sha256"] = file_digest(data.folder.parent / DUPLICATES_FILE)
    return digests


def checkpoint_of(
    path: str | Path | None,
    settings: Mapping[str, Any],
    arrays: Mapping[str, str],
    weights: str | Path | None,
    processor: Processor,
    log: Callable[[str], None],
) -> Checkpoint | None:
    """The checkpoint of a job with these settings, arrays and start weights, if a path is given.

    Parameters
    ----------
    path
        File of the checkpoint, or None.
    settings
        Settings of the job.
    arrays
        What `digests_of` gives.
    weights
        File of the start weights, or None.
    processor
        Device and precision to compute with.
    log
        Takes one line of progress.
    """
    if path is None:
        return None
    belongs_to = {
        "settings": dict(settings),
        "arrays": dict(arrays),
        "weights": file_digest(weights) if weights else None,
        # Another kind of processor rounds in another way: half a training on each is neither's.
        "processor": [processor.device, processor.precision, processor.name, torch.__version__],
    }
    return Checkpoint(path, belongs_to, log)


def finish(
    folder: Path, record: dict[str, Any], written: list[str], checkpoint: Checkpoint | None
) -> dict[str, Any]:
    """Write the record last, and remove the checkpoint.

    Parameters
    ----------
    folder
        Folder of the job.
    record
        What ``run.json`` says.
    written
        Names of the files that were written.
    checkpoint
        The job's checkpoint, or None.
    """
    earlier = checkpoint.earlier_cpu if checkpoint else 0.0
    record["cpu_seconds"]["total"] = time.process_time() + earlier
    whole = write_record(folder, record, written)
    if checkpoint:
        checkpoint.remove()
    return whole
