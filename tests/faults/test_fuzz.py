"""Thousands of odd configurations, files, archives and names: one line each, nothing elsewhere.

What is read is compared with what another library reads, or with what was written. SONOTUNE_FUZZ
says how many cases each test tries (40 by default, 1000 in ``make test-slow``).
"""

import copy
import csv
import io
import os
import random
import re
import tarfile
import unicodedata
import zipfile
from collections import Counter
from itertools import product
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as some
from tiny_files import dicom, grey, own, square, write, write_table

from sonotune.config.cells import cells_of
from sonotune.config.check import complete, read_configuration
from sonotune.config.jobs import cell_settings
from sonotune.config.networks import all_encoder_weights
from sonotune.data.archive import unpack
from sonotune.data.dataset import load_set
from sonotune.data.prepare import prepare
from sonotune.data.readers.pixels import load, read_grey
from sonotune.data.readers.sample import Sample
from sonotune.data.sources import used_entries
from sonotune.errors import SonotuneError
from sonotune.report.claims.parse import parse_claims

ROOT = Path(__file__).parents[2]
CASES = int(os.environ.get("SONOTUNE_FUZZ", "40"))
TRIED = Counter()
many = settings(
    max_examples=CASES,
    deadline=None,
    database=None,
    derandomize=True,
    # Cases are small as they are; making them smaller takes minutes.
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)

BASES = [
    yaml.safe_load((ROOT / file).read_text("utf-8"))
    for file in ("tests/tiny.yaml", "docs/results/wang-laptop.yaml", "config/own-data.yaml")
]
ODD = some.one_of(
    some.none(),
    some.booleans(),
    some.integers(),
    some.floats(),
    some.sampled_from(
        [0, -1, 1, 2, 16, 10**9, 1e308, float("nan"), float("inf"), "", "all", "none"]
    ),
    some.text(max_size=8),
    some.sampled_from(
        ["../up", "/etc", "a b", "$(id)", "whole", "block1", "sus_a", "random", "[", "("]
    ),
    some.lists(some.one_of(some.integers(-5, 200), some.text(max_size=4)), max_size=3),
    some.dictionaries(some.text(max_size=6), some.integers(), max_size=2),
)


@pytest.fixture(scope="module", autouse=True)
def told():
    """Say what was tried, for docs/reliability.md."""
    yield
    print("\n" + "\n".join(f"{what}: {number}" for what, number in sorted(TRIED.items())))


def one_line(kind, action):
    """Run; count whether it was taken or refused with one clear message. All else is raised."""
    try:
        result = action()
    except SonotuneError as error:
        said = str(error)
        assert said.strip()
        assert "Traceback" not in said
        # Where several things can be wrong there is a heading, and a line for each.
        head, *lines = said.strip().split("\n")
        assert not lines or (head.endswith(":") and all(one.startswith("  ") for one in lines))
        TRIED[f"{kind} refused"] += 1
        return None
    TRIED[f"{kind} taken"] += 1
    return result


def paths_of(value, path=()):
    """Every place in nested mappings and lists."""
    yield path
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from paths_of(item, (*path, key))


def changed(config, draw):
    """A configuration with some things replaced, removed, renamed or added."""
    config = copy.deepcopy(config)
    for _ in range(draw(some.integers(1, 3))):
        *parents, last = draw(some.sampled_from([path for path in paths_of(config) if path]))
        holder = config
        for key in parents:
            holder = holder[key]
        how = draw(some.sampled_from(["replace", "replace", "remove", "add", "rename"]))
        if how == "remove":
            del holder[last]
        elif how == "add" and isinstance(holder, dict):
            holder[draw(some.text(max_size=8))] = draw(ODD)
        elif how == "rename" and isinstance(holder, dict):
            holder[draw(some.one_of(some.text(max_size=8), some.none()))] = holder.pop(last)
        else:
            holder[last] = draw(ODD)
    return config


