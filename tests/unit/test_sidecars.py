"""Pixels that lie beside a header are inputs, and never of another folder."""

import numpy as np
import pytest
import SimpleITK

from sonotune.data.decode import volume
from sonotune.data.readers import files_of
from sonotune.data.sidecars import sidecars
from sonotune.errors import SonotuneError
from sonotune.stale import originals_digest


def write(path, fill):
    image = SimpleITK.GetImageFromArray(np.full((1, 8, 8), fill, np.uint8))
    SimpleITK.WriteImage(image, str(path))


@pytest.mark.parametrize(("suffix", "pixels"), [("mhd", "raw"), ("nhdr", "raw.gz")])
def test_the_pixels_of_a_header_are_named(tmp_path, suffix, pixels):
    write(tmp_path / f"a.{suffix}", 3)
    (found,) = sidecars(tmp_path / f"a.{suffix}")
    assert found.exists()
    assert found.name.startswith("a.")


@pytest.mark.parametrize("suffix", ["mha", "nrrd", "nii", "png"])
def test_a_file_that_holds_its_pixels_has_none(tmp_path, suffix):
    write(tmp_path / f"a.{suffix}", 3)
    assert sidecars(tmp_path / f"a.{suffix}") == []


def test_changed_pixels_beside_an_unchanged_header_are_noticed(tmp_path):
    for kind in ("images", "masks"):
        (tmp_path / kind).mkdir()
        for number in range(3):
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
    folder.mkdir()
    write(folder / "a.mhd", 3)
    header = (folder / "a.mhd").read_text().replace("a.raw", name)
    (folder / "a.mhd").write_text(header)
    with pytest.raises(SonotuneError):
        volume.read(folder / "a.mhd", None)
