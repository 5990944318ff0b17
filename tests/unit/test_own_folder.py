"""Anybody's own images: globs and tables, formats, depths and masks of every kind."""

import os

import numpy as np
import pytest
from tiny_files import GLOBS, grey, names, own, square, write, write_pairs, write_table

from sonotune.data.originals import originals_digest
from sonotune.data.prepare import prepare
from sonotune.data.readers import find_samples
from sonotune.data.readers.pixels import load, read_grey
from sonotune.data.readers.sample import MaskRule, Sample
from sonotune.errors import SonotuneError


def one(image, mask, rule=None):
    return Sample(name="one", group="one", image=image, masks=(mask,), rule=rule or MaskRule())


def exchange(first, second):
    content = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(content)


CORRECTIONS = {
    "an image": lambda folder: write(folder / "2.png", grey(9)),
    "two masks exchanged": lambda f: exchange(f / "1_mask.png", f / "2_mask.png"),
    "a group": lambda f: (f / "t.csv").write_text((f / "t.csv").read_text().replace("P1", "P2")),
    "a length": lambda f: (f / "t.csv").write_text((f / "t.csv").read_text().replace("0.2", "0.3")),
}


@pytest.mark.parametrize("what", CORRECTIONS)
def test_a_corrected_file_is_noticed_whatever_its_date(tmp_path, what):
    rows = [["image", "mask", "group", "mm_per_pixel"]]
    for number in range(3):
        write(tmp_path / f"{number}.png", grey(number))
        write(tmp_path / f"{number}_mask.png", square(10, 20 + number))
        rows.append([f"{number}.png", f"{number}_mask.png", f"P{number // 2}", "0.2"])
    write_table(tmp_path / "t.csv", rows)
    before = originals_digest(own(csv="t.csv"), tmp_path, tmp_path / "cache.json")
    times = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert originals_digest(own(csv="t.csv"), tmp_path, tmp_path / "cache.json") == before
    CORRECTIONS[what](tmp_path)
    for path, time in times.items():
        os.utime(path, ns=(time, time))
    assert originals_digest(own(csv="t.csv"), tmp_path, tmp_path / "cache.json") != before


def test_a_folder_needs_globs_or_a_table(tmp_path):
    for options in ({}, {"images": "*.png"}, {**GLOBS, "csv": "t.csv"}):
        with pytest.raises(SonotuneError, match="either images and masks, two globs, or csv"):
            find_samples(own(**options), tmp_path)
    with pytest.raises(SonotuneError, match=r"no file .*t\.csv"):
        find_samples(own(csv="t.csv"), tmp_path)


def test_globs_can_be_absolute(tmp_path):
    write(tmp_path / "a/1.png", grey())
    write(tmp_path / "b/1.png", square())
    globs = {"images": f"{tmp_path}/a/*.png", "masks": f"{tmp_path}/b/*.png"}
    assert names(find_samples({"reader": "folder", "folder": globs})) == ["1"]


@pytest.mark.parametrize(("threshold", "area"), [(101, 100), (100, 125)])
def test_an_object_is_at_least_as_bright_as_its_threshold(tmp_path, threshold, area):
    image = write(tmp_path / "i.png", grey())
    mask = write(tmp_path / "m.png", square(10, 20, 200) + square(30, 35, 100))
    assert load(one(image, mask, MaskRule("threshold", threshold))).mask.sum() == area


def test_a_mask_in_colour_has_no_label(tmp_path):
    colour = np.dstack([square(), square(0, 5), square()])
    entry = one(write(tmp_path / "i.png", grey()), write(tmp_path / "m.png", colour))
    assert load(entry).mask.sum() == 125
    with pytest.raises(SonotuneError, match=r"m\.png: is in colour"):
        load(one(entry.image, entry.masks[0], MaskRule("label", 1)))


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".bmp"])
def test_a_truncated_image_is_refused(tmp_path, suffix):
    path = write(tmp_path / f"a{suffix}", grey())
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * 0.9)])
    with pytest.raises(SonotuneError, match=f"a{suffix}: cannot be read; it is damaged"):
        read_grey(path)


def test_masks_that_are_all_empty_are_refused(tmp_path):
    write_pairs(tmp_path, (1, 2), mask=lambda number: square(0, 0))
    with pytest.raises(SonotuneError, match="mine: all 2 masks are empty at 16 x 16 pixels: 1, 2"):
        prepare("mine", own(**GLOBS), 16, tmp_path / "out", tmp_path)
    assert not (tmp_path / "out").exists()
