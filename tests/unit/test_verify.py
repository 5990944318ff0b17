"""`sonotune verify` finds each kind of file that does not belong to the others."""

import json
import shutil
from dataclasses import replace
from functools import partial
from itertools import product

import numpy as np
import pytest
from builders import ARRAYS, cell_of, make_tables
from faulty import damage
from test_training import bright_disks, quiet, settings
from tiny_files import own, write, write_pairs

from sonotune.cli import main
from sonotune.data.dataset import FILES, save_set
from sonotune.data.originals import originals_digest
from sonotune.evaluation.scores import load_predictions
from sonotune.jobs.pretrain import pretrain
from sonotune.runtime.files import read_json
from sonotune.runtime.run_record import read_record, write_record
from sonotune.runtime.view_record import write_view_record
from sonotune.verify import Verification

CELLS = "s/cells/disks/block_9/0.8"
TRAINED = ("weights.safetensors", "history.csv", "run.json")
EVERY = [*product(("block_9", "whole"), (0, 1))]


def test_a_sound_study(results, capsys):
    assert main(["verify", str(results)]) == 0
    said = capsys.readouterr().out
    counts = "1 data sets, 0 encoders, 1 pre-trainings, 4 cells, 2 tables of scores, 0 views"
    assert f"{counts}: no faults" in said


@pytest.mark.parametrize(
    "name",
    [
        *(f"{ARRAYS}/{file}" for file in FILES),
        *(f"s/pretrained/1/{file}" for file in TRAINED),
        *(f"{CELLS}/0/{file}" for file in ("predictions.npz", *TRAINED)),
    ],
)
def test_a_damaged_file_is_named(results, name, capsys):
    damage(results / name)
    assert main(["verify", str(results)]) == 1
    said = capsys.readouterr().out
    file = (results / name).name
    assert file in said.splitlines()[0]
    assert str((results / name).parent) in said.splitlines()[0]


def faults(results):
    return "\n".join(Verification(results).run().faults)


def change_a_score(results, name):
    lines = (results / name).read_text().splitlines()
    values = lines[1].split(",")
    values[lines[0].split(",").index("dice")] = "0.987654"
    (results / name).write_text("\n".join([lines[0], ",".join(values), *lines[2:]]) + "\n")


def swap_images(results):
    content = read_json(results / "s/splits.json")
    part = content["disks"]["splits"][0]
    part["test"][0], part["training"][0] = part["training"][0], part["test"][0]
    (results / "s/splits.json").write_text(json.dumps(content))


def swap_cells(results):
    for name, other in (("0", "x"), ("1", "0"), ("x", "1")):
        (results / CELLS / name).rename(results / CELLS / other)


def pretrain_otherwise(results):
    other = {**settings(seed=6), "validation_fraction": 0.2}
    pretrain(other, results / ARRAYS, results / "s/pretrained/1", quiet)


def predict_other_images(results):
    """Every digest is right; the rows are not those of the cell's fold."""
    folder = results / CELLS / "0"
    rows, probabilities = load_predictions(folder / "predictions.npz")
    rows = (rows + 1) % 20
    np.savez_compressed(folder / "predictions.npz", rows=rows, probabilities=probabilities)
    record = read_record(folder / "run.json")
    write_record(folder, record, record["outputs"])


# Damage to a sound study, and the fault that is reported.
HARMED = [
    (partial(change_a_score, name="s/scores/disks.csv"), "scores/disks.csv: is not what the runs"),
    (partial(change_a_score, name="s/cells.csv"), "s/cells.csv: is not what the runs beside it"),
    (
        lambda results: shutil.rmtree(results / CELLS / "1"),
        "scores/disks.csv: is not what the runs",
    ),
    (swap_images, "splits.json: disks, 80%, fold 0: are not the rows"),
    (swap_cells, f"0/run.json: is of the cell {CELLS}/1"),
    (
        lambda results: save_set(results / ARRAYS, bright_disks(20, seed=1)),
        "pretrained/1/run.json: was trained on other images or masks",
    ),
    (pretrain_otherwise, f"{CELLS}/0/run.json: started from other weights"),
    (predict_other_images, "0/predictions.npz: are not of the test images of its fold"),
]


