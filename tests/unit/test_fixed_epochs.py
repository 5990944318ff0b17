"""Wang's recipe: a fixed number of epochs, the last weights, and records on the test images."""

import copy
import csv
import math
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from test_configuration import SMALL
from test_training import CPU, as_pairs, as_tensor, bright_disks, build, he_normal, quiet, run

from sonotune.config.check import complete
from sonotune.config.jobs import cell_settings
from sonotune.data.dataset import load_set, save_set
from sonotune.evaluation.metrics import THRESHOLD, overlap
from sonotune.evaluation.scores import load_predictions
from sonotune.layout import Cell
from sonotune.training.augment import Augmentation, draw_warps, warp
from sonotune.training.config import TrainingConfig
from sonotune.training.forward import evaluate
from sonotune.training.loop import train
from sonotune.training.segmentation_data import SegmentationData
from sonotune.training.test_monitor import TestSetMonitor, column

FIXED = {"learning_rate": 0.003, "batch_size": 2, "epochs": 3, "patience": False}
FIXED |= {"select_weights": "last"}
HOLDOUT = {"folds": 4, "validation_fraction": 0, "grouped": False, "test_images": 5}


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """A cell of Wang's kind: its folder, record and history."""
    folder = tmp_path_factory.mktemp("recorded")
    disks = folder / "disks"
    save_set(disks, bright_disks(20))
    network = {"name": "unet", "width": 8, "dropout": 0.0, "head": "plain", "relu_after_up": False}
    changes = {"training": FIXED, "resampling": HOLDOUT, "fraction": 0.75, "network": network}
    record = run(disks, folder / "with", **changes, log_test_metrics=True)
    run(disks, folder / "without", **changes)
    with (folder / "with/history.csv").open() as file:
        history = list(csv.DictReader(file))
    return folder, record, history


def test_all_epochs_run_and_none_is_a_failure(recorded):
    _, record, history = recorded
    assert [row["epoch"] for row in history] == list("123")
    assert not record["failed"]
    assert record["outcome"] == "converged"
    assert not record["collapsed"]
    assert record["images"] == {"training": 15, "validation": 0, "test": 5}
    assert all(math.isnan(float(row["validation_loss"])) for row in history)


def test_recording_changes_no_prediction(recorded):
    folder, _, _ = recorded
    first, second = (
        load_predictions(folder / name / "predictions.npz") for name in ("with", "without")
    )
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_the_last_epochs_record_is_what_the_predictions_score(recorded):
    folder, _, history = recorded
    rows, probabilities = load_predictions(folder / "with/predictions.npz")
    truth = load_set(folder / "disks").masks[rows] > 0
    scores = overlap(probabilities >= THRESHOLD, truth)
    for metric in ("dice", "iou", "miou", "pixel_accuracy"):
        last = float(history[-1][column("clean", "per_image", metric)])
        assert last == pytest.approx(scores[metric].mean()), metric


def test_augmented_images_are_others_than_clean_ones_and_anew_every_epoch(recorded):
    _, _, history = recorded
    name = column("augmented", "per_image", "dice")
    assert history[-1][name] != history[-1][column("clean", "per_image", "dice")]
    pairs = as_pairs(bright_disks(6))
    network = build(4, head="plain", relu_after_up=False)
    he_normal(network, 1)
    records = TestSetMonitor(pairs, Augmentation(), 2, CPU, 1, ("a",))
    assert records(network, 1) == records(network, 1)
    assert records(network, 1)[name] != records(network, 2)[name]


def test_pooling_counts_pixels_of_a_batch_together():
    """A large disk found and a small one missed: per image a half, pooled nearly all."""

    class Copy(torch.nn.Module):
        def forward(self, images):
            return images * 2 - 1

    masks = torch.zeros(2, 16, 16, dtype=torch.uint8)
    masks[0, :12] = 1
    images = 255 * masks
    masks[1, 0, :4] = 1
    pairs = SegmentationData(images, masks, torch.arange(2))
    found = TestSetMonitor(pairs, None, 2, CPU, 0, ())(Copy(), 1)
    assert found[column("clean", "per_image", "dice")] == 0.5
    assert found[column("clean", "pooled", "dice")] == pytest.approx(2 * 192 / (2 * 192 + 4))
    assert found[column("clean", "pooled", "iou")] == pytest.approx(192 / 196)
    both = (192 / 196 + (512 - 196) / (512 - 192)) / 2
    assert found[column("clean", "pooled", "miou")] == pytest.approx(both)
    assert not any(name.startswith("augmented") for name in found)


