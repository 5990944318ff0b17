"""What the audit of a data set finds, and what it says of a sound one."""

import base64
import csv
import re

import cv2
import numpy as np
import pytest
import yaml
from builders import dataset_place, one_study
from tiny_files import HEIGHT, WIDTH, grey, own, square, write, write_table
from warm import snakemake

from benchmarks.duplicates import CHANGES
from sonotune.cli import main
from sonotune.data.audit import audit_dataset
from sonotune.data.audit_files import describe_problems, write_audit_csv, write_audit_html
from sonotune.data.duplicates import near_pairs, sketch
from sonotune.data.prepare import make_originals

# A study that two images are enough for.
TWO_IMAGES = {
    "fractions": [0.5],
    "resampling": {"folds": 2, "validation_fraction": 0},
    "training": {"patience": False, "select_weights": "last"},
}


def errors_of(audit):
    return "\n".join(f"{found.kind}: {found.text}" for found in audit.of_level("error"))


def smooth(number):
    """An image with structure, so that a little noise leaves it nearly the same."""
    coarse = np.random.default_rng(number).integers(0, 256, (4, 6), dtype=np.uint8)
    return cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)


def own_folder(folder, images, masks, groups=None):
    """A data set of the reader `folder`, with the settings that describe it."""
    rows = [("image", "mask", "group")]
    for name, image in images.items():
        write(folder / f"{name}.png", image)
        write(folder / f"{name}_mask.png", masks.get(name, square()))
        rows.append((f"{name}.png", f"{name}_mask.png", (groups or {}).get(name, name)))
    write_table(folder / "table.csv", rows)
    return own(csv=str(folder / "table.csv"))


def audited(folder, images, masks=(), groups=None):
    return audit_dataset("mine", own_folder(folder, images, dict(masks), groups))


def kinds(audit, level):
    return {finding.kind: finding for finding in audit.of_level(level)}


def rows_of(audit, folder):
    write_audit_csv(audit, folder / "audit.csv")
    with (folder / "audit.csv").open(newline="", encoding="utf-8") as file:
        return {row["name"]: row for row in csv.DictReader(file)}


def page_of(audit, folder):
    write_audit_html(audit, folder / "audit.html")
    return (folder / "audit.html").read_text("utf-8")


def test_a_sound_data_set_has_no_findings(tmp_path):
    audit = audited(tmp_path, {"a": smooth(1), "b": smooth(2)})
    assert audit.findings == ()
    rows = rows_of(audit, tmp_path)
    assert [row["verdict"] for row in rows.values()] == ["ok", "ok"]
    assert float(rows["a"]["foreground"]) == pytest.approx(100 / (HEIGHT * WIDTH), abs=1e-6)
    assert (rows["a"]["height"], rows["a"]["width"], rows["a"]["components"]) == ("40", "60", "1")
    assert describe_problems(tmp_path / "audit.csv") == ""
    assert "No errors and nothing suspicious were found." in page_of(audit, tmp_path)


