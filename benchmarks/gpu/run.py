"""Everything that is to be known of a GPU, in one command on a machine without network.

python benchmarks/gpu/run.py --minutes 8 --out DIR [--bundle DIR] [--work DIR] [--beside 4]

runs, one after the other, with what benchmarks/gpu/bundle.py prepared:

checks    tests/unit/test_cuda.py: what must hold on a GPU (60 s)
speed     benchmarks/gpu/speed.py, and cells an hour by processes on the card (120 s)
cells     the papers' trainings in order of value (benchmarks/gpu/cells.py), as far as time goes

Each number is written as it comes to DIR/gpu.csv, and the trainings' records and predictions to
DIR/trainings-N.zip. Given again with the same DIR it takes up where it stopped: finished numbers
of this card are kept. An unfinished training resumes from its checkpoint if --work still exists.
`--device cpu --small` rehearses all of it in half a minute.
"""

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
GPU = ROOT / "benchmarks/gpu"
sys.path.insert(0, str(ROOT))
SECONDS = {"checks": 60.0, "speed": 120.0}
OUTCOME = re.compile(r"(PASSED|FAILED|ERROR|SKIPPED)\s+(tests/\S+::\S.*?)\s*$")
STEPS = (
    "graph, bf16",
    "plain, fp32",
    "plain, bf16",
    "convolutions, bf16",
    "one by one, bf16",
    "graph, fp32",
    "graph, unrepeatable, bf16",
)
# How trainings of width 16 at 128 x 128 are run: steps, and processes on the card.
PACKED = (("one by one", 1), ("graph", 8), ("graph", 4), ("graph", 2), ("graph", 1))
ENDED = "ended after"
STOP = 10.0  # seconds that a training gets to write its checkpoint
LEAST = 5.0  # seconds below which a part is not begun


@dataclass(frozen=True)
class Run:
    """What the command was asked for, and what its parts share."""

    device: str
    small: bool
    work: Path
    results: Any
    deadline: float
    environment: Mapping[str, str]
    beside: int
    packed: Mapping[str, Any]  # settings of a training of which several share the card

    def left(self) -> float:
        """Seconds until the end."""
        return self.deadline - time.monotonic()

    def share(self, part: str) -> float:
        """Seconds that a part may take; a rehearsal on a slow machine may take all."""
        return self.left() if self.small else min(SECONDS[part], self.left())

    def options(self) -> list[str]:
        """Options of benchmarks/gpu/speed.py."""
        return ["--device", self.device, *(["--small"] if self.small else [])]


def lines_of(
    command: Sequence[str], environment: Mapping[str, str], seconds: float
) -> Iterator[str]:
    """A command's lines as they come; it is ended when its time is up."""
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )

    def kill() -> None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)

    timer = threading.Timer(seconds, kill)
    timer.start()
    try:
        yield from (line.rstrip("\n") for line in process.stdout)  # type: ignore[union-attr]
        process.wait()
    finally:
        timer.cancel()
        kill()
        process.wait()
    if process.returncode == -signal.SIGKILL:
        yield f"{ENDED} {seconds:.0f} s"


