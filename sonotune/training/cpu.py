"""What makes training on a CPU faster, and changes none of its numbers."""

import ctypes
import platform
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from sonotune.networks.conv_relu import ConvReLU

# Of glibc's malloc.h: no piece of its own for a large array, nothing given back, one heap for all
# threads, since only the first one can hold large arrays.
M_TRIM_THRESHOLD, M_MMAP_MAX, M_ARENA_MAX = -1, -4, -8
MALLOC = {M_MMAP_MAX: 0, M_TRIM_THRESHOLD: -1, M_ARENA_MAX: 1}

# A processor without AVX-512 computes bf16 by PyTorch's own operations only.
BF16 = torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported()


def set_up() -> None:
    """Let this process compute by oneDNN's fused calls, and keep the memory that it frees."""
    ConvReLU.kernel = conv_relu
    _keep_freed_memory()


def has_native_bf16() -> bool:
    """Whether the processor multiplies bf16 numbers itself (AMX or AVX512-BF16)."""
    flags = _cpu_field("flags").split()
    return "amx_bf16" in flags or "avx512_bf16" in flags


def name() -> str:
    """The processor's model."""
    return _cpu_field("model name") or platform.processor() or platform.machine()


def conv_relu(layer: nn.Conv2d, x: Tensor) -> Tensor | None:
    """Convolution and ReLU as one call of oneDNN; None where that cannot compute it.

    oneDNN applies the ReLU while it writes the convolution's result, where PyTorch would read and
    write it once more. The numbers are the same, forward and backward.

    Parameters
    ----------
    layer
        The convolution.
    x
        [B,C,H,W], float32 or bfloat16.
    """
    if x.device.type != "cpu" or not torch.backends.mkldnn.is_available():
        return None
    weight, bias = layer.weight, layer.bias
    if torch.is_autocast_enabled("cpu"):
        kind = torch.get_autocast_dtype("cpu")
        if kind == torch.bfloat16 and not BF16:
            return None
        x, weight = x.to(kind), weight.to(kind)
        bias = None if bias is None else bias.to(kind)
    if x.shape[1] == 1 and x.dtype == torch.bfloat16:
        # For a single channel oneDNN's bf16 kernel is twenty times slower than for two.
        # With a second one of zeros sums may be rounded otherwise in their last bit.
        x, weight = (torch.cat([t, torch.zeros_like(t)], dim=1) for t in (x, weight))
    shape = list(layer.stride), list(layer.padding), list(layer.dilation), layer.groups
    result: Tensor = _OneCall.apply(x, weight, bias, *shape)
    return result


class _OneCall(torch.autograd.Function):
    """Convolution and ReLU by oneDNN, with the gradients that PyTorch gives of the two."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, *shape: Any) -> Tensor:
        stride, padding, dilation, groups = ctx.shape = shape
        result: Tensor = torch.ops.mkldnn._convolution_pointwise(
            x, weight, bias, padding, stride, dilation, groups, "relu", [], ""
        )
        ctx.save_for_backward(x, weight, result)
        ctx.biases = None if bias is None else list(bias.shape)
        return result

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, result = ctx.saved_tensors
        stride, padding, dilation, groups = ctx.shape
        gradients = torch.ops.aten.convolution_backward(
            torch.ops.aten.threshold_backward(gradient, result, 0),
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


def _keep_freed_memory() -> None:
    """Have glibc keep what a step frees for the next one, instead of giving it back to the kernel.

    Getting it back, a page at a time, is a quarter of a step with images of 512 x 512 pixels.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return  # another C library
    for option, value in MALLOC.items():
        mallopt(option, value)


def _cpu_field(field: str) -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return ""
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(field)), "")
