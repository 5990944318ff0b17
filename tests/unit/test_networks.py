"""Networks with batch normalisation and of segmentation_models_pytorch (Wang 2023)."""

import os
from pathlib import Path

import pytest
import torch
import torchvision
import yaml
from builders import one_study
from safetensors.torch import load_file
from test_training import bright_disks, settings

from sonotune.config.check import complete
from sonotune.config.networks import PUBLISHED as PUBLISHED_WEIGHTS
from sonotune.config.networks import all_encoder_weights, network_titles
from sonotune.data.dataset import save_set
from sonotune.errors import SonotuneError
from sonotune.jobs.finetune import run_cell
from sonotune.networks.encoder_weights import convert, file_of
from sonotune.networks.settings import complete_network, divisor_of, stages_of
from sonotune.networks.stages import (
    build_network,
    count,
    freeze_all_but,
    frozen_state,
    stage_parameters,
    tuned_parameters,
    tuned_state,
)
from sonotune.networks.weights import start_network
from sonotune.networks.weights_file import save_weights
from sonotune.report.display_options import DisplayOptions
from sonotune.report.figures.fig1 import draw
from sonotune.report.published import published_table
from sonotune.training.optimiser import Adam

ROOT = Path(__file__).parents[2]
# Published parameters of each stage (Wang 2023 and its code).
PUBLISHED = {
    "encoder": 2_223_872,
    "decoder0": 3_761_152,
    "decoder1": 479_744,
    "decoder2": 124_672,
    "decoder3": 32_384,
    "decoder4": 6_976,
    "head": 145,
}
SMALL = {"name": "smp_unet", "encoder": "mobilenet_v2"}
SWIN = "tu-swin_tiny_patch4_window7_224"


@pytest.fixture(scope="module")
def mobilenet():
    return build_network(SMALL)


@pytest.fixture(scope="module")
def wang():
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    return complete(config)["studies"]["wang2023"]


def test_wangs_network_has_the_published_parameters(mobilenet):
    found = {s: count(p.values()) for s, p in stage_parameters(mobilenet).items()}
    assert found == PUBLISHED
    assert sum(found.values()) == 6_628_945


@pytest.mark.parametrize(
    "row", [*published_table("wang2023_results").itertuples()], ids=lambda r: r.row
)
def test_wangs_strategies_tune_the_published_parameters(row, wang):
    one = wang["strategies"][row.row]
    network = {k: v for k, v in one.get("network", wang["network"]).items() if "weights" not in k}
    network = build_network(network)
    freeze_all_but(network, one["tune"])
    # As it is printed, in millions.
    assert count(tuned_parameters(network)) == pytest.approx(1e6 * row.trainable_millions, rel=0.01)


@pytest.mark.parametrize(
    "given",
    [
        {"name": "unet", "width": 2},
        {"name": "unet_bn", "width": 2},
        {"name": "smp_unet"},
        {"name": "smp_unet", "encoder": "resnet18", "split_encoder": True},
        {"name": "smp_unet", "encoder": "resnet18", "decoder": "unetplusplus"},
        {"name": "smp_unet", "decoder": "deeplabv3plus"},
    ],
    ids=lambda given: "-".join(str(value) for value in given.values() if value is not True)[:40],
)
def test_the_workflow_knows_the_stages_without_loading_the_network(given):
    network = complete_network(given)
    built = build_network({k: v for k, v in network.items() if k != "encoder_weights"})
    assert tuple(stage_parameters(built)) == stages_of(network)
    size = 2 * divisor_of(network)
    with torch.inference_mode():
        assert built.eval()(torch.rand(2, 1, size, size)).shape == (2, 1, size, size)


def test_stages_of_ones_own_hold_every_parameter_once():
    network = build_network({**SMALL, "stages": {"body": r"(encoder|decoder)\.", "end": "segm"}})
    assert count(stage_parameters(network)["end"].values()) == 145
    network.patterns = {"body": r"encoder\.", "end": "segm"}
    with pytest.raises(SonotuneError, match=r"decoder\.blocks\.0\.\S+ is in none of them"):
        stage_parameters(network)
    network.patterns = {"body": ".*", "end": "segm"}
    with pytest.raises(SonotuneError, match=r"segmentation_head\.0\.weight is in body and end"):
        stage_parameters(network)


def study(**changes):
    usual = {"image_size": 64, "network": SMALL, "strategies": {"a": {"tune": "all"}}}
    return complete(one_study(**usual | changes))


OTHER = {"network": {"name": "unet_bn", "width": 2}, "tune": ["block9"]}