def checks(run: Run, seconds: float) -> None:
    """The tests of tests/unit/test_cuda.py, each a number: 1 where it holds."""
    if seconds < LEAST or run.results.has("check", "all"):
        return
    command = [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", "--no-header"]
    command += ["tests/unit/test_cuda.py", "-o", "addopts=", "-rN", "--tb=short"]
    if run.device == "cuda" and find_spec("xdist"):
        command += ["-n", "6"]
    if run.small:
        command += ["-k", "fixed or block_9"]
    environment = {**run.environment, "SONOTUNE_TEST_DEVICE": run.device}
    passed = failed = 0
    whole = True
    for line in lines_of(command, environment, seconds):
        found = OUTCOME.search(line) or re.search(r"(tests/\S+::\S.*?) (PASSED|FAILED|ERROR)", line)
        if found is None:
            whole = whole and not line.startswith(ENDED)
            print(line, flush=True)
            continue
        outcome, test = sorted(found.groups(), key=lambda text: "::" in text)
        if outcome != "SKIPPED" and not run.results.has("check", name := test.split("::")[1]):
            passed, failed = passed + (outcome == "PASSED"), failed + (outcome != "PASSED")
            run.results.add("check", name, outcome == "PASSED", "holds")
    if whole and passed + failed:
        run.results.add("check", "all", passed / (passed + failed), "share that holds")


def speed(run: Run, seconds: float) -> None:
    """All of `benchmarks.gpu.speed`, and cells an hour."""
    ended = time.monotonic() + seconds
    steps = STEPS[3:4] if run.small else STEPS
    parts: list[tuple[str, str, Any]] = [("step", one, ["step", "--variant", one]) for one in steps]
    parts[4:4] = [("card", "copy", ["card"]), ("evaluation", "bf16", ["strategies"])]
    packed = [("cells_per_hour", f"{how}, {number}", (how, number)) for how, number in PACKED]
    parts[6:6] = packed[-1:] if run.small else packed[:3]
    for measure, variant, part in parts if run.small else [*parts, *packed[3:]]:
        left = min(ended - time.monotonic(), run.left())
        if left < LEAST or run.results.has(measure, variant):
            continue
        if isinstance(part, tuple):
            packing(run, *part, left)
            continue
        command = [sys.executable, str(GPU / "speed.py"), *part, *run.options()]
        for line in lines_of(command, run.environment, left):
            if line.startswith("RESULT "):
                run.results.add(**json.loads(line.removeprefix("RESULT ")))
            else:
                print(line, flush=True)


def packing(run: Run, how: str, number: int, seconds: float) -> None:
    """Cells per hour with that many processes on one card, from process start to run record."""
    from benchmarks.gpu.cells import Job, write_job

    jobs = []
    for place in range(number):
        settings = dict(run.packed)
        training = {"learning_rate": 1e-4, "batch_size": 2, "epochs": 30, "patience": False}
        training |= {"select_weights": "last", "graph": "auto" if how == "graph" else False}
        settings |= {"training": training | ({"epochs": 1} if run.small else {}), "fold": place % 5}
        settings["network"] = {**settings["network"], "width": 2 if run.small else 16}
        folder = run.work / f"packed/{how}-{number}-{place}"
        jobs.append(
            Job(f"packed/{how}/{number}/{place}", settings, str(run.work / "sets/sus_half"), None,
                str(folder))
        )  # fmt: skip
    began = time.monotonic()
    running = [start(run, write_job(job, run.work / "jobs")) for job in jobs]
    for process in running:
        try:
            process.wait(max(0.1, began + seconds - time.monotonic()))
        except subprocess.TimeoutExpired:
            end(running)
            print(f"{how}, {number}: no time", flush=True)
            return
    if all(process.returncode == 0 for process in running):
        rate = number * 3600 / (time.monotonic() - began)
        run.results.add("cells_per_hour", f"{how}, {number}", rate, "cells/h", number)


def start(run: Run, path: Path) -> subprocess.Popen[bytes]:
    """Start the process of a training; what it says goes into a file beside its job."""
    with path.with_suffix(".log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, str(GPU / "cells.py"), str(path)],
            cwd=ROOT,
            env=run.environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )


def end(running: Sequence[subprocess.Popen[bytes]]) -> None:
    """Ask trainings to stop, which keep a checkpoint, and end those that do not."""
    for process in running:
        process.terminate()
    ended = time.monotonic() + STOP
    for process in running:
        try:
            process.wait(max(0.1, ended - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def cells(run: Run, jobs: Sequence[Any]) -> None:
    """The papers' trainings, several on the card at a time, in their order as far as time goes."""
    from benchmarks.gpu.cells import write_job

    left = [job for job in jobs if not run.results.has("dice", job.name)]
    # Weights do not come back: where others start from them, they are made once more.
    needed = {job.weights for job in left} - {job.makes for job in left}
    again = [job for job in jobs if job.makes in needed and not Path(job.makes).exists()]
    waiting = [*again, *left]
    running: dict[str, Any] = {}
    began, done = time.monotonic(), 0
    while (waiting or running) and run.left() > STOP + LEAST:
        while len(running) < run.beside and (ready := [job for job in waiting if job.ready]):
            waiting.remove(ready[0])
            path = write_job(ready[0], run.work / "jobs")
            running[ready[0].name] = ready[0], path, start(run, path)
        if not running:
            break  # what is left waits for weights that nothing makes
        for name, (job, path, process) in list(running.items()):
            if process.poll() is None:
                continue
            del running[name]
            done += "pretraining" not in name and process.returncode == 0
            tell(run, job, path, process.returncode)
        time.sleep(0.05)
    end([process for _, _, process in running.values()])
    if done:
        rate = 3600 * done / (time.monotonic() - began)
        run.results.add("cells_per_hour", f"the papers' size, {run.beside}", rate, "cells/h", done)
    for job in (*(job for job, _, _ in running.values()), *waiting):
        print(f"not done: {job.name}")


def tell(run: Run, job: Any, path: Path, code: int) -> None:
    """Write what came of a training."""
    if code:
        print(f"{job.name}: failed\n{path.with_suffix('.log').read_text('utf-8')[-2000:]}")
        return
    found = json.loads(path.with_suffix(".found.json").read_text("utf-8"))
    if not run.results.has("dice", job.name):
        run.results.pack(job.name, Path(job.folder))
    for key, unit in (("wall", "s"), ("seconds", "s"), ("epochs", "epochs"), ("failed", "failed"),
                      ("steps_per_second", "steps/s"), ("dice", "Dice")):  # fmt: skip
        run.results.add(key, job.name, float(found[key] or 0), unit)


def environment_with(wheels: Path) -> dict[str, str]:
    """This process's environment, with the bundle's wheels where packages are missing."""
    paths = [str(ROOT)]
    missing = [one for one in ("pydantic", "segmentation_models_pytorch") if not find_spec(one)]
    if missing and wheels.is_dir():
        site = Path(tempfile.mkdtemp(prefix="sonotune-site-"))
        install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps"]
        install += ["--no-compile", "--target", str(site)]
        subprocess.run([*install, *map(str, sorted(wheels.glob("*.whl")))], check=True)
        paths.append(str(site))
        sys.path.append(str(site))
    elif missing:
        raise SystemExit(f"{', '.join(missing)} are missing, and so is the folder {wheels}")
    given = [one for one in os.environ.get("PYTHONPATH", "").split(os.pathsep) if one]
    return {**os.environ, "PYTHONPATH": os.pathsep.join([*paths, *given]), "PYTHONUNBUFFERED": "1"}


def main() -> None:
    """Run what is left to run."""
    began = time.monotonic()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=8)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--bundle", type=Path, default=ROOT / ".bundle")
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "sonotune-gpu")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--small", action="store_true", help="tiny sizes and few of each")
    parser.add_argument("--beside", type=int, default=4, help="trainings on the card at a time")
    parser.add_argument("--only", nargs="+", choices=("checks", "speed", "cells"))
    asked = parser.parse_args()
    environment = environment_with(asked.bundle / "wheels")

    import yaml

    from benchmarks.gpu.bundle import unpack
    from benchmarks.gpu.cells import jobs_of
    from benchmarks.gpu.results import Results
    from sonotune.config.check import complete
    from sonotune.training.device import choose

    card = choose(asked.device, "auto", 1)
    results = Results(asked.out, card.name)
    import torch

    print(f"{card.name}, {card.precision}, PyTorch {torch.__version__}", flush=True)
    for packed in sorted((asked.bundle / "sets").glob("*.zip")):
        unpack(packed, asked.work / "sets" / packed.stem)
    halve(asked.work / "sets/sus", asked.work / "sets/sus_half")
    if (weights := asked.bundle / "weights").is_dir() and not (asked.work / "weights").exists():
        (asked.work / "weights").symlink_to(weights.resolve())
    config = complete(yaml.safe_load((ROOT / "config/config.yaml").read_text("utf-8")))
    jobs = jobs_of(config, asked.work, asked.device, asked.small)
    run = Run(
        asked.device,
        asked.small,
        asked.work,
        results,
        began + 60 * asked.minutes,
        environment,
        asked.beside,
        jobs[1].settings | {"init": "random"},
    )
    wanted = asked.only or ("checks", "speed", "cells")
    if "checks" in wanted:
        checks(run, run.share("checks"))
    if "speed" in wanted:
        speed(run, run.share("speed"))
    if "cells" in wanted:
        cells(run, jobs)
    print(f"{(time.monotonic() - began) / 60:.1f} of {asked.minutes:g} minutes; {results.path}")


def halve(source: Path, target: Path) -> None:
    """The same images at half the side, for trainings of a smaller network."""
    from dataclasses import replace

    import numpy as np

    from sonotune.data.dataset import load_set, save_set

    if source.is_dir() and not (target / "dataset.json").exists():
        data = load_set(source)
        images, masks = (np.asarray(one)[:, ::2, ::2] for one in (data.images, data.masks))
        save_set(target, replace(data, images=images, masks=masks))


if __name__ == "__main__":
    main()
