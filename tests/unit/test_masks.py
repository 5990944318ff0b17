"""Masks as people draw and store them: what they mark, and what is refused until it is meant."""

import re

import cv2
import numpy as np
import pytest
from PIL import Image
from tiny_files import GLOBS, HEIGHT, WIDTH, grey, own, write

from sonotune.data.audit import audit_dataset
from sonotune.data.prepare import prepare
from sonotune.data.readers import find_samples
from sonotune.data.readers.pixels import load
from sonotune.errors import SonotuneError


def disk(number=0):
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return (y - 16 - number) ** 2 + (x - 30) ** 2 < 100


def settings(**options):
    return own(**GLOBS, **options)


def made(folder, save, **options):
    """Three images with masks that `save(path without suffix, bool mask)` writes."""
    for number in range(3):
        write(folder / f"images/{number}.png", grey(number))
        (folder / "masks").mkdir(exist_ok=True)
        save(folder / f"masks/{number}", disk(number))
    return settings(**options)


def overlap(described, folder):
    """Dice of the first mask with the disk."""
    first = load(find_samples(described, folder)[0]).mask.astype(bool)
    return 2 * (first & disk()).sum() / (first.sum() + disk().sum())


def warnings(described, folder):
    """Kinds of warnings of an audit without errors, with the images that they name."""
    audit = audit_dataset("mine", described, folder)
    assert not audit.of_level("error")
    return {one.kind: one.names for one in audit.of_level("warning")}


def marks_right(folder, described):
    """Whether prepared masks are the disks, at their own size."""
    loaded = [load(entry) for entry in find_samples(described, folder)]
    prepare("mine", described, 32, folder / "out", folder)
    return all(np.array_equal(one.mask, disk(n)) for n, one in enumerate(loaded))


def as_png(array, **options):
    return lambda path, mask: Image.fromarray(array(mask)).save(f"{path}.png", **options)


def paletted(colours, values):
    def save(path, mask):
        image = Image.fromarray(np.where(mask, values[1], values[0]).astype(np.uint8), "P")
        image.putpalette(np.array(colours, np.uint8).tobytes())
        image.save(f"{path}.png")

    return save


def with_alpha(colour, opacity):
    def save(path, mask):
        rgba = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
        rgba[..., :3], rgba[..., 3] = colour(mask)[..., None], opacity(mask)
        Image.fromarray(rgba).save(f"{path}.png")

    return save


def fax(path, mask):
    """One bit per pixel, white at 0, packed as faxes are."""
    Image.fromarray(mask).save(f"{path}.tif", compression="group4", tiffinfo={262: 0})


WHITE = {
    "0 and 255": as_png(lambda mask: (mask * 255).astype(np.uint8)),
    "0 and 1": as_png(lambda mask: mask.astype(np.uint8)),
    "1 bit": as_png(lambda mask: mask),
    "fax": fax,
    "16 bits": as_png(lambda mask: mask.astype(np.uint16) * 700),
    "colour": as_png(lambda mask: np.dstack([mask * 0, mask * 200, mask * 90]).astype(np.uint8)),
    "palette of greys in another order": paletted([[255] * 3, [0] * 3], (1, 0)),
    "palette of colours": paletted([[0] * 3, [128, 0, 0]], (0, 1)),
    "opaque": with_alpha(lambda mask: mask * 255, lambda mask: 255),
    "white with opacity": with_alpha(lambda mask: mask * 0 + 255, lambda mask: mask * 255),
}


@pytest.mark.parametrize("kind", WHITE)
def test_masks_of_two_values_are_read_however_they_are_stored(tmp_path, kind):
    assert marks_right(tmp_path, made(tmp_path, WHITE[kind]))


def blurred(kind, most):
    def save(path, mask):
        blurred = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 1.5) * most
        cv2.imwrite(f"{path}.tif", blurred.astype(kind))

    return save


def small_and_enlarged(path, mask):
    image = Image.fromarray((mask * 255).astype(np.uint8)).resize((WIDTH // 3, HEIGHT // 3))
    image.resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR).save(f"{path}.png")


def jpeg(quality, suffix):
    def save(path, mask):
        image = Image.fromarray((mask * 255).astype(np.uint8))
        image.save(f"{path}{suffix}", format="JPEG", quality=quality)

    return save


def half_edges(path, mask):
    edge = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((3, 3))) > 0
    Image.fromarray(np.where(edge, 100, mask * 255).astype(np.uint8)).save(f"{path}.png")


SOFT = {
    "blurred": blurred(np.uint8, 255),
    "16 bits": blurred(np.uint16, 65535),
    "12 bits of 16": blurred(np.uint16, 4095),
    "probabilities": blurred(np.float32, 1),
    "enlarged": small_and_enlarged,
    "JPEG": jpeg(75, ".jpg"),
    "good JPEG": jpeg(95, ".jpeg"),
    "JPEG called PNG": jpeg(60, ".png"),
    "one grey along edges": half_edges,
}


