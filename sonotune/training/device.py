"""Where a training runs and with which numbers."""

from dataclasses import dataclass

import torch
from torch import Tensor

from sonotune.errors import SonotuneError


@dataclass(frozen=True)
class Processor:
    """What a training runs on.

    Attributes
    ----------
    device
        ``cpu`` or ``cuda``.
    precision
        ``fp32`` or ``bf16``: the type in which convolutions multiply.
    threads
        CPU threads; fixed by configuration, since sums depend on it in the last bits.
    name
        The processor's model.
    """

    device: str
    precision: str
    threads: int
    name: str


def choose(device: str, precision: str, threads: int) -> Processor:
    """Resolve ``auto`` and set up PyTorch for the device.

    Parameters
    ----------
    device
        ``cpu``, ``cuda`` or ``auto`` (a GPU if there is one).
    precision
        ``fp32``, ``bf16`` or ``auto`` (bf16 where the processor computes it natively: CUDA 8.0
        and later, AMX or AVX512-BF16).
    threads
        Threads of PyTorch on a CPU.

    Raises
    ------
    SonotuneError
        If ``cuda`` is asked for and no GPU can be used.
    """
    torch.set_num_threads(threads)
    # A job for the CPU does not touch CUDA, where initialising takes seconds and GPU memory.
    has_gpu = device != "cpu" and torch.cuda.is_available()
    if device == "cuda" and not has_gpu:
        raise SonotuneError(
            "device: cuda was asked for but PyTorch finds no usable GPU on this machine; use "
            "device: auto or cpu, or check the driver with nvidia-smi"
        )
    if has_gpu:
        from sonotune.training import cuda as kernels
    else:
        from sonotune.training import cpu as kernels  # type: ignore[no-redef]
    kernels.set_up()
    if precision == "auto":
        precision = "bf16" if kernels.has_native_bf16() else "fp32"
    return Processor("cuda" if has_gpu else "cpu", precision, threads, kernels.name())


def random_state(device: str) -> Tensor:
    """The state of the generator that dropout draws from, uint8 [n] on the CPU.

    Parameters
    ----------
    device
        ``cpu`` or ``cuda``.
    """
    return torch.cuda.get_rng_state() if device == "cuda" else torch.get_rng_state()


def set_random_state(device: str, state: Tensor) -> None:
    """Put dropout's generator into a state of `random_state`.

    Parameters
    ----------
    device
        ``cpu`` or ``cuda``.
    state
        State of the generator.
    """
    if device == "cuda":
        torch.cuda.set_rng_state(state)
    else:
        torch.set_rng_state(state)
