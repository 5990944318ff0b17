"""A convolution followed by ReLU, for which a device may have a kernel of its own."""

from collections.abc import Callable
from typing import ClassVar

import torch
from torch import Tensor, nn


class ConvReLU(nn.Conv2d):
    """``nn.Conv2d`` and ReLU, with the same state as ``nn.Conv2d``.

    Whatever follows a network's operations one by one (tracing, export, the compiler) gets the two
    operations.

    Attributes
    ----------
    kernel
        Computes both in one call, or gives None where it does not apply. `sonotune.training.device`
        sets it for the device that a process computes on.
    """

    kernel: ClassVar[Callable[[nn.Conv2d, Tensor], Tensor | None] | None] = None

    def forward(self, x: Tensor) -> Tensor:
        """Map [B,C,H,W] to [B,channels,H,W], without negative numbers.

        Parameters
        ----------
        x
            Maps, float [B,C,H,W].
        """
        if ConvReLU.kernel and not (torch.compiler.is_compiling() or torch.jit.is_tracing()):
            result = ConvReLU.kernel(self, x)
            if result is not None:
                return result
        return super().forward(x).relu_()
