"""Fingerprints of the code behind each kind of job, of which a job's settings hold one."""

from __future__ import annotations

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
    roots = [f"training.{module}", f"networks.{NETWORKS[network['name']]}"]
    roots += [f"training.{device_module}" for device_module in DEVICES[device]]
    roots += [f"training.{name}" for name, used in chosen.items() if used]
    return code_of_modules(*roots, read=read)


def preparation_code(reader: str, read: Read = Path.read_bytes) -> str:
    """Fingerprint of the code that prepares a data set of this reader.

    Parameters
    ----------
    reader
        Name of a reader, such as ``folder`` or ``hc18``.
    read
        Gives a file's content; for tests that edit it.
    """
    return code_of_modules("data.prepare", *_reader(reader), read=read)


def audit_code(reader: str) -> str:
    """Fingerprint of the code that audits a data set of this reader, and of its page's template.

    Parameters
    ----------
    reader
        Name of a reader, such as ``folder`` or ``hc18``.
    """
    template = hashlib.sha256((PACKAGE / "data/audit.html").read_bytes()).hexdigest()[:16]
    return f"{code_of_modules('data.audit_files', *_reader(reader))} {template}"


def generation_code(reader: str, read: Read = Path.read_bytes) -> str:
    """Fingerprint of the code that makes images: of the reader ``simulate`` or ``collage``.

    Parameters
    ----------
    reader
        Name of a reader, such as ``folder`` or ``hc18``.
    read
        Gives a file's content; for tests that edit it.
    """
    return code_of_modules(f"simulation.{reader}", read=read)


def _reader(reader: str) -> list[str]:
    return [] if reader in MADE_HERE else [f"data.readers.{READERS[reader]}"]


@lru_cache(maxsize=256)
def code_of_modules(*modules: str, read: Read = Path.read_bytes) -> str:
    """Fingerprint of modules and what they import; every cell asks, and most for the same.

    Parameters
    ----------
    *modules
        Names of modules below this package (``training.finetune``).
    read
        As of `sonotune.runtime.fingerprint.fingerprint`.
    """
    return fingerprint(*(f"{PACKAGE.name}.{module}" for module in modules), read=read)
