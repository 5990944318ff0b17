"""Every command: `sonotune COMMAND`.

A command imports what it needs when it runs, so that `sonotune --help` loads no numerics.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from sonotune import __doc__ as question
from sonotune import __version__
from sonotune.errors import SonotuneError
from sonotune.layout import format_percent
from sonotune.runtime.processors import usable_processors
from sonotune.simulation.settings import Simulation

if TYPE_CHECKING:
    from sonotune.data.catalogue import CatalogueEntry

EXAMPLES = """examples:
  sonotune init --images 'images/*.png' --masks 'masks/*.png'   write my.yaml for your images
  sonotune run --configfile my.yaml --cores 4                   run that study
  sonotune recommend results/mine                               print the recommended strategy
"""
CONFIGURATION = "configuration (default: config/config.yaml)"
STUDY = "folder of a finished study: results/STUDY"
MODEL = "a cell's folder, a study's folder (results/STUDY), or a file of `sonotune export`"
# The settings of the simulator that are options; a configuration file can set all of them.
SIMULATED = (
    *("lines", "center_frequency_mhz", "width_mm", "depth_mm", "focus_mm", "scatterers"),
    *("lesions", "lesion_radius_mm", "contrast", "contrast_of", "dynamic_range_db", "pixels"),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status. Mistakes in the input are one line each.

    Parameters
    ----------
    arguments
        Words of the command line; those of the process if None.
    """
    # Importing PyTorch makes objects by the hundred thousand and no garbage: looking through them
    # as often as Python does by default takes a quarter of a command's start.
    gc.set_threshold(100_000, 10, 10)
    given = list(sys.argv[1:] if arguments is None else arguments)
    options: list[str] = []
    if given[:1] == ["run"] and "--" in given:
        options = given[given.index("--") + 1 :]
        given = given[: given.index("--")]
    parser = _make_parser()
    parsed = parser.parse_args(given)
    if "run" not in parsed:
        parser.print_help()
        return 0
    parsed.options = options
    try:
        return int(parsed.run(parsed))
    except SonotuneError as error:
        print(f"sonotune: {error}", file=sys.stderr)
        return 1


def command() -> NoReturn:
    """Run the command of this process and end it, without taking PyTorch down piece by piece."""
    status = 1
    with suppress(BrokenPipeError):  # of a pager that was left
        status = main()
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(status)


def _make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sonotune",
        description=question,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"sonotune {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    _add_study_commands(commands)
    _add_model_commands(commands)
    data = _add(commands, "data", None, "list, find, download and check data sets")
    _add_data_commands(data.add_subparsers(title="commands", metavar="COMMAND", required=True))
    _add_simulate(commands)
    return parser


def _add(
    commands: Any, name: str, run: Callable[[argparse.Namespace], int] | None, text: str
) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    if run is not None:
        command.set_defaults(run=run)
    return command


def _add_study_commands(commands: Any) -> None:
    init = _add(commands, "init", _init, "write a configuration for a folder of images with masks")
    init.add_argument("--images", required=True, metavar="GLOB", help="for example 'images/*.png'")
    init.add_argument("--masks", required=True, metavar="GLOB", help="one mask for each image")
    init.add_argument(
        "--output", default="my.yaml", metavar="FILE", help="file to write (default: my.yaml)"
    )

    run = _add(commands, "run", _run, "run the studies of a configuration with Snakemake")
    run.usage = "sonotune run [--configfile FILE] [--cores N] [-- SNAKEMAKE OPTIONS]"
    run.add_argument("--configfile", metavar="FILE", help=CONFIGURATION)
    run.add_argument("--cores", metavar="N", help="number of cores (default: all)")

    plan = _add(commands, "plan", _plan, "estimate time and disk, and what the folds can show")
    plan.add_argument("--configfile", metavar="FILE", help=CONFIGURATION)
    plan.add_argument(
        "--results",
        default="results",
        metavar="FOLDER",
        help="folder of results (default: results)",
    )
    plan.add_argument(
        "--cores",
        type=int,
        default=usable_processors(),
        metavar="N",
        help="number of cores (default: all)",
    )
    plan.add_argument(
        "--gpu", type=int, default=1, metavar="N", help="trainings at a time on a GPU (default: 1)"
    )

    text = "print the strategy that a finished study recommends, its cost and its uncertainty"
    recommend = _add(commands, "recommend", _recommend, text)
    recommend.add_argument("study", help=STUDY)
    recommend.add_argument(
        "--images", type=int, metavar="N", help="number of images for training and validation"
    )

    text = "check that the files of finished studies are complete and consistent"
    _add(commands, "verify", _verify, text).add_argument(
        "results", nargs="?", default="results", help="folder of results (default: results)"
    )


