"""Weights that a cell keeps: the tuned parameters, and the description needed to use them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from sonotune import __version__
from sonotune.data.image_set import ImageSet
from sonotune.errors import SonotuneError
from sonotune.layout import CELL_KEYS
from sonotune.networks.stages import tuned_state
from sonotune.runtime.run_record import file_digest, read_record

# Settings that tell which cell of a study it is.
WHICH = (*CELL_KEYS, "seed_number", "pretraining_number")


def finetuned_state(network: nn.Module, pretrained: str | Path | None) -> dict[str, Tensor]:
    """The tuned stages, and whatever else the start weights do not hold with the same numbers.

    The second part is empty for a network without batch normalisation that starts from
    pre-trained weights; a network that starts at random keeps all its state.

    Parameters
    ----------
    network
        The network after training.
    pretrained
        File of the start weights, or None.
    """
    start = load_file(pretrained) if pretrained else {}
    tuned = tuned_state(network)
    return {
        name: tensor
        for name, tensor in network.state_dict().items()
        if name in tuned or name not in start or not torch.equal(tensor.cpu(), start[name])
    }


def describe_weights(
    settings: Mapping[str, Any],
    data: ImageSet,
    training_rows: np.ndarray,
    pretrained: str | Path | None,
) -> dict[str, Any]:
    """Description of a trained cell: network, stages, preprocessing, data, code and licences.

    Parameters
    ----------
    settings
        The cell's.
    data, training_rows
        The prepared data set, and which of its images trained.
    pretrained
        The weights that it started from.
    """
    sources = {"training": data.about["source"]}
    if pretrained and (run := Path(pretrained).with_name("run.json")).exists():
        sources["pretraining"] = read_record(run)["source"]
    prepared = data.about.get("settings", {})
    keep_aspect = bool(prepared.get("keep_aspect", False))
    method = prepared.get("resize", "area")
    return {
        **{key: settings[key] for key in WHICH if key in settings},
        "network": dict(settings["network"]),
        "tuned_stages": list(settings["tune"]),
        "start_sha256": file_digest(pretrained) if pretrained else None,
        "preprocessing": {
            "image_size": int(data.images.shape[1]),
            "keep_aspect": keep_aspect,
            "method": method,
            "resize": (
                "areas where it shrinks, bilinear where it grows" if method == "area" else method
            )
            + (", longer side to the image size, padded with black" if keep_aspect else ""),
            "grey": "8 bits, divided by 255",
            "threshold": 0.5,
        },
        "precision": settings["precision"],
        "threads": settings["threads"],
        "training_data": {
            "source": data.about["source"],
            "images": len(training_rows),
            "images_sha256": data.about["images_sha256"],
            "masks_sha256": data.about["masks_sha256"],
            **grey_levels(data.images[training_rows]),
        },
        "sources": sources,
        "licences": {use: licence_of(source) for use, source in sources.items()},
        "code": settings["code"],
        "sonotune": __version__,
    }


def grey_levels(images: np.ndarray) -> dict[str, list[float]]:
    """Smallest and largest mean, and standard deviation, of images, uint8 [n,H,W]; {} of none.

    Parameters
    ----------
    images
        Grey images.
    """
    if not len(images):
        return {}
    means, deviations = images.mean((1, 2)), images.std((1, 2))
    return {
        "grey_mean": [float(means.min()), float(means.max())],
        "grey_deviation": [float(deviations.min()), float(deviations.max())],
    }


def licence_of(source: str) -> str:
    """The catalogue's note on the licence of a data set, or that it has none.

    Parameters
    ----------
    source
        What stands behind a data set.
    """
    # Few cells keep weights, and the catalogue costs each training's start 40 ms.
    from sonotune.data.catalogue import find_entry

    try:
        return find_entry(source).licence
    except SonotuneError:
        return "not in the catalogue of data sets; ask whoever provided the images"
