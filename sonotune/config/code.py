"""Fingerprints of the code behind each kind of job, of which a job's settings hold one."""

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from sonotune.data.readers import MADE_HERE, READERS
from sonotune.runtime.fingerprint import PACKAGE, Read, fingerprint

# By the key `name` of a network, and by that of a device, the modules that it needs.
NETWORKS = {"unet": "unet", "unet_bn": "unet_bn", "smp_unet": "smp"}
DEVICES = {"cpu": ["cpu"], "cuda": ["cuda"], "auto": ["cpu", "cuda"]}


def training_code(
    module: str,
    network: Mapping[str, Any],
    device: str,
    *,
    augment: bool = False,
    monitor: bool = False,
    read: Read = Path.read_bytes,
) -> str:
    """Fingerprint of the code that trains this network on this device, and of no other's.

    Parameters
    ----------
    module
        ``finetune`` or ``pretrain``.
    network
        A complete ``network`` key.
    device
        ``cpu``, ``cuda``, or ``auto``, which may be either.
    augment, monitor
        Whether images are augmented, and whether the test images are measured in every epoch.
    read
        As of `sonotune.runtime.fingerprint.fingerprint`.
    """
    chosen = {"augment": augment, "test_monitor": monitor}
    training = [module, *DEVICES[device], *(name for name, used in chosen.items() if used)]
    roots = [f"sonotune.training.{name}" for name in training]
    return code_of(*roots, f"sonotune.networks.{NETWORKS[network['name']]}", read=read)


def preparation_code(reader: str, read: Read = Path.read_bytes) -> str:
    """Fingerprint of the code that prepares a data set of this reader.

    Parameters
    ----------
    reader
        Name of a reader, such as ``folder`` or ``hc18``.
    read
        Gives a file's content; for tests that edit it.
    """
    return code_of("sonotune.data.prepare", *_reader(reader), read=read)


def audit_code(reader: str, read: Read = Path.read_bytes) -> str:
    """Fingerprint of the code that audits a data set of this reader, and of its page's template.

    Parameters
    ----------
    reader
        Name of a reader, such as ``folder`` or ``hc18``.
    read
        Gives a file's content; for tests that edit it.
    """
    roots = "sonotune.data.audit", "sonotune.data.audit_files"
    return code_of(*roots, *_reader(reader), data=("data/audit.html",), read=read)


def generation_code(reader: str, read: Read = Path.read_bytes) -> str:
    """Fingerprint of the code that makes images: of the reader ``simulate`` or ``collage``.

    Parameters
    ----------
    reader
        Name of a reader, such as ``folder`` or ``hc18``.
    read
        Gives a file's content; for tests that edit it.
    """
    return code_of(f"sonotune.simulation.{reader}", read=read)


def _reader(reader: str) -> list[str]:
    return [] if reader in MADE_HERE else [f"sonotune.data.readers.{READERS[reader]}"]


@lru_cache(maxsize=256)
def code_of(*modules: str, data: tuple[str, ...] = (), read: Read = Path.read_bytes) -> str:
    """Fingerprint of what modules compute, and of the library's files that they read.

    Every cell asks, and most for the same.

    Parameters
    ----------
    *modules
        Names of modules (``sonotune.report.table1``).
    data
        Patterns of these files, below ``sonotune``; what they say counts, not when.
    read
        As of `sonotune.runtime.fingerprint.fingerprint`.
    """
    code = fingerprint(*modules, read=read)
    files = sorted(file for pattern in data for file in PACKAGE.glob(pattern))
    if not files:
        return code
    content = b"\0".join([code.encode(), *(file.read_bytes() for file in files)])
    return hashlib.sha256(content).hexdigest()[:16]