def _add_model_commands(commands: Any) -> None:
    predict = _add(commands, "predict", _predict, "segment images with a trained network")
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

    export = _add(commands, "export", _export, "export a trained network for other programs")
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


def _add_data_commands(commands: Any) -> None:
    for name, run, text in (
        ("list", _list, "list the data sets of the catalogue"),
        ("where", _where, "describe a data set: its licence, its folder, or how to obtain it"),
        ("fetch", _fetch, "download, verify and unpack a data set"),
        ("check", _check, "look at every image of a data set and list errors and warnings"),
    ):
        command = _add(commands, name, run, text)
        if name == "check":
            command.add_argument("name", help="its name in the configuration, or in the catalogue")
            command.add_argument(
                "--configfile",
                metavar="FILE",
                help="file that describes it (default: config/config.yaml)",
            )
            command.add_argument(
                "--output",
                metavar="FOLDER",
                help="folder for audit.html and audit.csv (default: audits/NAME)",
            )
        elif name != "list":
            command.add_argument("name", help="its name in the catalogue, such as hc18")
        command.add_argument(
            "--resources", default="resources", metavar="FOLDER", help="folder of all data sets"
        )
        command.add_argument(
            "--mirror", metavar="PLACE", help="folder or address to use instead of the publishers'"
        )


def _add_simulate(commands: Any) -> None:
    command = _add(commands, "simulate", _simulate, "make simulated ultrasound images with masks")
    command.description = (
        "Simulate B-mode ultrasound images of dark lesions in speckle. Writes images/NAME.png, "
        "masks/NAME.png (255 in lesions) and lesions.csv."
    )
    command.add_argument("--images", type=int, default=85, help="number of images (default: 85)")
    command.add_argument("--seed", type=int, default=0, help="0 or more (default: 0)")
    command.add_argument(
        "--workers", type=int, default=usable_processors(), help="images at a time (all processors)"
    )
    command.add_argument(
        "--output", type=Path, required=True, metavar="FOLDER", help="folder to write"
    )
    for setting in (field for field in fields(Simulation) if field.name in SIMULATED):
        default: Any = setting.default
        pair = isinstance(default, tuple)
        default_text = f"{default[0]} {default[1]}" if pair else default
        command.add_argument(
            "--" + setting.name.replace("_", "-"),
            type=type(default[0] if pair else default),
            nargs=2 if pair else None,
            default=default,
            metavar=("FIRST", "SECOND") if pair else "VALUE",
            help=f"{setting.metadata['help']} (default: {default_text})",
        )


def _init(arguments: argparse.Namespace) -> int:
    from sonotune.config.starter import write_starter

    images = write_starter(arguments.images, arguments.masks, arguments.output)
    file = arguments.output
    print(
        f"{file}: a study of {images} images with masks\n"
        f"  sonotune data check mine --configfile {file}    looks at every image\n"
        f"  sonotune plan --configfile {file}               estimates how long the study takes\n"
        f"  sonotune run --configfile {file} --cores 2      runs it"
    )
    return 0


def _run(arguments: argparse.Namespace) -> int:
    from sonotune.runtime.workflow import snakemake_command

    command = snakemake_command(arguments.configfile, arguments.cores, arguments.options)
    # Replaces this process, so that signals and the exit status are Snakemake's own.
    os.execv(command[0], command)  # noqa: S606


def _plan(arguments: argparse.Namespace) -> int:
    from sonotune.config.check import read_configuration
    from sonotune.plan import Meter, describe, plan_study
    from sonotune.runtime.workflow import configuration_file

    config = read_configuration(configuration_file(arguments.configfile))
    meter = Meter()
    for name, study in config["studies"].items():
        plan = plan_study(config, name, arguments.results, meter)
        print(describe(name, study, plan, arguments.cores, arguments.gpu), flush=True)
    return 0


def _recommend(arguments: argparse.Namespace) -> int:
    from sonotune.evaluation.current import TABLE, current_cells
    from sonotune.report.recommend import recommend

    if (Path(arguments.study) / TABLE).is_file():
        current_cells(arguments.study)
    print("\n".join(recommend(arguments.study, arguments.images)))
    return 0


