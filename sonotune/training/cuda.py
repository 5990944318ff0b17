"""What is particular to training on a GPU."""

from __future__ import annotations

import torch


def set_up() -> None:
    """Let cuDNN choose the same deterministic kernels in every run, and fp32 be fp32.

    By default convolutions would multiply in TF32, with mantissas of 10 bits.
    """
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False


def has_native_bf16() -> bool:
    """Whether the GPU multiplies bf16 numbers itself (compute capability 8.0 and later)."""
    return torch.cuda.get_device_capability() >= (8, 0)


def name() -> str:
    """The GPU's model."""
    return torch.cuda.get_device_name()
