"""The command line."""

import subprocess
import sys

import cv2
import pytest

from sonotune.cli import main

FAST = ["--scatterers", "2000", "--pixels", "48", "32"]


def test_simulate_writes_pairs_and_a_list_of_lesions(tmp_path, capsys):
    assert main(["simulate", "--images", "2", "--output", str(tmp_path), *FAST]) == 0
    images = sorted(path.name for path in (tmp_path / "images").iterdir())
    assert images == sorted(path.name for path in (tmp_path / "masks").iterdir())
    assert len(images) == 2
    assert cv2.imread(str(tmp_path / "images" / images[0]), cv2.IMREAD_UNCHANGED).shape == (48, 32)
    assert (tmp_path / "lesions.csv").read_text().startswith("name,")


def test_a_bad_setting_is_one_line(tmp_path, capsys):
    command = ["simulate", "--output", str(tmp_path), "--contrast", "0.5", "2"]
    assert main(command) == 1
    assert capsys.readouterr().err.startswith("sonotune: contrast: must be")


@pytest.mark.parametrize("arguments", [["--help"], ["simulate", "--help"]])
def test_help_can_be_read(arguments):
    command = [sys.executable, "-m", "sonotune", *arguments]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0
    assert "simulate" in run.stdout
