"""Weights as a file."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from sonotune.runtime.files import atomic


def save_weights(
    state: dict[str, Tensor], path: str | Path, about: Mapping[str, Any] | None = None
) -> None:
    """Write tensors as safetensors, numbers with a fraction as fp32, atomically.

    The description `about` them is in the file's metadata, as JSON under ``sonotune``.

    Parameters
    ----------
    state
        Tensors by name.
    path
        File to write.
    about
        What the file's header says of them, as JSON can hold it.
    """
    with atomic(path) as temporary:
        save_file(
            {
                # What counts, as batch normalisation does, stays a whole number.
                name: t.detach()
                .to("cpu", torch.float32 if t.is_floating_point() else t.dtype)
                .contiguous()
                for name, t in state.items()
            },
            temporary,
            None if about is None else {"sonotune": json.dumps(about, sort_keys=True)},
        )
