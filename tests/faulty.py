"""A small study in a folder of its own that tests kill, starve and damage."""

import base64
import csv
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import ClassVar

import yaml

from sonotune.data.originals import CACHE

ROOT = Path(__file__).parents[1]
STRATEGIES = {"whole", "block_9", "scratch", "unchanged"}
CELLS = len(STRATEGIES)


def small_study(epochs=150):
    """The tiny study with one data set and one fraction, and cells that take a little longer."""
    config = yaml.safe_load((ROOT / "tests/tiny.yaml").read_text())
    del config["datasets"]["sus_b"]
    study = config["studies"]["tiny"]
    study |= {"datasets": ["sus_a"], "fractions": [0.5], "keep_weights": "all"}
    study["pretraining"]["training"] = {"epochs": 20, "patience": 20, "learning_rate": 0.01}
    study["training"] = {"epochs": epochs, "patience": epochs, "learning_rate": 0.001}
    return config


def copy_project(target, *more):
    """What a checkout needs to run the workflow, in another folder."""
    for part in ("Snakefile", "workflow", "config", "profiles", "sonotune", "envs", *more):
        if (ROOT / part).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / part, target / part, ignore=ignored)
        else:
            shutil.copy2(ROOT / part, target / part)


class Study:
    """One folder in which the workflow runs."""

    root = ROOT
    environment: ClassVar = {"SONOTUNE_CHECKPOINT_SECONDS": "0"}

    def __init__(self, folder, config=None):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "study.yaml").write_text(yaml.safe_dump(config or small_study()))
        self.output = self.folder / "output.txt"
        self.targets = ["results/tiny/cells.csv"]

    def arguments(self, *options):
        return ["--configfile", "study.yaml", "--cores", "2", *options, "--", *self.targets]

    def start(self, *options, before=(), python=sys.executable):
        """Start the workflow in the background; what it says goes to ``output``."""
        self.earlier = log_names(self.folder)
        snakemake = [python, "-m", "snakemake", "--snakefile", str(self.root / "Snakefile")]
        with self.output.open("w") as file:
            return subprocess.Popen(
                [*before, *snakemake, *self.arguments(*options)],
                cwd=self.folder,
                env={**os.environ, **self.environment},
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=hear_interrupts,
            )

    def log(self):
        """Snakemake's own log of the run that was started last; empty before there is one."""
        return "".join(path.read_text() for path in log_names(self.folder) - self.earlier)

    def run(self, *options, before=()):
        """Run the workflow; its exit status, and what it said."""
        status = self.start(*options, before=before).wait()
        return status, self.output.read_text()

    def complete(self, *options, before=()):
        """Run the workflow to the end; the cells that ran."""
        status, said = self.run(*options, before=before)
        assert status == 0, said
        return self.cells_that_ran()

    def cells_that_ran(self):
        """Strategies of the cells that the last run started."""
        told = jobs_told(self.log())
        return {found[1] for _, job in told if (found := re.match(r"tiny: (\w+) on ", job))}

    def jobs(self):
        return jobs_at_work(self.folder)

    def wait_for_job(self, pattern, timeout=300):
        """Wait until a file matches, and give it."""
        until = time.monotonic() + timeout
        while time.monotonic() < until:
            if found := sorted(self.folder.glob(pattern)):
                return found[0]
            time.sleep(0.02)
        raise AssertionError(f"no {pattern}: {self.output.read_text()}")

    def recorded(self):
        """Bytes of the run.json of each cell that Snakemake, too, knows to be finished."""
        marks = {path.name for path in (self.folder / ".snakemake/incomplete").glob("*")}
        found = {}
        for path in self.folder.glob("results/tiny/cells/*/*/*/*/run.json"):
            name = str(path.relative_to(self.folder))
            if base64.b64encode(name.encode()).decode() not in marks:
                found[name] = path.read_bytes()
        return found

    def results(self):
        """All that has to be equal in two runs: without times and machines."""
        found = {}
        for path in sorted(self.folder.glob("results/tiny/**/*.*")):
            name = str(path.relative_to(self.folder))
            if path.name == "history.csv":
                with path.open(newline="") as file:
                    rows = list(csv.DictReader(file))
                found[name] = [{k: v for k, v in row.items() if k != "seconds"} for row in rows]
            elif path.suffix in {".npz", ".safetensors"} or "scores" in path.parts:
                found[name] = path.read_bytes()
        return found

    def leftovers(self):
        """Files that a run should not leave: temporary ones, locks and checkpoints."""
        results = self.folder / "results"
        kept = {results / ".lock", results / CACHE}
        return [
            str(path.relative_to(results))
            for path in results.rglob("*")
            if path.is_file()
            and path not in kept
            and (path.name.startswith(".") or path.suffix == ".lock" or "checkpoints" in path.parts)
        ]

    def copy(self, folder):
        """The study with all that it has done so far, in another folder; file times are kept."""
        shutil.copytree(self.folder, folder, symlinks=True, dirs_exist_ok=True)
        return type(self)(folder)


def python(code, *arguments, **more):
    """Another process; its first line has come when this returns."""
    process = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdout=subprocess.PIPE,
        text=True,
        **more,
    )
    assert process.stdout.readline() == "ready\n"
    return process


def hear_interrupts():
    """In a new process: tests that run in the background ignore Ctrl-C, and so would it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def jobs_at_work(folder):
    """Processes of scripts that run in a folder, whoever started them."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            here = (process / "cwd").readlink() == folder.resolve()
            if here and b".snakemake/scripts/" in (process / "cmdline").read_bytes():
                found.append(int(process.name))
        except OSError:
            continue
    return found


def log_names(folder):
    return set((folder / ".snakemake/log").glob("*.log"))


def jobs_told(text):
    """Number and message of each job that was started, or planned, in this order."""
    return re.findall(r"^Job (\d+): (.*)$", text, re.MULTILINE)


def kill(pids):
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def damage(path, content=None):
    """Change a file's bytes (by default one in the middle) and keep its times."""
    times = path.stat()
    before = path.read_bytes()
    middle = len(before) // 2
    changed = before[:middle] + bytes([before[middle] ^ 1]) + before[middle + 1 :]
    path.write_bytes(changed if content is None else content)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
