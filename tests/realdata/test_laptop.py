"""The laptop's study, reduced, on real heads, real lesions and real natural images."""

from pathlib import Path

import pandas as pd
import pytest
import yaml
from builders import dataset_place
from warm import run_config

from sonotune.config.presets import expand_preset

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared" / "data"

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not SHARED.is_dir(), reason=f"no data in {SHARED}"),
]


def reduced():
    config = yaml.safe_load((ROOT / "config/laptop.yaml").read_text())
    study = config["studies"]["laptop"]
    study["image_size"] = 32
    study["network"]["width"] = 2
    study["pretraining"]["training"] |= {"epochs": 1}
    study["training"] |= {"epochs": 2, "patience": 1, "batch_size": 16}
    study["resampling"]["run_folds"] = [0]
    kept = ("whole", "block_9", "scratch", "unchanged")
    strategies = expand_preset(study["strategies"])
    study["strategies"] = {name: strategies[name] for name in kept}
    config["datasets"]["sus"] |= {"images": 10, "simulate": {"scatterers": 2000}}
    study["fractions"] = [0.8, 0.3]
    return config


@pytest.mark.slow
def test_the_laptop_study_runs_on_real_data(tmp_path):
    run_config(tmp_path, reduced(), SONOTUNE_DATA_MIRROR=str(SHARED))

    results = tmp_path / "results"
    table = pd.read_csv(results / "laptop/tables/table2.csv")
    sources = table.groupby("dataset")["source"].unique().str.join("+").to_dict()
    assert sources["fus"] == "hc18"
    assert sources["bus"] == "busi"
    assert sources["sus"].startswith("simulated")
    page = (results / "laptop/tables/table2.html").read_text("utf-8")
    assert "BUS is busi" in page
    assert "FUS is" not in page

    fus = tmp_path / dataset_place(reduced(), "fus")
    assert "groups of several images" not in (fus / "audit.html").read_text()
    audit = pd.read_csv(fus / "audit.csv")
    assert (len(audit), set(audit["verdict"])) == (805, {"ok"})
    for name in ("sus", "bus", "ecssd"):
        assert "Images with their masks outlined" in (
            tmp_path / dataset_place(reduced(), name) / "audit.html"
        ).read_text("utf-8")
