"""A tiny study that is edited, damaged, killed and run, and an oracle of what is trained again.

The oracle knows what depends on what (`jobs_of`). It knows nothing of fingerprints, records or
Snakemake.
"""

import csv
import json
import os
import re
import shutil
import signal
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import yaml
from faulty import ROOT, Study, copy_project, jobs_told, kill
from warm import snakemake, warm_python

from sonotune.config.check import complete
from sonotune.config.jobs import dataset_settings
from sonotune.layout import arrays, digest_of

# What a person may set, with the values that it takes; the first is where a study begins.
VALUES = {
    "rate": [0.01, 0.02],
    "validation": [0.3, 0.4],
    "stages": [["block9"], ["block8", "block9"]],
    "fractions": [[0.5], [0.5, 0.4]],
    "folds": [[0], [0, 1]],
    "left out": [None, "whole", "scratch"],
    "pretraining rate": [0.01, 0.02],
    "collage": [1, 2],
    "kept": ["none", ["block_9"]],
    "mask": [0, 1],
    # Numbers of tables, but of no training.
    "deviation": [1, 0],
    "margin": [0.01, 0.02],
    "label": ["Whole", "All of it"],
    # Another way to write the same.
    "default": [False, True],
}
# Edits of code; without texts, a line is added that computes something.
CODE = {
    "optimiser": ("training/optimiser.py", "beta2=0.999", "beta2=0.99"),
    "splits": ("data/splits.py",),
    "collages": ("simulation/collage.py",),
    "resizing": ("data/resize.py",),
    "metric": ("overlap.py",),
    "augmentation": ("training/augment.py",),
    "another device": ("training/cuda.py",),
    "message": ("networks/weights.py", "is missing", "is not there"),
}
VALUES |= {name: [0, 1] for name in CODE}
STRATEGIES = ("whole", "block_9", "scratch")
MINE, PRETRAINED = ("prepared", "mine"), ("pretrained",)


def jobs_of(wanted):
    """Of each training and data set: what it depends on by itself, and the jobs it rests on."""
    number = wanted["collage"]  # in the path: two numbers have two folders
    images, prepared = ("images", number), ("prepared", "collage", number)
    jobs = {
        images: ([wanted["collages"]], []),
        prepared: ([wanted["resizing"]], [images]),
        MINE: ([wanted["mask"], wanted["resizing"]], []),
        PRETRAINED: ([number, wanted["pretraining rate"], wanted["optimiser"]], [prepared]),
    }
    every = ("rate", "validation", "optimiser", "splits", "augmentation")
    for strategy in STRATEGIES:
        if strategy == wanted["left out"]:
            continue
        own = [wanted["stages"]] if strategy == "block_9" else []
        rests_on = [MINE] if strategy == "scratch" else [MINE, PRETRAINED]
        for fraction in wanted["fractions"]:
            for fold in wanted["folds"]:
                job = ("cell", strategy, f"{fraction:g}", str(fold))
                jobs[job] = ([*(wanted[name] for name in every), *own], rests_on)
    return jobs


def meanings(wanted):
    """Of each job, all that its results depend on."""
    found = {}
    for job, (own, rests_on) in jobs_of(wanted).items():
        found[job] = json.dumps([own, [found[one] for one in rests_on]])
    return found


