"""Files that were cut or changed behind the workflow's back are named and never used."""

import shutil
from pathlib import Path

import pytest
from faulty import damage
from test_training import bright_disks, quiet, settings

from sonotune.data.dataset import FILES, load_set, save_set
from sonotune.errors import SonotuneError
from sonotune.evaluation.scores import aggregate, score_dataset
from sonotune.jobs.finetune import run_cell
from sonotune.jobs.pretrain import pretrain

FEW = {"learning_rate": 0.01, "batch_size": 2, "epochs": 1, "patience": 1}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Arrays, pre-trained weights and two cells."""
    folder = tmp_path_factory.mktemp("made")
    save_set(folder / "arrays", bright_disks(10))
    pretrain(
        {**settings(training=FEW), "validation_fraction": 0.2},
        folder / "arrays",
        folder / "p",
        quiet,
    )
    for fold in (0, 1):
        cell(folder, fold)
    return folder


def cell(folder, fold):
    ours = settings(training=FEW, fold=fold, init="pretrained")
    weights = folder / "p/weights.safetensors"
    return run_cell(ours, folder / "arrays", weights, folder / str(fold), quiet)


def score(folder):
    cells = [folder / "0", folder / "1"]
    score_dataset(folder / "arrays", cells, folder / "scores.csv")
    aggregate([folder / "scores.csv"], [one / "run.json" for one in cells], folder / "cells.csv")


@pytest.fixture
def copy(made, tmp_path):
    shutil.copytree(made, tmp_path / "copy")
    return tmp_path / "copy"


def cut(path):
    damage(path, path.read_bytes()[:-20])


@pytest.mark.parametrize("harm", [damage, cut, Path.unlink], ids=["flip", "cut", "missing"])
@pytest.mark.parametrize("name", FILES)
def test_arrays(copy, name, harm):
    load_set(copy / "arrays")
    harm(copy / "arrays" / name)
    with pytest.raises(SonotuneError, match=r"arrays: .*delete the folder and run again"):
        load_set(copy / "arrays")


def test_arrays_of_which_only_the_index_was_changed(copy):
    index = copy / "arrays/index.csv"
    damage(index, index.read_bytes().replace(b"disk_3", b"disk_8"))
    with pytest.raises(SonotuneError, match=r"arrays: index\.csv changed after being written"):
        load_set(copy / "arrays")


@pytest.mark.parametrize("harm", [damage, cut], ids=["flip", "cut"])
def test_pretrained_weights(copy, harm):
    harm(copy / "p/weights.safetensors")
    with pytest.raises(SonotuneError, match=r"weights\.safetensors: is not what this run wrote"):
        cell(copy, 0)


@pytest.mark.parametrize("harm", [damage, cut], ids=["flip", "cut"])
def test_predictions(copy, harm):
    score(copy)
    harm(copy / "1/predictions.npz")
    with pytest.raises(SonotuneError, match=r"1/predictions\.npz: is not .* delete the folder"):
        score(copy)


def test_predictions_of_another_cell(copy):
    """They are whole, but not this cell's."""
    shutil.copy2(copy / "0/predictions.npz", copy / "1/predictions.npz")
    with pytest.raises(SonotuneError, match=r"1/predictions\.npz: is not .*from another run"):
        score(copy)


def test_a_record_that_is_cut(copy):
    cut(copy / "1/run.json")
    with pytest.raises(SonotuneError, match=r"1/run\.json: cannot be read"):
        score(copy)


def test_a_record_that_says_something_else(copy):
    record = copy / "1/run.json"
    record.write_text(record.read_text().replace('"failed": true', '"failed": false'))
    with pytest.raises(SonotuneError, match=r"1/run\.json: was changed after it was written"):
        score(copy)


def test_a_missing_file(copy):
    (copy / "1/predictions.npz").unlink()
    with pytest.raises(SonotuneError, match=r"1/predictions\.npz: cannot be read"):
        score(copy)
