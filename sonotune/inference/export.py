"""A network as a file that other programs read, checked against the network itself."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from sonotune.errors import SonotuneError
from sonotune.inference.model import Model, load_model
from sonotune.networks.weights_file import save_weights
from sonotune.runtime.files import atomic

# Between a file's probabilities and the network's, in fp32.
ALLOWED = 1e-4


class _Probabilities(nn.Module):
    """From images in [0,1], float32 [B,1,H,W], to probabilities of the same shape."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        return torch.sigmoid(self.network(images))


def export_model(model: Model, path: str | Path) -> str:
    """Write a model by its file's suffix and compare what the file computes; say the difference.

    ``.onnx`` and ``.pt2`` (``torch.export``) take images in [0,1], float32 [B,1,size,size], any
    number of them, and give probabilities; ``.safetensors`` holds all weights for
    `sonotune predict`. Each holds the model's description.

    Parameters
    ----------
    model
        The trained network.
    path
        File to write: ``.onnx``, ``.pt2`` or ``.safetensors``.

    Raises
    ------
    SonotuneError
        If the suffix is another, a package is missing, or the file computes something else.
    """
    path = Path(path)
    if path.suffix not in WRITERS:
        raise SonotuneError(f"{path}: the suffix must be one of {', '.join(WRITERS)}")
    images = np.random.default_rng(0).random((3, 1, model.image_size, model.image_size), np.float32)
    with torch.inference_mode():
        wanted = _Probabilities(model.network)(torch.from_numpy(images)).numpy()
    with atomic(path) as temporary:
        exported = WRITERS[path.suffix](model, temporary)(images)
        difference = float(np.abs(exported - wanted).max())
        if not difference <= ALLOWED:
            raise SonotuneError(
                f"{path}: not written: its probabilities differ from the network's by "
                f"{difference:.2g}"
            )
    return f"{path}: largest difference from PyTorch {difference:.2g} (3 random images)"


def _onnx(model: Model, path: Path) -> Callable[[np.ndarray], np.ndarray]:
    try:
        import onnx
        import onnxruntime
        import onnxscript  # noqa: F401  (what torch.onnx writes with)
    except ImportError as error:
        raise SonotuneError(
            f"ONNX needs the package {error.name}: pip install onnx onnxruntime onnxscript"
        ) from None
    program = torch.onnx.export(
        _Probabilities(model.network).eval(),
        (_example(model),),
        input_names=["images"],
        output_names=["probabilities"],
        dynamic_shapes=({0: torch.export.Dim("batch")},),
        dynamo=True,
        verbose=False,
    )
    assert program is not None
    written = program.model_proto
    written.metadata_props.add(key="sonotune", value=json.dumps(dict(model.about)))
    onnx.save(written, path)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return lambda images: session.run(None, {"images": images})[0]


def _pt2(model: Model, path: Path) -> Callable[[np.ndarray], np.ndarray]:
    program = torch.export.export(
        _Probabilities(model.network).eval(),
        (_example(model),),
        dynamic_shapes=({0: torch.export.Dim("batch")},),
    )
    torch.export.save(program, path, extra_files={"sonotune.json": json.dumps(dict(model.about))})
    loaded = torch.export.load(path).module()
    return lambda images: loaded(torch.from_numpy(images)).detach().numpy()


def _safetensors(model: Model, path: Path) -> Callable[[np.ndarray], np.ndarray]:
    save_weights(model.network.state_dict(), path, {**model.about, "start_sha256": None})
    loaded = _Probabilities(load_model(path).network)
    return lambda images: loaded(torch.from_numpy(images)).detach().numpy()


def _example(model: Model) -> Tensor:
    # Of one image, a program would hold for one image only.
    return torch.zeros(2, 1, model.image_size, model.image_size)


# Each writes a file and gives what computes probabilities from it.
WRITERS: dict[str, Callable[[Model, Path], Callable[[np.ndarray], np.ndarray]]] = {
    ".onnx": _onnx,
    ".pt2": _pt2,
    ".safetensors": _safetensors,
}
