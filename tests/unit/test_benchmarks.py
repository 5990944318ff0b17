"""The benchmarks count what they say they count."""

import pytest
import torch

from benchmarks.step import convolutions
from sonotune.networks.unet import UNet

IMAGES = torch.rand(2, 1, 32, 32)


def flops(stages):
    return sum(one.flops() for one in convolutions(8, stages, IMAGES))


def test_a_whole_step_is_three_forward_passes_but_for_the_gradient_of_the_images():
    every = convolutions(8, UNet.stages, IMAGES)
    first = every[0]._replace(of_weights=False)
    assert flops(UNet.stages) == pytest.approx(3 * flops([]) - first.flops())
    # 3x3, 1 to 8 channels, two images of 32 x 32, a multiplication and an addition each.
    assert first.flops() == 2 * 9 * 8 * 2 * 32 * 32


def test_no_gradient_is_counted_below_the_first_tuned_block():
    every = convolutions(8, ["block9"], IMAGES)
    asked = [one for one in every if one.of_input or one.of_weights]
    assert len(asked) == 5, "block 9 has three convolutions and the head two"
    assert [one.of_input for one in asked] == [False, True, True, True, True]
