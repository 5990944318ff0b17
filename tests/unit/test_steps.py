"""What makes steps on a GPU fast and repeatable, as far as a CPU can tell."""

import pytest
import torch
from builders import one_study, outputs_of
from test_checkpoint import Run
from test_training import run
from torch.nn import functional

from sonotune.config.cells import cells_of
from sonotune.config.check import complete
from sonotune.config.jobs import cell_settings, pretraining_settings
from sonotune.training import loop
from sonotune.training.cuda import StaticSteps, repeatable_upsampling


@pytest.mark.parametrize(
    ("precision", "augmentation"), [("fp32", {"shift": 0.05}), ("bf16", None)], ids=str
)
def test_steps_that_find_their_batch_on_the_device_are_the_same(
    disks, tmp_path, monkeypatch, precision, augmentation
):
    changes = {"precision": precision, "augmentation": augmentation, "keep_weights": True}
    run(disks, tmp_path / "one", **changes)
    monkeypatch.setattr(loop, "EagerSteps", StaticSteps)
    run(disks, tmp_path / "other", **changes)
    assert outputs_of(tmp_path / "one") == outputs_of(tmp_path / "other")


def test_they_go_on_in_the_middle_of_an_epoch(disks, tmp_path, monkeypatch):
    whole = Run(disks, tmp_path / "whole")
    whole.go()
    monkeypatch.setattr(loop, "EagerSteps", StaticSteps)
    stopped = Run(disks, tmp_path / "stopped")
    stopped.stop(after=2)
    assert stopped.go()["resumed"] == 1
    assert stopped.results() == whole.results()


SHAPES = [
    {"scale_factor": 2},
    {"scale_factor": 2, "align_corners": True},
    {"scale_factor": (2, 4)},
    {"scale_factor": 1.5},
    {"size": (9, 31), "align_corners": True},
    {"size": (5, 6)},
    {"size": (7, 11)},
]


@pytest.mark.parametrize("asked", SHAPES)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_the_repeatable_gradient_of_upsampling_is_pytorchs(asked, dtype):
    random = torch.Generator().manual_seed(0)
    images = torch.randn(2, 3, 7, 11, generator=random).to(dtype)
    images = images.contiguous(memory_format=torch.channels_last).requires_grad_()

    def gradient(images):
        found = functional.interpolate(images, mode="bilinear", **asked)
        weights = torch.randn(found.shape, generator=torch.Generator().manual_seed(1))
        return torch.autograd.grad(found, images, weights.to(images.dtype))[0]

    exact = gradient(images.detach().double().requires_grad_())
    theirs = gradient(images)
    library = repeatable_upsampling("CPU")
    ours = gradient(images)
    del library
    assert torch.equal(gradient(images), theirs), "PyTorch's own is back"
    assert ours.dtype == dtype
    error, of_theirs = ((one.double() - exact).abs().max() for one in (ours, theirs))
    assert error <= max(
        2 * float(of_theirs), {torch.float64: 1e-14, torch.float32: 1e-6}.get(dtype, 0)
    )


def test_how_steps_are_taken_makes_no_cell_stale_on_a_cpu_nor_by_default():
    def settings(device, **training):
        asked = {"training": training, "device": device, "pretraining": {"dataset": "xpie"}}
        config = one_study(**asked, strategies={"whole": {"tune": "all"}})
        config["studies"]["s"]["pretraining"]["training"] = training
        config["datasets"]["xpie"] = {"catalogue": "ecssd"}
        config = complete(config)
        cell = cell_settings(config, next(cells_of(config, "s", "mine")))
        return cell["training"], pretraining_settings(config, "s")["training"]

    assert settings("cpu", graph=False) == settings("cpu")
    assert settings("auto", graph="auto") == settings("auto")
    assert "graph" not in settings("auto")[0]
    for recipe in settings("auto", graph=False):
        assert recipe["graph"] is False
