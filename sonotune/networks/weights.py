"""Random and stored weights."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import nn

from sonotune.errors import SonotuneError
from sonotune.networks.stages import build_network


def he_normal(network: nn.Module, seed: int) -> None:
    """Give every convolution He-normal weights (fan in, ReLU) and zero bias.

    The numbers are drawn on the CPU in the order of the network's modules, so they are the same
    on every device.

    Parameters
    ----------
    network
        The network.
    seed
        Seed of the study.
    """
    random = torch.Generator().manual_seed(seed)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            fan_in = module.weight[0].numel()
            with torch.no_grad():
                drawn = torch.randn(module.weight.shape, generator=random)
                module.weight.copy_(drawn * math.sqrt(2 / fan_in))
                if module.bias is not None:
                    module.bias.zero_()


def start_network(settings: Mapping[str, Any], weights: str | Path | None, seed: int) -> nn.Module:
    """Make a network with the weights that it starts from.

    Parameters
    ----------
    settings
        A ``network`` key.
    weights
        Pre-trained weights (see `load_weights`), or None for a random start. What they do not
        hold starts at random.
    seed
        What random weights derive from.

    Raises
    ------
    SonotuneError
        If the weights are those of another network.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = build_network(settings)
    if weights is not None:
        load_weights(network, weights)
    elif not getattr(network, "own_initialisation", False):
        he_normal(network, seed)
    return network


def load_weights(network: nn.Module, path: str | Path) -> None:
    """Load a network's whole state from safetensors, or its pre-trained part if it has one.

    Parameters
    ----------
    network
        The network.
    path
        File of weights (``.safetensors``).

    Raises
    ------
    SonotuneError
        If the file cannot be read, or its names or shapes are not the network's: the message
        names the first that is off.
    """
    try:
        stored = load_file(path)
    except Exception as error:  # safetensors raises its own kinds, all of them about the file
        raise SonotuneError(f"{path}: cannot be read as safetensors ({error})") from None
    own = network.state_dict()
    part = getattr(network, "pretrained_part", None)
    if part and stored and all(name.startswith(part) for name in stored):
        own = {name: tensor for name, tensor in own.items() if name.startswith(part)}
    if odd := sorted(set(own) ^ set(stored)):
        raise SonotuneError(
            f"{path}: holds the weights of another network: {odd[0]} "
            + ("is missing" if odd[0] in own else "is not one of the network's")
            + f" ({len(odd)} names differ)"
        )
    for name, tensor in own.items():
        if tensor.shape != stored[name].shape:
            raise SonotuneError(
                f"{path}: holds the weights of another network: {name} is "
                f"{tuple(stored[name].shape)} where {tuple(tensor.shape)} is needed"
            )
    network.load_state_dict(stored, strict=len(own) == len(network.state_dict()))