@pytest.mark.parametrize("kind", SOFT)
def test_soft_and_noisy_masks_are_refused_until_a_threshold_is_given(tmp_path, kind):
    described = made(tmp_path, SOFT[kind])
    with pytest.raises(SonotuneError) as refused:
        prepare("mine", described, 32, tmp_path / "out", tmp_path)
    audit = audit_dataset("mine", described, tmp_path)
    assert audit.of_level("error")
    advised = float(re.search(r"threshold: ([0-9.]+)", str(refused.value))[1])
    described["folder"]["threshold"] = advised
    prepare("mine", described, 32, tmp_path / "out", tmp_path)
    assert overlap(described, tmp_path) > (0.85 if "edges" in kind else 0.95)


def on_a_copy(draw, suffix=".png", **options):
    """A mask that is drawn on a copy of its image."""

    def save(path, mask):
        copy = np.dstack([grey(int(path.name))] * 3)
        Image.fromarray(draw(copy, mask)).save(f"{path}{suffix}", **options)

    return save


def tinted(copy, mask):
    return np.where(mask[..., None], copy // 2 + np.array([127, 0, 0], np.uint8), copy)


def outlined(copy, mask):
    edge = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((3, 3))) > 0
    return np.where(edge[..., None], np.array([0, 255, 0], np.uint8), copy)


COPIES = {
    "tinted": on_a_copy(tinted),
    "outlined": on_a_copy(outlined),
    "as a good JPEG": on_a_copy(tinted, ".jpg", quality=95, subsampling=0),
    "white in grey": on_a_copy(lambda copy, mask: np.where(mask, 255, copy[..., 0])),
    "cut out": on_a_copy(lambda copy, mask: np.where(mask, copy[..., 0], 0)),
    "darker outside": on_a_copy(lambda c, m: np.where(m, c[..., 0], c[..., 0] // 2)),
    "opaque": on_a_copy(lambda c, m: np.dstack([tinted(c, m), np.full(m.shape, 255, np.uint8)])),
}


@pytest.mark.parametrize("kind", COPIES)
def test_an_object_drawn_on_a_copy_of_its_image_is_no_mask(tmp_path, kind):
    described = made(tmp_path, COPIES[kind])
    with pytest.raises(SonotuneError, match="copy"):
        prepare("mine", described, 32, tmp_path / "out", tmp_path)
    described["folder"]["threshold"] = 128
    told = warnings(described, tmp_path)
    assert [told[kind] for kind in told if "their images" in kind] == [("0", "1", "2")]


def areas(*colours, suffix=".png", **options):
    """A disk and other areas, each in a colour or grey value, on black."""

    def save(path, mask):
        drawn = np.zeros((*mask.shape, *np.shape(colours[0])), np.uint8)
        for number, colour in enumerate(colours[1:]):
            drawn[30:38, 40 + 6 * number : 45 + 6 * number] = colour
        drawn[mask] = colours[0]
        Image.fromarray(drawn).save(f"{path}{suffix}", **options)

    return save


COLOURS = {
    "red and green": areas((255, 0, 0), (0, 255, 0)),
    "of other brightness": areas((128, 0, 0), (0, 0, 128), suffix=".bmp"),
    "white and a red mark": areas((255, 255, 255), (255, 0, 0), suffix=".tif"),
    "three": areas((9, 0, 0), (0, 9, 0), (0, 9, 9), suffix=".webp", lossless=True),
    "with opacity": areas((255, 0, 0, 255), (0, 255, 0, 255)),
    "only one": areas((0, 255, 0)),
    "one that is seen": areas((255, 0, 0, 255), (0, 255, 0, 0)),
}


@pytest.mark.parametrize("kind", COLOURS)
def test_masks_of_several_colours_are_told(tmp_path, kind):
    told = warnings(made(tmp_path, COLOURS[kind]), tmp_path)
    assert told == ({} if "one" in kind.split() else {"masks of several colours": ("0", "1", "2")})


def line(width=1, end=360, axes=(24, 15), polygon=False):
    """An ellipse's line, or one that is drawn between few points."""

    def save(path, mask):
        drawn = np.zeros(mask.shape, np.uint8)
        points = cv2.ellipse2Poly((30, 20), axes, 0, 0, end, 60 if polygon else 3)
        cv2.polylines(drawn, [points], end == 360, 255, width)
        Image.fromarray(drawn).save(f"{path}.png")

    return save


LINES = {
    "ellipse": (line(), True),
    "circle": (line(axes=(16, 16)), True),
    "with a gap": (line(end=330), True),
    "polygon": (line(polygon=True), True),
    "half": (line(end=180), True),
    "ring": (line(width=7), False),
    "straight": (line(axes=(20, 0)), False),
}


@pytest.mark.parametrize("kind", LINES)
def test_masks_that_are_only_lines_around_the_object_are_told(tmp_path, kind):
    save, told = LINES[kind]
    kinds = list(warnings(made(tmp_path, save), tmp_path))
    assert kinds == (["masks that are lines"] if told else [])


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ((1, 255), {"threshold": 128}),
        ((1, 255), {"label": 255}),
        ((255, 1), {"label": 1}),
        ((2, 1), {"label": [1, 3]}),
        ((100, 65535), {"threshold": 30000}),
    ],
)
def test_masks_of_another_value_than_the_chosen_are_told(tmp_path, values, rule):
    def save(path, mask):
        value = values[int(path.name) % 2]
        Image.fromarray((mask * value).astype(np.uint16)).save(f"{path}.png")

    told = warnings(made(tmp_path, save, **rule), tmp_path)
    assert [told[kind] for kind in told if "nothing counts" in kind] == [("0", "2")]


