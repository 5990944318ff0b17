"""What networks with batch normalisation share."""

from typing import Any, Self

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm


class WithBatchNorm(nn.Module):
    """Network with a policy for batch-norm statistics in frozen stages.

    Attributes
    ----------
    batch_norm
        ``update``: in training, running means and variances move in frozen stages too, as in the
        published code of Wang 2023. ``freeze``: there they stay, and are what normalises.
    own_initialisation
        The network starts as its library makes it, not by `sonotune.networks.weights.he_normal`.
    """

    own_initialisation = True
    batch_norm = "update"

    def train(self, mode: bool = True) -> Self:
        """As of any module; with ``freeze``, frozen normalisation stays as in evaluation.

        Parameters
        ----------
        mode
            True for training, False for evaluation.
        """
        super().train(mode)
        if mode and self.batch_norm == "freeze":
            for module in self.modules():
                if is_frozen_norm(module):
                    module.eval()
        return self


def is_frozen_norm(module: nn.Module) -> bool:
    """Whether a module is a batch normalisation none of whose weights is tuned.

    Parameters
    ----------
    module
        A module of a network.
    """
    return isinstance(module, _BatchNorm) and not any(
        parameter.requires_grad for parameter in module.parameters()
    )


def moving_buffers(network: Any) -> set[str]:
    """Names of the running statistics that training moves; none where nothing is tuned.

    Parameters
    ----------
    network
        The network.
    """
    if not any(parameter.requires_grad for parameter in network.parameters()):
        return set()
    frozen_stay = getattr(network, "batch_norm", None) == "freeze"
    return {
        f"{name}.{buffer}"
        for name, module in network.named_modules()
        if isinstance(module, _BatchNorm) and not (frozen_stay and is_frozen_norm(module))
        for buffer, _ in module.named_buffers(recurse=False)
    }
