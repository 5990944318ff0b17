"""Published weights of encoders, as safetensors under the names that our networks have."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from sonotune.data.catalogue import find_entry
from sonotune.errors import SonotuneError
from sonotune.networks.smp import build
from sonotune.networks.weights import load_weights
from sonotune.networks.weights_file import save_weights
from sonotune.runtime.run_record import file_digest

CLASSIFIERS = ("classifier.", "fc.", "head.", "last_linear.")  # ends of networks that classify


def convert(encoder: str, source: str | Path, target: str | Path) -> None:
    """Write an encoder's weights as safetensors, checked against the encoder.

    Parameters
    ----------
    encoder
        Its name in segmentation_models_pytorch.
    source
        safetensors, or a state dict of PyTorch, which is read without running any code in it. Names
        may begin with ``encoder.``; the end of a network that classifies is left out.

    Raises
    ------
    SonotuneError
        If the file cannot be read, or its names or shapes are not the encoder's: the message
        names the first that is off.
    """
    stored = {
        name if name.startswith("encoder.") else f"encoder.{name}": tensor
        for name, tensor in _read(Path(source)).items()
        if not name.removeprefix("encoder.").startswith(CLASSIFIERS)
    }
    save_weights(stored, target)
    try:
        load_weights(build(encoder), target)
    except SonotuneError as error:
        Path(target).unlink()
        reason = str(error).removeprefix(f"{target}: ")
        raise SonotuneError(f"{source}: {reason}; the encoder is {encoder}") from None


def file_of(entry: str, folder: str | Path) -> Path:
    """The file of weights of an entry that lies anywhere in a folder, however it came there.

    Raises
    ------
    SonotuneError
        If it is not the published one: a file placed by hand was never verified.
    """
    published = find_entry(entry).files[0]
    path = next(Path(folder).rglob(published.name))
    found = f"sha256:{file_digest(path)}"
    if found != published.checksum:
        raise SonotuneError(
            f"{path}: is {found} where {published.checksum} is expected; it is damaged or another "
            "file. Delete it to have it downloaded."
        )
    return path


def _read(path: Path) -> dict[str, Tensor]:
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # of many kinds, all of them about the file
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise SonotuneError(f"{path}: cannot be read as a file of weights ({first})") from None
    if not isinstance(found, dict) or not all(isinstance(t, Tensor) for t in found.values()):
        raise SonotuneError(f"{path}: holds no state dict, names with a tensor each")
    return found
