"""The U-Net and its stages (Amiri 2020, section II-A and Table II)."""

from pathlib import Path

import pandas as pd
import pytest
import torch
import yaml

from sonotune.config.check import complete
from sonotune.errors import SonotuneError
from sonotune.networks.stages import count, freeze_all_but, tuned_parameters
from sonotune.networks.unet import build
from sonotune.networks.weights import he_normal, load_weights
from sonotune.networks.weights_file import save_weights
from sonotune.report.published import FOLDER

ROOT = Path(__file__).parents[2]

# Parameters of every strategy as Table II prints them, of all and as a fraction, and exactly.
TABLE2 = pd.read_csv(FOLDER / "amiri2020_parameters.csv", dtype=str).set_index("strategy")


@pytest.fixture(scope="module")
def paper_network():
    return build()


@pytest.fixture(scope="module")
def paper_study():
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    return complete(config)["studies"]["amiri2020"]


@pytest.mark.parametrize("strategy", TABLE2.index)
def test_trainable_parameters_are_printed_as_in_the_paper(strategy, paper_network, paper_study):
    number, fraction, exact = TABLE2.loc[strategy]
    freeze_all_but(paper_network, paper_study["strategies"][strategy]["tune"])
    tuned, total = count(tuned_parameters(paper_network)), count(paper_network.parameters())
    assert tuned == int(exact)
    assert f"{tuned:.1e}" == number.replace("+", "+0")
    if strategy == "blocks_34":  # .1426: the paper cut it, and rounded all others
        assert fraction == f"{int(1000 * tuned / total) / 1000:.3f}".lstrip("0")
    else:
        assert fraction in {f"{tuned / total:.3f}".lstrip("0"), f"{tuned / total:g}"}


def test_an_up_convolution_pads_below_and_to_the_right():
    """As "same" padding of an even kernel does: nothing enters above or to the left."""
    block = build(1).block6
    torch.nn.init.ones_(block.up.weight)
    torch.nn.init.zeros_(block.up.bias)
    padded = torch.nn.functional.pad(torch.ones(1, 16, 4, 4), (0, 1, 0, 1))
    filtered = block.up(padded)[0, 0]
    assert filtered[0, 0] == 64  # four taps of sixteen channels
    assert filtered[0, -1] == filtered[-1, 0] == 32
    assert filtered[-1, -1] == 16


def test_he_initialisation_keeps_the_variance():
    network = build(16)
    he_normal(network, 1)
    weight = network.block4.conv2.weight
    assert float(weight.detach().std()) == pytest.approx((2 / (128 * 9)) ** 0.5, rel=0.02)
    assert float(network.block4.conv2.bias.detach().abs().max()) == 0


def renamed(state):
    return {name.replace("block9.out", "block10.out"): tensor for name, tensor in state.items()}


@pytest.mark.parametrize(
    ("state", "left", "says"),
    [
        (build(4).state_dict(), None, r"block1.conv1.weight is \(4, 1, 3, 3\) where \(2"),
        (renamed(build(2).state_dict()), None, r"block10.output.bias is not one of the network's"),
        (build(2).state_dict(), 100, "cannot be read as safetensors"),
    ],
    ids=["another width", "other names", "damaged"],
)
def test_weights_that_do_not_fit_are_refused(state, left, says, tmp_path):
    path = tmp_path / "w.safetensors"
    save_weights(state, path)
    path.write_bytes(path.read_bytes()[:left])
    with pytest.raises(SonotuneError, match=says):
        load_weights(build(2), path)