EMPTY = np.zeros((HEIGHT, WIDTH), np.uint8)
NOISY = np.clip(smooth(1).astype(int) + grey(3) // 32 - 4, 0, 255).astype(np.uint8)
TWINS = {"a": smooth(1), "b": smooth(1), "c": smooth(2), "d": smooth(2)}
PATIENTS = {"c": "patient", "d": "patient"}
ODD = {**{name: smooth(number) for number, name in enumerate("abcd")}, "e": EMPTY + 7}
ONE_GREY = {"images of one grey value": ("e",)}
COLOUR = {"a": cv2.merge([smooth(1), smooth(2), smooth(3)]), "b": smooth(9)}


@pytest.mark.parametrize(
    ("images", "masks", "groups", "warnings"),
    [
        (TWINS, {}, PATIENTS, {"exact duplicates across groups": ("a", "b")}),
        ({"a": smooth(1), "b": NOISY}, {}, {}, {"near duplicates across groups": ("a", "b")}),
        (ODD, {"a": EMPTY}, {}, {"empty masks": ("a",), **ONE_GREY}),
        (ODD, {"b": EMPTY + 255}, {}, {"full masks": ("b",), **ONE_GREY}),
        (ODD, {"c": square(10, 11)}, {}, {"tiny objects": ("c",), **ONE_GREY}),
        (COLOUR, {}, {}, {}),
    ],
)
def test_what_is_odd_is_a_warning_and_nothing_else_is(tmp_path, images, masks, groups, warnings):
    audit = audited(tmp_path, images, masks, groups)
    assert {kind: one.names for kind, one in kinds(audit, "warning").items()} == warnings
    assert not audit.of_level("error")
    assert ("converted" in kinds(audit, "note")) == (images is COLOUR)


def test_twins_are_named_with_what_their_masks_and_groups_say(tmp_path):
    audit = audited(tmp_path, {**TWINS, "e": NOISY}, {"b": square(10, 15)}, PATIENTS)
    assert kinds(audit, "warning")["one image, several masks"].names == ("a", "b")
    assert kinds(audit, "note")["exact duplicates within groups"].names == ("c", "d")
    assert "grouped: true" in kinds(audit, "note")["groups of several images"].text
    rows = rows_of(audit, tmp_path)
    assert (rows["a"]["same_as"], rows["a"]["verdict"]) == ("b", "warning")
    assert (rows["c"]["same_as"], rows["c"]["verdict"]) == ("d", "ok")
    assert rows["e"]["nearly"]
    assert describe_problems(tmp_path / "audit.csv") == "3 with warnings of 5 images"


def speckle(number):
    """An image with features that no other one repeats."""
    drawn = np.random.default_rng(number).normal(size=(120, 160))
    soft = cv2.GaussianBlur(drawn, (0, 0), 2)
    return np.rint(np.clip(soft * 400 + 110, 0, 255)).astype(np.uint8)


@pytest.mark.parametrize("changes", [*((one,) for one in CHANGES), CHANGES[:2], CHANGES[3:]])
def test_a_changed_copy_is_found(changes):
    copy, random = speckle(1), np.random.default_rng(0)
    for change in changes:
        copy = change(copy, random)
    sketches = [sketch(image) for image in (speckle(0), speckle(1), speckle(2), copy)]
    assert near_pairs(sketches, 1) == [(1, 3)]


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        ({1: {"mask": "0_mask.png"}}, "masks of several images"),
        ({1: {"mask": "./0_mask.png"}}, "masks of several images"),
        *(
            ({n: {"group": one} for n in range(3)}, "groups that a spreadsheet shortened")
            for one in ("1.23457E+11", "1E+05", "1,2E+15", "1e+9", "9.99999E+99")
        ),
        *(
            ({0: {"mm_per_pixel": one}}, "sizes beyond belief")
            for one in ("250", "0.0001", "1e6", "100", "1e-9")
        ),
        ({0: {"group": "E+05"}, 1: {"group": "1E05"}, 2: {"group": "P1E+05"}}, None),
        ({0: {"mm_per_pixel": "0.03"}, 1: {"mm_per_pixel": "5"}}, None),
    ],
)
def test_slips_of_a_table_are_warnings(tmp_path, changed, kind):
    rows = [("image", "mask", "group", "mm_per_pixel")]
    for number in range(3):
        write(tmp_path / f"{number}.png", smooth(number))
        write(tmp_path / f"{number}_mask.png", square(10, 20 + number))
        usual = {"mask": f"{number}_mask.png", "group": f"P{number}", "mm_per_pixel": "0.2"}
        row = usual | changed.get(number, {})
        rows.append((f"{number}.png", row["mask"], row["group"], row["mm_per_pixel"]))
    write_table(tmp_path / "t.csv", rows)
    audit = audit_dataset("mine", own(csv="t.csv"), tmp_path)
    assert list(kinds(audit, "warning")) == ([kind] if kind else [])


def test_masks_that_are_all_empty_or_full_are_an_error(tmp_path):
    audit = audited(tmp_path, {"a": smooth(1), "b": smooth(2)}, {"a": EMPTY, "b": EMPTY + 1})
    assert "nothing to learn" in kinds(audit, "error")


