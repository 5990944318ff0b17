"""How long jobs take, compared with each other, so that the longest start first.

Known before any image is there, and without loading PyTorch. No result depends on it.
"""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from sonotune.config.networks import network_of
from sonotune.data.catalogue import find_entry
from sonotune.data.readers import find_samples
from sonotune.errors import SonotuneError
from sonotune.networks.settings import stages_of

# A pre-training, on which most cells wait, goes before every cell, and its images before that.
PRETRAINING = 1_000_000
FIRST_DATA = 2_000_000


def expected_images(dataset: Mapping[str, Any]) -> int:
    """How many images a data set will have, as far as its configuration and the catalogue tell.

    Parameters
    ----------
    dataset
        Its complete settings.

    Returns
    -------
    int
        0 where nothing tells.
    """
    reader = dataset["reader"]
    options = dataset.get(reader) or {}
    if "images" in dataset:
        return int(dataset["images"])
    if "catalogue" in dataset:
        images = options.get("images") or find_entry(dataset["catalogue"]).images or 0
        return int(images)
    return _listed(json.dumps({key: dataset[key] for key in ("reader", reader) if key in dataset}))


@cache
def _listed(dataset: str) -> int:
    """Images of a user's own folder, which is listed once however many cells ask."""
    try:
        return len(find_samples(json.loads(dataset)))
    except (SonotuneError, OSError):
        return 0


def image_cost(study: Mapping[str, Any], strategy: str) -> float:
    """Effort of training on one image once, compared with other strategies and studies.

    It is that of a training step against a forward pass, with every stage counted alike: gradients
    flow down to the first tuned stage, and tuned stages have those of their weights.

    Parameters
    ----------
    study
        A study of a complete configuration.
    strategy
        Name of a strategy.
    """
    network, tune = network_of(study, strategy), study["strategies"][strategy]["tune"]
    if not tune:
        return 0.0
    stages = stages_of(network)
    first = min(stages.index(stage) for stage in tune)
    cost = 1 + (len(stages) - first + len(tune)) / len(stages)
    return float(cost * (study["image_size"] / 256) ** 2 * network.get("width", 64) / 64)


def cell_priority(config: Mapping[str, Any], study: str, dataset: str, strategy: str) -> int:
    """Snakemake's priority of a cell: larger for one that takes longer, below a pre-training's.

    Parameters
    ----------
    config
        A complete configuration.
    study
        Name of a study.
    dataset
        Name of a data set.
    strategy
        Name of a strategy.
    """
    images = expected_images(config["datasets"][dataset]) or 100
    cost = image_cost(config["studies"][study], strategy)
    return min(PRETRAINING - 1, round(10 * images * cost))


def data_priority(config: Mapping[str, Any], dataset: str) -> int:
    """Snakemake's priority of making or preparing a data set: first what is pre-trained on.

    Parameters
    ----------
    config
        A complete configuration.
    dataset
        Name of a data set.
    """
    pretrainings = [study.get("pretraining", {}) for study in config["studies"].values()]
    return FIRST_DATA + (dataset in [pretraining.get("dataset") for pretraining in pretrainings])
