"""The recipe and a whole cell (Amiri 2020, section II-D)."""

import platform
import subprocess
import sys

import numpy as np
import pytest
import torch
from builders import image_set

from sonotune.data.dataset import load_set, save_set
from sonotune.data.image_set import ImageSet
from sonotune.errors import SonotuneError
from sonotune.evaluation.metrics import THRESHOLD, overlap
from sonotune.evaluation.scores import load_predictions
from sonotune.jobs.finetune import run_cell
from sonotune.jobs.pretrain import pretrain
from sonotune.networks.stage_names import UNET_STAGES
from sonotune.networks.stages import freeze_all_but
from sonotune.networks.unet import build
from sonotune.networks.weights import he_normal, load_weights, start_network
from sonotune.networks.weights_file import save_weights
from sonotune.runtime.run_record import read_record
from sonotune.seeds import torch_seed
from sonotune.training.augment import Augmentation, draw_warps, warp
from sonotune.training.config import TrainingConfig
from sonotune.training.device import Processor, choose
from sonotune.training.finetune import cell_names
from sonotune.training.forward import evaluate, is_dead, max_inference_batch, predict, quantise
from sonotune.training.loop import train
from sonotune.training.optimiser import Adam
from sonotune.training.segmentation_data import SegmentationData

CPU = choose("cpu", "fp32", 1)


def bright_disks(images: int, size: int = 32, seed: int = 0) -> ImageSet:
    """Bright disks on a dark ground in noise: a task that the smallest network learns."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size]
    masks, pictures = [], []
    for _ in range(images):
        cy, cx, r = random.uniform([8, 8, 4], [size - 8, size - 8, 8])
        mask = (y - cy) ** 2 + (x - cx) ** 2 < r**2
        pictures.append(np.clip(60 + 120 * mask + random.normal(0, 15, mask.shape), 0, 255))
        masks.append(mask)
    names = [f"disk_{i}" for i in range(images)]
    return image_set(np.array(masks, np.uint8), np.array(pictures, np.uint8), names, source="disks")


def as_tensor(data: ImageSet) -> torch.Tensor:
    stacked = np.stack([data.images / 255, data.masks], axis=1)
    return torch.from_numpy(stacked.astype(np.float32))


def as_pairs(data: ImageSet, number: int | None = None) -> SegmentationData:
    """The first of these images, or all."""
    return SegmentationData.of(data, np.arange(len(data.images) if number is None else number), CPU)


def settings(**changes):
    return {
        "study": "s",
        "dataset": "disks",
        "strategy": "whole",
        "fraction": 0.8,
        "fold": 1,
        "init": "random",
        "tune": list(UNET_STAGES),
        "seed": 5,
        "network": {"name": "unet", "width": 4, "dropout": 0.1, "head": "plain"},
        "resampling": {"folds": 5, "validation_fraction": 0.2, "grouped": False},
        "training": {"learning_rate": 0.003, "batch_size": 2, "epochs": 3, "patience": 3},
        "augmentation": {"shift": 0.05, "zoom": 0.05, "flip": 0.5},
        "device": "cpu",
        "precision": "fp32",
        "threads": 1,
        "code": "0",
        **changes,
    }


def quiet(line):
    pass


def run(disks, folder, pretrained=None, keep_weights=False, **changes):
    return run_cell(settings(**changes), disks, pretrained, folder, quiet, None, keep_weights)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    network = build(4, 0.1, head="plain")
    he_normal(network, 9)
    path = tmp_path_factory.mktemp("weights") / "weights.safetensors"
    save_weights(network.state_dict(), path)
    return path


@pytest.mark.parametrize("tune", [["block1"], ["block5a", "block5b"], ["block1", "block9"]])
def test_frozen_stages_do_not_change_and_tuned_ones_do(tune):
    network = build(4)
    he_normal(network, 0)
    freeze_all_but(network, tune)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    data, few = as_pairs(bright_disks(8)), as_pairs(bright_disks(8), 2)
    train(network, data, few, TrainingConfig(epochs=2), None, 4, CPU, 0, ("a",), quiet)
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, before[name]) == (name.split(".")[0] not in tune), name


def test_our_adam_takes_the_steps_of_pytorchs():
    ours, theirs = build(2), build(2)
    for network in (ours, theirs):
        he_normal(network, 3)
    images = torch.rand(2, 1, 32, 32)
    steps = (
        (ours, Adam(ours.parameters(), 0.01)),
        (theirs, torch.optim.Adam(theirs.parameters(), lr=0.01, fused=True)),
    )
    for network, optimiser in steps:
        network.eval()
        for _ in range(4):
            optimiser.zero_grad()
            network(images).square().mean().backward()
            optimiser.step()
    for name, tensor in theirs.state_dict().items():
        assert torch.equal(tensor, ours.state_dict()[name]), name


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_large_images_are_computed_few_at_a_time(precision):
    processor = Processor("cpu", precision, 1, "any")
    sizes = {64: 16, 128: 16, 256: 4, 512: 1, 1024: 1}
    assert {s: max_inference_batch(torch.empty(9, 1, s, s), processor) for s in sizes} == sizes
    on_a_card = Processor("cuda", precision, 1, "any")
    assert max_inference_batch(torch.empty(9, 1, 512, 512), on_a_card) == 8
    network = build(4)
    he_normal(network, 1)
    images = torch.rand(8, 1, 64, 64, generator=torch.Generator().manual_seed(1))
    each, some = (torch.cat([*predict(network, images.split(n), processor)]) for n in (1, 4))
    torch.testing.assert_close(each, some, rtol=0, atol={"fp32": 1e-5, "bf16": 1e-2}[precision])


# Asked of a process of its own, once it has all that a cell needs.
PROCESS = """
import gc, resource, sys, torch
from sonotune.jobs.finetune import run_cell
from sonotune.runtime.job import exit_fast
from sonotune.training import cuda
from sonotune.training.device import choose
from sonotune.training.optimiser import Adam

