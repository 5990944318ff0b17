"""What a study's page loads when it is opened: curves, test images and outlines.

Each entry of Table II is one script of data, since a page on a disk may load scripts but no other
files. Images are PNG; outlines are drawn over them by the browser.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd

from sonotune.data.dataset import load_set
from sonotune.data.image_set import ImageSet
from sonotune.evaluation.metrics import THRESHOLD
from sonotune.evaluation.scores import load_predictions
from sonotune.evaluation.tables import read_table
from sonotune.layout import RUN, fold_title, fraction_text
from sonotune.report.geometry import aspect_of, scale_bar
from sonotune.runtime.files import atomic


def write_details(
    folders: Mapping[tuple[Any, ...], Path],
    arrays: Mapping[str, str | Path],
    scores: Mapping[str, str | Path],
    runs: pd.DataFrame,
    folder: str | Path,
) -> None:
    """Write a script of data for each entry of Table II, and every test image once.

    Parameters
    ----------
    folders
        That of each run, by `sonotune.layout.RUN`.
    arrays, scores
        Prepared arrays (folder) and scores (file) of each data set.
    runs
        Rows of ``cells.csv``.
    folder
        Gets ``data`` and ``images``.
    """
    folder = Path(folder)
    for dataset, prepared in arrays.items():
        data = load_set(prepared)
        dice = read_table(scores[dataset]).set_index([*RUN, "row"])["dice"].to_dict()
        tested: set[int] = set()
        own = runs[runs["dataset"] == dataset]
        for (strategy, fraction), part in own.groupby(["strategy", "fraction"], sort=False):
            trainings, shown = [], []
            for run in part.to_dict("records"):
                key = tuple(run[name] for name in RUN)
                cell_folder, fold = folders[key], fold_title(*key[-3:])
                epochs = _history(cell_folder / "history.csv")
                trainings.append({"fold": fold, "failed": bool(run["failed"]), "epochs": epochs})
                rows, probabilities = load_predictions(cell_folder / "predictions.npz")
                for row, mask in zip(rows.tolist(), probabilities >= THRESHOLD, strict=True):
                    tested.add(row)
                    score = finite(dice.get((*key, row), np.nan))
                    image = {"row": row, "fold": fold, "dice": score}
                    shown.append(image | {"prediction": contours(mask)})
            # Worst first; an image without a score leads.
            shown.sort(
                key=lambda image: (-1 if image["dice"] is None else image["dice"], image["row"])
            )
            entry = {"runs": trainings, "images": shown}
            _write_data(folder / "data", entry_key(dataset, strategy, fraction), entry)
        images = {row: _about_image(data, row) for row in sorted(tested)}
        _write_data(folder / "data", f"{dataset}-images", images)
        _write_images(data, sorted(tested), folder / "images" / dataset)


def entry_key(dataset: str, strategy: str, fraction: float) -> str:
    """Name of an entry of Table II in files and addresses.

    Parameters
    ----------
    dataset
        Name of a data set.
    strategy
        Name of a strategy.
    fraction
        Share of the whole data set that is drawn for training and validation, in (0,1].
    """
    return f"{dataset}-{strategy}-{fraction_text(fraction)}"


def contours(mask: np.ndarray) -> str:
    """A mask's outline as an SVG path along the centres of its outermost pixels.

    Parameters
    ----------
    mask
        Mask, not 0 in the object, [H,W].
    """
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    return "".join(
        "M" + "L".join(f"{x + 0.5:g} {y + 0.5:g}" for x, y in contour[:, 0]) + "Z"
        for contour in contours
    )


def _about_image(data: ImageSet, row: int) -> dict[str, Any]:
    height, width = data.images.shape[1:]
    image = data.index[row]
    bar = scale_bar(image, width)
    return {
        "name": image["name"],
        "size": [height, width],
        "aspect": round(aspect_of(data, row), 4),
        "bar": bar and [bar[0], round(bar[1], 4)],
        "reference": contours(data.masks[row]),
    }


def _write_images(data: ImageSet, rows: list[int], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for row in rows:
        image = cv2.imencode(".png", np.asarray(data.images[row]))[1]
        (folder / f"{row}.png").write_bytes(image.tobytes())


def _history(path: Path) -> list[list[float | None]]:
    """Epoch, validation loss and validation Dice."""
    history = pd.read_csv(path)[["epoch", "validation_loss", "validation_dice"]]
    return [[finite(value) for value in row] for row in history.itertuples(index=False)]


def finite(value: float) -> float | None:
    """A number of four digits, or None where it is not finite, which JSON has no word for.

    Parameters
    ----------
    value
        A number.
    """
    return round(float(value), 4) if np.isfinite(value) else None


def to_json(content: Any) -> str:
    """JSON that nothing in it can end the script of.

    Parameters
    ----------
    content
        Anything that JSON can hold.
    """
    text = json.dumps(content, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028")


def _write_data(folder: Path, key: str, content: Any) -> None:
    with atomic(folder / f"{key}.js") as temporary:
        temporary.write_text(f"sonotune.receive(...{to_json([key, content])});\n", "utf-8")
