"""DICOM, NIfTI and MetaImage files of anybody's own."""

import re
import sys

import numpy as np
import pytest
from PIL import Image
from tiny_files import GLOBS, dicom, grey, own, square, volume, write, write_table

from sonotune.data.readers import find_samples
from sonotune.data.readers.pixels import load, read_grey
from sonotune.errors import SonotuneError


def test_slices_of_a_volume_are_chosen_by_a_table(tmp_path):
    volume(tmp_path / "v.nii.gz", np.stack([grey(0), grey(1), grey(2)]))
    volume(tmp_path / "m.nii.gz", np.stack([square(), square(0, 5), square(0, 0)]))
    rows = [["image", "mask", "slice"], *(["v.nii.gz", "m.nii.gz", n] for n in (1, 2, 3))]
    write_table(tmp_path / "t.csv", rows)
    first, _, last = find_samples(own(csv="t.csv"), tmp_path)
    assert (first.name, first.group, last.name) == ("v_1", "v", "v_3")
    assert np.array_equal(load(first).image, grey(1))
    assert load(first).mask.sum() == 25
    with pytest.raises(SonotuneError, match=r"v.nii.gz: has no slice 3; they are 0 to 2"):
        load(last)
    with pytest.raises(SonotuneError, match="has 3 slices or pages; choose by a table"):
        read_grey(tmp_path / "v.nii.gz")


@pytest.mark.parametrize("suffix", [".dcm", ".tif", ".gif", ".png", ".webp", ".nii.gz", ".mha"])
def test_a_frame_of_a_film_has_a_mask_of_one_page(tmp_path, suffix):
    frames = np.stack([grey(number) for number in range(3)])
    if suffix == ".dcm":
        dicom(tmp_path / "film.dcm", frames)
    elif suffix in (".nii.gz", ".mha"):
        volume(tmp_path / f"film{suffix}", frames, (0.3, 0.2, 1))
    else:
        pages = [Image.fromarray(frame) for frame in frames]
        lossless = {"lossless": True} if suffix == ".webp" else {}
        path = tmp_path / f"film{suffix}"
        pages[0].save(path, save_all=True, append_images=pages[1:], duration=50, **lossless)
    with pytest.raises(SonotuneError, match="slices or pages"):
        read_grey(tmp_path / f"film{suffix}")
    rows = [["image", "mask", "slice"]]
    for number in (0, 2):
        write(tmp_path / f"m{number}.png", square(10, 20 + number))
        rows.append([f"film{suffix}", f"m{number}.png", number])
    write_table(tmp_path / "t.csv", rows)
    entries = find_samples(own(csv="t.csv"), tmp_path)
    for number, entry in zip((0, 2), entries, strict=True):
        loaded = load(entry)
        assert np.array_equal(loaded.image, grey(number))
        assert loaded.mask.sum() == (10 + number) ** 2
        assert entry.group == "film"


@pytest.mark.parametrize(
    "name", ["IM0001", "a.dicom", "a.IMA", "1.2.840.113619.2.1", "I.001", "IMG-0001-00001.DCM"]
)
def test_a_dicom_file_is_known_by_its_content(tmp_path, name):
    dicom(tmp_path / f"images/{name}", grey())
    stem = re.sub(r"\.(dicom|ima|dcm)$", "", name, flags=re.IGNORECASE)
    write(tmp_path / f"masks/{stem}.png", square())
    (entry,) = find_samples(own(**GLOBS), tmp_path)
    assert entry.name == stem
    assert np.array_equal(load(entry).image, grey())


@pytest.mark.parametrize("name", ["a.dcm", "a.nii", "a.nii.gz", "a.mha"])
def test_a_damaged_medical_file_is_refused(tmp_path, name):
    path = (dicom if name == "a.dcm" else volume)(tmp_path / name, grey())
    path.write_bytes(path.read_bytes()[:700])
    with pytest.raises(SonotuneError, match=f"{name}: cannot be read"):
        read_grey(path)


@pytest.mark.parametrize(("name", "package"), [("a.dcm", "pydicom"), ("a.nii.gz", "SimpleITK")])
def test_a_package_that_is_missing_is_named(tmp_path, monkeypatch, name, package):
    (tmp_path / name).write_bytes(b"x")
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(SonotuneError, match=f"{name}: needs the package {package} .*pip install"):
        read_grey(tmp_path / name)