def read_whole(config):
    """All that the workflow does with a configuration before it starts a job."""
    config = complete(config)
    used_entries(config)
    all_encoder_weights(config)
    for name, study in config["studies"].items():
        parse_claims(study["claims"]["own"], name)
        for dataset in study["datasets"]:
            for cell in list(cells_of(config, name, dataset))[:3]:
                cell_settings(config, cell)
                assert re.fullmatch(r"[a-z0-9_./]+", cell.folder)
                assert ".." not in cell.folder
    return config


@many
@given(some.data())
def test_any_configuration_is_read_or_refused(data):
    base = data.draw(some.sampled_from(BASES))
    one_line("configurations", lambda: read_whole(changed(base, data.draw)))


@many
@given(some.data())
def test_any_text_is_a_configuration_or_refused(tmp_path_factory, data):
    text = yaml.safe_dump(data.draw(some.sampled_from(BASES)), sort_keys=False)
    for _ in range(data.draw(some.integers(1, 4))):
        place = data.draw(some.integers(0, len(text)))
        put = data.draw(
            some.one_of(some.text(max_size=3), some.sampled_from("\t:{}[]&*!|>%@`'\"#-"))
        )
        text = text[:place] + put + text[place + data.draw(some.integers(0, 3)) :]
    path = tmp_path_factory.getbasetemp() / "fuzzed.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    one_line("configurations", lambda: read_configuration(path))


COLOUR = np.dstack([grey(1), grey(2), grey(3)])
DRAWN = [grey(), COLOUR, np.dstack([COLOUR, grey(4)]), grey().astype(np.uint16) * 200]
# Small images of every kind that the readers know.
IMAGES = [
    (suffix, cv2.imencode(suffix, array)[1].tobytes())
    for suffix, array in (*product((".png", ".tif"), DRAWN), (".jpg", COLOUR), (".bmp", COLOUR))
]


def damaged(content, draw):
    """Bytes that were cut, exchanged, doubled or replaced."""
    how = draw(some.sampled_from(["cut", "exchange", "double", "noise", "empty", "whole"]))
    if how == "cut":
        return content[: draw(some.integers(0, len(content)))]
    if how == "exchange":
        changed = bytearray(content)
        chance = random.Random(draw(some.integers(0, 2**32)))
        for _ in range(draw(some.integers(1, 30))):
            # Half of them where formats keep what they say of themselves.
            place = chance.randrange(
                min(60, len(changed)) if chance.random() < 0.5 else len(changed)
            )
            changed[place] = chance.randrange(256)
        return bytes(changed)
    if how == "double":
        return content + content
    if how == "noise":
        return draw(some.binary(max_size=200))
    return b"" if how == "empty" else content


def everything_in(folder):
    return {path.relative_to(folder) for path in folder.rglob("*")}


def prepared(home, table):
    """Prepare a folder of one's own, look at it, and check what was made."""
    prepare("mine", own(csv=table), 16, home / "results/out", home)
    data = load_set(home / "results/out")
    assert data.images.shape == data.masks.shape == (len(data.index), 16, 16)
    assert set(np.unique(data.masks)) <= {0, 1}
    return data


@many
@given(some.data())
def test_any_file_is_an_image_or_refused(tmp_path_factory, data):
    home = tmp_path_factory.mktemp("files")
    suffix, content = data.draw(some.sampled_from(IMAGES))
    for name in ("image", "mask"):
        if data.draw(some.booleans()):
            (home / f"{name}{suffix}").write_bytes(damaged(content, data.draw))
        else:
            write(home / f"{name}{suffix}", grey() if name == "image" else square())
    write(home / "good.png", grey())
    write(home / "good_mask.png", square())
    rows = [["image", "mask"], [f"image{suffix}", f"mask{suffix}"], ["good.png", "good_mask.png"]]
    write_table(home / "t.csv", rows)
    before = everything_in(home)
    one_line("images", lambda: prepared(home, "t.csv"))
    assert {path.parts[0] for path in everything_in(home) - before} <= {"results"}
    path = home / f"image{suffix}"
    found = one_line("images alone", lambda: read_grey(path)[0].astype(int))
    if found is not None and (shown := by_opencv(path)) is not None:
        TRIED["images compared"] += 1
        assert np.abs(found - shown).max() <= 1


