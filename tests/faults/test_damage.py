"""Files that were cut or changed behind the workflow's back are named and never used."""

import shutil
from itertools import product
from pathlib import Path

import pytest
from builders import ARRAYS, START, cell_of, make_tables
from faulty import damage
from test_training import quiet, settings

from sonotune.data.dataset import FILES, load_set
from sonotune.errors import SonotuneError
from sonotune.jobs.finetune import run_cell

CELL = "s/cells/disks/block_9/0.8/1"


def load(results):
    load_set(results / ARRAYS)


def train(results):
    ours = settings(fold=2, init="pretrained")
    run_cell(ours, results / ARRAYS, results / START, results / "new", quiet)


def score(results):
    make_tables(results, [cell_of(results, fold=fold) for fold in (0, 1)])


def cut(path):
    damage(path, path.read_bytes()[:-20])


def rename_an_image(path):
    damage(path, path.read_bytes().replace(b"disk_3", b"disk_8"))


def say_something_else(path):
    path.write_text(path.read_text().replace('"failed": true', '"failed": false'))


def take_that_of_another_cell(path):
    """It is whole."""
    shutil.copy2(path.parent.with_name("0") / path.name, path)


# The file, the damage, the function that reads it, and words of the message.
HARMED = [
    *(
        (f"{ARRAYS}/{name}", harm, load, "32: .*delete the folder and run again")
        for name, harm in product(FILES, (damage, cut, Path.unlink))
    ),
    (f"{ARRAYS}/index.csv", rename_an_image, load, r"32: index\.csv changed after being written"),
    *(
        (START, harm, train, r"weights\.safetensors: is not what this run")
        for harm in (damage, cut)
    ),
    *(
        (f"{CELL}/predictions.npz", harm, score, r"1/predictions\.npz: is not .* delete the folder")
        for harm in (damage, cut)
    ),
    (
        f"{CELL}/predictions.npz",
        take_that_of_another_cell,
        score,
        r"1/predictions\.npz: is not .*from another run",
    ),
    (f"{CELL}/predictions.npz", Path.unlink, score, r"1/predictions\.npz: cannot be read"),
    (f"{CELL}/run.json", cut, score, r"1/run\.json: cannot be read"),
    (
        f"{CELL}/run.json",
        say_something_else,
        score,
        r"1/run\.json: was changed after it was written",
    ),
]


@pytest.mark.parametrize(("name", "harm", "read", "says"), HARMED)
def test_what_was_harmed_is_named_and_not_used(results, name, harm, read, says):
    read(results)
    shutil.rmtree(results / "new", ignore_errors=True)
    harm(results / name)
    with pytest.raises(SonotuneError, match=says):
        read(results)
