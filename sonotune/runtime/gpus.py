"""Which GPU a training uses: slots of this machine's devices, held by kernel locks.

Snakemake's ``gpu`` is a counter and sets nothing. So a job of a local workflow takes one of the
slots, ``cells_per_gpu`` of each device, and shows PyTorch that device alone. A lock ends with its
process, also by SIGKILL. Locks are the user's and not a results folder's, so that two workflows on
one machine share the devices too. A job that a scheduler started uses what the scheduler gave it.
"""

import gc
import itertools
import os
import re
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeVar

from sonotune.errors import SonotuneError
from sonotune.runtime.locks import Lock

SLOTS = "SONOTUNE_GPU_SLOTS"
CELLS = "SONOTUNE_CELLS_PER_GPU"
FOLDER = "SONOTUNE_GPU_LOCKS"
VISIBLE = "CUDA_VISIBLE_DEVICES"
# Not TMPDIR, which may be another one for every login or job.
SHARED = Path("/tmp")  # noqa: S108

Result = TypeVar("Result")


@dataclass(frozen=True)
class Slot:
    """One share of a device: slot i is share i % ``cells_per_gpu`` of device i // that.

    Attributes
    ----------
    device
        As ``CUDA_VISIBLE_DEVICES`` names it.
    share
        Number of the share, from 0.
    """

    device: str
    share: int

    def lock(self) -> Lock:
        """Hold this slot.

        Raises
        ------
        SonotuneError
            If another process holds it.
        """
        name = physical(self.device).replace("/", "_")
        return Lock(lock_folder() / f"{name}.{self.share}.lock", f"GPU {self.device}")


