"""bf16 weights beside fp32 masters compute what autocast computes."""

import copy

import pytest
import torch
from torch import nn

from sonotune.networks.stages import freeze_all_but, tuned_parameters
from sonotune.networks.unet import UNet
from sonotune.networks.weights import he_normal
from sonotune.training.device import Processor
from sonotune.training.forward import bce, forward
from sonotune.training.optimiser import Adam
from sonotune.training.precision import bf16_shadow

BF16 = Processor("cpu", "bf16", 1, "any")
FP32 = Processor("cpu", "fp32", 1, "any")


class Normalised(nn.Module):
    """A network with batch norm and a transposed convolution."""

    stages = ("down", "up")

    def __init__(self):
        super().__init__()
        self.down = nn.Sequential(nn.Conv2d(1, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8))
        self.up = nn.ConvTranspose2d(8, 1, 2, 2)

    def forward(self, x):
        return self.up(self.down(x).relu())


def take_steps(network, computing, steps=3):
    optimiser = Adam(tuned_parameters(network), 0.01, tuned_parameters(computing))
    random = torch.Generator().manual_seed(1)
    torch.manual_seed(2)
    for _ in range(steps):
        images = torch.rand(2, 1, 32, 32, generator=random)
        loss = bce(forward(computing, images, BF16), (images > 0.5).float())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()


@pytest.mark.parametrize("tuned", ["all", "last"])
@pytest.mark.parametrize("make", [lambda: UNet(4), Normalised])
def test_steps_are_those_of_autocast_bit_by_bit(make, tuned):
    torch.manual_seed(0)
    ours = make()
    he_normal(ours, 3)
    freeze_all_but(ours, ours.stages if tuned == "all" else ours.stages[-1:])
    ours.to(memory_format=torch.channels_last)
    theirs, before = copy.deepcopy(ours), copy.deepcopy(ours.state_dict())
    take_steps(ours, bf16_shadow(ours, BF16))
    take_steps(theirs, theirs)
    for name, tensor in theirs.state_dict().items():
        assert torch.equal(tensor, ours.state_dict()[name]), name
        is_tuned = name in dict(ours.named_parameters()) and ours.get_parameter(name).requires_grad
        assert not is_tuned or not torch.equal(tensor, before[name]), name


def test_masters_stay_fp32_and_fp32_makes_no_copy():
    network = UNet(4)
    computing = bf16_shadow(network, BF16)
    assert {p.dtype for p in network.parameters()} == {torch.float32}
    assert {p.dtype for p in computing.parameters()} == {torch.bfloat16}
    assert bf16_shadow(network, FP32) is network