assert gc.isenabled()
assert gc.get_freeze_count() > 100_000
weight = torch.nn.Parameter(torch.ones(2))
optimiser = Adam([weight], 0.1)
weight.sum().backward()
optimiser.step()
unused = ("torch._dynamo", "pandas", "matplotlib", "scipy", "cv2", "skimage")
assert not [name for name in unused if name in sys.modules]
choose("cpu", "fp32", 1)
faults = []
for _ in range(20):
    torch.ones(64 << 20, dtype=torch.uint8)
    faults.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)
print(faults[-1] - faults[9])
cuda.set_up()
b = torch.backends
assert b.cudnn.conv.fp32_precision != "tf32" and not b.cudnn.allow_tf32
assert not b.cuda.matmul.allow_tf32 and torch.get_float32_matmul_precision() == "highest"
exit_fast()
print("never")
"""


def test_a_training_loads_only_what_it_uses_and_gets_its_memory_back_without_the_kernel():
    """Python's collector passes over what was imported, and fp32 is not TF32 on a GPU."""
    run = subprocess.run([sys.executable, "-c", PROCESS], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    if platform.libc_ver()[0] == "glibc":
        assert int(run.stdout) < 1000  # it would be 16,384 each of ten times


def test_images_stay_in_the_mapped_files_until_a_batch_is_made(disks):
    data = load_set(disks)
    pairs = SegmentationData.of(data, np.array([3, 1, 4]), CPU)
    assert pairs.images.data_ptr() == data.images.ctypes.data
    assert pairs.masks.data_ptr() == data.masks.ctypes.data
    taken = pairs.batch(torch.tensor([2, 0]))
    assert torch.equal(taken, as_tensor(data)[[4, 3]])
    assert torch.equal(torch.cat([*pairs.split(2)]), as_tensor(data)[[3, 1, 4]])


def test_a_cell_learns_its_task(disks, tmp_path):
    recipe = {"learning_rate": 0.01, "batch_size": 2, "epochs": 20, "patience": 20}
    run(disks, tmp_path, training=recipe, seed=1, augmentation=None)
    rows, probabilities = load_predictions(tmp_path / "predictions.npz")
    truth = bright_disks(20).masks[rows] > 0
    assert overlap(probabilities >= THRESHOLD, truth)["dice"].mean() > 0.8


def test_a_record_says_what_ran(disks, tmp_path, weights):
    from safetensors.torch import load_file

    record = run(disks, tmp_path, weights, True, tune=["block9"], init="pretrained")
    assert record == read_record(tmp_path / "run.json")
    assert record["images"] == {"training": 13, "validation": 3, "test": 4}
    assert record["tuned_parameters"] == 577
    assert record["total_parameters"] == 121_653
    assert record["processor"]["device"] == "cpu"
    assert len(record["inputs"]["weights_sha256"]) == 64
    cpu = record["cpu_seconds"]
    assert 0 < cpu["training"] < cpu["total"]
    assert (record["failed"], record["outcome"]) == (True, "no_early_stop")
    assert record["failure"] == "no early stop within 3 epochs"
    assert (tmp_path / "predictions.npz").exists()
    kept = load_file(tmp_path / "weights.safetensors")
    assert {name.split(".")[0] for name in kept} == {"block9"}


def test_the_unchanged_network_is_evaluated_and_not_trained(disks, tmp_path, weights):
    record = run(disks, tmp_path, weights, True, strategy="unchanged", fraction=0, tune=[])
    assert (tmp_path / "weights.safetensors").exists()
    assert record["outcome"] is None
    assert not record["failed"]
    assert not record["collapsed"]
    assert record["epochs"] == 0
    network = build(4, 0.1, head="plain")
    load_weights(network, weights)
    rows, probabilities = load_predictions(tmp_path / "predictions.npz")
    network.eval()
    with torch.inference_mode():
        expected = network(as_tensor(bright_disks(20))[rows, :1]).sigmoid()[:, 0]
    assert np.abs(quantise(expected).astype(int) - probabilities.astype(int)).max() <= 1


def test_training_ends_after_patience_and_keeps_the_best_weights():
    network = build(4)
    he_normal(network, 0)
    data, validation = as_pairs(bright_disks(8)), as_pairs(bright_disks(4, seed=1))
    recipe = TrainingConfig(learning_rate=0.03, epochs=60, patience=4)
    state = train(network, data, validation, recipe, None, 4, CPU, 0, ("a",), quiet)
    assert state.outcome == "converged"
    assert state.failure is None
    assert len(state.history) == state.best_epoch + 4
    losses = [epoch["validation_loss"] for epoch in state.history]
    assert min(losses) == losses[state.best_epoch - 1]
    assert evaluate(network, validation, CPU)[0] == pytest.approx(min(losses), rel=1e-5)


def test_a_loss_that_is_not_finite_is_a_failure_and_not_an_error(disks, tmp_path):
    recipe = {"learning_rate": 1e30, "batch_size": 2, "epochs": 30, "patience": 20}
    record = run(disks, tmp_path, training=recipe)
    assert record["failed"]
    assert "loss not finite in epoch" in record["failure"]
    rows, _ = load_predictions(tmp_path / "predictions.npz")
    assert len(rows) == 4


def test_a_run_that_says_the_same_everywhere_has_collapsed(tmp_path):
    data = bright_disks(20)
    data.masks[:] = 0
    save_set(tmp_path / "empty", data)
    recipe = {"learning_rate": 0.01, "batch_size": 2, "epochs": 10, "patience": 3}
    record = run(tmp_path / "empty", tmp_path / "cell", training=recipe)
    assert record["collapsed"]


def test_dice_of_stored_predictions_is_dice_of_the_float_ones():
    probabilities = torch.rand(4, 32, 32, generator=torch.Generator().manual_seed(0))
    probabilities[0, :4] = 0.5
    truth = bright_disks(4).masks > 0
    stored = overlap(quantise(probabilities) >= THRESHOLD, truth)
    exact = overlap(probabilities.numpy() > 0.5, truth)
    assert np.array_equal(stored["dice"], exact["dice"])


def test_augmentation_moves_image_and_mask_together():
    data = as_tensor(bright_disks(16))
    warps = draw_warps(Augmentation(shear=0.1), 16, torch.Generator().manual_seed(0))
    moved = warp(data, warps, "border")
    assert not torch.equal(moved, data)
    assert set(moved[:, 1].unique().tolist()) == {0.0, 1.0}
    bright = (moved[:, 0] > 0.47).numpy()
    assert overlap(bright, moved[:, 1].numpy() > 0)["dice"].min() > 0.8


def test_augmentation_stays_within_its_ranges():
    warps = draw_warps(Augmentation(), 2000, torch.Generator().manual_seed(0))
    assert 0.0495 < float(warps[:, :, 2].abs().max()) / 2 <= 0.05
    assert 0.95 <= float(warps[:, 1, 1].min()) < 0.951
    assert 0.45 < float((warps[:, 0, 0] < 0).float().mean()) < 0.55
    assert float(warps[:, 0, 1].abs().max()) == 0


def test_a_gpu_that_is_not_there_is_one_clear_line():
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(SonotuneError, match="no usable GPU"):
        choose("cuda", "fp32", 1)


def test_a_cell_for_the_processor_never_touches_a_gpu(disks, tmp_path, monkeypatch):
    def touched():
        raise AssertionError("the GPU was touched")

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "_lazy_init", touched)
    with pytest.raises(AssertionError, match="touched"):
        torch.cuda.synchronize()
    run_cell(settings(), disks, None, tmp_path, quiet)
    assert read_record(tmp_path / "run.json")["processor"]["device"] == "cpu"


