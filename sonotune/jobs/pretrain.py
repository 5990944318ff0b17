"""The job of one pre-training: reads arrays, writes start weights and a record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sonotune.data.dataset import load_set
from sonotune.jobs.common import checkpoint_of, clear, digests_of, finish
from sonotune.jobs.record import Clock, describe_run, write_history
from sonotune.networks.weights_file import save_weights
from sonotune.training.device import choose
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
    folder = Path(folder)
    clear(folder)
    data = load_set(arrays)
    processor = choose(settings["device"], settings["precision"], settings["threads"])
    digests = digests_of(data, settings)
    keeper = checkpoint_of(checkpoint, settings, digests, weights, processor, log)
    clock = Clock()
    pretrained = pretrain_network(settings, data, weights, processor, log, keeper)
    clock.stop("training")
    if keeper:
        clock.add("training", keeper.earlier_wall, keeper.earlier_cpu)
    save_weights(pretrained.network.state_dict(), folder / "weights.safetensors")
    record = {
        "settings": dict(settings),
        "source": data.about["source"],
        "images": {"training": len(pretrained.training), "validation": len(pretrained.validation)},
        **describe_run(
            pretrained.network,
            pretrained.state,
            processor,
            digests,
            weights,
            clock,
            pretrained.earlier_attempts,
        ),
        "collapsed": pretrained.state.never_predicted_foreground,
    }
    write_history(folder, pretrained.state)
    return finish(folder, record, ["weights.safetensors", "history.csv"], keeper)
