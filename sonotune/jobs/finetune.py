"""The job of one cell: reads arrays and start weights, writes predictions and a record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from sonotune.data.dataset import load_set
from sonotune.jobs.common import checkpoint_of, clear, digests_of, finish
from sonotune.jobs.model_card import describe_weights, finetuned_state
from sonotune.jobs.record import Clock, describe_run, write_history
from sonotune.networks.weights_file import save_weights
from sonotune.runtime.files import atomic
from sonotune.runtime.run_record import check_output, read_record
from sonotune.training.device import choose
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
    folder = Path(folder)
    clear(folder)
    data = load_set(arrays)
    if pretrained and (run := Path(pretrained).with_name("run.json")).exists():
        check_output(pretrained, read_record(run))
    processor = choose(settings["device"], settings["precision"], settings["threads"])
    digests = digests_of(data, settings)
    keeper = checkpoint_of(checkpoint, settings, digests, pretrained, processor, log)
    clock = Clock()
    tuned = finetune(settings, data, pretrained, processor, log, keeper)
    network, state, rows = tuned.network, tuned.state, tuned.rows
    clock.stop("training")
    if keeper:
        clock.add("training", keeper.earlier_wall, keeper.earlier_cpu)
    probabilities = predict_rows(network, data, rows.test, processor)
    clock.stop("prediction")

    with atomic(folder / "predictions.npz") as temporary:
        np.savez_compressed(temporary, rows=rows.test, probabilities=probabilities)
    if keep_weights:
        save_weights(
            finetuned_state(network, pretrained),
            folder / "weights.safetensors",
            describe_weights(settings, data, rows.train, pretrained),
        )
    constant = bool((probabilities >= 128).all() or (probabilities < 128).all())
    record = {
        "settings": dict(settings),
        "source": data.about["source"],
        "images": {
            "training": len(rows.train),
            "validation": len(rows.validation),
            "test": len(rows.test),
        },
        **describe_run(
            network, state, processor, digests, pretrained, clock, tuned.earlier_attempts
        ),
        # Early stopping would call a network that says the same everywhere converged.
        "collapsed": state is not None and (constant or state.never_predicted_foreground),
    }
    write_history(folder, state)
    written = ["predictions.npz", "history.csv"]
    if keep_weights:
        written.append("weights.safetensors")
    return finish(folder, record, written, keeper)
