"""Where a training runs and with which numbers."""

from __future__ import annotations

import ctypes
import platform
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import torch

from sonotune.errors import SonotuneError
from sonotune.runtime.commit import commit

# Of glibc's malloc.h: no piece of its own for a large array, nothing given back, one heap for all
# threads, since only the first one can hold large arrays.
M_TRIM_THRESHOLD, M_MMAP_MAX, M_ARENA_MAX = -1, -4, -8
MALLOC = {M_MMAP_MAX: 0, M_TRIM_THRESHOLD: -1, M_ARENA_MAX: 1}


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

    def describe(self) -> dict[str, str | int]:
        """What a run.json says of it, with the versions of what computes."""
        packages = {name: version(name) for name in ("torch", "numpy", "sonotune")}
        return {
            **asdict(self),
            **packages,
            "commit": commit(),
            "python": platform.python_version(),
            "host": platform.node(),
        }


def choose(device: str, precision: str, threads: int) -> Processor:
    """Resolve ``auto`` and set PyTorch's threads and determinism.

    Parameters
    ----------
    device
        ``cpu``, ``cuda`` or ``auto`` (a GPU if there is one).
    precision
        ``fp32``, ``bf16`` or ``auto`` (bf16 where the processor computes it natively: CUDA 8.0
        and later, AMX or AVX512-BF16).

    Raises
    ------
    SonotuneError
        If ``cuda`` is asked for and no GPU can be used.
    """
    torch.set_num_threads(threads)
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True
    found = torch.cuda.is_available()
    if device == "cuda" and not found:
        raise SonotuneError(
            "device: cuda was asked for but PyTorch finds no usable GPU on this machine; use "
            "device: auto or cpu, or check the driver with nvidia-smi"
        )
    device = "cuda" if found and device != "cpu" else "cpu"
    if device == "cpu":
        _keep_freed_memory()
    if precision == "auto":
        precision = "bf16" if _has_native_bf16(device) else "fp32"
    name = torch.cuda.get_device_name() if device == "cuda" else _cpu_name()
    return Processor(device, precision, threads, name)


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


def _has_native_bf16(device: str) -> bool:
    if device == "cuda":
        return torch.cuda.get_device_capability() >= (8, 0)
    flags = _cpu_field("flags").split()
    return "amx_bf16" in flags or "avx512_bf16" in flags


def _cpu_name() -> str:
    return _cpu_field("model name") or platform.processor() or platform.machine()


def _cpu_field(name: str) -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return ""
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(name)), "")