def _verify(arguments: argparse.Namespace) -> int:
    from sonotune.verify import Verification

    verification = Verification(arguments.results).run()
    for fault in verification.faults:
        print(fault)
    looked = ", ".join(f"{count} {name}" for name, count in verification.checked.items())
    faults = f"{len(verification.faults)} faults" if verification.faults else "no faults"
    print(f"{arguments.results}: {looked}: {faults}")
    return 1 if verification.faults else 0


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
    output = Path(arguments.output)
    print(
        f"{len(images)} images with {description['strategy']} at "
        f"{format_percent(description['fraction'])} of {description['dataset']}, "
        + (
            f"{len(models)} trainings averaged"
            if len(models) > 1
            else f"fold {description['fold']}"
        )
        + f"; {processor.device}, {processor.precision}"
    )
    began = time.perf_counter()
    job = Job(models, processor, output, spacing, tuple(arguments.only or KINDS))
    bad = predict_images(images, job, _progress, arguments.batch_size)
    seconds = time.perf_counter() - began
    for line in bad:
        print(f"sonotune: left out: {line}", file=sys.stderr)
    _print_predictions(output / "predictions.csv")
    rate = len(images) / max(seconds, 1e-9)
    print(f"{len(images) - len(bad)} images in {seconds:.1f} s ({rate:.1f} per second): {output}")
    return 1 if bad else 0


def _print_predictions(table: Path) -> None:
    """Sum up the table of predictions, and its warnings."""
    import csv
    from statistics import fmean

    with table.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    if dice := [float(row["dice"]) for row in rows if row["dice"]]:
        low = sum(value < 0.5 for value in dice)
        print(f"Dice of {len(dice)} images: mean {fmean(dice):.3f}, {low} below 0.5")
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


def _export(arguments: argparse.Namespace) -> int:
    from sonotune.inference.export import export_model
    from sonotune.inference.model import load_model

    (cell,) = _choose_cells(arguments, "best")
    os.makedirs(Path(arguments.output).resolve().parent, exist_ok=True)
    print(export_model(load_model(cell), arguments.output))
    return 0


def _list(arguments: argparse.Namespace) -> int:
    from sonotune.data.catalogue import WEIGHTS, load_catalogue
    from sonotune.data.fetch import locate
    from sonotune.data.sources import find_mirror

    mirror = find_mirror(arguments.mirror)
    rows = [("name", "images", "access", "size", "here", "what it is")]
    for entry in load_catalogue().values():
        folder = locate(entry, arguments.resources, mirror)
        here = "-" if entry.access == "made" else str(folder) if folder else "no"
        count = "any" if entry.images is None else str(entry.images)
        count = "-" if entry.reader == WEIGHTS else count
        rows.append((entry.name, count, entry.access, _size(entry), here, entry.title))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        line = "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True))
        print(line.rstrip())
    return 0


def _size(entry: CatalogueEntry) -> str:
    sizes = {file.size for file in entry.files if file.bytes is None or file.bytes > 10**6}
    return " + ".join(sorted(sizes)) if entry.files else "-"


def _where(arguments: argparse.Namespace) -> int:
    from sonotune.data.catalogue import find_entry
    from sonotune.data.fetch import locate
    from sonotune.data.sources import find_mirror

    entry = find_entry(arguments.name)
    folder = locate(entry, arguments.resources, find_mirror(arguments.mirror))
    print(f"{entry.name}: {entry.title}")
    print(f"  version   {entry.version}")
    print(f"  access    {entry.access}")
    print(f"  licence   {entry.licence}")
    _print_wrapped("  citation  ", entry.citation)
    for file in entry.files:
        insecure = ", the publisher has no https" if file.no_https else ""
        print(f"  file      {file.address} ({file.size}{insecure})")
        print(f"            {file.checksum or 'no checksum is published; the first is recorded'}")
    if entry.access == "made":
        print(f"  {entry.by_hand}")
    elif folder:
        print(f"It is here: {folder}")
    else:
        folder = Path(arguments.resources) / entry.name
        print(f"It is not here yet. sonotune looks for {folder} with {' and '.join(entry.holds)}.")
        if entry.files:
            print(f"The workflow downloads it, or: sonotune data fetch {entry.name}")
        _print_wrapped("By hand: ", f"{entry.by_hand} Put it into {folder.absolute()}.")
    return 0


