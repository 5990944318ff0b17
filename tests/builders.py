"""What several tests make or look up."""

import copy
import csv
from pathlib import Path

import numpy as np
import yaml

from sonotune.config.check import complete
from sonotune.config.jobs import dataset_settings
from sonotune.data.image_set import ImageSet
from sonotune.evaluation.scores import aggregate, score_dataset
from sonotune.layout import dataset_folder, digest_of
from sonotune.runtime.run_record import write_record


def dataset_place(config, name):
    """Folder of a data set below the one where a workflow runs: of a configuration or its file."""
    if isinstance(config, str | Path):
        config = yaml.safe_load(Path(config).read_text())
    return dataset_folder(name, digest_of(dataset_settings(complete(config), name)))


def one_study(dataset=None, **study):
    """A configuration, not yet completed, of a study `s` that trains on a data set `mine`."""
    strategies = {"whole": {"init": "random", "tune": "all"}}
    return {
        "datasets": {"mine": dataset or {"reader": "simulate", "images": 40}},
        "studies": {"s": {"datasets": ["mine"], "strategies": strategies, **study}},
    }


def changed(config, path, value):
    """A copy of a configuration with one key set, or removed where the value is `...`."""
    config = copy.deepcopy(config)
    *parents, last = path
    node = config
    for key in parents:
        node = node[key]
    if value is ...:
        del node[last]
    else:
        node[last] = value
    return config


def image_set(masks, images=None, names=None, groups=None, source="made up", **known):
    """A data set of these masks; ``known`` is the same in all rows of its index."""
    names = names or [f"i{number}" for number in range(len(masks))]
    row = {"original_height": masks.shape[1], "original_width": masks.shape[2]}
    row |= {"mm_per_pixel_y": None, "mm_per_pixel_x": None, **known}
    index = [
        {"name": name, "group": group, **row}
        for name, group in zip(names, groups or names, strict=True)
    ]
    about = {"dataset": source, "source": source}
    return ImageSet(masks * 9 if images is None else images, masks, index, about)


def write_cell(folder, rows, probabilities, settings, **changes):
    """Predictions and record of a cell that nobody trained; its folder."""
    processor = {"device": "cpu", "precision": "fp32", "threads": 1, "torch": "2", "numpy": "2"}
    record = {
        "settings": {"study": "s", "fraction": 0.8, "fold": 0, **settings},
        "source": "made up",
        **{"outcome": "converged", "failed": False, "collapsed": False},
        **{"epochs": 3, "best_epoch": 2, "seconds": 1.5, "steps_per_second": 4.0},
        **{"tuned_parameters": 10, "total_parameters": 20, "processor": processor},
        "cpu_seconds": {"total": 3.0, "training": 2.0, "evaluation": 0.5},
        **changes,
    }
    folder.mkdir(parents=True)
    np.savez_compressed(folder / "predictions.npz", rows=rows, probabilities=probabilities)
    write_record(folder, record, ["predictions.npz"])
    return folder


# Of the results of the fixture `trained`.
ARRAYS = "datasets/disks-0123abcd/32"
START = "s/pretrained/1/weights.safetensors"


def cell_of(results, strategy="block_9", fold=0):
    return results / f"s/cells/disks/{strategy}/0.8/{fold}"


def make_tables(results, cells):
    """Write the scores of some cells and their table, as the workflow does."""
    scores = results / "s/scores/disks.csv"
    score_dataset(results / ARRAYS, cells, scores)
    aggregate([scores], [one / "run.json" for one in cells], results / "s/cells.csv")


def outputs_of(folder):
    """What a training wrote, but for times: its history, and the bytes of arrays and weights."""
    with (folder / "history.csv").open(newline="") as file:
        history = [{k: v for k, v in row.items() if k != "seconds"} for row in csv.DictReader(file)]
    files = [path for path in folder.iterdir() if path.suffix in (".npz", ".safetensors")]
    return history, {path.name: path.read_bytes() for path in files}
