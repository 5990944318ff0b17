"""What must hold on a GPU; skipped where there is none.

SONOTUNE_TEST_DEVICE=cpu runs what a CPU can run of it: so the tests themselves are tested.
"""

import os
import subprocess
import sys
from itertools import product

import numpy as np
import pytest
import torch
from builders import outputs_of
from test_checkpoint import Run
from test_prediction import predicted
from test_training import bright_disks, quiet, settings
from tiny_files import write

from sonotune.cli import main
from sonotune.data.dataset import save_set
from sonotune.errors import SonotuneError
from sonotune.evaluation.scores import load_predictions
from sonotune.jobs.finetune import run_cell
from sonotune.jobs.pretrain import pretrain
from sonotune.networks.stages import build_network
from sonotune.networks.weights import start_network
from sonotune.runtime.gpus import run_on_gpu
from sonotune.training.device import choose
from sonotune.training.forward import predict

DEVICE = os.environ.get("SONOTUNE_TEST_DEVICE", "cuda")
pytestmark = pytest.mark.skipif(
    DEVICE == "cuda" and not torch.cuda.is_available(), reason="wants a GPU"
)
gpu_only = pytest.mark.skipif(DEVICE != "cuda", reason="has no meaning on a CPU")

UNET = {"name": "unet", "width": 8, "dropout": 0.5, "head": "plain"}
SMP = {"name": "smp_unet", "encoder": "resnet18"}
NETWORKS = {
    "unet": UNET,
    "unet_two_channels": {"name": "unet", "width": 16},
    "unet_bn": {"name": "unet_bn", "width": 8},
    "mobilenet_v2": {"name": "smp_unet", "encoder": "mobilenet_v2"},
    "frozen_norm": {"name": "smp_unet", "encoder": "mobilenet_v2", "batch_norm": "freeze"},
    **{
        decoder: {**SMP, "decoder": decoder}
        for decoder in ("unetplusplus", "manet", "linknet", "fpn", "pan", "deeplabv3plus")
    },
    "transformer": {"name": "smp_unet", "encoder": "mit_b0"},
}
if DEVICE == "cpu":  # the others take minutes there
    NETWORKS = {name: NETWORKS[name] for name in ("unet", "mobilenet_v2")}
PRECISIONS = ("fp32", "bf16")
RECIPES = {
    "fixed": {"patience": False, "select_weights": "last", "lr_decay": 0.5, "batch_size": 3},
    "early_stop": {"patience": 1, "epochs": 3},
    "attempts": {"patience": 3, "epochs": 2, "attempts": 2},
    "one_by_one": {"epochs": 2, "graph": False},
    "graph": {"epochs": 2, "graph": True},
}
RECIPE = {"learning_rate": 0.003, "batch_size": 2, "epochs": 2, "patience": 2}


@pytest.fixture(scope="module")
def arrays(tmp_path_factory):
    folders = {}
    for size in (32, 64, 128):
        folders[size] = tmp_path_factory.mktemp(f"disks{size}")
        save_set(folders[size], bright_disks(20, size=size))
    return folders