def dead_network(width=4):
    """A network whose two channels let nothing through, whatever the image."""
    network = build(width)
    he_normal(network, 0)
    with torch.no_grad():
        network.block9.two_channels.bias.fill_(-1000)
    return network


def test_a_network_is_dead_if_its_output_does_not_depend_on_the_image():
    images = as_pairs(bright_disks(3))
    assert is_dead(dead_network(), images, CPU)
    alive = build(4, head="plain")
    he_normal(alive, 0)
    assert not is_dead(alive, images, CPU)
    assert not is_dead(alive, as_pairs(bright_disks(1)), CPU)


def dead_from_the_start(*names):
    """Settings from which the two channels of a network give 0 for every image."""
    images, network = as_pairs(bright_disks(20)), {"name": "unet", "width": 1}
    for seed in range(300):
        start = start_network(network, None, torch_seed(seed, *names, "initial"))
        if is_dead(start, images, CPU):
            return {"network": network, "seed": seed}
    pytest.fail("no seed gives a dead network")


@pytest.mark.parametrize(
    ("fraction", "percent"),
    [(0.8, 80), (0.05, 5), (0.07, 7), (0.29, 29), (0.125, 12.5), (0.6667, 66.67), (0, 0)],
)
def test_a_cells_seed_derives_from_its_fraction_as_per_cent(fraction, percent):
    names = cell_names({"dataset": "disks", "strategy": "whole", "fraction": fraction, "fold": 1})
    assert torch_seed(3, *names) == torch_seed(3, "disks", "whole", percent, 1)


