"""Stages: which parts of a network are tuned, and which stay frozen.

Nothing here knows a particular network: a network is a module with ``stages``, names of those of
its children that hold parameters, or with ``patterns``, regular expressions for the parameters of
each stage. It is made by the ``build`` of the module of its name in this package.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Any

from torch import Tensor, nn

from sonotune.errors import SonotuneError
from sonotune.networks.batch_norm import moving_buffers


def build_network(settings: Mapping[str, Any]) -> nn.Module:
    """Make the network that a ``network`` key describes: ``name`` and its arguments.

    Parameters
    ----------
    settings
        A complete ``network`` key without start weights.

    Raises
    ------
    SonotuneError
        If an argument is not possible.
    """
    arguments = dict(settings)
    name = arguments.pop("name")
    # Each is imported by those alone that use it: two of them take long to load.
    if name == "unet":
        from sonotune.networks import unet

        return unet.build(**arguments)
    if name == "unet_bn":
        from sonotune.networks import unet_bn

        return unet_bn.build(**arguments)
    from sonotune.networks import smp

    return smp.build(**arguments)


def stage_parameters(network: nn.Module) -> dict[str, dict[str, nn.Parameter]]:
    """Parameters by stage, with their names in the network's state.

    Parameters
    ----------
    network
        The network.

    Raises
    ------
    SonotuneError
        If the stages leave a parameter in none or put one in two of them: it is named.
    """
    stages: tuple[str, ...] = network.stages  # type: ignore[assignment]
    patterns = getattr(network, "patterns", None) or {s: rf"{re.escape(s)}\." for s in stages}
    compiled = {stage: re.compile(pattern) for stage, pattern in patterns.items()}
    by_stage: dict[str, dict[str, nn.Parameter]] = {stage: {} for stage in stages}
    for name, parameter in network.named_parameters():
        owners = [stage for stage in stages if compiled[stage].match(name)]
        if len(owners) != 1:
            where = f"is in {' and '.join(owners)}" if owners else "is in none of them"
            raise SonotuneError(
                f"network: stages: must hold every parameter once, but {name} {where}; stages: "
                + ", ".join(stages)
            )
        by_stage[owners[0]][name] = parameter
    if empty := [stage for stage, parameters in by_stage.items() if not parameters]:
        raise SonotuneError(f"network: stages: {empty[0]} holds no parameter of the network")
    return by_stage


def freeze_all_but(network: nn.Module, tune: Iterable[str]) -> None:
    """Let gradients flow only to the tuned stages' parameters.

    Parameters
    ----------
    network
        The network.
    tune
        Names of the tuned stages.
    """
    tuned = set(tune)
    for stage, parameters in stage_parameters(network).items():
        for parameter in parameters.values():
            parameter.requires_grad_(stage in tuned)


def tuned_parameters(network: nn.Module) -> list[nn.Parameter]:
    """The parameters that an optimiser should hold.

    Parameters
    ----------
    network
        The network.
    """
    return [parameter for parameter in network.parameters() if parameter.requires_grad]


def tuned_state(network: nn.Module) -> dict[str, Tensor]:
    """All that training changes, by name, detached (not copied): what has to be kept of it.

    Tuned parameters, and the running statistics of batch normalisation that move with them.

    Parameters
    ----------
    network
        The network.
    """
    changing = {name for name, p in network.named_parameters() if p.requires_grad}
    changing |= moving_buffers(network)
    return {name: t.detach() for name, t in network.state_dict().items() if name in changing}


def frozen_state(network: nn.Module) -> dict[str, Tensor]:
    """Everything else in the network's state, detached (not copied).

    Parameters
    ----------
    network
        The network.
    """
    tuned = tuned_state(network)
    return {name: t.detach() for name, t in network.state_dict().items() if name not in tuned}


def state_digest(state: dict[str, Tensor]) -> str:
    """SHA-256 of tensors and their names, to tell whether any of them changed.

    Parameters
    ----------
    state
        Tensors by name.
    """
    digest = hashlib.sha256()
    for name in sorted(state):
        digest.update(name.encode())
        digest.update(state[name].cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def count(parameters: Iterable[nn.Parameter]) -> int:
    """Number of weights.

    Parameters
    ----------
    parameters
        Parameters of a network.
    """
    return sum(parameter.numel() for parameter in parameters)