def test_an_image_without_the_chosen_class_is_no_such_case(tmp_path):
    def save(path, mask):
        areas(1 if path.name == "0" else 2, 2)(path, mask)

    assert list(warnings(made(tmp_path, save, label=1), tmp_path)) == ["empty masks"]


@pytest.mark.parametrize("values", [(1, 2), (255, 128), (3, 1), (50, 51), (9, 200)])
def test_several_classes_are_listed_and_one_can_be_chosen(tmp_path, values):
    described = made(tmp_path, areas(*values))
    audit = audit_dataset("mine", described, tmp_path)
    (warning,) = [one for one in audit.of_level("warning") if "several values" in one.kind]
    assert all(str(value) in warning.text for value in values)
    assert not audit.of_level("error")
    assert marks_right(tmp_path, settings(label=values[0]))
    both = load(find_samples(settings(label=list(values)), tmp_path)[0]).mask
    assert both.sum() == disk().sum() + 8 * 5


INVERTED = {
    "PNG": as_png(lambda mask: (~mask * 255).astype(np.uint8)),
    "1 bit": as_png(lambda mask: ~mask),
    "0 and 1": as_png(lambda mask: (~mask).astype(np.uint8)),
    "palette": paletted([[255] * 3, [0] * 3], (0, 1)),
    "colour": as_png(lambda mask: np.dstack([~mask * 255] * 3).astype(np.uint8)),
}


def two_greys(low, high):
    return as_png(lambda mask: np.where(mask, high, low).astype(np.uint8))


def black(opacity):
    return with_alpha(lambda mask: mask * 0, lambda mask: mask * opacity)


# How masks are stored, the key that is asked for, and its value that is meant.
UNCERTAIN = [
    *((save, "inverted", True) for save in INVERTED.values()),
    *((two_greys(low, high), "label", high) for low, high in ((1, 2), (10, 255), (255, 254))),
    *((black(opacity), "alpha", True) for opacity in (255, 200)),
    # Its places say the one thing and its colours the other.
    (paletted([[255, 0, 0], [0, 0, 255]], (0, 1)), "label", 1),
]


@pytest.mark.parametrize(("save", "key", "value"), UNCERTAIN)
def test_uncertain_masks_are_refused_until_a_key_says_what_is_meant(tmp_path, save, key, value):
    with pytest.raises(SonotuneError, match=key):
        prepare("mine", made(tmp_path, save), 32, tmp_path / "out", tmp_path)
    assert marks_right(tmp_path, settings(**{key: value}))
    if key == "inverted":
        meant = settings(inverted=False)
        prepare("mine", meant, 32, tmp_path / "meant", tmp_path)
        assert np.array_equal(load(find_samples(meant, tmp_path)[0]).mask, ~disk())


def test_one_inverted_mask_of_three_is_a_warning(tmp_path):
    described = made(tmp_path, WHITE["0 and 255"])
    INVERTED["PNG"](tmp_path / "masks/2", disk(2))
    told = warnings(described, tmp_path)
    assert [told[kind] for kind in told if "border" in kind] == [("2",)]


def test_masks_that_are_all_nearly_full_are_refused(tmp_path):
    def save(path, mask):
        drawn = np.ones(mask.shape, np.uint8)
        drawn[0, :: 1 + int(path.name)] = 0
        Image.fromarray(drawn).save(f"{path}.png")

    with pytest.raises(SonotuneError, match="inverted"):
        prepare("mine", made(tmp_path, save), 32, tmp_path / "out", tmp_path)


def test_a_mask_drawn_on_the_stored_pixels_is_refused_with_the_reason(tmp_path):
    exif = Image.Exif()
    exif[0x112] = 6
    described = made(tmp_path, WHITE["0 and 255"])
    Image.fromarray(grey(0)).save(tmp_path / "images/0.png", exif=exif)
    with pytest.raises(SonotuneError, match="orientation"):
        load(find_samples(described, tmp_path)[0])
