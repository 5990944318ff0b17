"""Readers of published layouts, on tiny files in each layout."""

import cv2
import numpy as np
import pytest
from tiny_files import HEIGHT, WIDTH, grey, names, square, write, write_table

from sonotune.data.dataset import load_set
from sonotune.data.prepare import prepare
from sonotune.data.readers import files_of, find_samples
from sonotune.data.readers.hc18 import CSV as HC18_CSV
from sonotune.data.readers.pixels import load
from sonotune.errors import SonotuneError

# HC18


@pytest.fixture
def heads(tmp_path):
    """Four images of three examinations, with ellipses drawn as in HC18."""
    root = tmp_path / "hc18"
    outline = cv2.ellipse(np.zeros((HEIGHT, WIDTH), np.uint8), ((30, 20), (40, 24), 20), 255, 1)
    rows = [["filename", "pixel size(mm)", "head circumference (mm)"]]
    for number, name in enumerate(["000_HC", "001_HC", "001_2HC", "805_HC"]):
        write(root / f"training_set/{name}.png", grey(number))
        write(root / f"training_set/{name}_Annotation.png", outline)
        rows.append([f"{name}.png", "0.1", "10.3"])
    write_table(root / HC18_CSV, rows)
    return root


def test_heads_are_grouped_by_examination(heads):
    entries = find_samples({"reader": "hc18"}, heads)
    assert names(entries) == ["000_HC", "001_2HC", "001_HC", "805_HC"]
    assert [entry.group for entry in entries] == ["000", "001", "001", "805"]
    assert {entry.mm_per_pixel for entry in entries} == {(0.1, 0.1)}


def test_one_head_an_examination_can_be_selected_and_some_left_out(heads):
    options = {"selection": "unsuffixed", "leave_out": ["805_HC"]}
    assert names(find_samples({"reader": "hc18", "hc18": options}, heads)) == ["000_HC", "001_HC"]
    # Each image with its outline, and the table once.
    assert files_of({"reader": "hc18", "hc18": options}, heads)[2:] == [
        *(heads / f"training_set/001_HC{ending}.png" for ending in ("", "_Annotation")),
        heads / HC18_CSV,
    ]
    with pytest.raises(SonotuneError, match="999_HC"):
        find_samples({"reader": "hc18", "hc18": {"leave_out": ["999_HC"]}}, heads)


def test_a_head_is_the_interior_of_its_outline(heads):
    mask = load(find_samples({"reader": "hc18"}, heads)[0]).mask
    assert mask.shape == (HEIGHT, WIDTH)
    assert mask.sum() == pytest.approx(np.pi * 20 * 12, rel=0.03)
    assert mask[20, 30] == 1
    assert mask[0, 0] == 0


def test_with_its_aspect_kept_an_image_is_padded(heads, tmp_path):
    settings = {"reader": "hc18", "source": "HC18", "keep_aspect": True}
    prepare("fus", settings, 30, tmp_path / "out", heads)
    data = load_set(tmp_path / "out")
    assert data.images[0, :5].max() == data.images[0, 25:].max() == 0
    assert data.images[0, 5:25].min(axis=1).max() > 0
    assert data.index[0]["mm_per_pixel_y"] == pytest.approx(0.2)
    assert data.index[0]["mm_per_pixel_x"] == pytest.approx(0.2)
    y, x = np.nonzero(data.masks[0])
    assert (y.mean() + 0.5, x.mean() + 0.5) == pytest.approx((15.25, 15.25), abs=0.3)
    assert data.masks[0].sum() == pytest.approx(np.pi * 10 * 6, rel=0.04)


@pytest.mark.parametrize(
    ("gone", "message"),
    [
        ("training_set/001_HC_Annotation.png", "image or mask is missing of: 001_HC"),
        ("training_set/001_HC.png", "image or mask is missing of: 001_HC"),
        (HC18_CSV, f"there is no {HC18_CSV}"),
    ],
)
def test_missing_files_of_heads_are_named(heads, gone, message):
    (heads / gone).unlink()
    with pytest.raises(SonotuneError, match=message):
        find_samples({"reader": "hc18"}, heads)


