"""Inputs are found where a storage plugin has put its copies."""

from pathlib import Path

from sonotune.runtime.inputs import array_folders, cell_files, cell_folders

HERE = ".snakemake/storage/s3/bucket/results"


def test_arrays_of_a_storage():
    files = [f"{HERE}/datasets/{one}/64/{file}" for one in ("b", "a") for file in ("x.npy", "y")]
    found = array_folders(files)
    assert list(found.items()) == [(one, Path(HERE, "datasets", one, "64")) for one in ("b", "a")]


def test_cells_of_a_storage():
    cells = [f"{HERE}/s/cells/d/{one}/80/0" for one in ("whole", "block_9")]
    both = [f"{cell}/{file}" for cell in cells for file in ("predictions.npz", "run.json")]
    assert cell_folders(both) == [Path(cell) for cell in cells]
    assert cell_files(both[::2]) == {
        "d": {"whole": Path(both[0]), "block_9": Path(both[2])},
    }
