"""A convolution with ReLU, as one call of oneDNN where that computes it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

# A processor without AVX-512 computes bf16 by PyTorch's own operations only.
BF16 = torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported()


class ConvReLU(nn.Conv2d):
    """``nn.Conv2d`` and ReLU: the same numbers and the same state, in less time on a CPU.

    There oneDNN applies the ReLU while it writes the convolution's result, where PyTorch would
    read and write it once more. Whatever follows a network's operations one by one (tracing,
    export, the compiler) gets the two that they are, and so does a GPU.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Map [B,C,H,W] to [B,channels,H,W], without negative numbers."""
        followed = torch.compiler.is_compiling() or torch.jit.is_tracing()
        if followed or x.device.type != "cpu" or not torch.backends.mkldnn.is_available():
            return super().forward(x).relu_()
        weight, bias = self.weight, self.bias
        if torch.is_autocast_enabled("cpu"):
            kind = torch.get_autocast_dtype("cpu")
            if kind == torch.bfloat16 and not BF16:
                return super().forward(x).relu_()
            x, weight = x.to(kind), weight.to(kind)
            bias = None if bias is None else bias.to(kind)
        if x.shape[1] == 1 and x.dtype == torch.bfloat16:
            # For a single channel oneDNN has no bf16 kernel worth the name: twenty times slower.
            # With a second one of zeros sums may be rounded otherwise in their last bit.
            x, weight = (torch.cat([t, torch.zeros_like(t)], dim=1) for t in (x, weight))
        shape = list(self.stride), list(self.padding), list(self.dilation), self.groups
        found: Tensor = _OneCall.apply(x, weight, bias, *shape)
        return found


class _OneCall(torch.autograd.Function):
    """Convolution and ReLU by oneDNN, with the gradients that PyTorch gives of the two."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        stride: list[int],
        padding: list[int],
        dilation: list[int],
        groups: int,
    ) -> Tensor:
        found: Tensor = torch.ops.mkldnn._convolution_pointwise(
            x, weight, bias, padding, stride, dilation, groups, "relu", [], ""
        )
        ctx.save_for_backward(x, weight, found)
        ctx.biases = None if bias is None else list(bias.shape)
        ctx.shape = stride, padding, dilation, groups
        return found

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, found = ctx.saved_tensors
        stride, padding, dilation, groups = ctx.shape
        gradients = torch.ops.aten.convolution_backward(
            torch.ops.aten.threshold_backward(gradient, found, 0),
            x,
            weight,
            ctx.biases,
            stride,
            padding,
            dilation,
            False,
            [0] * len(padding),
            groups,
            list(ctx.needs_input_grad[:3]),
        )
        return *gradients, None, None, None, None
