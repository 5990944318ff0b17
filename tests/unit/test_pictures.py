"""Generated images of many formats and options, compared with decoders of other libraries.

Pixels are known from what was written; where a format has losses, or to check the writer, another
library reads the same file. Nothing may differ that is not refused.
"""

import gzip
import itertools
import zlib

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image
from tiny_files import dicom

from sonotune.data.readers.pixels import load, read_grey
from sonotune.data.readers.sample import Sample
from sonotune.errors import SonotuneError

pydicom = pytest.importorskip("pydicom")
itk = pytest.importorskip("SimpleITK")

HEIGHT, WIDTH = 12, 17


def picture(seed=0, kind=np.uint8, channels=None, most=None):
    shape = (HEIGHT, WIDTH) if channels is None else (HEIGHT, WIDTH, channels)
    most = (np.iinfo(kind).max if most is None else most) + 1
    return np.random.default_rng(seed).integers(0, most, shape).astype(kind)


def luminance(colours):
    """BT.601, in floating point."""
    return colours[..., :3].astype(float) @ [0.299, 0.587, 0.114]


def own_range(values):
    """Values from the smallest to the largest as 0 to 255, in floating point."""
    values = values.astype(float)
    low, high = values.min(), values.max()
    return (values - low) * 255 / (high - low)


def turned(pixels, orientation):
    """What EXIF's table says of the first row and column; other numbers say nothing."""
    return {
        2: np.fliplr,
        3: lambda a: np.rot90(a, 2),
        4: np.flipud,
        5: lambda a: np.swapaxes(a, 0, 1),
        6: lambda a: np.rot90(a, -1),
        7: lambda a: np.rot90(np.fliplr(a), -1),
        8: lambda a: np.rot90(a, 1),
    }.get(orientation, np.asarray)(pixels)


def same(path, expected, tolerance=0.51):
    """Compare, unless the file is refused; True if it was read."""
    try:
        found, _ = read_grey(path)
    except SonotuneError:
        return False
    assert found.dtype == np.uint8
    assert found.shape == expected.shape
    assert np.abs(found - np.asarray(expected, float)).max() <= tolerance
    return True


MODES = {
    "1": (lambda seed: picture(seed, most=1).astype(bool), lambda a: a * 255.0),
    "L": (picture, lambda a: a),
    "LA": (lambda seed: picture(seed, channels=2), lambda a: a[..., 0] * (a[..., 1] / 255)),
    "RGB": (lambda seed: picture(seed, channels=3), luminance),
    "RGBA": (
        lambda seed: picture(seed, channels=4),
        lambda a: luminance(np.rint(a[..., :3] * (a[..., 3:] / 255))),
    ),
    "P": (lambda seed: picture(seed, most=7), None),
    "I;16": (lambda seed: picture(seed, np.uint16), own_range),
}


@pytest.mark.parametrize("orientation", [*range(10), 255, 65535])
@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp", ".jpg"])
@pytest.mark.parametrize("mode", MODES)
def test_orientation_palette_and_opacity_are_those_that_are_shown(
    tmp_path, mode, suffix, orientation
):
    if mode not in {".jpg": ("L", "RGB"), ".webp": ("RGB", "RGBA")}.get(suffix, MODES):
        return
    make, show = MODES[mode]
    array = make(orientation)
    if mode == "P":
        palette = picture(9, channels=3)[:8, 0]
        image = Image.fromarray(array, "P")
        image.putpalette(palette.tobytes())
        expected = luminance(palette[array])
    else:
        image, expected = Image.fromarray(array), show(array)
    exif = Image.Exif()
    exif[0x112] = orientation
    path = tmp_path / f"a{suffix}"
    options = {".webp": {"lossless": True, "exact": True}, ".jpg": {"quality": 95}}
    image.save(path, exif=exif, **options.get(suffix, {}))
    if suffix == ".jpg":
        stored = cv2.imread(str(path), cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION)
        expected = luminance(stored[..., ::-1]) if mode == "RGB" else stored
    assert same(path, turned(expected, orientation))


