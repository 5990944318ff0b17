"""From images to masks, probability maps, overlays and a table, batch by batch.

Each worker takes a batch from its files to its results, so that reading, computing and writing
overlap, and only as many batches are in memory as there are workers.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from sonotune.data.readers.pixels import LoadedSample
from sonotune.errors import SonotuneError
from sonotune.evaluation.metrics import THRESHOLD, overlap
from sonotune.evaluation.shapes import count_components, head_circumference, shape_scores
from sonotune.evaluation.surface import boundary
from sonotune.inference.images import (
    InputImage,
    Spacing,
    overlay,
    read_image,
    to_network,
    to_original,
    unlike_training,
)
from sonotune.inference.model import Model
from sonotune.runtime.files import write_csv
from sonotune.runtime.processors import usable_processors
from sonotune.training.device import Processor
from sonotune.training.forward import max_inference_batch, predict, quantise

KINDS = ("masks", "probabilities", "overlays")
# Against an image's mask, as a study scores its test images, but at the image's own size.
SCORES = (
    *("dice", "iou", "hausdorff95_px", "surface_distance_px"),
    *("hausdorff95_mm", "surface_distance_mm"),
)
COLUMNS = (
    *("image", "file", "height", "width", "mm_per_pixel_y", "mm_per_pixel_x"),
    *("area_pixels", "area_mm2", "components", "circumference_mm", "certainty"),
    *(*SCORES, "warning"),
)

# Rows of the table of predictions, and why images were left out.
Result = tuple[list[dict[str, Any]], list[str]]


@dataclass(frozen=True)
class Job:
    """What every batch needs to know.

    Attributes
    ----------
    models
        One, or several of one preprocessing whose probabilities are averaged.
    processor
        Device and precision to compute with.
    output
        Folder to write to.
    spacing
        Millimetres per pixel of all images or by file name, where the user gives them.
    kinds
        Which of `KINDS` are written.
    """

    models: Sequence[Model]
    processor: Processor
    output: Path
    spacing: Mapping[str, Spacing] | Spacing | None = None
    kinds: tuple[str, ...] = KINDS


def predict_images(
    images: Sequence[InputImage],
    job: Job,
    progress: Callable[[int, int], None],
    batch_size: int,
) -> Result:
    """Predict images and write what was found below the job's output.

    Writes ``masks/``, ``probabilities/`` and ``overlays/`` as PNG at the size of each image, and
    ``predictions.csv``, one row per image: its size and spacing, area, components, the
    circumference of the ellipse that fits the largest component, certainty (the Dice that the mask
    has if every pixel belongs to the object with its probability), and a warning where its grey
    levels are far from those of the training images. Millimetres are empty where the spacing is
    not known.

    Parameters
    ----------
    images
        The files.
    job
        What every batch needs to know.
    progress
        Told after each batch how many images are done, of how many.
    batch_size
        Images that a worker takes from their files to their results at a time.

    Returns
    -------
    rows : list of dict
        Those of the table.
    reasons : list of str
        A line for every image that could not be used.

    Raises
    ------
    SonotuneError
        If the models' preprocessing differs.
    """
    first = job.models[0]
    for model in job.models[1:]:
        if model.about["preprocessing"] != first.about["preprocessing"]:
            raise SonotuneError(f"{model.origin}: differs in preprocessing from {first.origin}")
    for model in job.models:
        model.network.to(job.processor.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    batches = (images[at : at + batch_size] for at in range(0, len(images), batch_size))
    rows: list[dict[str, Any]] = []
    reasons: list[str] = []
    for more, bad in _in_order(batches, job):
        rows += more
        reasons += bad
        progress(len(rows) + len(reasons), len(images))
    write_csv(job.output / "predictions.csv", COLUMNS, rows)
    return rows, reasons


def predict_arrays(images: np.ndarray, models: Sequence[Model], processor: Processor) -> np.ndarray:
    """Probabilities, uint8 [n,H,W], of images as networks see them, uint8 [n,H,W].

    Parameters
    ----------
    images
        Grey images.
    models
        Networks of one preprocessing; their probabilities are averaged.
    processor
        Device and precision to compute with.
    """
    scaled = torch.from_numpy(images[:, None]).to(processor.device, torch.float32) / 255
    batches = scaled.split(max_inference_batch(scaled, processor))
    probabilities = [torch.cat([*predict(model.network, batches, processor)]) for model in models]
    return quantise(
        probabilities[0] if len(probabilities) == 1 else torch.stack(probabilities).mean(0)
    )


def _in_order(batches: Iterator[Sequence[InputImage]], job: Job) -> Iterator[Result]:
    """Results of batches in their order, with a limit on how many run at once."""
    threads = job.processor.threads
    # As many as fit; on a GPU a second worker reads and writes while the first one computes.
    fitting = max(1, usable_processors() // threads)
    workers = 2 if job.processor.device == "cuda" else fitting
    # Each thread that calls PyTorch has its own number of threads.
    prepare = partial(torch.set_num_threads, threads)
    with ThreadPoolExecutor(workers, initializer=prepare) as pool:
        waiting: list[Future[Result]] = [
            pool.submit(_one_batch, batch, job) for batch in islice(batches, workers)
        ]
        while waiting:
            yield waiting.pop(0).result()
            waiting += [pool.submit(_one_batch, batch, job) for batch in islice(batches, 1)]


def _one_batch(batch: Sequence[InputImage], job: Job) -> Result:
    model = job.models[0]
    loaded: list[tuple[InputImage, LoadedSample]] = []
    bad = []
    for wanted in batch:
        try:
            loaded.append((wanted, read_image(wanted, job.spacing)))
        except SonotuneError as error:
            bad.append(str(error))
    if not loaded:
        return [], bad
    how = model.about["preprocessing"]
    size, keep_aspect, method = how["image_size"], how["keep_aspect"], how.get("method", "area")
    seen = np.stack([to_network(s.image, size, keep_aspect, method) for _, s in loaded])
    predicted = predict_arrays(seen, job.models, job.processor)
    rows = []
    for (wanted, sample), image, probabilities in zip(loaded, seen, predicted, strict=True):
        whole = to_original(probabilities, sample.original_shape, keep_aspect)
        _write(job, wanted, sample.image, whole)
        warning = unlike_training(image, model.about["training_data"])
        rows.append(_row(wanted, sample, whole, warning))
    return rows, bad


def _write(job: Job, wanted: InputImage, image: np.ndarray, probabilities: np.ndarray) -> None:
    mask = probabilities >= THRESHOLD
    makers: dict[str, Callable[[], np.ndarray]] = {
        "masks": lambda: mask.astype(np.uint8) * 255,
        "probabilities": lambda: probabilities,
        "overlays": lambda: overlay(image, mask),
    }
    for kind in job.kinds:
        path = job.output / kind / f"{wanted.name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(cv2.imencode(".png", makers[kind]())[1].tobytes())


def _row(
    wanted: InputImage, sample: LoadedSample, probabilities: np.ndarray, warning: str
) -> dict[str, Any]:
    mask = probabilities >= THRESHOLD
    area = int(mask.sum())
    y, x = sample.mm_per_pixel
    row: dict[str, Any] = {
        "image": wanted.name,
        "file": str(wanted.file),
        "height": sample.original_shape[0],
        "width": sample.original_shape[1],
        "area_pixels": area,
        "components": count_components(mask),
        "certainty": _certainty(probabilities, mask),
        "warning": warning,
    }
    if wanted.mask:
        row |= _scores(mask, sample.mask > 0, None if y is None or x is None else (y, x))
    if y is not None and x is not None:
        round_ = head_circumference(mask, (y, x))
        row |= {
            "mm_per_pixel_y": f"{y:.8g}",
            "mm_per_pixel_x": f"{x:.8g}",
            "area_mm2": f"{area * y * x:.2f}",
            "circumference_mm": "" if np.isnan(round_) else f"{round_:.2f}",
        }
    return row


def _scores(
    prediction: np.ndarray, reference: np.ndarray, spacing: tuple[float, float] | None
) -> dict[str, str]:
    known = {
        name: float(values[0])
        for name, values in overlap(prediction[None], reference[None]).items()
    }
    known |= shape_scores(prediction, boundary(reference), spacing)
    return {name: "" if np.isnan(known[name]) else f"{known[name]:.6g}" for name in SCORES}


def _certainty(probabilities: np.ndarray, mask: np.ndarray) -> str:
    """Dice of the mask if every pixel belongs to the object with its probability."""
    chances = probabilities / 255
    total = float(chances.sum()) + float(mask.sum())
    return f"{2 * float(chances[mask].sum()) / total:.4f}" if total else ""