def test_every_file_that_cannot_be_used_is_listed_with_its_reason(tmp_path):
    settings = own_folder(tmp_path, {name: smooth(1) for name in "abc"}, {"b": square()[:30]})
    whole = (tmp_path / "a.png").read_bytes()
    (tmp_path / "a.png").write_bytes(whole[: len(whole) // 2])
    audit = audit_dataset("mine", settings)
    said = errors_of(audit)
    assert "cannot be used: 2 of 3 images" in said
    assert "a.png: cannot be read; it is damaged or no image" in said
    assert "b_mask.png: (30, 60) where its image is (40, 60)" in said
    rows = rows_of(audit, tmp_path)
    assert [rows[name]["verdict"] for name in "abc"] == ["error", "error", "ok"]
    page = page_of(audit, tmp_path)
    assert "error: cannot be used" in page
    assert page.count("<figure>") == 1


def test_files_that_make_no_data_set_are_an_error_on_the_page(tmp_path):
    audit = audit_dataset("mine", own(csv=str(tmp_path / "no.csv")))
    assert errors_of(audit).startswith("files do not form a data set: folder: csv: there is")
    assert "0 images" in page_of(audit, tmp_path)
    assert rows_of(audit, tmp_path) == {}


def test_the_contact_sheet_shows_images_with_the_outline_of_their_masks(tmp_path):
    audit = audited(tmp_path, {f"{n:02}": smooth(n) for n in range(41)})
    page = page_of(audit, tmp_path)
    assert "Images with their masks outlined (40 of 41)" in page
    pictures = re.findall(r"data:image/jpeg;base64,([^\"]+)", page)
    assert len(pictures) == 40
    picture = cv2.imdecode(np.frombuffer(base64.b64decode(pictures[0]), np.uint8), cv2.IMREAD_COLOR)
    colourful = np.ptp(picture.astype(int), axis=2) > 60
    rows, columns = np.nonzero(colourful)
    # The square from 10 to 20 of 60 pixels, on a picture of 160.
    assert abs(rows.min() - 27) < 4
    assert abs(columns.max() - 53) < 4


def test_images_made_here_are_audited_from_their_arrays(tmp_path):
    settings = {
        "reader": "collage",
        "source": "collage",
        "images": 4,
        "seed": 1,
        "collage": {"pixels": 32},
    }
    make_originals("collage", settings, tmp_path, workers=1)
    audit = audit_dataset("collage", settings, tmp_path)
    assert audit.images.name.tolist() == [f"collage_{n:04}" for n in range(4)]
    assert page_of(audit, tmp_path).count("<figure>") == 4


def configured(folder, images):
    """A configuration of a study of these images, in a file."""
    config = one_study(own_folder(folder / "mine", images, {}), **TWO_IMAGES)
    (folder / "mine.yaml").write_text(yaml.safe_dump(config))
    return str(folder / "mine.yaml")


def test_the_command_checks_a_data_set_and_fails_if_it_is_useless(tmp_path, capsys):
    file = configured(tmp_path, {"a": smooth(1), "b": smooth(1)})
    output = tmp_path / "audit"
    command = ["data", "check", "mine", "--configfile", file, "--output", str(output)]
    assert main(command) == 0
    said = capsys.readouterr().out
    assert "warning: exact duplicates across groups" in said
    assert f"mine: 2 images, 0 errors, 1 warning: {output / 'audit.html'}" in said
    assert (output / "audit.csv").is_file()

    (tmp_path / "mine/a.png").write_bytes(b"no image")
    assert main(command) == 1
    assert "error: cannot be used" in capsys.readouterr().out
    assert main([*command[:2], "other", *command[3:]]) == 1
    assert "datasets: there is no other; it has: mine" in capsys.readouterr().err


def test_the_workflow_audits_what_it_refuses_to_prepare(tmp_path):
    configured(tmp_path, {"a": smooth(1), "b": smooth(2)})
    (tmp_path / "mine/a.png").write_bytes(b"no image")
    folder = dataset_place(tmp_path / "mine.yaml", "mine")
    targets = [f"{folder}/256/images.npy", f"{folder}/audit.html"]
    run = snakemake(tmp_path, "--cores=1", "--configfile=mine.yaml", "--keep-going", *targets)
    assert run.returncode != 0
    assert "a.png: cannot be read; it is damaged or no image" in run.stdout + run.stderr
    assert "error: cannot be used" in (tmp_path / targets[1]).read_text("utf-8")
    assert not (tmp_path / targets[0]).exists()