@pytest.mark.parametrize(("harm", "says"), HARMED)
def test_what_does_not_belong_to_the_rest_is_named(results, harm, says):
    harm(results)
    assert says in faults(results)


def test_cells_that_started_from_an_encoders_weights(results):
    """As in a study without a pre-training."""
    start = results / "weights/some_encoder"
    start.mkdir(parents=True)
    shutil.move(results / "s/pretrained/1/weights.safetensors", start)
    shutil.rmtree(results / "s/pretrained")
    write_record(start, {"encoder": "some"}, ["weights.safetensors"])
    found = Verification(results).run()
    assert found.faults == []
    assert found.checked["encoders"] == 1
    damage(start / "weights.safetensors")
    assert "weights/some_encoder/weights.safetensors: is not what this run wrote" in faults(results)


def test_what_a_removed_fold_left_behind_is_no_fault(results):
    """The tables are made of what the configuration asks for now."""
    make_tables(results, [cell_of(results)])
    found = Verification(results).run()
    assert found.faults == []
    assert found.checked["cells"] == 1


def test_what_verify_says_to_do_ends_in_a_clean_study(results):
    """Each table that it wants deleted is made again from what it did not complain of."""
    tables = [results / "s/scores/disks.csv", results / "s/cells.csv"]
    for table in tables:
        table.write_text(table.read_text().replace("0.", "1.", 1))
    told = faults(results)
    assert "delete it and run again" in told
    for table in tables:
        table.unlink()
    make_tables(results, [cell_of(results, *one) for one in EVERY])
    assert faults(results) == ""


@pytest.fixture
def table(results):
    """A table made of a study's cells, with its record."""
    path, cells = results / "s/tables/table.csv", results / "s/cells.csv"

    def make():
        path.parent.mkdir(exist_ok=True)
        path.write_text(cells.read_text())
        write_view_record(results / "logs/s/table.log", [str(cells)], [str(path)], {})

    make()
    return path, make


def test_a_table_that_is_not_what_was_made(results, table):
    path, make = table
    assert Verification(results).run().checked["views"] == 1
    assert faults(results) == ""
    damage(path)
    assert f"{path}: is not what was made; delete it and run again" in faults(results)
    path.unlink()
    assert faults(results) == ""
    make()
    assert faults(results) == ""


def test_a_table_of_other_cells_than_are_there_now(results, table):
    path, make = table
    cells = results / "s/cells.csv"
    first, *others = cells.read_text().splitlines()
    cells.write_text("\n".join([first, *reversed(others)]) + "\n")  # still what the runs give
    assert faults(results) == (
        f"{path}: was made from another s/cells.csv than that which is there now; delete it and "
        "run again"
    )
    make()
    assert faults(results) == ""


def test_originals_that_changed_after_they_were_prepared(results, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = bright_disks(20)
    write_pairs(tmp_path, range(20), data.images.__getitem__, (data.masks * 255).__getitem__)
    settings = own(images="images/*.png", masks="masks/*.png") | {"source": "disks"}
    originals = originals_digest(settings, ".", tmp_path / "cache.json")
    about = {"settings": settings, "rests_on": {"originals": originals}}
    save_set(results / ARRAYS, replace(data, about={**data.about, **about}))
    assert faults(results) == ""
    write(tmp_path / "masks/3.png", 255 - data.masks[3] * 255)
    assert f"{results / ARRAYS}: was prepared from other files" in faults(results)
    shutil.rmtree(tmp_path / "masks")  # a copy of the results alone
    assert faults(results) == ""


def test_a_folder_without_results(tmp_path, capsys):
    assert main(["verify", str(tmp_path)]) == 1
    assert "there are no results in this folder" in capsys.readouterr().err
