"""Commands of trained networks: predict and export."""

import argparse
import os
import sys
import time
from pathlib import Path
from typing import Any

from sonotune.cli.common import add_command, show_progress
from sonotune.errors import SonotuneError
from sonotune.layout import format_percent

MODEL = "a cell's folder, a study's folder (results/STUDY), or a file of `sonotune export`"


def add_commands(commands: Any) -> None:
    """Add these commands to the parser's.

    Parameters
    ----------
    commands
        What ``add_subparsers`` returned.
    """
    predict = add_command(commands, "predict", _predict, "segment images with a trained network")
    predict.add_argument("model", help=MODEL)
    predict.add_argument("images", nargs="+", help="files, folders or globs")
    predict.add_argument(
        "--masks",
        nargs="+",
        metavar="MASK",
        help="score the predictions against these files, folders or globs: one mask for each image",
    )
    predict.add_argument(
        "--threshold",
        type=float,
        metavar="VALUE",
        help="least value of a mask that marks the object (default: every value but 0)",
    )
    predict.add_argument(
        "--output",
        metavar="FOLDER",
        default="predictions",
        help="folder to write (default: predictions)",
    )
    predict.add_argument(
        "--fold",
        metavar="N",
        help="number of a fold, a run of it such as 0-s2, or best (by validation Dice); "
        "default: the mean of all folds",
    )
    predict.add_argument(
        "--mm-per-pixel",
        nargs="+",
        default=[],
        metavar="MM",
        help="size of a pixel (or its height and width), or a CSV with the columns image and "
        "mm_per_pixel; default: the size in the file (DICOM, NIfTI, MetaImage)",
    )
    predict.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    predict.add_argument("--precision", choices=("fp32", "bf16"), help="default: that of the study")
    predict.add_argument(
        "--pixels",
        type=int,
        metavar="N",
        help="largest number of pixels of an image (default: 268435456)",
    )
    predict.add_argument(
        "--batch-size", type=int, default=16, metavar="N", help="images at a time (default: 16)"
    )
    predict.add_argument(
        "--only",
        nargs="+",
        choices=("masks", "probabilities", "overlays"),
        help="outputs to write (default: all three)",
    )

    export = add_command(commands, "export", _export, "export a trained network for other programs")
    export.add_argument("model", help=MODEL)
    export.add_argument(
        "output",
        help="its suffix decides the format: .onnx, .pt2 (torch.export), or .safetensors (all "
        "weights and their description)",
    )
    for command in (predict, export):
        command.add_argument("--dataset", help="data set of the study (default: its only one)")
        command.add_argument(
            "--strategy", help="strategy of the study (default: the recommended one)"
        )
        command.add_argument(
            "--fraction", type=float, help="fraction of the study (default: the largest)"
        )


def _choose_cells(arguments: argparse.Namespace, fold: str | None) -> list[Path]:
    from sonotune.inference.choose import choose_cells

    return choose_cells(
        arguments.model, arguments.dataset, arguments.strategy, arguments.fraction, fold
    )


def _predict(arguments: argparse.Namespace) -> int:
    from sonotune.inference.images import find_images, read_spacing, with_masks
    from sonotune.inference.model import load_model
    from sonotune.inference.run import KINDS, Job, predict_images
    from sonotune.runtime.limits import use_limits
    from sonotune.training.device import choose

    if arguments.batch_size < 1:
        raise SonotuneError("--batch-size: must be at least 1")
    if arguments.pixels:
        use_limits({"pixels": arguments.pixels, "image_bytes": 8 * arguments.pixels})
    if arguments.threshold is not None and not arguments.masks:
        raise SonotuneError("--threshold: needs --masks")
    images = find_images(arguments.images)
    if arguments.masks:
        images = with_masks(images, arguments.masks, arguments.threshold)
    spacing = read_spacing(arguments.mm_per_pixel)
    models = [load_model(cell) for cell in _choose_cells(arguments, arguments.fold)]
    description = models[0].about
    processor = choose(
        arguments.device, arguments.precision or description["precision"], description["threads"]
    )
    output, several = Path(arguments.output), len(models) > 1
    what = f"{len(models)} trainings averaged" if several else f"fold {description['fold']}"
    print(
        f"{len(images)} images with {description['strategy']} at "
        f"{format_percent(description['fraction'])} of {description['dataset']}, "
        f"{what}; {processor.device}, {processor.precision}"
    )
    began = time.perf_counter()
    job = Job(models, processor, output, spacing, tuple(arguments.only or KINDS))
    rows, bad = predict_images(images, job, show_progress, arguments.batch_size)
    seconds = time.perf_counter() - began
    for line in bad:
        print(f"sonotune: left out: {line}", file=sys.stderr)
    _sum_up(rows, output / "predictions.csv")
    rate = len(images) / max(seconds, 1e-9)
    print(f"{len(images) - len(bad)} images in {seconds:.1f} s ({rate:.1f} per second): {output}")
    return 1 if bad else 0


def _sum_up(rows: list[dict[str, Any]], table: Path) -> None:
    """Print what the table of predictions says, and its warnings."""
    from statistics import fmean

    if dice := [float(row["dice"]) for row in rows if row.get("dice")]:
        low = sum(value < 0.5 for value in dice)
        print(f"Dice of {len(dice)} images: mean {fmean(dice):.3f}, {low} below 0.5")
    if unknown := sum("mm_per_pixel_y" not in row for row in rows):
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


def _export(arguments: argparse.Namespace) -> int:
    from sonotune.inference.export import export_model
    from sonotune.inference.model import load_model

    (cell,) = _choose_cells(arguments, "best")
    os.makedirs(Path(arguments.output).resolve().parent, exist_ok=True)
    print(export_model(load_model(cell), arguments.output))
    return 0
