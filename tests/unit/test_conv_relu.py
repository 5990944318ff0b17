"""A convolution with ReLU in one call computes what the two compute."""

import pytest
import torch
from torch import nn

from sonotune.networks.conv_relu import ConvReLU
from sonotune.training import cpu


@pytest.fixture(autouse=True)
def fused(monkeypatch):
    monkeypatch.setattr(ConvReLU, "kernel", cpu.conv_relu)


def both(channels_in, kind, of_input, of_weights):
    """Results and gradients of ConvReLU and of the two operations that it stands for."""
    random = torch.Generator().manual_seed(1)
    ours = ConvReLU(channels_in, 8, 3, padding=1)
    for parameter in ours.parameters():
        parameter.data = torch.randn(parameter.shape, generator=random)
        parameter.requires_grad_(of_weights)
    ours.to(memory_format=torch.channels_last)
    theirs = nn.Conv2d(channels_in, 8, 3, padding=1).to(memory_format=torch.channels_last)
    theirs.load_state_dict(ours.state_dict())
    theirs.requires_grad_(of_weights)
    images = torch.randn(2, channels_in, 12, 20, generator=random)
    images = images.contiguous(memory_format=torch.channels_last)
    weighted = torch.randn(2, 8, 12, 20, generator=random)
    for network in (ours, lambda x: theirs(x).relu_()):
        x = images.clone().requires_grad_(of_input)
        with torch.autocast("cpu", torch.bfloat16, enabled=kind == "bf16"):
            found = network(x)
        if of_input or of_weights:
            (found.float() * weighted).sum().backward()
        yield found, x.grad, *((ours if network is ours else theirs).parameters())


@pytest.mark.parametrize("kind", ["fp32", "bf16"])
@pytest.mark.parametrize("of_weights", [False, True])
@pytest.mark.parametrize("of_input", [False, True])
def test_it_is_both_bit_by_bit(kind, of_input, of_weights):
    ours, theirs = both(4, kind, of_input, of_weights)
    assert torch.equal(ours[0], theirs[0])
    assert 0 < (ours[0] > 0).float().mean() < 1
    assert (ours[1] is None) is (not of_input)
    assert ours[1] is None or torch.equal(ours[1], theirs[1])
    for mine, other in zip(ours[2:], theirs[2:], strict=True):
        assert (mine.grad is None) is (not of_weights)
        assert mine.grad is None or torch.equal(mine.grad, other.grad)


@pytest.mark.parametrize("kind", ["fp32", "bf16"])
def test_one_channel_is_as_good(kind):
    # It is padded to two in bf16, so sums may be rounded in another order.
    ours, theirs = both(1, kind, False, True)
    torch.testing.assert_close(ours[0], theirs[0])
    for mine, other in zip(ours[2:], theirs[2:], strict=True):
        assert mine.grad.shape == other.grad.shape
        torch.testing.assert_close(mine.grad, other.grad, rtol=0.02, atol=0.02)