@pytest.mark.parametrize(
    ("network", "changes", "says"),
    [
        ({"encoder": "mobilnet_v2"}, {}, "nearest are mobilenet_v2"),
        ({"width": 3}, {}, "network: width: has no use where name is smp_unet"),
        ({"name": "unet"}, {}, "network: encoder: has no use where name is unet"),
        ({"stages": {"a": "("}}, {}, "stages: a: '\\(' is no regular expression"),
        ({"split_encoder": True, "stages": {"a": "."}}, {}, "stages: .*split_encoder"),
        ({"encoder_options": {"img_size": 64}}, {}, "options of timm's encoders"),
        ({}, {"image_size": 48}, "multiple of 32 for smp_unet; found 48, nearest are 32"),
        ({"decoder": "pan"}, {"image_size": 96}, "at least 128 for the decoder pan; found 96"),
        ({}, {"strategies": {"b": OTHER}}, "its own network has none"),
        ({}, {"strategies": {"b": {"tune": ["block1"]}}}, "no stage 'block1'"),
    ],
)
def test_a_network_that_cannot_be_is_refused(network, changes, says):
    with pytest.raises(SonotuneError, match=says):
        study(network=SMALL | network, **changes)


def test_networks_near_to_these_can_be():
    assert study(image_size=128, network={**SMALL, "decoder": "pan"})
    assert study(strategies={"b": {**OTHER, "init": "random"}})


def test_networks_of_a_study_have_titles_that_tell_them_apart():
    frozen = {**SMALL, "batch_norm": "freeze"}
    strategies = {
        "a": {"tune": "all"},
        "b": {"tune": "all", "network": frozen},
        "c": {"tune": "all", "init": "random", "network": {"name": "unet_bn", "width": 2}},
        "d": {"tune": "all"},
    }
    titles = network_titles(study(strategies=strategies)["studies"]["s"])
    assert titles == {
        "a": "U-Net on mobilenet_v2 (batch_norm update)",
        "b": "U-Net on mobilenet_v2 (batch_norm freeze)",
        "c": "U-Net with batch norm, width 2",
        "d": "U-Net on mobilenet_v2 (batch_norm update)",
    }


def test_imagenet_weights_of_an_unknown_encoder_are_asked_for_as_a_file(tmp_path):
    with pytest.raises(SonotuneError, match="imagenet is known of mobilenet_v2 and resnet18 only"):
        all_encoder_weights(study(network={"name": "smp_unet", "encoder": "resnet34"}))
    lost = str(tmp_path / "lost.pth")
    with pytest.raises(SonotuneError, match="there is no file"):
        all_encoder_weights(study(network={"name": "smp_unet", "encoder_weights": lost}))


def test_code_in_a_file_of_weights_is_not_run(tmp_path):
    class Trap:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "trap"),)

    torch.save({"a": Trap()}, tmp_path / "trap.pth")
    with pytest.raises(SonotuneError, match="cannot be read as a file of weights"):
        convert("mobilenet_v2", tmp_path / "trap.pth", tmp_path / "out.safetensors")
    assert not (tmp_path / "trap").exists()


@pytest.fixture(scope="module")
def encoder_file(tmp_path_factory):
    """Weights of an encoder as torchvision has them: without our prefix, with a classifier."""
    folder = tmp_path_factory.mktemp("encoder")
    torch.manual_seed(3)
    state = build_network(SMALL).encoder.state_dict()
    torch.save({**state, "classifier.1.bias": torch.zeros(1000)}, folder / "published.pth")
    convert("mobilenet_v2", folder / "published.pth", folder / "weights.safetensors")
    return folder / "weights.safetensors"


def test_a_cell_starts_with_the_encoders_weights_and_a_decoder_of_its_own(encoder_file):
    first, second = (start_network(SMALL, encoder_file, seed).state_dict() for seed in (1, 2))
    stored = load_file(encoder_file)
    assert all(torch.equal(first[name], stored[name]) for name in stored)
    key = "decoder.blocks.0.conv1.0.weight"
    assert not torch.equal(first[key], second[key])
    assert torch.equal(first[key], start_network(SMALL, encoder_file, 1).state_dict()[key])
    assert not torch.equal(
        first["encoder.features.0.0.weight"],
        start_network(SMALL, None, 1).state_dict()["encoder.features.0.0.weight"],
    )


@pytest.mark.parametrize("batch_norm", ["update", "freeze"])
def test_frozen_running_statistics_move_or_stay_as_asked(batch_norm, tmp_path):
    save_set(tmp_path / "disks", bright_disks(10))
    network = {"name": "unet_bn", "width": 2, "batch_norm": batch_norm}
    start = start_network(network, None, 7)
    save_weights(start.state_dict(), tmp_path / "start.safetensors")
    chosen = settings(network=network, tune=["block9"], init="pretrained")
    start_file = tmp_path / "start.safetensors"
    record = run_cell(chosen, tmp_path / "disks", start_file, tmp_path, print, keep_weights=True)
    kept = load_file(tmp_path / "weights.safetensors")
    means = {name for name in kept if name.endswith("running_mean")}
    assert {name for name in means if name.startswith("block9")} == {
        "block9.layer1.norm.running_mean",
        "block9.layer2.norm.running_mean",
    }
    assert ("block1.layer1.norm.running_mean" in means) == (batch_norm == "update")
    assert all(not torch.equal(kept[name], start.state_dict()[name]) for name in means)
    assert record["tuned_parameters"] == 153