def by_opencv(path):
    """The grey picture that OpenCV makes of a file of 8 bits; None where it reads none."""
    stored = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if stored is None or stored.dtype != np.uint8:
        return None
    if stored.ndim == 3 and stored.shape[2] == 4:
        stored = np.rint(stored[..., :3] * (stored[..., 3:] / 255)).astype(np.uint8)
    return (cv2.cvtColor(stored, cv2.COLOR_BGR2GRAY) if stored.ndim == 3 else stored).astype(int)


@many
@given(some.data())
def test_any_table_is_read_or_refused(tmp_path_factory, data):
    home = tmp_path_factory.mktemp("tables")
    write(home / "a.png", grey())
    write(home / "m.png", square())
    text = "image,mask,group,mm_per_pixel\na.png,m.png,Müller,0.2\n"
    content = damaged(text.encode(), data.draw)
    put = data.draw(
        some.sampled_from(["", "\n", '"', ",,,,", "\0", "../../etc/passwd,m.png", "=1+1"])
    )
    place = data.draw(some.integers(0, len(content)))
    (home / "t.csv").write_bytes(content[:place] + put.encode() + content[place:])
    before = everything_in(home)
    one_line("tables", lambda: prepared(home, "t.csv"))
    assert {path.parts[0] for path in everything_in(home) - before} <= {"results"}


TEXT = some.text(some.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6)
LENGTHS = some.one_of(
    some.sampled_from(["", "0.2", " 0.3 ", "2e-1", "0", "-1", "inf", "nan", "1e999", "0,2", "0_2"]),
    some.floats().map(str),
)
COLUMNS = {
    "group": some.one_of(some.sampled_from(["NA", "None", "P1", "10", "100", " a  b ", ""]), TEXT),
    "slice": some.sampled_from(["", "0", " 0", "00", "1", "x"]),
    "mm_per_pixel": LENGTHS,
    "mm_per_pixel_y": LENGTHS,
    "mm_per_pixel_x": LENGTHS,
}
HEADERS = some.sampled_from([*COLUMNS, *COLUMNS, " Group", "MM_per_pixel", "patient", "", "mask"])


def length(row, axis):
    """What a row says of an axis, a number above 0 or None; in the table's own words."""
    both = row.get("mm_per_pixel", "").strip()
    text = row.get(f"mm_per_pixel_{axis}", "").strip() or both
    return float(text) if text and 0 < float(text) < float("inf") else None


@many
@given(some.data())
def test_any_groups_lengths_and_slices_are_read_as_written_or_refused(tmp_path_factory, data):
    home = tmp_path_factory.mktemp("columns")
    header = ["image", "mask", *data.draw(some.lists(HEADERS, max_size=3))]
    written = []
    for number in range(data.draw(some.integers(1, 3))):
        write(home / f"{number}.png", grey(number))
        write(home / f"{number}_mask.png", square())
        more = [data.draw(COLUMNS.get(name.strip().lower(), TEXT)) for name in header[2:]]
        written.append([f"{number}.png", f"{number}_mask.png", *more])
    file = io.StringIO(newline="")
    separator = data.draw(some.sampled_from(",;\t"))
    csv.writer(file, delimiter=separator).writerows([header, *written])
    encoding = data.draw(some.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]))
    (home / "t.csv").write_bytes(file.getvalue().encode(encoding))
    found = one_line("columns", lambda: prepared(home, "t.csv"))
    if found:
        names = [name.strip().lower() for name in header]
        for number, (row, values) in enumerate(zip(found.index, written, strict=True)):
            told = dict(zip(names, values, strict=True))
            group = " ".join(unicodedata.normalize("NFC", told.get("group", "")).split())
            # Without one, the slices of a file are a group.
            assert row["group"] == (group or str(number))
            sizes = [length(told, axis) for axis in "yx"]
            # The image is resized from 40 x 60 to 16 x 16 pixels.
            expected = [None, None] if None in sizes else [sizes[0] * 40 / 16, sizes[1] * 60 / 16]
            got = [row[f"mm_per_pixel_{axis}"] for axis in "yx"]
            assert got == expected or got == pytest.approx(expected)