class EditedStudy(Study):
    """A study in a folder with its own copy of the workflow and the library.

    Attributes
    ----------
    wanted
        What is set now (see `VALUES`).
    made
        What each job's files on the disk depend on (see `meanings`); no entry where they are not
        whole.
    kept
        Jobs that have kept their weights.
    """

    def __init__(self, folder):
        self.folder = self.root = Path(folder)
        self.output = self.folder / "output.txt"
        self.environment = {"PYTHONPATH": str(self.root)}
        self.wanted = {name: values[0] for name, values in VALUES.items()}
        self.made, self.kept = {}, set()

    @classmethod
    def begin(cls, folder):
        study = cls(folder)
        copy_project(study.folder)
        for kind in ("images", "masks"):
            (study.folder / kind).mkdir()
        for number in range(8):
            study._draw(number, 0)
        study._configure()
        return study

    def copy_to(self, folder, records=True, times=True):
        copied = type(self)(folder)
        copied.wanted, copied.made = dict(self.wanted), dict(self.made)
        copied.kept = set(self.kept)
        left = None if records else shutil.ignore_patterns(".snakemake")
        how = shutil.copy2 if times else shutil.copy
        shutil.copytree(self.folder, folder, symlinks=True, ignore=left, copy_function=how)
        return copied

    # Edits

    def set(self, name, value):
        self.wanted[name] = value
        if name in CODE:
            self._code(value, *CODE[name])
        elif name == "mask":
            self._draw(3, value)
            # As a file has it that was unpacked, or copied with its time.
            os.utime(self.folder / "masks/3.png", (10**9, 10**9))
        else:
            self._configure()

    def _code(self, edited, file, before="", after=""):
        text = (ROOT / "sonotune" / file).read_text()
        assert before in text
        changed = text.replace(before, after) if before else text + "\nNEW = 1\n"
        (self.folder / "sonotune" / file).write_text(changed if edited else text)

    def _draw(self, number, version):
        mask = np.zeros((24, 24), np.uint8)
        mask[4 : 12 + number, 6 : 18 - 5 * version] = 255
        cv2.imwrite(str(self.folder / f"masks/{number}.png"), mask)
        if not version:
            cv2.imwrite(str(self.folder / f"images/{number}.png"), mask // 2 + 10 * number)

    def _configure(self):
        (self.folder / "study.yaml").write_text(yaml.safe_dump(self.config, sort_keys=False))

    @property
    def config(self):
        wanted = self.wanted
        config = yaml.safe_load((ROOT / "tests/tiny.yaml").read_text())
        study = config["studies"].pop("tiny")
        del study["figures"], study["strategies"]["unchanged"]
        study["strategies"]["whole"]["label"] = wanted["label"]
        study["strategies"]["block_9"]["tune"] = wanted["stages"]
        study["strategies"].pop(wanted["left out"], None)
        study["pretraining"]["training"]["learning_rate"] = wanted["pretraining rate"]
        study["resampling"]["validation_fraction"] = wanted["validation"]
        study["resampling"]["run_folds"] = wanted["folds"]
        study["training"]["learning_rate"] = wanted["rate"]
        if wanted["default"]:
            study["training"] |= {"select_weights": "best", "batch_size": 2}
        study |= {"datasets": ["mine"], "fractions": wanted["fractions"]}
        study |= {"keep_weights": wanted["kept"], "averages": {"ddof": wanted["deviation"]}}
        study["decision"] = {"margin": wanted["margin"], "cost": "tuned_parameters"}
        folders = {"images": "images/*.png", "masks": "masks/*.png"}
        mine = {"reader": "folder", "folder": folders}
        collage = config["datasets"]["collage"] | {"seed": wanted["collage"]}
        return {
            "seed": 1,
            "datasets": {"mine": mine, "collage": collage},
            "studies": {"drawn": study},
        }

    # What happens to files

    def files_of(self, job):
        """Where a job's files are; only the first has to be there for it to be finished."""
        results = self.folder / "results"
        if job[0] == "cell":
            return results / "drawn/cells/mine" / "/".join(job[1:])
        if job == PRETRAINED:
            return results / "drawn/pretrained/1"
        return self.folder / Path(self._arrays(job)[0]).parent

    def _arrays(self, job):
        name = "mine" if job == MINE else "collage"
        settings = dataset_settings(complete(self.config), name)
        return arrays(name, digest_of(settings), 16 if job[0] == "prepared" else "original")

    def delete(self, job):
        """Also what a job leaves that failed."""
        if (folder := self.files_of(job)).is_dir():
            shutil.rmtree(folder)
            self.made.pop(job, None)

    def delete_one_file(self, job, name):
        (self.files_of(job) / name).unlink(missing_ok=True)
        self.made.pop(job, None)

    def put_another_cell_in_its_place(self, job, other):
        if self.files_of(job).is_dir() and self.files_of(other).is_dir():
            shutil.rmtree(self.files_of(job))
            shutil.copytree(self.files_of(other), self.files_of(job))
            self.made[job] = "another cell"

    def lose_records(self, how):
        """Snakemake's own: all, every second one, or what every third one says."""
        if how == "all":
            shutil.rmtree(self.folder / ".snakemake", ignore_errors=True)
        files = sorted(self.folder.glob(".snakemake/metadata/**/*"))
        for path in filter(Path.is_file, files[:: 2 if how == "half" else 3]):
            path.unlink() if how == "half" else path.write_text("")

    def move(self, records, times):
        moved = self.copy_to(self.folder.with_name(self.folder.name + "x"), records, times)
        shutil.rmtree(self.folder)
        vars(self).update(vars(moved))

    def touch(self):
        for path in sorted(self.folder.rglob("*"), reverse=True):
            if ".snakemake" not in path.parts and path.is_file():
                path.touch()

    def touch_by_snakemake(self):
        self.snakemake("--touch")

    def damage_record(self, job):
        """And do what the refusal says."""
        record = self.files_of(job) / ("run.json" if job[0] != "prepared" else "dataset.json")
        if job in jobs_of(self.wanted) and record.is_file():
            times = record.stat()
            record.write_text(record.read_text().replace('"', "'", 1))
            os.utime(record, ns=(times.st_atime_ns, times.st_mtime_ns))
            status, said = self.snakemake("-n")
            assert status != 0
            assert "Traceback" not in said
            (folder,) = re.findall(r"delete the folder (\S+) and run", said)
            assert (self.folder / folder).samefile(record.parent)
            self.delete(job)

    # Runs

    @property
    def targets(self):
        names = ("cells.csv", "splits.json", "statistics/decisions.csv", "scores/mine.csv")
        names += ("tables/table2.csv", "tables/metrics.csv")
        found = [file for job in jobs_of(self.wanted) for file in self._targets(job)]
        return [*found, *(f"results/drawn/{name}" for name in names)]

    def arguments(self, *options):
        return super().arguments("--resources", "gpu=0", *options)

    def _targets(self, job):
        """Those of a job that the whole study names as well."""
        if job[0] in ("images", "prepared"):
            return self._arrays(job)
        folder = self.files_of(job).relative_to(self.folder)
        first = "weights.safetensors" if job == PRETRAINED else "predictions.npz"
        return [f"{folder}/{name}" for name in (first, "history.csv", "run.json")]

    def snakemake(self, *options):
        """Exit status, and what was said."""
        run = snakemake(self.folder, *self.arguments(*options), root=self.folder)
        return run.returncode, run.stdout + run.stderr

    def expected(self):
        """Jobs that have to run: by what they depend on, or since one runs that they rest on."""
        runs = set()
        now = meanings(self.wanted)
        for job, (_, rests_on) in jobs_of(self.wanted).items():
            lacks_weights = self._keeps(job) and job not in self.kept
            if self.made.get(job) != now[job] or lacks_weights or runs.intersection(rests_on):
                runs.add(job)
        return runs

    def _keeps(self, job):
        return job[:2] == ("cell", "block_9") and self.wanted["kept"] != "none"

    def planned(self):
        status, said = self.snakemake("-n")
        assert status == 0, said
        return {self._job(message) for _, message in jobs_told(said)} - {None}

    def _job(self, message):
        if found := re.fullmatch(r"drawn: (\w+) on (\S+) of mine, fold (\d+)", message):
            return ("cell", *found.groups())
        if message.startswith("Pre-training "):
            return PRETRAINED
        if message.startswith("Making the images of collage"):
            return ("images", self.wanted["collage"])
        if found := re.match(r"Preparing (\w+) at", message):
            return MINE if found[1] == "mine" else ("prepared", "collage", self.wanted["collage"])
        return None

    def run(self, kill_after=None, what="jobs"):
        """Run, and kill the running jobs, or everything, once that many jobs have started.

        Returns
        -------
        bool
            Whether the run ended well. What it trained is then what the oracle says.
        """
        expected, now = self.expected(), meanings(self.wanted)
        workflow = self.start(python=sys.executable if kill_after else warm_python())
        while kill_after and workflow.poll() is None:
            if len(jobs_told(self.log())) >= kill_after:
                kill_after = 0
                kill(self.jobs())
                if what == "everything":
                    os.killpg(workflow.pid, signal.SIGKILL)
            time.sleep(0.05)
        status = workflow.wait()
        while self.jobs():
            time.sleep(0.05)
        log = self.log()
        told = {number: self._job(message) for number, message in jobs_told(log)}
        ended = re.findall(r"^Finished jobid: (\d+) ", log, re.MULTILINE)
        started = {job for job in told.values() if job}
        assert started <= expected, f"run without need: {started - expected}"
        for job in started:
            self.made.pop(job, None)
        done = {told[number] for number in ended} - {None}
        self.made |= {job: now[job] for job in done}
        self.kept = (self.kept - started) | set(filter(self._keeps, done))
        assert status != 0 or started == expected, self.output.read_text()
        return status == 0

    def fail_to_prepare(self):
        """A run amid which a mask is damaged; it is mended afterwards, with its old time."""
        path = self.folder / "masks/5.png"
        content, times = path.read_bytes(), path.stat()
        path.write_bytes(content[:60])
        self.made.pop(MINE, None)
        assert not self.run()
        path.write_bytes(content)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
        return False

    def numbers(self):
        """Every number of every table, but for times and seals."""
        found = {}
        for path in sorted((self.folder / "results/drawn").rglob("*.csv")):
            name = path.relative_to(self.folder).as_posix()
            if not {"cells", "pretrained"} & set(path.parts[-6:-1]):
                with path.open(newline="") as file:
                    rows = [self._lasting(row) for row in csv.DictReader(file)]
                found[name] = rows
        found["splits"] = json.loads((self.folder / "results/drawn/splits.json").read_text())
        return found

    def _lasting(self, row):
        return {
            k: v for k, v in row.items() if not re.search("second|record|cpu|time|memory", k or "")
        }