@pytest.mark.parametrize("transparent", [0, 3])
@pytest.mark.parametrize("mode", ["L", "RGB", "P"])
def test_a_transparent_colour_is_shown_on_black(tmp_path, mode, transparent):
    array = picture(channels=3, most=3) if mode == "RGB" else picture(most=7)
    image, gone, shown = Image.fromarray(array, mode), array == transparent, array
    if mode == "P":
        palette = picture(9, channels=3)[:8, 0]
        image.putpalette(palette.tobytes())
        shown = luminance(palette[array])
    elif mode == "RGB":
        gone, shown = gone.all(axis=2), luminance(array)
    clear = (transparent,) * 3 if mode == "RGB" else transparent
    image.save(tmp_path / "a.png", transparency=clear)
    assert same(tmp_path / "a.png", shown * ~gone)


WHOLE = [np.uint8, np.uint16, np.uint32, np.int8, np.int16, np.int32]
# Kinds of numbers, colours or none, and how they are laid out.
TIFFS = [
    *itertools.product([*WHOLE, np.float32, np.float64], [None], ["minisblack", "miniswhite"]),
    *itertools.product([*WHOLE, np.float32, np.float64], [3], ["minisblack", "planar"]),
]


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize(("kind", "channels", "layout"), TIFFS)
def test_a_tiff_has_the_values_that_were_written(tmp_path, kind, channels, compression, layout):
    whole = np.issubdtype(kind, np.integer)
    array = picture(1, np.int64, channels, 2**24 if not whole else np.iinfo(kind).max)
    array = (array - (np.iinfo(kind).max // 2 if whole and kind(0) - 1 < 0 else 0)).astype(kind)
    path = tmp_path / "a.tif"
    stored = np.moveaxis(array, 2, 0) if layout == "planar" else array
    tifffile.imwrite(
        path,
        stored,
        photometric="rgb" if channels else layout,
        planarconfig="separate" if layout == "planar" else None,
        compression=compression,
    )
    grey = luminance(array) if channels else array.astype(float)
    if layout == "miniswhite":
        grey = -grey if kind != np.uint8 else 255 - grey
    expected = grey if kind == np.uint8 else own_range(grey)
    # 16-bit luminance is rounded to 16 bits before it is scaled.
    read = same(path, expected, 0.51 if channels is None else 0.52)
    assert read or kind not in (np.uint8, np.uint16) or layout != "minisblack"


@pytest.mark.parametrize("channels", [None, 3, 4])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_deep_colours_keep_their_values(tmp_path, suffix, channels, orientation):
    array = picture(2, np.uint16, channels, 4095)
    path = tmp_path / f"a{suffix}"
    written = array if channels is None else array[..., [2, 1, 0, 3][:channels]]
    content = cv2.imencode(suffix, written)[1].tobytes()
    if suffix == ".png" and orientation != 1:
        exif = Image.Exif()
        exif[0x112] = orientation
        chunk = b"eXIf" + exif.tobytes()[6:]
        check = zlib.crc32(chunk).to_bytes(4, "big")
        chunk = (len(chunk) - 4).to_bytes(4, "big") + chunk + check
        content = content[:33] + chunk + content[33:]
    elif orientation != 1:
        tifffile.imwrite(
            path,
            array,
            photometric="minisblack" if channels is None else "rgb",
            extrasamples=("unassalpha",) if channels == 4 else None,
            extratags=[(274, 3, 1, orientation, True)],
        )
        content = path.read_bytes()
    path.write_bytes(content)
    shown = array.astype(float)
    if channels == 4:
        shown = np.rint(shown[..., :3] * (shown[..., 3:] / 65535))
    grey = luminance(shown) if channels else shown
    assert same(path, turned(own_range(np.rint(grey)), orientation))


def shown_by_pydicom(path):
    """The grey picture, in floating point; None where nothing says what is black and white."""
    from pydicom.pixels import apply_modality_lut, apply_windowing

    data = pydicom.dcmread(path)
    pixels = data.pixel_array.reshape(HEIGHT, WIDTH)
    least = -(2 ** (data.BitsStored - 1)) * data.PixelRepresentation
    ends = np.array([least, least + 2**data.BitsStored - 1], pixels.dtype)
    values = apply_modality_lut(pixels, data).astype(float)
    first, last = (float(value) for value in apply_modality_lut(ends, data))
    function = data.VOILUTFunction = data.get("VOILUTFunction") or "LINEAR"
    centre, width = (
        np.ravel(np.array(data.get(name), float))[0] for name in ("WindowCenter", "WindowWidth")
    )
    one = 1 if function == "LINEAR" else 0
    windowed = np.isfinite(centre) and width >= (one or 1e-9)
    if first == last or (windowed and last < first and width == one):
        return None
    low, high = sorted((first, last))
    if windowed and last < first:
        # pydicom takes the ends in the wrong order for a falling rescale: by the formula then.
        place = (values - centre + one / 2) / (width - one)
        linear = np.clip(place + 0.5, 0, 1)
        values = 1 / (1 + np.exp(-4 * place)) if function == "SIGMOID" else linear
        low, high = 0, 1
    elif windowed:
        # Windowing gives the range that stored values can have; its ends are black and white.
        values = apply_windowing(values, data, 0).astype(float)
    elif data.BitsStored > 8:
        low, high = values.min(), values.max()
    grey = (values - low) * 255 / (high - low)
    return 255 - grey if data.PhotometricInterpretation == "MONOCHROME1" else grey


MODALITY = {
    "none": {},
    "rescaled": {"RescaleSlope": 2, "RescaleIntercept": -100},
    "turned over": {"RescaleSlope": -1, "RescaleIntercept": 50},
}
VOI = {
    "none": {},
    "linear": {"WindowCenter": 60, "WindowWidth": 90},
    "exact": {"WindowCenter": 60, "WindowWidth": 90, "VOILUTFunction": "LINEAR_EXACT"},
    "sigmoid": {"WindowCenter": 60, "WindowWidth": 90, "VOILUTFunction": "SIGMOID"},
    "two": {"WindowCenter": [60, 300], "WindowWidth": [90, 600]},
}
DEPTHS = [(np.uint8, 8), (np.uint8, 6), (np.uint16, 12), (np.uint16, 16), (np.int16, 12)]


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize(("kind", "stored"), DEPTHS)
@pytest.mark.parametrize(("modality", "voi"), list(itertools.product(MODALITY, VOI)))
def test_dicom_greys_are_those_of_pydicoms_own_pipeline(
    tmp_path, photometric, kind, stored, modality, voi
):
    half = 2 ** (stored - 1) if kind == np.int16 else 0
    pixels = (picture(3, np.int64, most=2**stored - 1) - half).astype(kind)
    path = dicom(tmp_path / "a", pixels, photometric, stored, **MODALITY[modality], **VOI[voi])
    assert same(path, shown_by_pydicom(path))


@pytest.mark.parametrize("photometric", ["RGB", "YBR_FULL"])
@pytest.mark.parametrize("planar", [0, 1])
@pytest.mark.parametrize("frames", [1, 2])
def test_dicom_colours_and_frames_are_those_of_pydicom(tmp_path, photometric, planar, frames):
    pixels = np.stack([picture(seed, channels=3) for seed in range(frames)])
    stored = np.ascontiguousarray(np.moveaxis(pixels, 3, 1) if planar else pixels)
    path = dicom(tmp_path / "a.dcm", stored, photometric, PlanarConfiguration=planar)
    for number in range(frames):
        shown = pydicom.pixels.pixel_array(path, index=number)
        found = load(Sample("a", "a", path, (), slice=number if frames > 1 else None)).image
        assert np.abs(found - luminance(shown)).max() <= 0.51


def lookup(tables, first=0, bits=16, entries=None, segmented=False):
    """Attributes of a palette of three tables, or of one for all."""
    more = {}
    for number, name in enumerate(("Red", "Green", "Blue")):
        table = np.asarray(tables[number % len(tables)], f"u{bits // 8}")
        entries = len(table) % 65536 if entries is None else entries
        more[f"{name}PaletteColorLookupTableDescriptor"] = [entries, first, bits]
        kind = "Segmented" * segmented
        more[f"{kind}{name}PaletteColorLookupTableData"] = table.tobytes()
    return more


def random_palette(bits, grey, first):
    tables = [picture(0 if grey else seed, np.uint16).ravel()[:100] for seed in range(3)]
    if bits == 8:
        tables = [table >> 8 for table in tables]

    def show(pixels):
        places = np.clip(pixels.astype(int) - first, 0, 99)
        colours = np.stack([table[places] for table in tables], axis=2).astype(float)
        return luminance(colours if bits == 8 else np.rint(colours / 257))

    return lookup(tables, first, bits), show


# Attributes, and what they show.
PALETTES = [
    *itertools.starmap(random_palette, itertools.product((8, 16), (True, False), (0, 5))),
    # One entry of 0, and a line to 65535.
    (lookup([[0, 1, 0, 1, 255, 65535]], entries=256, segmented=True), lambda pixels: pixels),
]


@pytest.mark.parametrize(("more", "show"), PALETTES)
def test_dicom_palettes_are_looked_up(tmp_path, more, show):
    pixels = picture(5)
    path = dicom(tmp_path / "a.dcm", pixels, "PALETTE COLOR", **more)
    assert same(path, show(pixels.astype(float)))
    with pytest.raises(SonotuneError, match="palette"):
        load(Sample("a", "a", path, (path,)))


@pytest.mark.parametrize(
    ("own", "shared", "whole", "known"),
    [
        ([(0.1, 0.2), (0.3, 0.4)], None, None, [(0.1, 0.2), (0.3, 0.4)]),
        (None, (0.5, 0.6), None, [(0.5, 0.6)] * 2),
        ([(0.1, 0.2), (0.3, 0.4)], (0.5, 0.6), (0.7, 0.8), [(0.1, 0.2), (0.3, 0.4)]),
        ([(0.1, 0.2), (0, 0)], None, (0.7, 0.8), [(0.1, 0.2), (None, None)]),
        (None, None, (0.7, 0.8), [(0.7, 0.8)] * 2),
        ([(0.1, 0.2)], None, None, [(0.1, 0.2), (None, None)]),
    ],
)
def test_dicom_frames_have_the_lengths_of_their_functional_groups(
    tmp_path, own, shared, whole, known
):
    def group(spacing):
        measures, item = pydicom.Dataset(), pydicom.Dataset()
        measures.PixelSpacing = list(spacing)
        item.PixelMeasuresSequence = pydicom.Sequence([measures])
        return item

    more = {}
    if own:
        more["PerFrameFunctionalGroupsSequence"] = pydicom.Sequence(map(group, own))
    if shared:
        more["SharedFunctionalGroupsSequence"] = pydicom.Sequence([group(shared)])
    if whole:
        more["PixelSpacing"] = list(whole)
    path = dicom(tmp_path / "a.dcm", np.stack([picture(1), picture(2)]), **more)
    for number, expected in enumerate(known):
        found = load(Sample("a", "a", path, (), slice=number))
        assert found.mm_per_pixel == expected
        assert np.array_equal(found.image, picture(number + 1))


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("last", [None, 20])
@pytest.mark.parametrize("kind", [np.uint16, np.int16])
def test_dicom_padding_is_black_and_does_not_stretch_the_range(tmp_path, photometric, last, kind):
    pixels = (picture(4, np.int64, most=1000) + 500).astype(kind)
    pixels[:3], pixels[3, 3] = 10, 15
    more = {"PixelPaddingValue": 10}
    hidden = pixels == 10
    if last:
        more["PixelPaddingRangeLimit"] = last
        hidden = (pixels >= 10) & (pixels <= last)
    path = dicom(tmp_path / "a.dcm", pixels, photometric, **more)
    low, high = pixels[~hidden].min(), pixels[~hidden].max()
    grey = (np.clip(pixels.astype(float), low, high) - low) * 255 / (high - low)
    grey = 255 - grey if photometric == "MONOCHROME1" else grey
    assert same(path, np.where(hidden, 0, grey))


@pytest.mark.parametrize(
    "more",
    [
        {"PhotometricInterpretation": "YBR_PARTIAL_420"},
        {"PhotometricInterpretation": "HSV"},
        {"PresentationLUTShape": "INVERSE"},
        {"PixelPresentation": "COLOR"},
        {"HighBit": 3},
        {"SamplesPerPixel": 4},
        {"VOILUTFunction": "CUBIC", "WindowCenter": 1, "WindowWidth": 9},
    ],
)
def test_dicom_that_is_not_understood_is_refused(tmp_path, more):
    path = dicom(tmp_path / "a.dcm", picture(), **more)
    with pytest.raises(SonotuneError, match=r"a\.dcm"):
        read_grey(path)


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".mha", ".nrrd"])
@pytest.mark.parametrize("flips", list(itertools.product((False, True), repeat=2)))
@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("of_image", [False, True])
def test_a_mask_in_another_order_lies_on_its_image(tmp_path, suffix, flips, swapped, of_image):
    """SimpleITK changes the order of voxels, and leaves each at its place in space."""
    image, mask = (itk.GetImageFromArray(array[None]) for array in (picture(6), picture(7, most=1)))
    for one in (image, mask):
        one.SetSpacing((0.3, 0.3, 1))
        one.SetOrigin((5, -7, 2))
    image = itk.Flip(image, [of_image, of_image, False])
    expected = itk.Flip(mask, [of_image, of_image, False])
    mask = itk.Flip(mask, [*flips, False])
    mask = itk.PermuteAxes(mask, [1, 0, 2]) if swapped else mask
    paths = [tmp_path / f"{name}{suffix}" for name in ("image", "mask")]
    for one, path in zip((image, mask), paths, strict=True):
        itk.WriteImage(one, str(path))
    found = load(Sample("a", "a", paths[0], (paths[1],)))
    assert np.array_equal(found.image, itk.GetArrayFromImage(image)[0])
    assert np.array_equal(found.mask, itk.GetArrayFromImage(expected)[0])


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".mha", ".nrrd"])
@pytest.mark.parametrize("signs", [(-1, -1), (-1, 1), (1, -1), (1, 1)])
def test_a_turned_mask_of_an_image_without_a_place_is_noted(tmp_path, suffix, signs):
    drawn = itk.GetImageFromArray((picture(7, most=3) == 0).astype(np.uint8)[None])
    drawn.SetDirection(np.diag([*signs, 1]).ravel().tolist())
    itk.WriteImage(drawn, str(tmp_path / f"mask{suffix}"))
    Image.fromarray(picture(6)).save(tmp_path / "image.png")
    found = load(Sample("a", "a", tmp_path / "image.png", (tmp_path / f"mask{suffix}",)))
    assert np.array_equal(found.mask, itk.GetArrayFromImage(drawn)[0])
    assert any("mask's header turns" in note for note in found.notes) == (min(signs) < 0)


