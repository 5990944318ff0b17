"""The whole second study on a handful of real fetal heads: all strategies, both protocols."""

import csv
import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
import yaml
from warm import run_config

ROOT = Path(__file__).parents[2]
HEADS = ROOT.parent / "shared/data/hc18"
TABLE = "training_set_pixel_size_and_HC.csv"
STUDY = "wang2023_published"

pytestmark = [
    pytest.mark.shared,
    pytest.mark.slow,
    pytest.mark.skipif(not HEADS.is_dir(), reason=f"no data in {HEADS}"),
]


def place_heads(folder, images):
    """A copy of HC18's layout with some of its images: whole examinations first."""
    with (HEADS / TABLE).open(newline="") as file:
        head, *rows = list(csv.reader(file))
    groups = {}
    for row in rows:
        groups.setdefault(row[0].partition("_")[0], []).append(row)
    several = [row for group in groups.values() if len(group) == 2 for row in group]
    single = [row for group in groups.values() if len(group) == 1 for row in group]
    chosen = sorted([*several[: images - 4], *single[:4]])
    (folder / "training_set").mkdir(parents=True)
    for name, *_ in chosen:
        stem = Path(name).stem
        for file in (f"{stem}.png", f"{stem}_Annotation.png"):
            shutil.copyfile(HEADS / "training_set" / file, folder / "training_set" / file)
    with (folder / TABLE).open("w", newline="") as file:
        csv.writer(file).writerows([head, *chosen])
    return [Path(row[0]).stem for row in chosen]


def configuration(folder):
    """The laptop study with fewer images, epochs and repeats, and encoder weights at hand."""
    import segmentation_models_pytorch as library
    import torch

    torch.manual_seed(0)
    encoder = library.encoders.get_encoder("mobilenet_v2", weights=None)
    torch.save(encoder.state_dict(), folder / "encoder.pth")
    config = yaml.safe_load((ROOT / "docs/results/wang-laptop.yaml").read_text())
    for study in config["studies"].values():
        study |= {"image_size": 32, "fractions": [0.6667]}
        study["network"]["encoder_weights"] = "encoder.pth"
        study["training"] |= {"epochs": 2, "batch_size": 4}
        study["resampling"] |= {"test_images": 8, "run_folds": [0]}
        if "scratch_unet" in study["strategies"]:
            study["strategies"]["scratch_unet"]["network"]["width"] = 2
    config["studies"]["wang2023_leakage"]["resampling"]["run_folds"] = [0, 1]
    config["studies"][STUDY]["protocols"]["epochs"] = [1, 2]
    return config


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wang")
    place_heads(folder / "resources/hc18", 24)
    run_config(folder, configuration(folder), SONOTUNE_DATA_MIRROR="")
    return folder / "results"


def test_every_row_of_wangs_table_stands_there_under_both_protocols(results):
    table = pd.read_csv(results / STUDY / "tables/protocols.csv")
    rows = table.groupby("protocol")["strategy"].nunique()
    assert rows.to_dict() == {"paper": 10, "as_published": 10, "corrected": 10}
    assert table["mean"].between(0, 1).all()
    tuned = table[table["protocol"] == "corrected"].groupby("strategy")["tuned_parameters"].first()
    assert (tuned["decoder_all"], tuned["decoder_4"], tuned["encoder"]) == (4405073, 6976, 2223872)
    for name in ("fig1", "wang2023_fig1b", "wang2023_fig1c"):
        assert (results / STUDY / f"figures/{name}.png").stat().st_size > 10000


def test_no_examination_is_on_both_sides_of_the_corrected_split(results):
    splits = json.loads((results / "wang2023/splits.json").read_text())["hc18"]
    for part in splits["splits"]:
        train, test = ({splits["groups"][row] for row in part[key]} for key in ("training", "test"))
        assert not train & test
        assert len(part["test"]) == 8


def test_the_arms_of_the_leakage_are_trained_on_what_they_say(results):
    counts = {}
    for strategy in ("leaking", "without", "fewer"):
        folder = results / "wang2023_leakage/cells/hc18" / strategy / "0.6667/0"
        counts[strategy] = json.loads((folder / "run.json").read_text())["images"]["training"]
    assert counts["leaking"] == 16
    assert counts["without"] == counts["fewer"] < 16
    effects = pd.read_csv(results / STUDY / "tables/leakage.csv")
    assert set(effects["effect"]) == {"shared examinations", "more images", "both"}


def test_heads_are_measured_in_millimetres_and_claims_are_judged(results):
    metrics = pd.read_csv(results / "wang2023/tables/metrics.csv")
    assert "hc_absolute_difference_mm_mean" in metrics
    claims = pd.read_csv(results / "wang2023/statistics/claims.csv")
    assert {f"W{number}" for number in range(1, 10)} <= set(claims["claim"])
    # The data set has another name, and the network from scratch another width.
    elsewhere = claims["claim"].isin(["W3", "W6"])
    applied = claims[claims["claim"].str.startswith("W") & ~elsewhere]
    assert "not applicable" not in set(applied["verdict"])
