"""Weights in bf16 beside their fp32 masters, so that no step casts every weight again."""

from copy import deepcopy

import torch
from torch import nn

from sonotune.training.device import Processor

CONVOLUTIONS = (nn.Conv2d, nn.ConvTranspose2d)


def bf16_shadow(network: nn.Module, processor: Processor) -> nn.Module:
    """A network to compute with, which shares all but its convolutions' weights with this one.

    Autocast would cast the weights of every convolution to bf16 in each forward pass, and their
    gradients back; here they are bf16 already, and the optimiser refreshes them after each step
    (see `Adam`). The numbers are those of autocast, bit by bit. What is no convolution (batch
    norm with its running statistics) is the same tensor in both, so it needs no refreshing.

    Parameters
    ----------
    network
        The network.
    processor
        Device and precision to compute with.

    Returns
    -------
    nn.Module
        ``network`` itself where the precision is fp32.
    """
    if processor.precision == "fp32":
        return network
    shared = {id(tensor): tensor for tensor in (*network.parameters(), *network.buffers())}
    copy = deepcopy(network, shared)
    for module in copy.modules():
        if isinstance(module, CONVOLUTIONS):
            for name, master in list(module.named_parameters(recurse=False)):
                low = master.detach().to(torch.bfloat16)
                setattr(module, name, nn.Parameter(low, requires_grad=master.requires_grad))
    return copy
