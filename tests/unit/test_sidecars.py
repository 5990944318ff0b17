"""Pixels that lie beside a header are inputs, and never of another folder."""

import os
from itertools import product

import numpy as np
import pytest
from builders import dataset_place
from faulty import small_study
from tiny_files import volume
from tiny_files import write as write_image
from warm import run_config

from sonotune.data.decode import volume as decoder
from sonotune.data.originals import originals_digest
from sonotune.data.readers import files_of
from sonotune.data.sidecars import sidecars
from sonotune.errors import SonotuneError


def write(path, fill):
    volume(path, np.full((1, 8, 8), fill, np.uint8))


@pytest.mark.parametrize("suffix", ["mhd", "nhdr", "mha", "nrrd", "nii", "png"])
def test_pixels_beside_a_header_are_named(tmp_path, suffix):
    write(tmp_path / f"a.{suffix}", 3)
    beside = {path for path in tmp_path.iterdir() if path.suffix != f".{suffix}"}
    assert set(sidecars(tmp_path / f"a.{suffix}")) == beside
    assert len(beside) == (suffix in ("mhd", "nhdr"))


def test_changed_pixels_beside_an_unchanged_header_are_noticed(tmp_path):
    for kind, number in product(("images", "masks"), range(3)):
        write(tmp_path / kind / f"{number}.mhd", number)
    folder = {"images": "images/*.mhd", "masks": "masks/*.mhd"}
    settings = {"reader": "folder", "folder": folder}
    assert tmp_path / "masks/1.raw" in files_of(settings, tmp_path)
    before = originals_digest(settings, tmp_path, tmp_path / "digests.json")
    write(tmp_path / "masks/1.mhd", 9)
    assert originals_digest(settings, tmp_path, tmp_path / "digests.json") != before


@pytest.mark.parametrize("name", ["/etc/passwd", "../secret.raw", "LIST", "slice%03d.raw 1 3 1"])
def test_pixels_of_elsewhere_are_refused(tmp_path, name):
    (tmp_path / "secret.raw").write_bytes(bytes(64))
    folder = tmp_path / "images"
    write(folder / "a.mhd", 3)
    header = (folder / "a.mhd").read_text().replace("a.raw", name)
    (folder / "a.mhd").write_text(header)
    with pytest.raises(SonotuneError):
        decoder.read(folder / "a.mhd", None)


def test_a_corrected_file_of_the_catalogue_is_used_whatever_its_date(tmp_path):
    """Its data set's folder is no input that Snakemake knows."""
    originals = tmp_path / "resources/busi"
    for kind, number in product(("benign", "malignant"), range(1, 5)):
        for ending in ("", "_mask"):
            file = originals / kind / f"{kind} ({number}){ending}.png"
            write_image(file, half_marked(right=False))
    config = small_study()
    config["datasets"]["bus"] = {"catalogue": "busi"}
    config["studies"]["tiny"]["datasets"] = ["bus"]
    masks = f"{dataset_place(config, 'bus')}/16/masks.npy"
    run_config(tmp_path, config, "--", masks)
    before = np.load(tmp_path / masks)
    corrected = originals / "benign/benign (3)_mask.png"
    write_image(corrected, half_marked(right=True))
    os.utime(corrected, (1, 1))
    run_config(tmp_path, config, "--", masks)
    changed = (np.load(tmp_path / masks) != before).any(axis=(1, 2))
    assert changed.tolist() == [False, False, True, *[False] * 5]


def half_marked(right):
    picture = np.zeros((24, 24), np.uint8)
    picture[4:20, slice(12, 22) if right else slice(2, 12)] = 255
    return picture
