"""The U-Net and its stages (Amiri 2020, section II-A and Table II)."""

from pathlib import Path

import pandas as pd
import pytest
import torch
import yaml

from sonotune.config.check import complete
from sonotune.errors import SonotuneError
from sonotune.networks.stages import count, freeze_all_but, stage_parameters, tuned_parameters
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


def test_the_papers_study_has_its_thirteen_strategies_and_the_unchanged_network(paper_study):
    assert set(paper_study["strategies"]) == {*TABLE2.index, "unchanged"}


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


def test_without_the_layer_before_the_output_two_fractions_are_not_the_papers(paper_study):
    network = build(head="plain", relu_after_up=False)
    total = count(network.parameters())
    assert total == 31_030_593
    for strategy, other in (("blocks_1289", "0.031"), ("blocks_3to7", "0.969")):
        freeze_all_but(network, paper_study["strategies"][strategy]["tune"])
        assert f"{count(tuned_parameters(network)) / total:.3f}" == other


def test_stages_cover_every_parameter_once(paper_network):
    found = stage_parameters(paper_network)
    assert sum(count(parameters.values()) for parameters in found.values()) == 31_031_685


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


def test_initial_weights_follow_from_the_seed():
    first, same, other = build(2), build(2), build(2)
    for network, seed in ((first, 1), (same, 1), (other, 2)):
        he_normal(network, seed)
    assert torch.equal(first.block1.conv1.weight, same.block1.conv1.weight)
    assert not torch.equal(first.block1.conv1.weight, other.block1.conv1.weight)


def test_weights_of_another_width_are_refused_by_name_and_shape(tmp_path):
    save_weights(build(4).state_dict(), tmp_path / "w.safetensors")
    with pytest.raises(SonotuneError, match=r"block1.conv1.weight is \(4, 1, 3, 3\) where \(2"):
        load_weights(build(2), tmp_path / "w.safetensors")


def test_weights_with_other_names_are_refused(tmp_path):
    state = build(2).state_dict()
    state["block10.weight"] = state.pop("block9.output.weight")
    save_weights(state, tmp_path / "w.safetensors")
    with pytest.raises(SonotuneError, match=r"block10.weight is not one of the network's"):
        load_weights(build(2), tmp_path / "w.safetensors")


def test_a_damaged_weights_file_is_refused(tmp_path):
    path = tmp_path / "w.safetensors"
    save_weights(build(2).state_dict(), path)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(SonotuneError, match="cannot be read as safetensors"):
        load_weights(build(2), path)
