"""Readers on real files in their published layout."""

from pathlib import Path

import numpy as np
import pytest

from sonotune.data.audit import audit_dataset
from sonotune.data.dataset import load_set
from sonotune.data.decode import read
from sonotune.data.ellipse import mask_ellipse, outline_ellipse
from sonotune.data.masks import mask_values
from sonotune.data.prepare import prepare
from sonotune.data.readers import find_samples
from sonotune.data.readers.hc18 import read_measures
from sonotune.data.readers.pixels import load
from sonotune.data.readers.sample import MaskRule

SHARED = Path(__file__).parents[2].parent / "shared" / "data"

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not SHARED.is_dir(), reason=f"no data in {SHARED}"),
]


def check_circumferences(every):
    """In millimetres, of ellipses fitted to outlines and to masks of several sizes."""
    measures = read_measures(SHARED / "hc18")
    for entry in find_samples({"reader": "hc18"}, SHARED / "hc18")[::every]:
        measured, mm = measures[entry.name].circumference_mm, measures[entry.name].mm_per_pixel
        outline = mask_values(read(entry.masks[0]), MaskRule())
        ellipse = outline_ellipse(outline)
        assert ellipse.circumference * mm == pytest.approx(measured, abs=0.1)
        height, width = outline.shape
        for rows, columns in ((height, width), (256, 256), (512, 512)):
            mask = ellipse.mask((height, width), (rows, columns))
            edge = mask_ellipse(mask, mm * height / rows, mm * width / columns)
            assert edge.circumference == pytest.approx(measured, abs=0.3)


def test_circumferences_of_heads_are_those_measured():
    check_circumferences(every=20)


@pytest.mark.slow
def test_all_circumferences_of_heads_are_those_measured():
    check_circumferences(every=1)


@pytest.mark.parametrize("name", ["186_HC", "346_HC", "628_2HC", "787_HC"])
def test_a_head_that_the_border_cuts_has_its_whole_ellipse(name):
    entries = {entry.name: entry for entry in find_samples({"reader": "hc18"}, SHARED / "hc18")}
    mask = load(entries[name]).mask
    border = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
    assert border.any()
    mm, _ = entries[name].mm_per_pixel
    measured = read_measures(SHARED / "hc18")[name].circumference_mm
    assert mask_ellipse(mask, mm, mm).circumference == pytest.approx(measured, abs=0.1)


def test_heads_have_806_examinations_and_805_in_amiri2020():
    entries = find_samples({"reader": "hc18"}, SHARED / "hc18")
    assert (len(entries), len({entry.group for entry in entries})) == (999, 806)
    options = {"selection": "unsuffixed"}
    assert len(find_samples({"reader": "hc18", "hc18": options}, SHARED / "hc18")) == 806
    options["leave_out"] = ["805_HC"]
    chosen = find_samples({"reader": "hc18", "hc18": options}, SHARED / "hc18")
    assert len({entry.group for entry in chosen}) == len(chosen) == 805


def test_lesions_are_prepared(tmp_path):
    settings = {"reader": "busi", "source": "BUSI", "busi": {"normal": True}}
    prepare("bus", settings, 64, tmp_path, SHARED / "busi")
    data = load_set(tmp_path)
    assert len(data.images) == 44
    assert sum(row["name"].startswith("benign") for row in data.index) == 26
    assert sum(row["name"].startswith("malignant") for row in data.index) == 14
    assert len(data.about["empty_masks"]) == 4
    several = find_samples({"reader": "busi"}, SHARED / "busi")
    assert len(several) == 40
    assert sum(len(entry.masks) > 1 for entry in several) == 5


def test_natural_images_are_read():
    entries = find_samples({"reader": "ecssd"}, SHARED / "ecssd")
    assert len(entries) == 520
    assert all(0.001 < load(entry, 64).mask.mean() < 0.95 for entry in entries[::40])


@pytest.mark.slow
def test_lesions_are_sound_but_for_normal_images():
    settings = {"reader": "busi", "source": "busi", "busi": {"normal": True}}
    audit = audit_dataset("bus", settings, SHARED / "busi")
    assert [finding.kind for finding in audit.findings] == ["empty masks", "converted"]
    assert all(name.startswith("normal") for name in audit.findings[0].names)


@pytest.mark.slow
def test_heads_have_duplicates_within_examinations_only():
    audit = audit_dataset("fus", {"reader": "hc18", "source": "hc18"}, SHARED / "hc18")
    assert audit.same == (("392_2HC", "392_HC"),)
    group = dict(zip(audit.images.name, audit.images.group, strict=True))
    assert ("507_2HC", "507_HC") in audit.near
    assert all(group[first] == group[second] for first, second in audit.near)
    assert not audit.of_level("warning") + audit.of_level("error")