@pytest.fixture(scope="module")
def dead_start():
    """Settings of a cell whose first initialisation is dead."""
    return dead_from_the_start("disks", "whole", 80, 1)


def test_a_dead_run_is_recorded_as_that_and_as_failed(disks, tmp_path, dead_start):
    recipe = {"learning_rate": 0.003, "batch_size": 2, "epochs": 12, "patience": 3}
    record = run(disks, tmp_path, training=recipe, **dead_start)
    assert record["outcome"] == "dead"
    assert record["failed"]
    assert record["collapsed"]
    assert record["earlier_attempts"] == []


def test_a_failed_run_is_tried_again_from_another_initialisation(disks, tmp_path, dead_start):
    recipe = {"learning_rate": 0.003, "batch_size": 4, "epochs": 2, "patience": 2, "attempts": 9}
    record = run(disks, tmp_path, training=recipe, **dead_start)
    first, *_ = record["earlier_attempts"]
    assert first["outcome"] == "dead"
    assert record["outcome"] != "dead"


def test_a_pretraining_draws_a_dead_start_again(disks, tmp_path):
    ours = settings(**dead_from_the_start("pretraining", "disks"))
    recipe = {"learning_rate": 0.003, "batch_size": 2, "epochs": 2, "patience": 3}
    ours |= {"validation_fraction": 0.2, "training": recipe}
    record = pretrain(ours, disks, tmp_path, quiet)
    assert record["earlier_attempts"][0]["outcome"] == "dead"
    assert record["outcome"] != "dead"