def local_slots() -> list[Slot]:
    """The slots that the workflow on this machine has; none where a scheduler assigns devices.

    The devices are those of ``CUDA_VISIBLE_DEVICES`` where that is set, also to nothing, and
    otherwise those that the driver lists (0, 1, ..., and the parts of a divided GPU by their
    names), as far as the workflow's ``--resources gpu=N`` reaches.
    """
    number, each = int(os.environ.get(SLOTS) or 0), int(os.environ.get(CELLS) or 1)
    devices = visible_devices()
    if devices is None:
        devices = list(list_devices()) or [str(i) for i in range(-(-number // each))]
    slots = [Slot(device, share) for device in devices for share in range(each)]
    return slots[:number]


def visible_devices() -> list[str] | None:
    """The devices that ``CUDA_VISIBLE_DEVICES`` allows, or None where it is not set."""
    given = os.environ.get(VISIBLE)
    if given is None:
        return None
    names = [name.strip() for name in given.split(",")]
    # CUDA sees none that stands behind one that is not there.
    return list(itertools.takewhile(lambda name: name not in ("", "-1"), names))


def lock_folder() -> Path:
    """Where this user's slots are locked on this machine; nobody else may write there."""
    if given := os.environ.get(FOLDER):
        return Path(given)
    parent = SHARED if os.access(SHARED, os.W_OK) else Path(tempfile.gettempdir())
    folder = parent / f"sonotune-gpus-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
        raise SonotuneError(f"{folder}: belongs to another user; set {FOLDER} to your own folder")
    return folder


def run_on_gpu(run: Callable[[], Result], device: str, log: Callable[[str], None]) -> Result:
    """Run a training with a GPU of its own, before PyTorch has looked for one.

    A training that runs out of GPU memory runs once more, with no other cell on its device.

    Parameters
    ----------
    run
        The training; it is called again from the start.
    device
        The study's ``device``; with ``cpu`` no slot is taken.
    log
        Told of waiting, and which device it is.

    Raises
    ------
    SonotuneError
        If memory does not suffice alone either.
    """
    if device == "cpu":
        return run()
    if os.environ.get(SLOTS) == "0":
        if device == "cuda":
            raise SonotuneError("device: cuda needs a GPU; run with --resources gpu=N")
        os.environ[VISIBLE] = ""
        log("no GPU, as --resources gpu=0 says")
        return run()
    slots = local_slots()
    held: list[Lock] = []
    try:
        if slots:
            slot, lock = acquire(slots, log)
            held.append(lock)
            # Numbers mean what nvidia-smi means by them.
            os.environ.update({VISIBLE: slot.device, "CUDA_DEVICE_ORDER": "PCI_BUS_ID"})
        try:
            return run()
        except Exception as error:
            said = _said_of_memory(error)
        # Outside of the handler, the training's tensors are no longer referred to.
        _free_memory()
        log(f"{said}: once more, with the GPU to itself")
        if held:
            # Let go first, and take all in one order, or two cells would wait for each other.
            held.pop().release()
            for share in (share for share in slots if share.device == slot.device):
                held.append(acquire([share], log)[1])
        try:
            return run()
        except Exception as error:
            said = _said_of_memory(error)
            raise SonotuneError(
                f"out of GPU memory, also with the GPU to itself ({said}); "
                "lower training: batch_size, image_size or network: width of the study, write "
                "precision: bf16, or use a larger GPU or device: cpu"
            ) from None
    finally:
        for lock in held:
            lock.release()


def acquire(slots: Sequence[Slot], log: Callable[[str], None]) -> tuple[Slot, Lock]:
    """Hold the first of some slots that is free; wait until there is one.

    Parameters
    ----------
    slots
        Slots to choose from.
    log
        Takes one line of progress.
    """
    told = False
    while True:
        for slot in slots:
            try:
                lock = slot.lock()
            except SonotuneError:
                continue
            log(f"GPU {slot.device}, share {slot.share}")
            return slot, lock
        if not told:
            log(f"waiting for GPU {', '.join(sorted({slot.device for slot in slots}))}")
            told = True
        time.sleep(0.2)


def check_gpu_slots(number: int, each: int) -> None:
    """Check a workflow's slots before it starts, and say on the terminal if devices stay idle.

    Parameters
    ----------
    number, each
        Slots (``--resources gpu=N``) and ``cells_per_gpu``.

    Raises
    ------
    SonotuneError
        If this machine has GPUs, but fewer than the slots need: cells would run on the processor.
    """
    devices = usable_devices()
    if devices and number > devices * each:
        raise SonotuneError(
            f"gpu={number} needs {-(-number // each)} GPUs with cells_per_gpu: {each}, but there "
            f"are {devices}; write --resources gpu={devices * each}, or a larger cells_per_gpu"
        )
    if number < devices * each:
        print(
            f"sonotune: {devices} GPUs with cells_per_gpu: {each} have {devices * each} slots, of "
            f"which {number} are used; --resources gpu={devices * each} uses all",
            file=sys.stderr,
        )


def check_devices(devices: Mapping[str, str]) -> None:
    """Refuse studies that ask for a GPU where there is none.

    Parameters
    ----------
    devices
        The key ``device`` of each study.

    Raises
    ------
    SonotuneError
        Naming the studies.
    """
    asking = [study for study, device in devices.items() if device == "cuda"]
    if asking and not usable_devices():
        raise SonotuneError(
            f"studies: {', '.join(asking)}: device: cuda asks for a GPU, and this machine has none "
            "that can be used; write device: auto or cpu"
        )


def usable_devices() -> int:
    """Number of devices that this process may use: those of ``CUDA_VISIBLE_DEVICES``, or all."""
    allowed = visible_devices()
    return len(list_devices() if allowed is None else allowed)


@cache
def list_devices() -> dict[str, str]:
    """By the name that ``CUDA_VISIBLE_DEVICES`` takes, the UUID of every device of this machine.

    A whole GPU goes by its number. One that is divided (MIG) cannot be used as a whole: its parts
    go by their UUIDs. Empty where there is no driver to ask.
    """
    try:
        asked = subprocess.run(
            ["nvidia-smi", "-L"], capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return {}
    devices: dict[str, str] = {}
    number = ""
    for line in asked.stdout.splitlines():
        whole = re.match(r"GPU (\d+):", line)
        uuid = re.search(r"\(UUID: ([^)]+)\)", line)
        if whole:
            number = whole[1]
            devices[number] = uuid[1] if uuid else number
        elif uuid and line.strip().startswith("MIG"):
            devices.pop(number, None)
            devices[uuid[1]] = uuid[1]
    return devices


def physical(device: str) -> str:
    """One name for a device that is given by its number, its UUID, or the beginning of that.

    Parameters
    ----------
    device
        As ``CUDA_VISIBLE_DEVICES`` names it.
    """
    known = list_devices()
    if device in known:
        return known[device]
    return next((uuid for uuid in known.values() if uuid.startswith(device)), device)


# What CUDA and its libraries say where PyTorch's own allocator was not the one that failed.
FULL = (
    *("CUDA out of memory", "CUDA error: out of memory", "CUDA_ERROR_OUT_OF_MEMORY"),
    *("cudaErrorMemoryAllocation", "CUBLAS_STATUS_ALLOC_FAILED", "CUDNN_STATUS_ALLOC_FAILED"),
    "CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED",
)


def _said_of_memory(error: Exception) -> str:
    """What an error says of GPU memory that is used up; any other error is raised again."""
    torch = sys.modules.get("torch")
    if torch is None or not isinstance(error, RuntimeError):
        raise error
    named = any(message in str(error) for message in FULL)
    if not (named or isinstance(error, torch.OutOfMemoryError)):
        raise error
    return str(error).partition(". ")[0]


def _free_memory() -> None:
    import torch

    gc.collect()
    with suppress(RuntimeError):  # a context that could not be made has nothing to free
        torch.cuda.empty_cache()
