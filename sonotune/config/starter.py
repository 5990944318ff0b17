"""A first configuration for a user's own images: `sonotune init`."""

import json
from pathlib import Path

import yaml

from sonotune.config.check import complete
from sonotune.data.readers import find_samples
from sonotune.errors import SonotuneError
from sonotune.runtime.gpus import usable_devices

# With fewer, a fold has no image to validate on.
LEAST = 6
# For a small network on a processor.
SMALL_PRETRAINING = "{learning_rate: 0.001, batch_size: 8, epochs: 10, patience: 10}"
SMALL_TRAINING = "{learning_rate: 0.001, batch_size: 4, patience: 8}"
TEMPLATE = Path(__file__).with_name("starter.yaml.template")


def write_starter(images: str, masks: str, output: str | Path) -> int:
    """Write a configuration for the images and masks that two globs match.

    Parameters
    ----------
    images, masks
        Globs, as the reader ``folder`` takes them.
    output
        The file to write, which must not exist.

    Returns
    -------
    int
        Number of images.

    Raises
    ------
    SonotuneError
        If the file exists, nothing matches, files do not pair, or there are too few images.
    """
    output = Path(output)
    if output.exists():
        raise SonotuneError(f"{output}: exists; name another file with --output, or remove it")
    paths = {"images": images, "masks": masks}
    number = len(find_samples({"reader": "folder", "folder": paths}))
    if number < LEAST:
        raise SonotuneError(f"--images: a study needs at least {LEAST} images; found {number}")
    text = starter(images, masks, number, usable_devices() > 0)
    complete(yaml.safe_load(text))
    output.write_text(text, "utf-8")
    return number


def starter(images: str, masks: str, number: int, gpu: bool) -> str:
    """The text of a configuration.

    Parameters
    ----------
    images, masks
        Globs of the images and of the masks.
    number
        Number of images, at least `LEAST`.
    gpu
        Whether the study can have the papers' size; else it has one that a processor can train.
    """
    folds = 5 if number >= 10 else 2
    most = 0.8 if folds == 5 else 0.5
    # The smaller share shows what more labels are worth. It draws five images or more.
    less = [
        fraction for fraction in (0.05, 0.1, 0.2, 0.4) if fraction * number >= 5 and fraction < most
    ]
    return TEMPLATE.read_text("utf-8").format(
        number=number,
        images=json.dumps(images, ensure_ascii=False),
        masks=json.dumps(masks, ensure_ascii=False),
        collages="2000" if gpu else "620, collage: {pixels: 64}",
        size=256 if gpu else 64,
        width=64 if gpu else 8,
        pretraining="" if gpu else f", training: {SMALL_PRETRAINING}",
        fractions=[most, *less[:1]],
        folds=folds,
        training="" if gpu else f"    training: {SMALL_TRAINING}\n",
    )
