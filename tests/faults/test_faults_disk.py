"""A disk that is full or read-only, on a small tmpfs: a clear message, and nothing half-written."""

import errno
import os
import re
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest
import torch
from faulty import CELLS, Study, small_study

from sonotune.errors import SonotuneError
from sonotune.networks.weights_file import save_weights
from sonotune.runtime.checkpoint import Checkpoint
from sonotune.runtime.files import atomic, check_writable, write_json
from sonotune.runtime.job import logged

KILOBYTE = 1024


class Disk:
    """A file system in memory, of a size that can be changed."""

    def __init__(self, folder, kilobytes):
        self.folder = folder
        folder.mkdir(parents=True)
        if os.geteuid() or not shutil.which("mount"):
            pytest.skip("mounting a small file system wants root")
        self.mount(["-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs"])

    def mount(self, options):
        command = ["mount", *options, str(self.folder)]
        run = subprocess.run(command, capture_output=True, text=True)
        if run.returncode:
            pytest.skip(f"no small file system can be mounted here: {run.stderr.strip()}")

    def resize(self, kilobytes):
        self.mount(["-o", f"remount,size={kilobytes}k"])

    def protect(self):
        self.mount(["-o", "remount,ro"])

    def unprotect(self):
        self.mount(["-o", "remount,rw"])

    def close(self):
        subprocess.run(["umount", "-l", str(self.folder)], check=True)


@pytest.fixture
def disk(tmp_path):
    made = Disk(tmp_path / "study/results", 64)
    yield made
    made.close()


def _figure(path):
    from matplotlib.figure import Figure

    from sonotune.report.style import save_figure  # loads matplotlib

    figure = Figure(figsize=(4, 4))
    figure.subplots().imshow(np.random.default_rng(0).random((300, 300)))
    save_figure(figure, path.with_suffix(".pdf"), path)


def _npz(path):
    noise = np.random.default_rng(0).integers(0, 256, 200_000, dtype=np.uint8)
    with atomic(path) as temporary:
        np.savez_compressed(temporary, rows=noise[:4], probabilities=noise)


def _array(path):
    with atomic(path) as temporary:
        np.save(temporary, np.zeros(200_000, np.uint8), allow_pickle=False)


def _table(path):
    with atomic(path) as temporary:
        pd.DataFrame({"dice": np.arange(40_000) / 3}).to_csv(temporary)


WRITERS = {
    "images.npy": _array,
    "predictions.npz": _npz,
    "weights.safetensors": lambda path: save_weights({"a": torch.zeros(50_000)}, path),
    "run.json": lambda path: write_json(path, ["x" * 200_000]),
    "scores.csv": _table,
    "fig4.png": _figure,
}


@pytest.mark.parametrize("name", WRITERS)
def test_each_kind_of_output_on_a_full_disk(name, disk, tmp_path, capsys):
    path = disk.folder / name
    with pytest.raises(SystemExit), logged(tmp_path / "job.log"):
        WRITERS[name](path)
    said = capsys.readouterr().err
    assert re.search(r"^sonotune: .*: No space left on device; make space, then run again$", said)
    assert list(disk.folder.iterdir()) == []
    assert "error: " in (tmp_path / "job.log").read_text()
    disk.resize(2000)
    WRITERS[name](path)
    WRITERS[name](tmp_path / name)
    assert path.read_bytes() == (tmp_path / name).read_bytes() or name == "fig4.png"


def test_a_full_disk_costs_a_checkpoint_and_not_the_one_before(disk):
    said = []
    checkpoint = Checkpoint(disk.folder / "checkpoints/c.safetensors", {}, said.append)
    checkpoint.save({"weights": torch.ones(5_000)}, {"epoch": 1})
    (disk.folder / "ballast").write_bytes(b"\1" * 30 * KILOBYTE)
    checkpoint.save({"weights": torch.zeros(5_000)}, {"epoch": 2})
    assert "no checkpoint could be written (" in said[0]
    assert "No space left on device" in said[0]
    assert len(list((disk.folder / "checkpoints").iterdir())) == 1
    found = torch.zeros(5_000)
    assert checkpoint.load({"weights": found})["epoch"] == 1
    assert found.sum() == 5_000


@pytest.mark.slow
def test_a_study_on_a_disk_that_fills_up_goes_on_as_space_is_made(disk, tmp_path):
    expected = Study(tmp_path / "undisturbed", small_study(epochs=3))
    expected.complete()
    study = Study(tmp_path / "study", small_study(epochs=3))
    kilobytes, failures, refused = 64, 0, set()
    while True:
        status, said = study.run("--retries", "0")
        assert "Traceback" not in said, said
        if status == 0:
            break
        failures += 1
        refused |= set(re.findall(r"results/(\S+): No space left on device; make space", said))
        assert "No space left on device" in said
        assert "sonotune: finished results are kept." in said or "cannot be written" in said
        kilobytes += max(16, kilobytes // 4)
        assert kilobytes < 2000, said
        disk.resize(kilobytes)
    assert failures > 3
    assert len(study.recorded()) == CELLS
    assert study.results() == expected.results()
    assert study.leftovers() == []
    print(f"\n{failures} runs stopped by a full disk, while writing {sorted(refused)}")


def test_a_folder_that_cannot_be_written_is_named_before_the_first_job(disk):
    check_writable([disk.folder / "logs/study/whole.log"])
    (disk.folder / "logs").mkdir()
    disk.protect()
    with pytest.raises(SonotuneError, match=f"^{disk.folder}/logs: cannot be written"):
        check_writable([disk.folder / "logs/study/whole.log"])
    check_writable([])


@pytest.mark.slow
def test_read_only_results_are_one_line(disk, tmp_path):
    disk.resize(5000)
    study = Study(tmp_path / "study", small_study(epochs=3))
    disk.protect()
    status, said = study.run()
    assert status != 0
    assert f"results: cannot be written ({os.strerror(errno.EROFS)})" in said
    assert "Traceback" not in said
    disk.unprotect()
    assert len(study.complete()) == CELLS
    disk.protect()
    # What is finished can be looked at.
    assert "Nothing to be done" in study.run()[1]
