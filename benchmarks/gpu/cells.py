"""The trainings of a run: which there are, in order of value, and one of them as a process.

python benchmarks/gpu/cells.py JOB.json
"""

import copy
import json
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

# Of Wang's study: his baseline, and the sides of his network that are tuned or frozen.
WANG = ("scratch_unet", "encoder", "decoder_all")


@dataclass(frozen=True)
class Job:
    """One training.

    Attributes
    ----------
    name
        ``study/dataset/strategy/fraction/fold``, or the study's name and ``pretraining``.
    settings
        As of `sonotune.config.jobs`.
    arrays, weights, folder
        What it reads and where it writes; ``weights`` is None for a random start.
    """

    name: str
    settings: dict[str, Any]
    arrays: str
    weights: str | None
    folder: str

    @property
    def ready(self) -> bool:
        """Whether its start weights are there."""
        return self.weights is None or Path(self.weights).exists()

    @property
    def makes(self) -> str:
        """Where the weights lie that it keeps, if it keeps any."""
        return str(Path(self.folder) / "weights.safetensors")


def jobs_of(config: Mapping[str, Any], work: Path, device: str, small: bool) -> list[Job]:
    """All trainings in order of value.

    Parameters
    ----------
    config
        `sonotune`'s complete default configuration.
    work
        Folder with ``sets/NAME`` (arrays) and ``weights``; gets ``runs/NAME``.
    device
        ``cuda`` or ``cpu``.
    small
        The same with tiny networks and few of each.
    """
    from sonotune.config.jobs import pretraining_settings

    config = _for_this_run(config, device, small)
    start = work / "runs/amiri2020/pretraining/weights.safetensors"
    first = Job(
        "amiri2020/pretraining",
        pretraining_settings(config, "amiri2020"),
        str(work / "sets/natural"),
        None,
        str(start.parent),
    )
    sus, fus = (list(_cells(config, "amiri2020", name, work, start)) for name in ("sus", "fus"))
    wang = list(_cells(config, "wang2023", "hc18", work, work / "weights/mobilenet_v2.safetensors"))

    def of(jobs: list[Job], fraction: float, fold: int) -> list[Job]:
        return [j for j in jobs if (j.settings["fraction"], j.settings["fold"]) == (fraction, fold)]

    order = [first, *of(sus, 0.8, 0), *wang]
    if small:
        return order
    order += [job for fold in range(1, 5) for job in of(sus, 0.8, fold)]
    order += [job for fold in range(5) for job in of(sus, 0.05, fold)]
    return [*order, *of(fus, 0.8, 0)]


def _for_this_run(config: Mapping[str, Any], device: str, small: bool) -> dict[str, Any]:
    """The papers' studies on this device, with what a part of HC18 and one epoch ask for."""
    config = copy.deepcopy(dict(config))
    amiri, wang = config["studies"]["amiri2020"], config["studies"]["wang2023"]
    for study in (amiri, wang):
        study["device"] = device
    wang["training"] |= {"epochs": 1}
    wang["resampling"] = {**wang["resampling"], "test_images": 10, "folds": 4, "run_folds": [0]}
    wang["strategies"] = {name: wang["strategies"][name] for name in WANG}
    del amiri["strategies"]["unchanged"]
    if small:
        amiri["network"] |= {"width": 2, "head": "plain"}
        amiri["strategies"] = {"block_9": amiri["strategies"]["block_9"]}
        for recipe in (amiri["training"], amiri["pretraining"]["training"]):
            recipe |= {"epochs": 2, "patience": 1}
        wang["strategies"] = {"scratch_unet": wang["strategies"]["scratch_unet"]}
        wang["strategies"]["scratch_unet"]["network"] |= {"width": 2}
        wang["resampling"] |= {"test_images": 4}
    return config


def _cells(
    config: Mapping[str, Any], study: str, dataset: str, work: Path, start: Path
) -> Iterator[Job]:
    from sonotune.config.cells import cells_of
    from sonotune.config.jobs import cell_settings

    for cell in cells_of(config, study, dataset):
        settings = cell_settings(config, cell)
        name = f"{study}/{dataset}/{cell.strategy}/{cell.fraction}/{cell.fold}"
        weights = str(start) if settings["init"] == "pretrained" else None
        yield Job(name, settings, str(work / "sets" / dataset), weights, str(work / "runs" / name))


def run_one(job: Job) -> dict[str, float]:
    """Train, and give what the table gets of it."""
    import numpy as np

    from sonotune.data.dataset import load_set
    from sonotune.evaluation.metrics import THRESHOLD, overlap
    from sonotune.evaluation.scores import load_predictions
    from sonotune.jobs.finetune import run_cell
    from sonotune.jobs.pretrain import pretrain

    folder = Path(job.folder)
    checkpoint = folder.parent / f"{folder.name}.checkpoint.safetensors"
    folder.mkdir(parents=True, exist_ok=True)
    given = (job.settings, job.arrays)
    if "strategy" not in job.settings:
        record = pretrain(*given, folder, print, checkpoint)
        dice = record["best_validation_dice"]
    else:
        record = run_cell(*given, job.weights, folder, print, checkpoint)
        rows, probabilities = load_predictions(folder / "predictions.npz")
        masks = np.asarray(load_set(job.arrays).masks)[rows] > 0
        dice = float(overlap(probabilities >= THRESHOLD, masks)["dice"].mean())
    return {
        "dice": dice,
        "seconds": record["seconds"],
        "epochs": record["epochs"],
        "failed": record["failed"],
        "steps_per_second": record["steps_per_second"],
    }


def main() -> None:
    """Run the job of a file and write what came of it beside it."""
    from sonotune.errors import SonotuneError

    path = Path(sys.argv[1])
    began = time.perf_counter()
    try:
        found = run_one(Job(**json.loads(path.read_text("utf-8"))))
    except SonotuneError as error:
        raise SystemExit(f"{path.stem}: {error}") from None
    found["wall"] = time.perf_counter() - began
    path.with_suffix(".found.json").write_text(json.dumps(found), "utf-8")


def write_job(job: Job, folder: Path) -> Path:
    """Write a job's file for `main`."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{job.name.replace('/', '_')}.json"
    path.write_text(json.dumps(asdict(job)), "utf-8")
    return path


if __name__ == "__main__":
    main()
