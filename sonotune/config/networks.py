"""Which networks a study trains, and what weights they start from."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sonotune.errors import SonotuneError
from sonotune.networks.settings import title_of

PRETRAINED = "pretrained"
# By encoder, entries of the catalogue.
PUBLISHED = {"mobilenet_v2": "mobilenet_v2_imagenet", "resnet18": "resnet18_imagenet"}


@dataclass(frozen=True)
class EncoderWeights:
    """Weights that encoders start from.

    Attributes
    ----------
    encoder
        Its name in segmentation_models_pytorch.
    source
        ``imagenet``, or the path of a file.
    entry
        The entry of the catalogue that holds them, or None for a file of the user's.
    """

    encoder: str
    source: str
    entry: str | None


def network_of(study: Mapping[str, Any], strategy: str) -> dict[str, Any]:
    """The network that a strategy tunes: its own, or the study's.

    Parameters
    ----------
    study
        A study of a complete configuration.
    strategy
        Name of a strategy.
    """
    network: dict[str, Any] = study["strategies"][strategy].get("network", study["network"])
    return network


def networks_of(study: Mapping[str, Any]) -> list[dict[str, Any]]:
    """All networks of a study, its own first.

    Parameters
    ----------
    study
        A study of a complete configuration.
    """
    networks = [study["network"]]
    for strategy in study["strategies"]:
        if (network := network_of(study, strategy)) not in networks:
            networks.append(network)
    return networks


def network_titles(study: Mapping[str, Any]) -> dict[str, str]:
    """Title of each strategy's network; equal titles are distinguished by their settings.

    Parameters
    ----------
    study
        A study of a complete configuration.
    """
    networks, titles = networks_of(study), []
    for network in networks:
        alike = [other for other in networks if title_of(other) == title_of(network)]
        own = [
            f"{key} {network.get(key)}"
            for key in sorted({key for other in alike for key in other})
            if len({repr(other.get(key)) for other in alike}) > 1
        ]
        titles.append(title_of(network) + (f" ({', '.join(own)})" if own else ""))
    return {name: titles[networks.index(network_of(study, name))] for name in study["strategies"]}


def start_of(study: Mapping[str, Any], strategy: str) -> str | None:
    """Where a strategy's pre-trained weights come from.

    Parameters
    ----------
    study
        A study of a complete configuration.
    strategy
        Name of a strategy.

    Returns
    -------
    str or None
        `PRETRAINED` for the study's own pre-training, the name of published encoder weights (see
        `encoder_weights_of`), or None if there are none.
    """
    network = network_of(study, strategy)
    if "pretraining" in study and network == study["network"]:
        return PRETRAINED
    return encoder_weights_of(network)


def encoder_weights_of(network: Mapping[str, Any]) -> str | None:
    """A name, fit for a path, for the encoder weights that a network starts from; None for none.

    Parameters
    ----------
    network
        A complete ``network`` key.
    """
    source = network.get("encoder_weights", "random")
    if source == "random":
        return None
    if source == "imagenet":
        return f"{network['encoder']}_imagenet"
    name = Path(source).stem.replace(".", "_")
    return f"{name}_{hashlib.sha256(source.encode()).hexdigest()[:8]}"


def all_encoder_weights(config: Mapping[str, Any]) -> dict[str, EncoderWeights]:
    """All encoder weights that the studies of a complete configuration start from, by their names.

    Parameters
    ----------
    config
        A complete configuration.

    Raises
    ------
    SonotuneError
        If ``imagenet`` is asked for an encoder without a verified file, or a file is
        not there.
    """
    weights = {}
    for study in config["studies"].values():
        for network in networks_of(study):
            name = encoder_weights_of(network)
            if name is None:
                continue
            encoder, source = network["encoder"], network["encoder_weights"]
            if source == "imagenet" and encoder not in PUBLISHED:
                raise SonotuneError(
                    f"network: encoder_weights: imagenet is known of {' and '.join(PUBLISHED)} "
                    f"only; for {encoder} name a file of its weights, or write random"
                )
            entry = PUBLISHED[encoder] if source == "imagenet" else None
            if entry is None and not Path(source).is_file():
                raise SonotuneError(f"network: encoder_weights: there is no file {source}")
            weights[name] = EncoderWeights(encoder, source, entry)
    return weights
