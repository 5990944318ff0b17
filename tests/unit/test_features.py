"""Feature maps before and after fine-tuning (Amiri 2020, Fig. S2)."""

import os
import signal

import numpy as np
import pytest
import torch
from made_up_cells import figure_of
from test_training import bright_disks, settings

from sonotune.data.dataset import save_set
from sonotune.errors import Stopped
from sonotune.jobs.features import stage_outputs, write_features
from sonotune.networks.unet import build
from sonotune.networks.weights import he_normal
from sonotune.networks.weights_file import save_weights
from sonotune.report.display_options import DisplayOptions


def write(folder, target, *how):
    cell = settings(init="pretrained", tune=["block5b", "block9"])
    write_features(cell, folder / "disks", folder / "start.safetensors", target, *how)


@pytest.fixture(scope="module")
def maps(tmp_path_factory):
    """Maps of a cell that tuned the last two blocks."""
    folder = tmp_path_factory.mktemp("maps")
    save_set(folder / "disks", bright_disks(20))
    network = build(width=4, dropout=0.1, head="plain")
    he_normal(network, 3)
    save_weights(network.state_dict(), folder / "start.safetensors")
    write(folder, folder / "maps.npz", print)
    return folder / "maps.npz"


def test_maps_of_a_training_that_was_stopped_are_the_same(maps, tmp_path):
    checkpoint = tmp_path / "checkpoints/features/disks.safetensors"

    def stop(line):
        if line.startswith("epoch"):
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(Stopped):
        write(maps.parent, tmp_path / "maps.npz", stop, checkpoint)
    assert checkpoint.is_file()
    write(maps.parent, tmp_path / "maps.npz", print, checkpoint)
    assert not checkpoint.exists()
    with np.load(maps) as whole, np.load(tmp_path / "maps.npz") as resumed:
        assert all(np.array_equal(whole[name], resumed[name]) for name in whole)


def test_a_frozen_stage_gives_the_same_maps_and_a_tuned_one_others(maps):
    with np.load(maps, allow_pickle=False) as stored:
        assert list(stored["stages"]) == ["block1", "block5b"]
        assert stored["shallow"].shape == (2, 4, 32, 32)
        assert stored["deep"].shape == (2, 4, 2, 2)
        assert np.array_equal(*stored["shallow"])
        assert not np.array_equal(*stored["deep"])


def test_maps_are_what_the_network_computes():
    network = build(width=2)
    he_normal(network, 1)
    image = bright_disks(1).images[0]
    found = stage_outputs(network, image)
    assert list(found) == list(network.stages)
    with torch.inference_mode():
        logits = network.eval()(torch.from_numpy(image)[None, None].float() / 255)
    assert np.array_equal(found["block9"], logits[0].numpy())


def test_fig_s2_is_drawn_and_the_same_every_time(maps, tmp_path):
    features = {"a": maps, "b": maps}
    given = {
        "features": features,
        "arrays": dict.fromkeys(features, maps.parent / "disks"),
        "display": DisplayOptions({}, {"a": "A", "b": "B"}),
        "features_of": {"strategy": "Whole network", "fraction": 0.8, "fold": 0},
    }
    first, again = (
        [file.read_bytes() for file in figure_of("figs2", tmp_path / name, **given)]
        for name in "ab"
    )
    assert first == again