def _print_wrapped(start: str, text: str) -> None:
    import textwrap

    indent = " " * (len(start) if start.startswith(" ") else 2)
    # Addresses stay whole, so that they can be copied.
    print(
        textwrap.fill(
            start + text,
            100,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
    )


def _fetch(arguments: argparse.Namespace) -> int:
    from sonotune.data.catalogue import find_entry
    from sonotune.data.fetch import fetch
    from sonotune.data.sources import find_mirror

    entry = find_entry(arguments.name)
    mirror = find_mirror(arguments.mirror)
    folder = Path(arguments.resources) / entry.name
    print(fetch(entry, folder, mirror, lambda line: print(line, file=sys.stderr, flush=True)))
    return 0


def _check(arguments: argparse.Namespace) -> int:
    from sonotune.data.audit import audit_dataset
    from sonotune.data.audit_files import write_audit_csv, write_audit_html, write_duplicates
    from sonotune.data.presence import unusable_names
    from sonotune.data.readers import find_samples

    settings, folder = _described(arguments)
    own = find_samples(settings, folder) if settings["reader"] == "folder" else []
    if lines := list(unusable_names(own)):
        raise SonotuneError("\n  ".join([f"{arguments.name}: cannot be used:", *lines]))
    audit, gallery = audit_dataset(arguments.name, settings, folder)
    output = Path(arguments.output or Path("audits") / arguments.name)
    write_audit_csv(audit, output / "audit.csv")
    write_audit_html(audit, gallery, output / "audit.html")
    write_duplicates(audit, output / "duplicates.csv")
    for finding in audit.findings:
        print(f"{finding.level}: {finding.kind}: {finding.text}")
    print(
        f"{arguments.name}: {len(audit.image_stats)} images, {audit.verdict}: "
        f"{output / 'audit.html'}"
    )
    return 1 if audit.of_level("error") else 0


def _described(arguments: argparse.Namespace) -> tuple[dict[str, Any], Path]:
    """Settings of a data set, from the configuration or else the catalogue, and its folder."""
    from sonotune.config.check import read_configuration
    from sonotune.data.catalogue import find_entry
    from sonotune.data.fetch import locate, placement_instructions
    from sonotune.data.readers import MADE_HERE
    from sonotune.data.sources import find_mirror
    from sonotune.runtime.limits import use_limits
    from sonotune.runtime.workflow import DEFAULT_CONFIGURATION

    file = Path(arguments.configfile or DEFAULT_CONFIGURATION)
    # Without a configuration here, only the catalogue is known.
    known_here = arguments.configfile or file.is_file()
    config: dict[str, Any] = {"datasets": {}}
    if known_here:
        config = read_configuration(file, with_studies=False)
    use_limits(config.get("limits"))
    settings = config["datasets"].get(arguments.name)
    if settings is None and arguments.configfile:
        known = ", ".join(config["datasets"])
        raise SonotuneError(f"{file}: datasets: there is no {arguments.name}; it has: {known}")
    if settings is None:
        entry = find_entry(arguments.name)
        settings = {"reader": entry.reader, "catalogue": entry.name, "source": entry.name}
    if settings["reader"] in MADE_HERE:
        raise SonotuneError(
            f"{arguments.name}: is made by the workflow, which also audits it "
            f"(audit.html in results/datasets/{arguments.name}-*)"
        )
    if "catalogue" not in settings:
        return settings, Path()
    entry = find_entry(settings["catalogue"])
    mirror = find_mirror(arguments.mirror or config.get("data_mirror"))
    folder = locate(entry, arguments.resources, mirror)
    if folder is None:
        raise SonotuneError(placement_instructions(entry, Path(arguments.resources) / entry.name))
    return settings, folder


def _simulate(arguments: argparse.Namespace) -> int:
    from sonotune.simulation.images import write_images

    settings = Simulation(**{name: getattr(arguments, name) for name in SIMULATED})
    number, output = arguments.images, arguments.output
    write_images(settings, output, number, arguments.seed, arguments.workers, _progress)
    print(f"{number} images, their masks and lesions.csv are in {output}")
    return 0


def _progress(done: int, every: int) -> None:
    if sys.stderr.isatty():
        end = "\n" if done == every else ""
        bar = f"[{'#' * (30 * done // every):<30}]"
        print(f"\r{bar} {done} of {every}", end=end, file=sys.stderr, flush=True)
