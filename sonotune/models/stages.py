"""Stages: which parts of a network are tuned, and which stay frozen.

Nothing here knows a particular network: a network is a module with ``stages``, the names of
those of its children that hold parameters, and is made by the ``build`` of the module of its
name in this package.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import Any

from torch import Tensor, nn

from sonotune.errors import SonotuneError


def build_network(settings: dict[str, Any]) -> nn.Module:
    """Make the network that a study's ``network`` key describes: ``name`` and its arguments.

    Raises
    ------
    SonotuneError
        If an argument is not possible.
    """
    arguments = dict(settings)
    # Found by name, so that a network's code counts only for the cells that use it.
    return import_module(f"sonotune.models.{arguments.pop('name')}").build(**arguments)


def stage_parameters(network: nn.Module) -> dict[str, dict[str, nn.Parameter]]:
    """Parameters by stage, with their names in the network's state.

    Raises
    ------
    SonotuneError
        If the stages leave a parameter in none or put one in two of them.
    """
    found = {
        stage: {
            f"{stage}.{name}": parameter
            for name, parameter in network.get_submodule(stage).named_parameters()
        }
        for stage in network.stages  # type: ignore[union-attr]
    }
    covered = [name for parameters in found.values() for name in parameters]
    every = [name for name, _ in network.named_parameters()]
    if sorted(covered) != sorted(every):
        odd = sorted(set(every) ^ set(covered)) or sorted(covered)
        raise SonotuneError(f"stages of {type(network).__name__} do not cover exactly: {odd}")
    return found


def freeze_all_but(network: nn.Module, tune: Iterable[str]) -> None:
    """Let gradients flow only to the tuned stages' parameters."""
    tuned = set(tune)
    for stage, parameters in stage_parameters(network).items():
        for parameter in parameters.values():
            parameter.requires_grad_(stage in tuned)


def tuned_parameters(network: nn.Module) -> list[nn.Parameter]:
    """The parameters that an optimiser should hold."""
    return [parameter for parameter in network.parameters() if parameter.requires_grad]


def tuned_state(network: nn.Module) -> dict[str, Tensor]:
    """Tuned parameters by name, detached (not copied)."""
    return {n: p.detach() for n, p in network.named_parameters() if p.requires_grad}


def frozen_state(network: nn.Module) -> dict[str, Tensor]:
    """Everything else in the network's state, buffers included, detached (not copied)."""
    tuned = tuned_state(network)
    return {name: t.detach() for name, t in network.state_dict().items() if name not in tuned}


def count(parameters: Iterable[nn.Parameter]) -> int:
    """Number of weights."""
    return sum(parameter.numel() for parameter in parameters)
