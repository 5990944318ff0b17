"""What a fine-tuning and a pre-training job have in common: input, checkpoint, clock and record."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from sonotune import __version__
from sonotune.data.dataset import load_set
from sonotune.data.grouping import BOTH, DUPLICATES
from sonotune.data.image_set import DUPLICATES_FILE, ImageSet
from sonotune.layout import ARRAY_DIGESTS, RECORD, WEIGHTS
from sonotune.networks.stages import count, tuned_parameters
from sonotune.runtime.checkpoint import Checkpoint
from sonotune.runtime.commit import commit
from sonotune.runtime.files import remove_unfinished, write_csv
from sonotune.runtime.run_record import check_output, file_digest, read_record, write_record
from sonotune.training.device import Processor, choose

if TYPE_CHECKING:
    from sonotune.training.finetune import Finetuned
    from sonotune.training.pretrain import Pretrained

HISTORY = "history.csv"


class TrainingJob:
    """One training: what it reads, and the record of how it went.

    What a killed run of the same job was writing is removed.

    Parameters
    ----------
    settings
        All that the training depends on besides its arrays and start weights.
    arrays
        Folder of the prepared data set.
    weights
        File of the start weights, or None for a random start.
    folder
        Gets the job's files.
    checkpoint
        File of the checkpoint, or None for none.
    log
        Takes one line of progress.

    Attributes
    ----------
    data
        The prepared data set.
    processor
        Device and precision to compute with.
    checkpoint
        The job's checkpoint, or None.

    Raises
    ------
    SonotuneError
        If the arrays or the start weights are damaged, or there is no such device.
    """

    def __init__(
        self,
        settings: Mapping[str, Any],
        arrays: str | Path,
        weights: str | Path | None,
        folder: str | Path,
        checkpoint: str | Path | None,
        log: Callable[[str], None],
    ) -> None:
        self.settings, self.folder = dict(settings), Path(folder)
        for name in ("predictions.npz", WEIGHTS, HISTORY, RECORD):
            remove_unfinished(self.folder / name)
        self.data = load_set(arrays)
        if weights and (run := Path(weights).with_name(RECORD)).exists():
            check_output(weights, read_record(run))
        self.processor = choose(settings["device"], settings["precision"], settings["threads"])
        self._arrays = _digests_of(self.data, settings)
        self._weights = file_digest(weights) if weights else None
        # Another kind of processor rounds in another way: half a training on each is neither's.
        kind = [self.processor.device, self.processor.precision, self.processor.name]
        belongs_to = {
            "settings": self.settings,
            "arrays": self._arrays,
            "weights": self._weights,
            "processor": [*kind, torch.__version__],
        }
        self.checkpoint = Checkpoint(checkpoint, belongs_to, log) if checkpoint else None
        self._wall: dict[str, float] = {}
        self._cpu: dict[str, float] = {}
        self._began = time.perf_counter(), time.process_time()

    def stop(self, part: str) -> None:
        """End a part, which began at the end of the one before, or when the job was made.

        Parameters
        ----------
        part
            ``training`` or ``prediction``.
        """
        if torch.cuda.is_initialized():  # by this process; a job for the CPU does not touch it
            torch.cuda.synchronize()
        now = time.perf_counter(), time.process_time()
        self._wall[part], self._cpu[part] = now[0] - self._began[0], now[1] - self._began[1]
        self._began = now

    def finish(
        self,
        trained: Finetuned | Pretrained,
        images: Mapping[str, int],
        collapsed: bool,
        written: Iterable[str],
    ) -> dict[str, Any]:
        """Write ``history.csv`` and, last, ``run.json``; then remove the checkpoint.

        Parameters
        ----------
        trained
            The network, and how its training went.
        images
            Numbers of images, by what they were used for.
        collapsed
            Whether the network says the same everywhere.
        written
            Names of the files that were written before.

        Returns
        -------
        dict
            The content of ``run.json``.
        """
        network, state, earlier = trained.network, trained.state, trained.earlier_attempts
        steps = sum(attempt["steps"] for attempt in earlier) + (state.steps if state else 0)
        keeper = self.checkpoint
        spent = (keeper.earlier_wall, keeper.earlier_cpu) if keeper else (0.0, 0.0)
        seconds, training_cpu = self._wall["training"] + spent[0], self._cpu["training"] + spent[1]
        evaluation_cpu = state.evaluation_cpu if state else 0
        record = {
            "settings": self.settings,
            "source": self.data.about["source"],
            "images": dict(images),
            "outcome": state.outcome if state else None,
            "failed": bool(state and state.failed),
            "failure": state.failure if state else None,
            "still_improving": bool(state and state.still_improving),
            "earlier_attempts": earlier,
            "epochs": len(state.history) if state else 0,
            "resumed": state.resumed if state else 0,
            "best_epoch": state.best_epoch if state else None,
            "best_validation_dice": state.best_dice if state else None,
            "seconds": seconds,
            "steps_per_second": steps / seconds if state else None,
            "tuned_parameters": count(tuned_parameters(network)),
            "total_parameters": count(network.parameters()),
            "processor": describe_processor(self.processor),
            "inputs": {**self._arrays, "weights_sha256": self._weights},
            "finished": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            "cpu_seconds": {
                "training": training_cpu - evaluation_cpu,
                "evaluation": self._cpu.get("prediction", 0) + evaluation_cpu,
            },
            "collapsed": collapsed,
        }
        epochs = state.history if state else []
        columns = ["epoch", "training_loss", "validation_loss", "validation_dice", "seconds"]
        write_csv(self.folder / HISTORY, [*epochs[0]] if epochs else columns, epochs)
        record["cpu_seconds"]["total"] = time.process_time() + spent[1]
        whole = write_record(self.folder, record, [*written, HISTORY])
        if keeper:
            keeper.remove()
        return whole


def _digests_of(data: ImageSet, settings: Mapping[str, Any]) -> dict[str, str]:
    """SHA-256 of what a training takes from a prepared data set.

    The index has the names and groups that decide which images it is trained on, and so has the
    table of near-duplicates where these are kept on one side of a split.
    """
    digests = {name: data.about[name] for name in ARRAY_DIGESTS}
    if settings.get("resampling", {}).get("grouped") in (DUPLICATES, BOTH) and data.folder:
        digests["duplicates_sha256"] = file_digest(data.folder.parent / DUPLICATES_FILE)
    return digests


def describe_processor(processor: Processor) -> dict[str, str | int]:
    """What a ``run.json`` says of a processor, with the versions of what computes.

    Parameters
    ----------
    processor
        Device and precision to compute with.
    """
    packages = {name: version(name) for name in ("torch", "numpy")}
    return {
        **asdict(processor),
        **packages,
        "sonotune": __version__,
        "commit": commit(),
        "python": platform.python_version(),
        "host": platform.node(),
    }