def test_a_table_of_heads_without_a_column_or_number_is_refused(heads):
    text = (heads / HC18_CSV).read_text()
    (heads / HC18_CSV).write_text(text.replace("pixel size(mm)", "pixel size"))
    with pytest.raises(SonotuneError, match=r"has no column 'pixel size\(mm\)'; found: filename, "):
        find_samples({"reader": "hc18"}, heads)
    (heads / HC18_CSV).write_text(text.replace("0.1", "?", 1))
    with pytest.raises(SonotuneError, match=r"line 2: 000_HC\.png: needs a pixel size"):
        find_samples({"reader": "hc18"}, heads)


def test_an_outline_without_pixels_is_refused(heads, tmp_path):
    write(heads / "training_set/000_HC_Annotation.png", square(0, 0))
    with pytest.raises(SonotuneError, match=r"000_HC_Annotation\.png: no ellipse can be fitted"):
        prepare("fus", {"reader": "hc18", "source": "HC18"}, 16, tmp_path / "out", heads)


# BUSI


@pytest.fixture
def lesions(tmp_path):
    root = tmp_path / "Dataset_BUSI_with_GT"
    write(root / "benign/benign (10).png", grey(1))
    write(root / "benign/benign (10)_mask.png", square())
    write(root / "benign/benign (2).png", np.dstack([grey(2)] * 3))
    write(root / "benign/benign (2)_mask.png", np.dstack([square()] * 3))
    alpha = np.full((HEIGHT, WIDTH), 255, np.uint8)
    write(root / "benign/benign (2)_mask_1.png", np.dstack([square(25, 35)] * 3 + [alpha]))
    write(root / "malignant/malignant (1).png", grey(1))
    bit = cv2.imencode(".png", square(), [cv2.IMWRITE_PNG_BILEVEL, 1])[1].tobytes()
    (root / "malignant/malignant (1)_mask.png").write_bytes(bit)
    write(root / "normal/normal (1).png", grey(4))
    write(root / "normal/normal (1)_mask.png", np.dstack([square(0, 0)] * 3))
    return tmp_path


def test_lesions_are_listed_by_number_and_normal_images_only_if_asked_for(lesions):
    expected = ["benign (2)", "benign (10)", "malignant (1)"]
    assert names(find_samples({"reader": "busi"}, lesions)) == expected
    both = find_samples({"reader": "busi", "busi": {"normal": True}}, lesions)
    assert names(both) == [*expected, "normal (1)"]


def test_some_of_the_lesions_are_drawn_by_the_seed(lesions):
    def drawn(images, seed):
        options = {"images": images, "seed": seed}
        return names(find_samples({"reader": "busi", "busi": options}, lesions))

    every = ["benign (2)", "benign (10)", "malignant (1)"]
    assert drawn(3, 0) == every
    pairs = {tuple(drawn(2, seed)) for seed in range(30)}
    assert pairs == {(every[0], every[1]), (every[0], every[2]), (every[1], every[2])}
    assert drawn(2, 7) == drawn(2, 7)
    with pytest.raises(SonotuneError, match="must be from 1 to 3; found 4"):
        drawn(4, 0)


def test_the_masks_of_an_image_are_united_whatever_their_format(lesions):
    masks = [load(entry).mask for entry in find_samples({"reader": "busi"}, lesions)]
    assert [mask.sum() for mask in masks] == [200, 100, 100]


def test_a_lesion_without_a_mask_is_named(lesions):
    (lesions / "Dataset_BUSI_with_GT/benign/benign (10)_mask.png").unlink()
    with pytest.raises(SonotuneError, match=r"missing of: benign \(10\)"):
        find_samples({"reader": "busi"}, lesions)


# SCR


