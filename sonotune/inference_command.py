"""`sonotune recommend`, `sonotune predict` and `sonotune export`.

What takes long to load is imported by the command that needs it.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import Any

from sonotune.errors import SonotuneError

MODEL = "a cell's folder, a study's folder (results/STUDY), or a file of `sonotune export`"


def add_recommend(commands: Any) -> None:
    """Add `recommend` and its arguments."""
    text = "say which strategy a finished study recommends, what it costs and how sure that is"
    command = commands.add_parser("recommend", help=text, description=text)
    command.add_argument("study", help="a finished study's folder: results/STUDY")
    command.add_argument("--images", type=int, metavar="N", help="how many images you have")
    command.add_argument(
        "--margin", type=float, default=0.02, help="a difference in Dice that counts as none (0.02)"
    )
    command.set_defaults(run=_recommend)


def add_predict(commands: Any) -> None:
    """Add `predict` and its arguments."""
    text = "segment images with a network that a study kept"
    command = commands.add_parser("predict", help=text, description=text)
    command.add_argument("model", help=MODEL)
    command.add_argument("images", nargs="+", help="files, folders or globs")
    command.add_argument("--output", metavar="FOLDER", default="predictions", help="(predictions)")
    _add_choice(command)
    command.add_argument(
        "--average", action="store_true", help="average the probabilities of all the study's folds"
    )
    command.add_argument(
        "--mm-per-pixel",
        nargs="+",
        default=[],
        metavar="MM",
        help="size of a pixel (or height and width), or a CSV with the columns image and "
        "mm_per_pixel; without, only files that tell (DICOM, NIfTI, MetaImage) get millimetres",
    )
    command.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    command.add_argument("--precision", choices=("fp32", "bf16"), help="(the study's)")
    command.add_argument("--batch-size", type=int, default=16, metavar="N", help="(16)")
    command.add_argument(
        "--only", nargs="+", choices=("masks", "probabilities", "overlays"), help="(all three)"
    )
    command.set_defaults(run=_predict)


def add_export(commands: Any) -> None:
    """Add `export` and its arguments."""
    text = "write a kept network as one file for other programs"
    command = commands.add_parser("export", help=text, description=text)
    command.add_argument("model", help=MODEL)
    command.add_argument(
        "output",
        help="its suffix says what: .onnx, .pt2 (torch.export), or .safetensors (all weights and "
        "their description)",
    )
    _add_choice(command)
    command.set_defaults(run=_export)


def _recommend(arguments: argparse.Namespace) -> int:
    from sonotune.report.recommend import recommend

    print("\n".join(recommend(arguments.study, arguments.images, arguments.margin)))
    return 0


def _add_choice(command: argparse.ArgumentParser) -> None:
    command.add_argument("--dataset", help="of a study: which (its only one)")
    command.add_argument("--strategy", help="of a study: which (the recommended one)")
    command.add_argument("--percent", type=float, help="of a study: which (the largest)")


def _cells(arguments: argparse.Namespace, average: bool = False) -> list[Path]:
    from sonotune.inference.choose import choose_cells

    return choose_cells(
        arguments.model, arguments.dataset, arguments.strategy, arguments.percent, average
    )


def _predict(arguments: argparse.Namespace) -> int:
    from sonotune.inference.images import find_images, read_spacing
    from sonotune.inference.model import load_model
    from sonotune.inference.run import KINDS, Job, predict_images
    from sonotune.training.device import choose

    if arguments.batch_size < 1:
        raise SonotuneError("--batch-size: must be at least 1")
    images = find_images(arguments.images)
    spacing = read_spacing(arguments.mm_per_pixel)
    models = [load_model(cell) for cell in _cells(arguments, arguments.average)]
    about = models[0].about
    processor = choose(
        arguments.device, arguments.precision or about["precision"], about["threads"]
    )
    output = Path(arguments.output)
    print(
        f"{len(images)} images with {about['strategy']} at {about['percent']:g} % of "
        f"{about['dataset']}, "
        + (f"{len(models)} folds averaged" if len(models) > 1 else f"fold {about['fold']}")
        + f"; {processor.device}, {processor.precision}"
    )
    began = time.perf_counter()
    job = Job(models, processor, output, spacing, tuple(arguments.only or KINDS))
    bad = predict_images(images, job, _progress, arguments.batch_size)
    seconds = time.perf_counter() - began
    for line in bad:
        print(f"sonotune: left out: {line}", file=sys.stderr)
    _tell(output / "predictions.csv")
    rate = len(images) / max(seconds, 1e-9)
    print(f"{len(images) - len(bad)} images in {seconds:.1f} s ({rate:.1f} a second): {output}")
    return 1 if bad else 0


def _tell(table: Path) -> None:
    """Say once what a reader of the table would have to find out row by row."""
    import csv

    with table.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    unknown = sum(not row["mm_per_pixel_y"] for row in rows)
    if unknown:
        print(
            f"sonotune: the pixel size of {unknown} images is not known, so they have no "
            "millimetres; give --mm-per-pixel",
            file=sys.stderr,
        )
    odd = [row for row in rows if row["warning"]]
    for row in odd[:5]:
        print(f"sonotune: warning: {row['image']}: {row['warning']}", file=sys.stderr)
    if len(odd) > 5:
        print(f"sonotune: warning: {len(odd)} images in all, see {table}", file=sys.stderr)


def _progress(done: int, images: int) -> None:
    if sys.stderr.isatty():
        filled = 30 * done // images
        end = "\n" if done == images else ""
        print(f"\r[{'#' * filled:<30}] {done} of {images}", end=end, file=sys.stderr, flush=True)


def _export(arguments: argparse.Namespace) -> int:
    from sonotune.inference.export import export_model
    from sonotune.inference.model import load_model

    (cell,) = _cells(arguments)
    os.makedirs(Path(arguments.output).resolve().parent, exist_ok=True)
    print(export_model(load_model(cell), arguments.output))
    return 0