def test_the_best_weights_are_kept_without_an_early_stop():
    data = bright_disks(10)
    # The more is learnt, the worse it fits masks that are the other way round.
    turned = as_pairs(replace(data, masks=1 - data.masks), 4)
    network = build(4, head="plain", relu_after_up=False)
    he_normal(network, 1)
    recipe = TrainingConfig(learning_rate=0.01, epochs=6, patience=False, select_weights="best")
    state = train(network, as_pairs(data), turned, recipe, None, 4, CPU, 0, ("a",), quiet)
    losses = [epoch["validation_loss"] for epoch in state.history]
    assert not state.failure
    assert len(losses) == 6
    assert state.best_epoch == 1 + losses.index(min(losses)) < 6
    assert evaluate(network, turned, CPU)[0] == pytest.approx(min(losses), rel=1e-5)


def test_decay_shrinks_the_steps_after_every_epoch():
    data = bright_disks(6)
    ends = []
    usual = {"learning_rate": 0.01, "patience": False, "select_weights": "last"}
    for changes in ({"epochs": 1}, {"epochs": 2, "lr_decay": 1e-9}, {"epochs": 2}):
        recipe = TrainingConfig(**usual | changes)
        network = build(4)
        he_normal(network, 1)
        train(network, as_pairs(data), as_pairs(data, 0), recipe, None, 3, CPU, 0, ("a",), quiet)
        ends.append(network.state_dict()["block1.conv1.weight"].clone())
    assert torch.allclose(ends[0], ends[1], atol=1e-6)
    assert not torch.allclose(ends[0], ends[2], atol=1e-4)


def test_images_turn_within_the_limit_and_may_stand_on_their_heads():
    random = torch.Generator().manual_seed(0)
    still = {"shift": 0.0, "zoom": 0.0, "flip": 0.0}
    warps = draw_warps(Augmentation(**still, rotation=25), 200, random)
    angles = torch.rad2deg(torch.atan2(warps[:, 1, 0], warps[:, 0, 0]))
    assert 20 < angles.abs().max() <= 25.001
    assert angles.min() < -15
    assert angles.max() > 15
    flipped = draw_warps(Augmentation(**still, vertical_flip=0.1), 1000, random)
    assert 60 < (flipped[:, 1, 1] == -1).sum() < 140
    pairs = as_tensor(bright_disks(1))
    upside_down = warp(pairs, torch.tensor([[[1.0, 0, 0], [0, -1.0, 0]]]), "border")
    assert torch.allclose(upside_down, pairs.flip(2), atol=1e-5)


def test_without_turning_the_same_numbers_are_drawn_as_before():
    first, second = (
        draw_warps(augmentation, 9, torch.Generator().manual_seed(3))
        for augmentation in (Augmentation(), Augmentation(rotation=25, vertical_flip=0.1))
    )
    assert torch.equal(first[:, :, 2], second[:, :, 2])


def test_a_study_without_these_keys_has_settings_without_them():
    config = complete(copy.deepcopy(SMALL))
    plain = cell_settings(config, Cell("s", "sus", "whole", 0.8, 0))
    assert not {"log_test_metrics", "exclude"} & set(plain)


def test_names_in_lists_are_in_the_settings_and_paths_are_not(tmp_path):
    config = copy.deepcopy(SMALL)
    for part in ("train", "test"):
        (tmp_path / part).write_text(f"{part}_HC.png\n")
    study = config["studies"]["s"]
    study["resampling"] = {"lists": {part: str(tmp_path / part) for part in ("train", "test")}}
    study["strategies"]["whole"]["exclude"] = "size_matched"
    settings = cell_settings(complete(config), Cell("s", "sus", "whole", 0.8, 0))
    assert settings["resampling"]["lists"] == {"test": ["test_HC"], "train": ["train_HC"]}
    assert settings["exclude"] == "size_matched"


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("g++"), reason="torch.compile wants a compiler")
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_compiled_training_is_the_same_but_for_the_last_bits(tmp_path, precision):
    disks = tmp_path / "disks"
    save_set(disks, bright_disks(20))
    network = {"name": "unet", "width": 8, "dropout": 0.0, "head": "plain", "relu_after_up": False}
    changes = {"resampling": HOLDOUT, "fraction": 0.75, "network": network, "precision": precision}
    found = {}
    for compiled in (False, True):
        # Few steps: what differs in the last bits grows with every one.
        recipe = {**FIXED, "epochs": 2, "compile": compiled}
        run(disks, tmp_path / str(compiled), **changes, training=recipe)
        _, probabilities = load_predictions(tmp_path / str(compiled) / "predictions.npz")
        found[compiled] = probabilities.astype(int)
    assert np.abs(found[True] - found[False]).mean() < 4  # of 255; processors differ in how much
    assert found[True].std() > 20
