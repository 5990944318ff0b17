"""Simulated images as files: `sonotune simulate`."""

from dataclasses import asdict, fields
from functools import partial
from pathlib import Path

import cv2

from sonotune.errors import SonotuneError
from sonotune.runtime.files import write_csv
from sonotune.simulation.draw import Progress, draw_all
from sonotune.simulation.phantom import Lesion
from sonotune.simulation.scan import make_scanner
from sonotune.simulation.settings import Simulation
from sonotune.simulation.simulate import NAME, simulate_image


def write_images(
    settings: Simulation,
    output: Path,
    images: int,
    seed: int,
    workers: int = 1,
    progress: Progress = None,
) -> None:
    """Simulate images; write them and their masks as PNG files, with a table of their lesions.

    Parameters are those of `simulate_set`, and the folder to write to.

    Parameters
    ----------
    settings
        Settings of the simulator.
    output
        Folder to write to.
    images
        Number of images.
    seed
        Seed of the set.
    workers
        Threads; they change the time, never the result.
    progress
        Takes the number that is done and the number of all.

    Raises
    ------
    SonotuneError
        If a number is out of range, or the output folder cannot be written.
    """
    folders = [output / kind for kind in ("images", "masks")]
    for folder in folders:  # before the work, not after it
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SonotuneError(f"--output: cannot make the folder {folder}: {error}") from error
    draw = partial(simulate_image, make_scanner(settings))
    rows = []
    for number, (*pictures, lesions) in enumerate(draw_all(draw, images, seed, workers, progress)):
        name = NAME.format(number)
        rows += [{"name": name, **asdict(lesion)} for lesion in lesions]
        for folder, pixels, white in zip(folders, pictures, (1, 255), strict=True):
            path = folder / f"{name}.png"
            if not cv2.imwrite(str(path), pixels * white):
                raise SonotuneError(f"--output: {path} cannot be written")
    write_csv(output / "lesions.csv", ["name", *(item.name for item in fields(Lesion))], rows)
