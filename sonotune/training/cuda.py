"""What is particular to training on a GPU."""

from __future__ import annotations

import torch


def set_up() -> None:
    """Let cuDNN choose the same deterministic kernels in every run."""
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True


def has_native_bf16() -> bool:
    """Whether the GPU multiplies bf16 numbers itself (compute capability 8.0 and later)."""
    return torch.cuda.get_device_capability() >= (8, 0)


def name() -> str:
    """The GPU's model."""
    return torch.cuda.get_device_name()
