"""A trained cell as a network that is ready to use, with its description."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor, nn

from sonotune.errors import SonotuneError
from sonotune.layout import WEIGHTS
from sonotune.layout.found import start_weights_near
from sonotune.networks.stages import build_network
from sonotune.runtime.run_record import check_output, file_digest, read_record


@dataclass(frozen=True)
class Model:
    """A network and what it was made from.

    Attributes
    ----------
    network
        On the CPU, in evaluation mode.
    about
        What `sonotune.jobs.model_card.describe_weights` says of it.
    origin
        The cell's folder or the file.
    """

    network: nn.Module
    about: Mapping[str, Any]
    origin: Path

    @property
    def image_size(self) -> int:
        """Side of the square that the network was trained on."""
        return int(self.about["preprocessing"]["image_size"])


def load_model(path: str | Path) -> Model:
    """Load the folder of a cell that kept its weights, or a file of `sonotune export`.

    Parameters
    ----------
    path
        A cell's folder, or a file.

    Raises
    ------
    SonotuneError
        If it kept no weights, is damaged, or the weights that it started from are missing or
        others.
    """
    path = Path(path)
    return _from_file(path) if path.is_file() else _from_cell(path)


def _from_cell(folder: Path) -> Model:
    if not (folder / "run.json").is_file():
        raise SonotuneError(f"{folder}: is no finished cell: it has no run.json")
    record = read_record(folder / "run.json")
    if WEIGHTS not in record["outputs"]:
        raise SonotuneError(
            f"{folder}: kept no weights; write keep_weights: [{record['settings']['strategy']}] "
            "in its study's configuration and run again: only these cells are trained again"
        )
    check_output(folder / WEIGHTS, record)
    description = _about(folder / WEIGHTS)
    # What ran, where the configuration said auto.
    description["precision"] = record["processor"]["precision"]
    kept = load_file(folder / WEIGHTS)
    if description["start_sha256"]:
        kept = {**load_file(_start_of(folder, description["start_sha256"])), **kept}
    return _model(kept, description, folder)


def _start_of(cell: Path, digest: str) -> Path:
    """The weights that a cell in its folder under ``results/`` started from."""
    candidates = start_weights_near(cell)
    for file in candidates:
        if file_digest(file) == digest:
            return file
    if candidates:
        raise SonotuneError(
            f"{candidates[0]}: is not what {cell} started from; its study was pre-trained again: "
            "run the workflow again"
        )
    raise SonotuneError(
        f"{cell}: holds only its tuned stages, and what it started from, the study's "
        f"pretrained/*/{WEIGHTS} or an encoder's weights/*/{WEIGHTS}, is not in a folder above it; "
        "give the cell inside its results folder, or a file of sonotune export"
    )


def _from_file(path: Path) -> Model:
    description = _about(path)
    if description["start_sha256"]:
        raise SonotuneError(f"{path}: holds only the tuned stages; give the cell's folder instead")
    return _model(load_file(path), description, path)


def _about(path: Path) -> dict[str, Any]:
    try:
        with safe_open(path, "pt") as file:
            description: dict[str, Any] = json.loads((file.metadata() or {})["sonotune"])
            return description
    except (KeyError, ValueError):
        raise SonotuneError(
            f"{path}: does not describe its weights; train the cell again"
        ) from None
    except Exception as error:  # safetensors raises its own kinds, all of them about the file
        raise SonotuneError(f"{path}: cannot be read as safetensors ({error})") from None


def _model(state: dict[str, Tensor], description: Mapping[str, Any], origin: Path) -> Model:
    network = build_network(dict(description["network"]))
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise SonotuneError(f"{origin}: does not fit its network: {error}") from None
    return Model(network.eval(), description, origin)
