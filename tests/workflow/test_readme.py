"""Commands of the README as they are pasted, in an empty folder."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from builders import dataset_place
from tiny_files import write

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
HERE = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}


def blocks(heading):
    """The blocks of code below a heading."""
    part = README[README.index(f"\n## {heading}\n") + 1 :]
    return re.findall(r"^```\w*\n(.*?)^```", re.split(r"\n## ", part)[0], re.M | re.S)


def paste(lines, folder):
    for line in lines:
        run = subprocess.run(line, shell=True, cwd=folder, env=HERE, capture_output=True, text=True)
        assert run.returncode == 0, f"{line}\n{run.stdout}{run.stderr}"
    return run.stdout + run.stderr


@pytest.fixture
def own(tmp_path):
    """A folder that holds thirty images with a bright square, and their masks."""
    random = np.random.default_rng(0)
    for number in range(30):
        mask = np.zeros((64, 80), np.uint8)
        top, left = random.integers(4, 40, 2)
        mask[top : top + 18, left : left + 20] = 255
        image = np.clip(40 + mask // 2 + random.normal(0, 20, mask.shape), 0, 255)
        write(tmp_path / f"images/{number:02d}.png", image.astype(np.uint8))
        write(tmp_path / f"masks/{number:02d}.png", mask)
    return tmp_path


def test_four_commands_for_own_images(own):
    """The last one, which trains, is planned only."""
    *lines, last = blocks("Your own images")[0].splitlines()
    paste(lines, own)
    assert (own / "audits/mine/audit.html").is_file()
    assert "finetune" in paste([f"{last} -- -n"], own)


def test_the_module_is_planned_as_it_stands(own):
    paste(blocks("Your own images")[0].splitlines()[:1], own)
    (own / "my.yaml").rename(own / "config.yaml")
    text = blocks("As part of another workflow")[0]
    (own / "Snakefile").write_text(text.replace("path/to/sonotune", str(ROOT)))
    assert "sonotune_finetune" in paste(["snakemake -n --cores 1"], own)
    prepared = f"segmentation/{dataset_place(own / 'config.yaml', 'mine')}/64/images.npy"
    paste([f"snakemake --cores 1 {prepared}"], own)
    assert len(np.load(own / prepared)) == 30
