"""Feature maps of two stages, before and after fine-tuning (Amiri 2020, Fig. S2)."""

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from sonotune.data.dataset import load_set
from sonotune.data.image_set import median_row
from sonotune.jobs.finetune import run_cell
from sonotune.runtime.files import atomic
from sonotune.training.finetune import start_of_cell

SHOWN = 4  # channels of each stage


def write_features(
    settings: Mapping[str, Any],
    arrays: str | Path,
    pretrained: str | Path,
    path: str | Path,
    log: Callable[[str], None],
    checkpoint: str | Path | None = None,
) -> None:
    """Train one cell again and write what its stages make of a test image.

    The cell is trained again, so that no cell has to keep weights for the sake of a figure; with
    the same settings and seed it comes out the same.

    Parameters
    ----------
    settings, arrays, pretrained
        As in `sonotune.jobs.finetune.run_cell`.
    path
        Gets an npz: ``image`` uint8 [H,W], its ``row``, ``source`` of the data set, ``stages``
        (two names), ``shallow`` and ``deep`` float32 [2,C,h,w], before and after, of the `SHOWN`
        channels that vary most before.
    log, checkpoint
        As in `sonotune.jobs.finetune.run_cell`.
    """
    with tempfile.TemporaryDirectory() as folder:
        run_cell(settings, arrays, pretrained, folder, log, checkpoint, keep_weights=True)
        tuned = load_file(Path(folder) / "weights.safetensors")
        with np.load(Path(folder) / "predictions.npz", allow_pickle=False) as stored:
            tested = stored["rows"]
    data = load_set(arrays)
    row = median_row(data, tested)
    image = data.images[row]
    network = start_of_cell(settings, pretrained)
    before = stage_outputs(network, image)
    network.load_state_dict(tuned, strict=False)
    after = stage_outputs(network, image)

    save_features(path, image, row, data.about["source"], before, after)


def save_features(
    path: str | Path,
    image: np.ndarray,
    row: int,
    source: str,
    before: Mapping[str, np.ndarray],
    after: Mapping[str, np.ndarray],
) -> None:
    """Write what Fig. S2 shows (see `write_features`) of two times `stage_outputs`.

    Parameters
    ----------
    path
        File to write (``.npz``).
    image
        Grey image.
    row
        Its row in the prepared data set.
    source
        What stands behind the data set.
    before, after
        Maps by stage, float32 [C,h,w], of the network before and after tuning.
    """
    shallow = next(iter(before))
    deep = min(reversed(list(before)), key=lambda name: before[name][0].size)
    with atomic(path) as temporary:
        np.savez_compressed(
            temporary,
            image=image,
            row=np.array(row),
            source=np.array(source),
            stages=np.array([shallow, deep]),
            shallow=_most_varied(before[shallow], after[shallow]),
            deep=_most_varied(before[deep], after[deep]),
        )


def stage_outputs(network: nn.Module, image: np.ndarray) -> dict[str, np.ndarray]:
    """What each stage gives for an image, input to output.

    Where stages are no parts of their own, the network's parts are taken instead.

    Parameters
    ----------
    network
        The network.
    image
        uint8 [H,W].

    Returns
    -------
    dict
        float32 [C,h,w] by stage. Of a stage that gives several maps, as an encoder does, each
        has its number behind the name; the input itself, which some pass on, is left out.
    """
    outputs: dict[str, np.ndarray] = {}

    def keep(name: str, output: Tensor | list[Tensor]) -> None:
        maps = [output] if isinstance(output, Tensor) else [m for m in output if m.shape[1] > 3]
        for number, stage_map in enumerate(maps):
            title = name if len(maps) == 1 else f"{name} {number}"
            outputs[title] = stage_map[0].float().numpy()

    parts = dict(network.named_children())
    stages = [name for name in network.stages if name in parts]  # type: ignore[union-attr]
    hooks = [
        parts[name].register_forward_hook(lambda _, __, output, name=name: keep(name, output))
        for name in stages or parts
    ]
    network.eval()
    with torch.inference_mode():
        network(torch.from_numpy(image.copy())[None, None].float() / 255)
    for hook in hooks:
        hook.remove()
    return outputs


def _most_varied(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    chosen = np.argsort(-before.std(axis=(1, 2)), kind="stable")[:SHOWN]
    return np.stack([before[chosen], after[chosen]])