@pytest.mark.parametrize(
    ("image", "masks"),
    [
        (
            "jpg/JPCLN{:03}.jpg",
            ["masks/left lung/JPCLN{:03}.png", "masks/right lung/JPCLN{:03}.png"],
        ),
        ("JPCLN{:03}.png", ["JPCLN{:03}_lung_left.png", "JPCLN{:03}_lung_right.png"]),
        ("a/b/jpcln{:03}.bmp", ["a/masks/jpcln{:03}.png"]),
    ],
)
def test_lungs_are_found_wherever_they_lie_and_joined(tmp_path, image, masks):
    for number in (1, 2, 3):
        write(tmp_path / image.format(number), grey(number))
        for side, mask in enumerate(masks):
            write(tmp_path / mask.format(number), square(5 + 15 * side, 15 + 15 * side))
        write(tmp_path / f"masks/heart/JPCLN{number:03}.png", square(0, HEIGHT))
    entries = find_samples({"reader": "scr", "scr": {"images": 2}}, tmp_path)
    assert names(entries) == ["JPCLN001", "JPCLN002"]
    assert [load(entry).mask.sum() for entry in entries] == [100 * len(masks)] * 2
    with pytest.raises(SonotuneError, match=r"240 are wanted, .* has 3"):
        find_samples({"reader": "scr", "scr": {"images": 240}}, tmp_path)


def test_a_radiograph_without_lungs_is_named(tmp_path):
    for name in ("jpg/JPCNN001.jpg", "jpg/JPCNN002.jpg", "masks/left lung/JPCNN001.png"):
        write(tmp_path / name, grey())
    with pytest.raises(SonotuneError, match="missing of: JPCNN002"):
        find_samples({"reader": "scr"}, tmp_path)


# Two folders


@pytest.mark.parametrize(
    ("reader", "image", "mask"),
    [
        ("bus_b", "BUS/original/000001.png", "BUS/GT/000001.png"),
        ("xpie", "XPIE/Images/a.jpg", "XPIE/Grounds/a.png"),
        ("ecssd", "images/0001.jpg", "ground_truth_mask/0001.png"),
        ("duts", "DUTS-TR/DUTS-TR-Image/ILSVRC_1.jpg", "DUTS-TR/DUTS-TR-Mask/ILSVRC_1.png"),
        ("msra10k", "MSRA10K_Imgs_GT/Imgs/1.jpg", "MSRA10K_Imgs_GT/Imgs/1.png"),
    ],
)
def test_published_pairs_are_read_in_their_layout(tmp_path, reader, image, mask):
    write(tmp_path / image, grey())
    write(tmp_path / mask, square() + square(30, 33, 100))
    write(tmp_path / "__MACOSX" / image, grey())
    (entry,) = find_samples({"reader": reader}, tmp_path)
    assert entry.image == tmp_path / image
    assert load(entry).mask.sum() == 100
    (tmp_path / mask).unlink()
    with pytest.raises(SonotuneError, match=rf"(?s){reader}: .*looked for: .*found: .*1 x "):
        find_samples({"reader": reader}, tmp_path)


@pytest.mark.parametrize("reader", ["hc18", "busi", "scr", "ecssd"])
def test_another_layout_is_told_with_what_was_found(tmp_path, reader):
    write(tmp_path / "pictures/one.png", grey())
    write(tmp_path / "pictures/two.png", grey())
    with pytest.raises(SonotuneError, match=r"looked for: .*\n  found: pictures: 2 x \.png"):
        find_samples({"reader": reader}, tmp_path)
    with pytest.raises(SonotuneError, match="no such folder"):
        find_samples({"reader": reader}, tmp_path / "nowhere")


def test_arrays_do_not_depend_on_the_number_of_threads(lesions, tmp_path):
    settings = {"reader": "busi", "source": "BUSI"}
    for workers in (1, 3):
        prepare("bus", settings, 16, tmp_path / str(workers), lesions, workers=workers)
    for file in ("images.npy", "masks.npy", "index.csv"):
        assert (tmp_path / "1" / file).read_bytes() == (tmp_path / "3" / file).read_bytes()
