"""Names, tables, lists, groups and lengths as people's files have them."""

import codecs
import os
import unicodedata

import numpy as np
import pandas as pd
import pydicom
import pytest
from tiny_files import dicom, grey, names, own, square, volume, write

from sonotune.data.audit import Audit, audit_dataset
from sonotune.data.audit_files import write_duplicates
from sonotune.data.dataset import load_set
from sonotune.data.grouping import count_with_duplicate, groups_for, read_clusters
from sonotune.data.holdout import rows_from_lists
from sonotune.data.prepare import prepare
from sonotune.data.readers import find_samples
from sonotune.data.readers.own_folder import has_groups
from sonotune.data.readers.pixels import load
from sonotune.data.split_file import count_near_duplicates
from sonotune.data.tables import read_lists
from sonotune.errors import SonotuneError
from sonotune.inference.images import InputImage, read_image, read_spacing
from sonotune.runtime.files import write_json

GLOBS = {"images": "images/*.png", "masks": "masks/*.PNG"}


def pairs(folder, files, masks=None):
    for number, (image, mask) in enumerate(zip(files, masks or files, strict=True)):
        for where, name, array in (("images", image, grey(number)), ("masks", mask, square())):
            path = os.fsencode(folder / where) + b"/" + os.fsencode(name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            write(folder / "x.png", array).rename(os.fsdecode(path))


NAMES = {
    "Latin-1": [b"Sch\xe4del 1.png", b"\xdcbung.png", b"\x80.png", b"caf\x82.png", b"\x93\xaa.png"],
    "missing-value words": ["NA.png", "None.png", "null.png", "nan.png", "N_A.png"],
    "numbers": ["1.png", "01.png", "1.0.png", "1e5.png", "-1.png", "inf.png"],
    "blanks": [" a.png", "a b.png", "a  b.png", "a .png"],
    "marks": [f"{one}.png" for one in ("a'b", 'a"b', "a,b", "a;b", "#a", "=a", "a%b", "a\tb")],
    "case": ["A.png", "b.PNG", "c.Png", "D.pNG"],
    "other scripts": ["頭.png", "голова.png", "😀.png", "é.png"],
    "ends of lines": ["a\u2028b.png", "a\x85b.png", "a\x0bb.png", "a\x1cb.png", "a\u200bb.png"],
    "dots": ["a.b.c.png", "..a.png", "a..png"],
}


@pytest.mark.parametrize("kind", NAMES)
def test_files_of_any_name_are_found_prepared_and_read_back(tmp_path, kind):
    pairs(tmp_path, NAMES[kind])
    entries = find_samples(own(**GLOBS), tmp_path)
    prepare("mine", own(**GLOBS), 16, tmp_path / "out", tmp_path)
    data = load_set(tmp_path / "out")
    assert data.names == names(entries)
    assert len(set(data.names)) == len(NAMES[kind]) - (kind == "dots")
    assert all(name and name == unicodedata.normalize("NFC", name) for name in data.names)
    # Clusters of copies are read back as they were written.
    audit = Audit("mine", "mine", pd.DataFrame(), (), clusters=(tuple(data.names),))
    write_duplicates(audit, tmp_path / "d.csv")
    cluster_of = read_clusters(tmp_path / "d.csv", data.names)
    assert list(cluster_of) == data.names
    assert len(set(cluster_of.values())) == 1


@pytest.mark.parametrize(
    ("image", "mask"),
    [
        (unicodedata.normalize("NFD", "Schädel"), unicodedata.normalize("NFC", "Schädel")),
        (b"Sch\xe4del", "Schädel"),
        ("Case", "case"),
        ("P1", "p1_MASK"),
        ("a", "a_gt"),
        ("a.b", "a.b_segmentation"),
        ("a", "a-seg"),
        ("a", "a mask"),
        ("a", "a.label"),
        ("a", "a_Annotations"),
        ("a_mask", "a_mask-GT"),
    ],
)
def test_an_image_and_a_mask_that_read_alike_belong_together(tmp_path, image, mask):
    suffixed = [os.fsencode(name) + b".png" for name in (image, mask)]
    pairs(tmp_path, suffixed[:1], suffixed[1:])
    assert len(find_samples(own(**GLOBS), tmp_path)) == 1


@pytest.mark.parametrize(
    ("images", "masks"),
    [
        (["a.png", "A.png"], ["a.png", "A.png"]),
        (["p1/1.png", "p2/1.png"], ["p1/1.png", "p2/1.png"]),
        (["a.png", "a_mask.png"], ["a.png", "a_mask.png"]),
    ],
)
def test_names_that_only_nearly_agree_are_kept_apart(tmp_path, images, masks):
    pairs(tmp_path, images, masks)
    globs = {key: f"{key}/**/*.png" for key in ("images", "masks")}
    entries = find_samples(own(**globs), tmp_path)
    assert [one.image.name for one in entries] == [one.masks[0].name for one in entries]
    assert len({one.name for one in entries}) == 2


@pytest.mark.parametrize(
    "name", ["Thumbs.db", "desktop.ini", "ehthumbs.db", ".DS_Store", "._0.png", "Icon\r"]
)
def test_what_file_managers_leave_is_no_image(tmp_path, name):
    pairs(tmp_path, ["0.png", "1.png"])
    for folder in ("images", "masks"):
        (tmp_path / folder / name).write_bytes(b"\0\5\x16\7")
    described = own(images="images/*", masks="masks/*")
    assert names(find_samples(described, tmp_path)) == ["0", "1"]
    audit = audit_dataset("mine", described, tmp_path)
    assert not audit.of_level("warning")


@pytest.mark.parametrize("where", [("images",), ("masks",), ("images", "masks")])
@pytest.mark.parametrize("target", ["/mnt/nowhere/0.png", "gone.png", "0.png"])
def test_a_link_to_nothing_is_missed(tmp_path, where, target):
    pairs(tmp_path, ["0.png", "1.png"])
    for folder in where:
        (tmp_path / folder / "0.png").unlink()
        (tmp_path / folder / "0.png").symlink_to(target)
    with pytest.raises(SonotuneError, match=r"0\.png"):
        find_samples(own(**GLOBS), tmp_path)


@pytest.mark.parametrize(
    "options",
    [
        {"images": "images/*.png", "masks": "images/*.png"},
        {"images": "images/0*", "masks": "images/*.PNG"},
        *({"csv": "t.csv", **rule} for rule in ({}, {"threshold": 128}, {"alpha": True})),
    ],
)
def test_an_image_is_not_its_own_mask(tmp_path, options):
    pairs(tmp_path, ["0.png"])
    (tmp_path / "t.csv").write_text("image,mask\nimages/0.png,images/0.png\n")
    with pytest.raises(SonotuneError, match="same file"):
        find_samples(own(**options), tmp_path)


def read(folder, table):
    """The samples of a table, whose files are all there: 0, 1, 2, a and b with masks m and x/m."""
    for number, name in enumerate("012ab"):
        write(folder / f"{name}.png", grey(number))
    for name in ("m", "x/m"):
        write(folder / f"{name}.png", square())
    (folder / "t.csv").write_bytes(table if isinstance(table, bytes) else table.encode())
    return find_samples(own(csv="t.csv"), folder)


def of_groups(groups):
    rows = [f"{number}.png,m.png,{group}" for number, group in enumerate(groups)]
    return "\n".join(["image,mask,group", *rows])


# Mistakes in tables, and words of the messages about them.
MISTAKES = {
    "twice": [
        f"image,mask,group\na.png,x/m.png,P\n{again},x/m.png,Q\n"
        for again in ("./a.png", "x/../a.png", "A.PNG", ".\\a.png", "x//..//a.png", "a.png")
    ],
    "same file": [f"image,mask\na.png,{mask}\n" for mask in ("a.png", "A.PNG", "x/../a.png")],
    "no name": [
        "image,mask,\n0.png,m.png,P1\n1.png,m.png,P1",
        ",image,mask\n1,0.png,m.png\n1,1.png,m.png",
        "image,mask, \n0.png,m.png,\n1.png,m.png,0.2",
    ],
    "column": [
        f"image,mask,{header}\na.png,m.png,{','.join('1' * len(header.split(',')))}\n"
        for header in (
            *("patient_id", "grp", "Groups", "subject", "group,group", "mask2", "spacing", "age"),
        )
    ],
    "one patient": [
        *map(of_groups, [("P1", "p1"), ("1", "01"), ("1", "1.0"), ("P 1", "P1"), ("a_1", "A-1")]),
        *map(of_groups, [("P.1", "P1"), ("P1", "P1\u200b"), ("\uff301", "P1")]),
        *map(of_groups, [("P\u20131", "P-1"), ("P001_2", "p1-2")]),
    ],
    "no column 'mask'; found: image, maske": ["image,maske\na.png,m.png"],
    "line 2: group is empty": ["image,mask,group\na.png,m.png, "],
    "has no rows": ["image,mask\n"],
    "line 2: image or mask is empty": ["image,mask\na.png,"],
    "there is no file .*c.png": ["image,mask\nc.png,m.png"],
    "there is no file .*; a backslash is read as /": ["image,mask\nb\\c.png,b\\c.png"],
    "line 2: millimetres per pixel must be a number; found '0": [
        'image,mask,mm_per_pixel\na.png,m.png,"0,2"',
        "image,mask,mm_per_pixel\na.png,m.png,0_2",
    ],
}


@pytest.mark.parametrize(
    ("says", "table"), [(says, table) for says, tables in MISTAKES.items() for table in tables]
)
def test_a_table_with_a_mistake_is_refused(tmp_path, says, table):
    with pytest.raises(SonotuneError, match=says):
        read(tmp_path, table)


ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252")


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_tables_in_any_encoding_mean_the_same(tmp_path, encoding, separator):
    for name in ("Schädel", "b"):
        write(tmp_path / f"{name}.png", grey())
    write(tmp_path / "m.png", square())
    lines = ["Image, mask ,GROUP", " Schädel.png,m.png, Müller ", "b.png,m.png,NA"]
    text = "\r\n".join(lines).replace(",", separator)
    (tmp_path / "t.csv").write_bytes(text.encode(encoding))
    entries = find_samples(own(csv="t.csv"), tmp_path)
    assert [(one.name, one.group) for one in entries] == [("Schädel", "Müller"), ("b", "NA")]


@pytest.mark.parametrize("head", ["sep=;\r\n", '"sep=;"\n', "SEP=;\n", "\n \n", "sep=;\n\n"])
@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
def test_lines_before_the_header_are_skipped(tmp_path, head, mark):
    table = f"{head}image;mask;group\n0.png;m.png;P\n1.png;m.png;P\n"
    found = read(tmp_path, mark + table.encode())
    assert [one.group for one in found] == ["P", "P"]
    assert has_groups(tmp_path, csv="t.csv")


@pytest.mark.parametrize(
    "table",
    [
        "image,mask,\n0.png,m.png,\n1.png,m.png,",
        "image,mask,,\n0.png,m.png\n1.png,m.png,,",
        ",image,mask\n0,0.png,m.png\n1,1.png,m.png",
        '"",image,mask\n17,0.png,m.png\n4,1.png,m.png',
    ],
)
def test_empty_columns_and_numbers_of_rows_say_nothing(tmp_path, table):
    assert names(read(tmp_path, table)) == ["0", "1"]


@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
@pytest.mark.parametrize("line", ["images/ä 1", "ä 1.png", "images\\ä 1.PNG", '"ä 1"', "./ä 1"])
def test_lists_name_images_with_or_without_folders_and_suffixes(tmp_path, line, mark):
    for part, text in (("train", line), ("test", "images/b")):
        (tmp_path / f"{part}.txt").write_bytes(mark + f"{text}\r\n\r\n".encode())
    files = {part: str(tmp_path / f"{part}.txt") for part in ("train", "test")}
    train, test = rows_from_lists(read_lists(files), ["images/b", "images/ä 1"])
    assert (train.tolist(), test.tolist()) == ([1], [0])


@pytest.mark.parametrize("name", ["a\u2028b", "a\x85b", "a\x0bb", "a\x1cb", "NA"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lists_hold_any_name_and_any_end_of_line(tmp_path, name, end):
    for part, text in (("train", name), ("test", "b")):
        (tmp_path / f"{part}.txt").write_bytes(f"{text}{end}{end}c{part}{end}".encode())
    files = {part: str(tmp_path / f"{part}.txt") for part in ("train", "test")}
    assert read_lists(files) == {"train": [name, "ctrain"], "test": ["b", "ctest"]}


@pytest.mark.parametrize("lists", [(["1"], ["p1/1"]), (["1"], ["p2/2"]), (["p3/1"], ["p1/2"])])
def test_a_name_that_means_two_images_or_none_is_refused(lists):
    with pytest.raises(SonotuneError):
        rows_from_lists(dict(zip(("train", "test"), lists, strict=True)), ["p1/1", "p2/1", "p1/2"])


@pytest.mark.parametrize(
    "groups",
    [
        ("10", "100", "1"),
        ("11", "101", "1001"),
        ("1_11", "11_1", "111"),
        ("A+", "A*"),
        ("P1", "P10"),
    ],
)
def test_patients_whose_names_only_look_alike_are_kept_apart(tmp_path, groups):
    assert tuple(one.group for one in read(tmp_path, of_groups(groups))) == groups


@pytest.mark.parametrize(
    ("pattern", "files", "groups"),
    [
        ("(P[0-9]+)_.*", ["P1_a", "P1_b", "P2_a"], ["P1", "P1", "P2"]),
        ("(.*)_[0-9]", ["x_1", "x_2", "y_1"], ["x", "x", "y"]),
        ("([a-z])([0-9]).*", ["a1x", "a1y", "a2x"], ["a_1", "a_1", "a_2"]),
        ("images/(.*)/.*", ["p/1", "p/2", "q/3"], ["p", "p", "q"]),
        ("(?:pre)?(..).*", ["preABc", "ABd", "CD"], ["AB", "CD", "AB"]),
    ],
)
def test_a_pattern_over_names_gives_groups(tmp_path, pattern, files, groups):
    pairs(tmp_path, [f"{name}.png" for name in files])
    globs = {key: f"{key}/**/*.png" for key in ("images", "masks")}
    found = [one.group for one in find_samples(own(**globs, group=pattern), tmp_path)]
    assert sorted(found) == sorted(groups)


@pytest.mark.parametrize("pattern", ["(", "P.*", "(Q).*", "(P?).*x"])
def test_a_pattern_that_gives_no_group_is_refused(tmp_path, pattern):
    pairs(tmp_path, ["P1_a.png"])
    with pytest.raises(SonotuneError, match="group"):
        find_samples(own(**GLOBS, group=pattern), tmp_path)


def test_clusters_and_groups_are_joined_by_chains(tmp_path):
    file = tmp_path / "duplicates.csv"
    file.write_text("cluster,image\n1,a\n1,b\nx,d\nx,e\n")
    images, groups = list("abcdef"), ["p", "q", "q", "r", "s", "t"]
    both = groups_for("both", images, groups, file)
    assert [both.index(one) for one in both] == [0, 0, 0, 3, 3, 5]
    alone = groups_for("duplicates", images, groups, file)
    assert [alone.index(one) for one in alone] == [0, 0, 2, 3, 3, 5]
    assert groups_for(True, images, groups) == groups
    assert count_with_duplicate([0, 2, 3], [1, 5], {0: "1", 1: "1", 3: "x", 4: "x"}) == 1


@pytest.mark.parametrize("row", ["1,z", "1,a\n2,a", ",a", "1,a,why,more"])
def test_a_table_of_duplicates_with_mistakes_is_refused(tmp_path, row):
    (tmp_path / "d.csv").write_text(f"cluster,image,why\n{row}\n")
    with pytest.raises(SonotuneError, match=r"d\.csv"):
        groups_for("duplicates", ["a", "b"], ["a", "b"], tmp_path / "d.csv")


@pytest.mark.parametrize("size", ["0", "-0.2", "inf", "nan", "1e400", "-inf"])
def test_a_length_that_is_none_is_not_known_and_noted(tmp_path, size):
    loaded = load(read(tmp_path, f"image,mask,mm_per_pixel\na.png,m.png,{size}\n")[0])
    assert loaded.mm_per_pixel == (None, None)
    assert any("pixel size" in note for note in loaded.notes)
    (tmp_path / "s.csv").write_text(f"image,mm_per_pixel\na.png,{size}\n")
    found = read_image(InputImage(tmp_path / "a.png", "a"), read_spacing([str(tmp_path / "s.csv")]))
    assert found.mm_per_pixel == (None, None)


def test_lengths_are_matched_to_files_by_their_paths(tmp_path):
    rows = ["image,mm_per_pixel"]
    for number, folder in enumerate("pq", 1):
        write(tmp_path / f"{folder}/1.png", grey(number))
        rows.append(f"{folder}/1.png,0.{number}")
    (tmp_path / "s.csv").write_text("\n".join(rows))
    table = read_spacing([str(tmp_path / "s.csv")])
    found = [read_image(InputImage(tmp_path / f"{f}/1.png", f"{f}/1"), table) for f in "pq"]
    assert [one.mm_per_pixel for one in found] == [(0.1, 0.1), (0.2, 0.2)]


@pytest.mark.parametrize(
    ("more", "known"),
    [
        ({"PixelSpacing": [0.2, 0.3]}, (0.2, 0.3)),
        ({"PixelSpacing": [0, 0]}, (None, None)),
        ({"PixelSpacing": [-0.2, 0.2]}, (None, None)),
        ({"PixelSpacing": [0.2]}, (None, None)),
        ({"region": (3, 0.02, 0.03)}, (0.2, 0.3)),
        ({"region": (3, 0, 0.03)}, (None, None)),
        ({"region": (1, 0.02, 0.03)}, (None, None)),
        ({"PixelSpacing": [0.2, 0.3], "region": (3, 0.02, 0.03)}, (0.2, 0.3)),
        ({"PixelSpacing": [0.2, 0.3], "region": (3, 0.05, 0.05)}, (None, None)),
        ({"PixelSpacing": [0, 0], "region": (3, 0.02, 0.03)}, (None, None)),
    ],
)
def test_dicom_lengths_are_known_only_where_they_agree(tmp_path, more, known):
    if "region" in more:
        region = pydicom.Dataset()
        units, y, x = more.pop("region")
        region.PhysicalUnitsXDirection = region.PhysicalUnitsYDirection = units
        region.PhysicalDeltaY, region.PhysicalDeltaX = float(y), float(x)
        more["SequenceOfUltrasoundRegions"] = pydicom.Sequence([region])
    dicom(tmp_path / "images/1.dcm", grey(), **more)
    write(tmp_path / "masks/1.png", square())
    (entry,) = find_samples(own(images="images/*", masks="masks/*"), tmp_path)
    loaded = load(entry)
    assert loaded.mm_per_pixel == pytest.approx(known) if known[0] else known == loaded.mm_per_pixel


def test_patients_of_dicom_files_are_groups_without_their_names(tmp_path):
    for number, patient in enumerate(["Doe^Jane", " Doe^Jane ", "Roe"]):
        dicom(tmp_path / f"images/{number}.dcm", grey(number), PatientID=patient)
        write(tmp_path / f"masks/{number}.png", square())
    globs = {"images": "images/*", "masks": "masks/*", "group": "PatientID"}
    groups = [one.group for one in find_samples(own(**globs), tmp_path)]
    assert groups[0] == groups[1] != groups[2]
    assert not any("Doe" in group for group in groups)
    dicom(tmp_path / "images/2.dcm", grey(2), PatientID="")
    with pytest.raises(SonotuneError, match="PatientID"):
        find_samples(own(**globs), tmp_path)


@pytest.mark.parametrize(
    "change", [(76 + 4, 0.0), (76 + 4, np.inf), (76 + 8, np.nan), (76 + 8, 9.0)]
)
def test_nifti_lengths_that_are_none_or_contradict_each_other_are_not_known(tmp_path, change):
    path = volume(tmp_path / "images/1.nii", grey()[None], (0.3, 0.2, 1))
    write(tmp_path / "masks/1.png", square())
    (entry,) = find_samples(own(images="images/*", masks="masks/*"), tmp_path)
    assert load(entry).mm_per_pixel == pytest.approx((0.2, 0.3))
    content = bytearray(path.read_bytes())
    content[change[0] : change[0] + 4] = np.float32(change[1]).tobytes()
    path.write_bytes(content)
    assert load(entry).mm_per_pixel == (None, None)


def test_test_images_with_a_copy_in_training_are_counted(tmp_path):
    names = list("abcdef")
    parts = [
        {"fraction": fraction, "fold": 0, "training": [1, 3], "validation": [5], "test": test}
        for fraction, test in ((0.8, [0, 2, 4]), (0.05, [0, 1]))
    ]
    write_json(tmp_path / "splits.json", {"sus": {"names": names, "splits": parts}})
    file = tmp_path / "duplicates.csv"
    file.write_text("cluster,image\n1,a\n1,b\n2,e\n2,f\n3,c\n")
    assert count_near_duplicates(tmp_path / "splits.json", {"sus": file}) == {"sus": (2, 3)}
