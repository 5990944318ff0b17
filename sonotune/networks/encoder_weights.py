"""Weights of encoders as people have them, as safetensors under our networks' names."""

import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from sonotune.data.catalogue import find_entry
from sonotune.errors import SonotuneError, printable
from sonotune.networks.smp import build
from sonotune.networks.weights import load_weights
from sonotune.networks.weights_file import save_weights
from sonotune.runtime.run_record import file_digest

CLASSIFIERS = ("classifier.", "fc.", "head.", "last_linear.")  # ends of networks that classify
# Depth to which mappings within a file are searched for tensors.
DEPTH = 4

State = Mapping[str, Tensor]


def convert(encoder: str, source: str | Path, target: str | Path) -> None:
    """Write an encoder's weights as safetensors, checked against the encoder.

    The weights may lie within other mappings (``state_dict``, ``model``), and their names may all
    begin with anything (``module.``, ``backbone.``): what fits the encoder is searched for. The
    end of a network that classifies, and counts of batches, may be missing or there. A first layer
    of one channel is spread over three, a third each, and one of three is summed into one: both
    give the same output for a grey image that is repeated in every channel.

    Parameters
    ----------
    encoder
        Its name in segmentation_models_pytorch.
    source
        safetensors, or what ``torch.save`` wrote, which is read without running any code in it.
    target
        File to write (``.safetensors``).

    Raises
    ------
    SonotuneError
        If the file cannot be read, nothing in it fits the encoder or several things do, or a
        number is not finite.
    """
    source = Path(source)
    where = f"{printable(source)}: "
    states = dict(_states(_read(source)))
    for state in states.values():
        _refuse_expanded(where, state)
    network = build(encoder)
    part = "encoder."
    own = {n.removeprefix(part): t for n, t in network.state_dict().items() if n.startswith(part)}
    if not states:
        raise SonotuneError(f"{where}holds no state dict, names with a tensor each")
    fits = {
        f"{key}{': ' if key else ''}{prefix or '(no prefix)'}": fitted
        for key, state in states.items()
        for prefix in _prefixes(state, own)
        if not isinstance(fitted := _fitting(state, prefix, own), str)
    }
    if len(fits) > 1:
        first, *others = fits.values()
        if not all(_equal(first, other) for other in others):
            raise SonotuneError(
                f"{where}holds several weights that fit {encoder} ({', '.join(fits)}); save the "
                "ones that are meant in a file of their own"
            )
    if not fits:
        raise SonotuneError(f"{where}{_nearest(states, own)}; the encoder is {encoder}")
    fitted = next(iter(fits.values()))
    if bad := next((name for name, t in fitted.items() if not torch.isfinite(t).all()), None):
        raise SonotuneError(f"{where}{bad} holds numbers that are not finite; take another file")
    save_weights({f"{part}{name}": tensor for name, tensor in fitted.items()}, target)
    load_weights(network, target)


def file_of(entry: str, folder: str | Path) -> Path:
    """The file of weights of an entry that lies anywhere in a folder, however it came there.

    Parameters
    ----------
    entry
        Name of the catalogue's entry.
    folder
        Folder of the entry.

    Raises
    ------
    SonotuneError
        If it is not the published one: a file placed by hand was never verified.
    """
    published = find_entry(entry).files[0]
    path = next(Path(folder).rglob(published.name))
    checksum = f"sha256:{file_digest(path)}"
    if checksum != published.checksum:
        raise SonotuneError(
            f"{path}: is {checksum} where {published.checksum} is expected; it is damaged or "
            "another file. Delete it to have it downloaded."
        )
    return path


