"""The job of one cell: reads arrays and start weights, writes predictions and a record."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from sonotune.jobs.common import TrainingJob
from sonotune.jobs.model_card import describe_weights, finetuned_state
from sonotune.layout import WEIGHTS
from sonotune.networks.weights_file import save_weights
from sonotune.runtime.files import atomic
from sonotune.training.finetune import finetune, predict_rows


def run_cell(
    settings: Mapping[str, Any],
    arrays: str | Path,
    pretrained: str | Path | None,
    folder: str | Path,
    log: Callable[[str], None],
    checkpoint: str | Path | None = None,
    keep_weights: bool = False,
) -> dict[str, Any]:
    """Train one cell, predict its test images and write both.

    Parameters
    ----------
    settings
        All that the cell depends on besides its arrays and start weights (see
        `sonotune.config.jobs.cell_settings`).
    arrays
        Folder of the prepared data set.
    pretrained
        File of the start weights, or None for a random start.
    folder
        Gets ``history.csv``, ``predictions.npz`` (``rows`` int64 [n] and ``probabilities``
        uint8 [n,H,W]), ``weights.safetensors`` if asked for, and last ``run.json``.
    log
        Called with one line for each epoch.
    checkpoint
        File that keeps what a killed training needs to resume; outside of the folder, which
        Snakemake clears before it starts a cell again. None for no checkpoint.
    keep_weights
        Whether the tuned stages are written.

    Returns
    -------
    dict
        The content of ``run.json``.

    Raises
    ------
    SonotuneError
        If input does not fit: images, weights, fraction or device.
    Stopped
        If a signal asked to end and the checkpoint was written.
    """
    job = TrainingJob(settings, arrays, pretrained, folder, checkpoint, log)
    tuned = finetune(settings, job.data, pretrained, job.processor, log, job.checkpoint)
    network, state, rows = tuned.network, tuned.state, tuned.rows
    job.stop("training")
    probabilities = predict_rows(network, job.data, rows.test, job.processor)
    job.stop("prediction")

    written = ["predictions.npz"]
    with atomic(job.folder / "predictions.npz") as temporary:
        np.savez_compressed(temporary, rows=rows.test, probabilities=probabilities)
    if keep_weights:
        written.append(WEIGHTS)
        save_weights(
            finetuned_state(network, pretrained),
            job.folder / WEIGHTS,
            describe_weights(settings, job.data, rows.train, pretrained),
        )
    constant = bool((probabilities >= 128).all() or (probabilities < 128).all())
    # Early stopping would call a network that says the same everywhere converged.
    collapsed = state is not None and (constant or state.never_predicted_foreground)
    images = {
        "training": len(rows.train),
        "validation": len(rows.validation),
        "test": len(rows.test),
    }
    return job.finish(tuned, images, collapsed, written)