def test_what_is_tuned_and_what_is_frozen_are_the_whole_state():
    network = build_network({"name": "unet_bn", "width": 2, "batch_norm": "freeze"})
    freeze_all_but(network, ["block9"])
    tuned, frozen = tuned_state(network), frozen_state(network)
    assert tuned.keys() | frozen.keys() == network.state_dict().keys()
    assert not tuned.keys() & frozen.keys()
    freeze_all_but(network, [])
    assert tuned_state(network) == {}


@pytest.mark.parametrize(
    ("encoder", "options", "count_of_levels"),
    [
        ("mobilenet_v2", {}, 5),
        ("efficientnet-b0", {}, 5),
        ("mit_b0", {}, 4),
        pytest.param(SWIN, {"encoder_options": {"img_size": 64}}, 4, marks=pytest.mark.slow),
        pytest.param("vgg11_bn", {}, 5, marks=pytest.mark.slow),
    ],
)
def test_every_encoder_has_its_levels_and_trains(encoder, options, count_of_levels, tmp_path):
    given = {"name": "smp_unet", "encoder": encoder, "split_encoder": True, **options}
    network = complete_network(given)
    del network["encoder_weights"]
    stages = stages_of(network)
    assert stages[:count_of_levels] == tuple(f"encoder{n}" for n in range(count_of_levels))
    assert stages[count_of_levels] == "decoder0"
    assert tuple(stage_parameters(build_network(network))) == stages

    save_set(tmp_path / "disks", bright_disks(10, size=64))
    training = {"learning_rate": 0.003, "batch_size": 4, "epochs": 1, "patience": 1}
    chosen = settings(network=network, tune=["encoder0", stages[-3]], training=training)
    record = run_cell(chosen, tmp_path / "disks", None, tmp_path, print)
    assert record["failure"] == "no early stop within 1 epochs"


def test_what_no_output_depends_on_is_left_alone():
    """EfficientNet brings the last convolution of a network that classifies."""
    network = build_network({"name": "smp_unet", "encoder": "efficientnet-b0"})
    before = network.encoder._conv_head.weight.clone()
    optimiser = Adam(network.parameters(), 0.01)
    network(torch.rand(2, 1, 32, 32)).mean().backward()
    optimiser.step()
    assert torch.equal(network.encoder._conv_head.weight, before)
    assert float(optimiser.steps[0]) == 1


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"encoder": "mit_b0", "decoder": "linknet"}, "mit_b0 with the decoder linknet: "),
        ({"encoder": "densenet121", "decoder": "pan"}, "densenet121 with the decoder pan: "),
        ({"encoder": SWIN, "split_encoder": True}, "img_size"),
    ],
)
def test_what_the_library_cannot_join_is_one_line(given, says):
    with pytest.raises(SonotuneError, match=says):
        build_network({"name": "smp_unet", **given})


def test_an_image_that_an_encoder_was_not_made_for_is_one_line():
    network = build_network({"name": "smp_unet", "encoder": SWIN})
    with pytest.raises(SonotuneError, match=r"images of 64 x 64: .*encoder_options: \{img_size"):
        network(torch.rand(2, 1, 64, 64))


def test_weights_placed_by_hand_are_verified_before_they_are_used(tmp_path):
    path = tmp_path / "deeper" / "mobilenet_v2-b0353104.pth"
    path.parent.mkdir()
    path.write_bytes(b"another file")
    with pytest.raises(SonotuneError, match=r"where sha256:b0353104\w+ is expected; it is damaged"):
        file_of("mobilenet_v2_imagenet", tmp_path)


def test_torchvisions_names_are_those_of_the_encoders(tmp_path):
    for name in PUBLISHED_WEIGHTS:
        torch.save(getattr(torchvision.models, name)().state_dict(), tmp_path / f"{name}.pth")
        convert(name, tmp_path / f"{name}.pth", tmp_path / f"{name}.safetensors")


def fig1(start, **changes):
    """Fig. 1 of a strategy that tunes the first of the network's stages."""
    network = SMALL | changes
    tuned = [*network.get("stages", ["encoder"])][:1]
    return draw([(network, [("a", "A", start, tuned)])], DisplayOptions({"a": "A"}, {})).axes


@pytest.mark.parametrize(("start", "expected"), [("pretrained", 0), ("encoder", 6), ("random", 7)])
def test_fig1_hatches_what_starts_at_random_whether_it_is_tuned_or_frozen(start, expected):
    """Beside an encoder's published weights, decoder and head are random."""
    hatches = [patch.get_hatch() is not None for patch in fig1(start)[1].patches]
    assert (sum(hatches), len(hatches)) == (expected, 7)


def test_own_stages_stand_from_input_to_output_whatever_their_names():
    stages = {"a_last": r"segmentation_head\.", "b_middle": r"decoder\.", "c_first": r"encoder\."}
    texts = [text.get_text() for text in fig1("random", stages=stages)[0].texts]
    assert [text[:3] for text in texts] == ["c_f", "b_m", "a_l"]