def _read(path: Path) -> Any:
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        _refuse_packed(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except SonotuneError:
        raise
    except Exception as error:  # of many kinds, all of them about the file
        if type(error).__name__ == "UnpicklingError":
            raise SonotuneError(
                f"{printable(path)}: cannot be read as a file of weights: it holds a whole model "
                "or other objects of Python, which are never run here; save its state dict "
                "instead: torch.save(model.state_dict(), FILE)"
            ) from None
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise SonotuneError(
            f"{printable(path)}: cannot be read as a file of weights ({first})"
        ) from None


def _refuse_packed(path: Path) -> None:
    """Refuse what ``torch.save`` never writes: a compressed file can be a thousand times larger."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as members:
            if any(member.compress_type != zipfile.ZIP_STORED for member in members.infolist()):
                raise SonotuneError(
                    f"{printable(path)}: is a compressed file, as torch.save writes none; save it "
                    "again"
                )


def _refuse_expanded(where: str, state: State) -> None:
    """Refuse tensors of more numbers than the file holds, which would fill memory and disk."""
    for name, tensor in state.items():
        held = tensor.untyped_storage().nbytes() if tensor.layout == torch.strided else 0
        if tensor.numel() * tensor.element_size() > held:
            raise SonotuneError(
                f"{where}{printable(name)} has {tensor.numel()} numbers, of which the file does "
                "not hold each; save its state dict with tensors that are contiguous"
            )


def _states(content: Any, key: str = "", depth: int = DEPTH) -> Iterator[tuple[str, State]]:
    """All mappings of names to tensors within what a file holds, by where they are."""
    if not isinstance(content, Mapping):
        return
    tensors = {str(name): t for name, t in content.items() if isinstance(t, Tensor)}
    if tensors:
        yield key, tensors
    if depth:
        for name, inner in content.items():
            yield from _states(inner, f"{key}{': ' if key else ''}{name}", depth - 1)


def _prefixes(state: State, own: State) -> list[str]:
    """What the names of a state may begin with, so that the rest is the encoder's first name."""
    first = next(name for name in own if not name.endswith("num_batches_tracked"))
    return [
        name.removesuffix(first)
        for name in state
        if name == first or name.endswith(f".{first}") or name.endswith(f"_{first}")
    ]


def _fitting(state: State, prefix: str, own: State) -> dict[str, Tensor] | str:
    """An encoder's weights from those whose names begin with a prefix, or what is off."""
    given = {
        name.removeprefix(prefix): tensor
        for name, tensor in state.items()
        if name.startswith(prefix) and not name.removeprefix(prefix).startswith(CLASSIFIERS)
    }
    tensors = {}
    for name, tensor in own.items():
        if name not in given:
            if name.endswith("num_batches_tracked"):  # not there in old files
                tensors[name] = tensor
                continue
            return f"{name} is missing"
        fitted = _fit_channels(given[name], tensor.shape)
        if fitted.shape != tensor.shape:
            shapes = f"{tuple(fitted.shape)} where {tuple(tensor.shape)} is needed"
            return f"{name} is {shapes}"
        tensors[name] = fitted
    if more := sorted(given.keys() - own.keys()):
        return f"{more[0]} is not one of the encoder's"
    return tensors


def _fit_channels(stored: Tensor, shape: torch.Size) -> Tensor:
    """A first layer for another number of channels, for images that repeat one in all of them."""
    if stored.ndim != 4 or len(shape) != 4 or stored.shape[0] != shape[0]:
        return stored
    if stored.shape[2:] == shape[2:] and {stored.shape[1], shape[1]} == {1, 3}:
        return stored.sum(1, keepdim=True) if shape[1] == 1 else stored.repeat(1, 3, 1, 1) / 3
    return stored


def _nearest(states: Mapping[str, State], own: State) -> str:
    """What is off with the largest of some states."""
    key, state = max(states.items(), key=lambda item: len(item[1]))
    prefix = next(iter(_prefixes(state, own)), "")
    reason = _fitting(state, prefix, own)
    under = f" under {key!r}" if key else ""
    names = ", ".join(printable(name) for name in list(state)[:2])
    return f"holds the weights of another network{under}: {reason} (its names are like {names})"


def _equal(first: State, second: State) -> bool:
    return all(torch.equal(first[name], second[name]) for name in first)