def train(arrays, folder, network=UNET, **changes):
    """One cell on the device; its record, predictions and weights."""
    size = 128 if network.get("decoder") == "pan" else 64 if network["name"] == "smp_unet" else 32
    stages = list(build_network(network).stages)
    asked = settings(
        **{
            "network": network,
            "tune": stages[len(stages) // 2 :],
            "training": RECIPE,
            "device": DEVICE,
            **changes,
        }
    )
    record = run_cell(asked, arrays[size], None, folder, quiet, keep_weights=True)
    return asked, record


@pytest.mark.parametrize(("name", "precision"), [*product(NETWORKS, PRECISIONS)])
def test_every_network_trains_twice_alike(arrays, tmp_path, name, precision):
    """`run_cell` itself refuses a frozen stage that changed by a bit."""
    network = NETWORKS[name]
    _, record = train(arrays, tmp_path / "a", network, precision=precision)
    assert record["epochs"] == 2
    assert record["processor"]["device"] == DEVICE
    assert record["processor"]["precision"] == precision
    train(arrays, tmp_path / "b", network, precision=precision)
    assert outputs_of(tmp_path / "a") == outputs_of(tmp_path / "b")


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_recipe_trains(arrays, tmp_path, recipe):
    _, record = train(arrays, tmp_path, training={**RECIPE, **RECIPES[recipe]})
    assert record["outcome"] in ("converged", "no_early_stop")


def test_a_pretraining_trains(arrays, tmp_path):
    asked = {key: settings()[key] for key in ("dataset", "seed", "network", "precision", "code")}
    asked |= {"device": DEVICE, "threads": 1, "validation_fraction": 0.2, "training": RECIPE}
    record = pretrain(asked, arrays[32], tmp_path, quiet)
    assert record["epochs"] == 2


@pytest.mark.parametrize(("network", "precision"), [*product(("unet", "mobilenet_v2"), PRECISIONS)])
def test_a_graph_takes_the_steps_that_are_taken_one_by_one(arrays, tmp_path, network, precision):
    for graph in (True, False):
        recipe = {**RECIPE, "graph": graph}
        train(
            arrays,
            tmp_path / str(graph),
            NETWORKS[network],
            precision=precision,
            training=recipe,
            augmentation={"shift": 0.05, "zoom": 0.05, "flip": 0.5},
        )
    assert outputs_of(tmp_path / "True") == outputs_of(tmp_path / "False")


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_stopped_training_resumes_to_the_same_end(arrays, tmp_path, precision):
    changes = {"device": DEVICE, "precision": precision, "network": UNET}
    whole = Run(arrays[32], tmp_path / "whole", **changes)
    whole.go()
    stopped = Run(arrays[32], tmp_path / "stopped", **changes)
    stopped.stop(after=2)
    assert stopped.go()["resumed"] == 1
    assert stopped.results() == whole.results()


@pytest.mark.parametrize("name", NETWORKS)
def test_predictions_are_those_of_a_cpu(name):
    network = start_network(NETWORKS[name], None, 1)
    images = torch.rand(3, 1, 128, 128, generator=torch.Generator().manual_seed(1))
    found = {}
    for device in ("cpu", DEVICE):
        processor = choose(device, "fp32", 1)
        network.to(device, memory_format=torch.channels_last)
        found[device] = torch.cat([*predict(network, [images.to(device)], processor)])
    assert float((found["cpu"] - found[DEVICE]).abs().max()) < 1e-4


def test_predict_and_export_serve_a_cell_of_this_device(tmp_path):
    data = bright_disks(20)
    arrays, cell = tmp_path / "datasets/disks-0/32", tmp_path / "s/cells/disks/whole/0.8/1"
    save_set(arrays, data)
    run_cell(settings(device=DEVICE), arrays, None, cell, quiet, keep_weights=True)
    rows, probabilities = load_predictions(cell / "predictions.npz")
    files = [tmp_path / f"images/disk_{row:02d}.png" for row in rows]
    for row, file in zip(rows, files, strict=True):
        write(file, data.images[row])
    output = tmp_path / "out"
    assert main(["predict", str(cell), *map(str, files), "--output", str(output)]) == 0
    for row, wanted in zip(rows, probabilities, strict=True):
        found = predicted(output, f"disk_{row:02d}").astype(int)
        assert np.abs(found - wanted).max() <= 1
    assert main(["export", str(cell), str(tmp_path / "model.safetensors")]) == 0


@gpu_only
def test_memory_that_does_not_suffice_is_one_message(arrays, tmp_path):
    said = []

    def run():
        said.append("run")
        train(arrays, tmp_path, {**UNET, "width": 64})

    torch.cuda.empty_cache()
    used = torch.cuda.memory_reserved() + 2**24
    torch.cuda.set_per_process_memory_fraction(used / torch.cuda.mem_get_info()[1])
    try:
        with pytest.raises(SonotuneError, match="out of GPU memory"):
            run_on_gpu(run, "cuda", said.append)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert said.count("run") == 2, "once more, alone"
    train(arrays, tmp_path)  # the process can still train


ONE = """
import hashlib, sys
from pathlib import Path
import test_cuda as t
data, folder = map(Path, sys.argv[1:])
t.run_on_gpu(lambda: t.train({32: data}, folder), t.DEVICE, t.quiet)
print(hashlib.sha256((folder / "predictions.npz").read_bytes()).hexdigest())
"""


def start(arrays, folder, **environment):
    path = os.pathsep.join(sys.path)
    return subprocess.Popen(
        [sys.executable, "-c", ONE, arrays[32], folder],
        env={**os.environ, "PYTHONPATH": path, **environment},
        stdout=subprocess.PIPE,
        text=True,
    )


def test_two_processes_share_a_device_and_agree(arrays, tmp_path):
    running = [start(arrays, tmp_path / name) for name in "ab"]
    said = [process.communicate(timeout=300)[0] for process in running]
    assert [process.returncode for process in running] == [0, 0]
    assert said[0] == said[1] != ""


@gpu_only
@pytest.mark.parametrize("form", ["index", "uuid", "mig"])
def test_a_device_is_named_by_index_uuid_or_instance(arrays, tmp_path, form):
    listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True).stdout
    names = [line.rsplit("UUID: ", 1)[1].rstrip(")") for line in listed.splitlines()]
    kinds = {"uuid": "GPU-", "mig": "MIG-"}
    found = ["0"] if form == "index" else [n for n in names if n.startswith(kinds[form])]
    if not found:
        pytest.skip("no such device here")
    seen = {"CUDA_VISIBLE_DEVICES": found[0], "SONOTUNE_GPU_SLOTS": "1"}
    process = start(arrays, tmp_path / "one", **seen)
    assert process.communicate(timeout=300)[0]
    assert process.returncode == 0