@pytest.mark.parametrize(
    "change",
    [
        lambda image: image.SetSpacing((0.6, 0.3, 1)),
        lambda image: image.SetOrigin((0.3, 0, 0)),
        lambda image: image.SetOrigin((0, 90, 0)),
        lambda image: image.SetDirection((0.8, -0.6, 0, 0.6, 0.8, 0, 0, 0, 1)),
        lambda image: image.SetDirection((0, 0, 1, 0, 1, 0, 1, 0, 0)),
    ],
)
def test_a_mask_of_another_place_is_refused(tmp_path, change):
    paths = [tmp_path / "image.mha", tmp_path / "mask.mha"]
    for path, moved in zip(paths, (False, True), strict=True):
        image = itk.GetImageFromArray(picture()[None])
        image.SetSpacing((0.3, 0.3, 1))
        if moved:
            change(image)
        itk.WriteImage(image, str(path))
    with pytest.raises(SonotuneError, match=r"mask\.mha"):
        load(Sample("a", "a", paths[0], (paths[1],)))


# Quaternion, offset of the qform; rows of the sform: two places in space.
CONTRADICTIONS = {
    "turned": ((0, 0, 0, 0, 0, 0), (-0.3, 0, 0, 4.8, 0, -0.2, 0, 2.2, 0, 0, 1, 0)),
    "turned by the quaternion": ((0, 0, 1, 0, 0, 0), (0.3, 0, 0, 0, 0, 0.2, 0, 0, 0, 0, 1, 0)),
    "mirrored": ((0, 0, 0, 0, 0, 0), (-0.3, 0, 0, 4.8, 0, 0.2, 0, 0, 0, 0, 1, 0)),
    "moved": ((0, 0, 0, 5, 0, 0), (0.3, 0, 0, 0, 0, 0.2, 0, 0, 0, 0, 1, 0)),
    "oblique": ((0, 0, 0, 0, 0, 0), (0.24, -0.12, 0, 0, 0.18, 0.16, 0, 0, 0, 0, 1, 0)),
}


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
@pytest.mark.parametrize("kind", CONTRADICTIONS)
def test_a_nifti_of_two_places_lies_only_on_one_of_the_same_header(tmp_path, kind, suffix):
    quaternion, rows = CONTRADICTIONS[kind]
    shown, drawn = picture(6), (picture(7, most=3) == 0).astype(np.uint8)

    def volume(name, array, places):
        image = itk.GetImageFromArray(array[None])
        image.SetSpacing((0.3, 0.2, 1))
        path = tmp_path / f"{name}{suffix}"
        itk.WriteImage(image, str(path))
        packed = suffix == ".nii.gz"
        content = bytearray(gzip.decompress(path.read_bytes()) if packed else path.read_bytes())
        content[252:256] = np.array(places, np.int16).tobytes()
        content[256:280] = np.array(quaternion, np.float32).tobytes()
        content[280:328] = np.array(rows, np.float32).tobytes()
        path.write_bytes(gzip.compress(content) if packed else content)
        return path

    image, mask = volume("image", shown, (1, 1)), volume("mask", drawn, (1, 1))
    found = load(Sample("a", "a", image, (mask,)))
    assert np.array_equal(found.image, shown)
    assert np.array_equal(found.mask, drawn)
    for places in ((1, 0), (0, 1)):
        other = volume("other", drawn, places)
        for pair in ((image, other), (other, mask)):
            with pytest.raises(SonotuneError, match="two places"):
                load(Sample("a", "a", pair[0], (pair[1],)))
        assert load(Sample("a", "a", other, (other,))).mask.sum() == drawn.sum()


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((2, 2, 4, 5), np.uint8),
        np.zeros((1, 4, 5, 2), np.uint8),
        np.zeros((1, 4, 5, 3), np.float32),
        np.full((4, 5), np.nan, np.float32),
        np.full((4, 5), np.inf, np.float32),
        np.zeros((4, 5), np.complex64),
    ],
)
def test_a_volume_that_is_no_picture_is_refused(tmp_path, array):
    vector = array.ndim == 4 and len(array) == 1
    image = itk.GetImageFromArray(array, isVector=vector)
    if array.shape[0] == 2:
        image = itk.JoinSeries([itk.GetImageFromArray(one) for one in array])
    itk.WriteImage(image, str(tmp_path / "a.mha"))
    with pytest.raises(SonotuneError, match=r"a\.mha"):
        read_grey(tmp_path / "a.mha")


@pytest.mark.parametrize("share", [0, 0.0005, 0.5])
@pytest.mark.parametrize("kind", [np.uint16, np.float32, np.int16])
def test_a_few_extreme_values_do_not_make_an_image_black(tmp_path, kind, share):
    size = 200
    values = np.tile(np.linspace(100, 1000, size), (size, 1))
    values.ravel()[: int(share * size * size)] = 30000
    tifffile.imwrite(tmp_path / "a.tif", values.astype(kind))
    found, notes = read_grey(tmp_path / "a.tif")
    inside = found[-1, 20:-20]
    assert (np.ptp(inside) > 150) == (share < 0.1)
    assert len(notes) == (2 if share == 0.0005 else 1)
