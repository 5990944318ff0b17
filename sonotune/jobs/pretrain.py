"""The job of one pre-training: reads arrays, writes start weights and a record."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sonotune.jobs.common import TrainingJob
from sonotune.layout import WEIGHTS
from sonotune.networks.weights_file import save_weights
from sonotune.training.pretrain import pretrain_network


def pretrain(
    settings: Mapping[str, Any],
    arrays: str | Path,
    folder: str | Path,
    log: Callable[[str], None],
    checkpoint: str | Path | None = None,
    weights: str | Path | None = None,
) -> dict[str, Any]:
    """Pre-train a study's network and write its weights.

    Parameters
    ----------
    settings
        All that the weights depend on besides the arrays (see
        `sonotune.config.jobs.pretraining_settings`).
    arrays
        Folder of the prepared natural images.
    folder
        Gets ``weights.safetensors``, ``history.csv`` and last ``run.json``.
    log
        Called with one line for each epoch.
    checkpoint
        As in `sonotune.jobs.finetune.run_cell`.
    weights
        File of published encoder weights to start from; None for a random start.

    Returns
    -------
    dict
        The content of ``run.json``.

    Raises
    ------
    SonotuneError
        If no cell could start from the weights (see `sonotune.training.pretrain`).
    Stopped
        If a signal asked to end and the checkpoint was written.
    """
    job = TrainingJob(settings, arrays, weights, folder, checkpoint, log)
    trained = pretrain_network(settings, job.data, weights, job.processor, log, job.checkpoint)
    job.stop("training")
    save_weights(trained.network.state_dict(), job.folder / WEIGHTS)
    images = {"training": len(trained.training), "validation": len(trained.validation)}
    collapsed = trained.state.never_predicted_foreground
    return job.finish(trained, images, collapsed, [WEIGHTS])