@many
@given(some.data())
def test_any_dicom_attributes_give_what_pydicom_shows_or_are_refused(tmp_path_factory, data):
    from test_pictures import shown_by_pydicom

    path = tmp_path_factory.mktemp("dicom") / "a.dcm"
    number = some.one_of(some.integers(-300, 300), some.sampled_from([0, 1, 0.5, -1, 1e6]))
    possible = {
        "WindowCenter": number,
        "WindowWidth": number,
        "VOILUTFunction": some.sampled_from(["LINEAR", "LINEAR_EXACT", "SIGMOID", "", "X"]),
        "RescaleSlope": number,
        "RescaleIntercept": number,
        "HighBit": some.integers(0, 15),
        "PixelSpacing": some.lists(number, min_size=1, max_size=3),
        "NumberOfFrames": some.integers(0, 3),
        "SamplesPerPixel": some.integers(0, 4),
        "PresentationLUTShape": some.sampled_from(["IDENTITY", "INVERSE", ""]),
    }
    keys = data.draw(some.lists(some.sampled_from(list(possible)), unique=True, max_size=4))
    if data.draw(some.booleans()):
        keys = list(dict.fromkeys([*keys, "WindowCenter", "WindowWidth"]))
    more = {key: data.draw(possible[key]) for key in keys}
    drawn = np.random.default_rng(data.draw(some.integers(0, 99)))
    pixels = drawn.integers(0, 256, (12, 17), dtype=np.uint8)
    photometric = data.draw(
        some.sampled_from(["MONOCHROME1", "MONOCHROME2", "MONOCHROME2", "RGB", "HSV"])
    )
    dicom(path, pixels, photometric, **more)
    found = one_line("DICOM attributes", lambda: load(Sample("a", "a", path, ())))
    if found is None:
        return
    sizes = more.get("PixelSpacing", [])
    known = len(sizes) == 2 and all(size > 0 for size in sizes)
    assert found.mm_per_pixel == (tuple(sizes) if known else (None, None))
    if (shown := shown_by_pydicom(path)) is not None:
        TRIED["DICOM attributes compared"] += 1
        assert np.abs(found.image - shown).max() <= 0.51


ODD_NAMES = ("../up", "/tmp/sonotune-escape", "a/../../b", "C:\\x", "a\nb", "~/x", "$(touch x)")
NAMES = some.one_of(some.sampled_from([*ODD_NAMES, "a" * 300]), some.text(min_size=1, max_size=12))


def archive_of(members, kind):
    held = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(held, "w") as file:
            for name, content in members:
                file.writestr(zipfile.ZipInfo(name), content)
        return held.getvalue()
    with tarfile.open(fileobj=held, mode="w:gz") as file:
        for number, (name, content) in enumerate(members):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            if number % 3 == 2:
                member.type, member.linkname, member.size = tarfile.SYMTYPE, "../..", 0
            file.addfile(member, io.BytesIO(content))
    return held.getvalue()


@pytest.mark.filterwarnings("ignore:Duplicate name")
@many
@given(some.data())
def test_any_archive_is_unpacked_inside_or_refused(tmp_path_factory, data):
    home = tmp_path_factory.mktemp("archives")
    names = data.draw(some.lists(NAMES, min_size=1, max_size=4))
    members = [(name, data.draw(some.binary(max_size=20))) for name in names]
    try:
        content = archive_of(members, data.draw(some.sampled_from(["zip", "tar"])))
    except ValueError:  # the name cannot stand in such an archive
        return
    target = home / "deep/er/target"
    target.mkdir(parents=True)
    (home / "archive").write_bytes(damaged(content, data.draw))
    before = everything_in(home)
    one_line("archives", lambda: unpack(home / "archive", target))
    assert all(path.parts[:3] == ("deep", "er", "target") for path in everything_in(home) - before)
    assert not any(path.is_symlink() for path in target.rglob("*"))
    assert not Path("/tmp/sonotune-escape").exists()
