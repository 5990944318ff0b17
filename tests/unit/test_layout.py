"""Paths under ``results/``: what is written to a path is read from it again."""

import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sonotune import layout
from sonotune.layout import Cell, arrays, digest_of, fraction_text, pretrained_folder
from sonotune.layout.found import (
    array_folders,
    cell_folders,
    checkpoint_beside,
    dataset_of,
    files_of_cells,
)

STORED = ".snakemake/storage/s3/bucket/results"

# Some are those of our own folders: nothing forbids a strategy called ``pretrained``.
names = st.sampled_from(["sus", "block_9", "a", "cells", "pretrained", "checkpoints", "datasets"])
fractions = st.decimals(0, 1, places=6).map(float)
cells = st.builds(
    Cell,
    study=names,
    dataset=names,
    strategy=names,
    fraction=fractions,
    fold=st.integers(0, 99),
    seed=st.integers(1, 12),
    pretraining=st.integers(1, 12),
)


@given(fractions)
@example(0.00001)
@example(0.57)
@example(0.0)
@example(1.0)
def test_every_fraction_comes_back_from_its_path(fraction):
    text = fraction_text(fraction)
    assert re.fullmatch(layout.FRACTION, text)
    assert float(text) == fraction


@given(cells, st.sampled_from(["", "results/", "/data/results/", f"{STORED}/"]))
def test_a_cell_comes_back_from_its_folder_and_from_files_in_it(cell, before):
    assert Cell.of(before + cell.folder) == cell
    assert Cell.of(Path(before + cell.folder, layout.RECORD)) == cell


@pytest.mark.parametrize(
    ("numbers", "text"),
    [((0,), "0"), ((3, 1, 1), "3"), ((0, 2), "0-s2"), ((0, 1, 2), "0-p2"), ((4, 2, 3), "4-s2-p3")],
)
def test_a_cells_folder_names_no_first_seed_nor_pretraining(numbers, text):
    assert Cell("s", "sus", "b", 0.05, *numbers).folder == f"s/cells/sus/b/0.05/{text}"
    assert re.fullmatch(layout.FOLD, text)


@pytest.mark.parametrize(
    "path",
    ["s/cells/d/whole/0.8", "s/cells/d/whole/0.8/x", "s/pretrained/1", "s/cells/d/whole/0.8/0-q2",
     "s/cells/d/whole/0.8/0-p2-s2", "s/cells/d/whole/0.8/0/a/b", "cells/d/whole/0.8/0"],
)  # fmt: skip
def test_what_is_no_cell_is_refused(path):
    with pytest.raises(ValueError, match="is not the path of a cell"):
        Cell.of(path)


def test_equal_settings_have_one_digest():
    one = digest_of({"a": 50, "b": {"c": [1, 2.0], "d": None}})
    assert one == digest_of({"b": {"d": None, "c": (1.0, 2)}, "a": 50.0})
    assert re.fullmatch(layout.DIGEST, one)


@pytest.mark.parametrize(
    "other",
    [{"a": 51, "b": [1, 2]}, {"a": 50, "b": [2, 1]}, {"a": 50}, {"a": "50", "b": [1, 2]},
     {"a": 50, "b": [1, 2], "c": None}, {"a": 50.5, "b": [1, 2]}, {"b": 50, "a": [1, 2]}],
)  # fmt: skip
def test_other_settings_have_another_digest(other):
    assert digest_of(other) != digest_of({"a": 50, "b": [1, 2]})


@given(names, st.sampled_from([16, 256, "original"]))
def test_a_data_set_comes_back_from_its_arrays(dataset, size):
    files = arrays(dataset, "0123abcd", size)
    assert {dataset_of(file) for file in files} == {dataset}
    assert {dataset_of(Path(file).parent) for file in files} == {dataset}
    assert dataset_of(Path(files[0]).parents[1]) == dataset


@pytest.mark.parametrize("path", ["results/datasets/sus/16/images.npy", "datasets/s-01234567890/x"])
def test_a_data_set_without_a_digest_is_refused(path):
    with pytest.raises(ValueError, match="is not in the folder of a data set"):
        dataset_of(path)


@given(st.lists(cells, min_size=2, max_size=9, unique=True), st.integers(1, 9))
def test_no_two_checkpoints_are_one(found, pretraining):
    folders = [*(cell.folder for cell in found)]
    folders += [layout.below_results(pretrained_folder(found[0].study, pretraining))]
    assert len({checkpoint_beside(folder) for folder in folders}) == len(folders)


def test_checkpoints():
    assert checkpoint_beside("results/s/cells/d/whole/0.8/0-s2") == Path(
        "results/s/checkpoints/cells/d/whole/0.8/0-s2.safetensors"
    )
    assert checkpoint_beside(pretrained_folder("s", 2)) == Path(
        "results/s/checkpoints/pretrained/2.safetensors"
    )
    # Where folders above have one of these names.
    assert checkpoint_beside("/home/cells/results/s/pretrained/1") == Path(
        "/home/cells/results/s/checkpoints/pretrained/1.safetensors"
    )


def test_arrays_of_a_storage():
    """They are where a storage plugin has put its copies."""
    files = [f"{STORED}/datasets/{one}-0123abcd/64/{file}" for one in "ba" for file in ("x", "y")]
    found = array_folders(files)
    wanted = [(one, Path(STORED, "datasets", f"{one}-0123abcd/64")) for one in "ba"]
    assert list(found.items()) == wanted


def test_cells_of_a_storage():
    folders = [f"{STORED}/s/cells/d/{one}/0.8/0" for one in ("whole", "block_9")]
    both = [f"{folder}/{file}" for folder in folders for file in ("predictions.npz", "run.json")]
    assert cell_folders(both) == [Path(folder) for folder in folders]
    assert files_of_cells(both[::2]) == {"d": {"whole": Path(both[0]), "block_9": Path(both[2])}}
