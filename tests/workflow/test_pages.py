"""The pages for readers: their commands run, their code does what they say."""

import glob
import importlib.util
import os
import re
import shlex
import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import yaml
from warm import warm_python

from sonotune.cli import main
from sonotune.networks.stages import count, freeze_all_but, tuned_parameters
from sonotune.report.claims.parse import parse_claims

ROOT = Path(__file__).parents[2]
DRY_RUNS = [
    line
    for page in ("reproduce", "cluster")
    for line in (ROOT / f"docs/{page}.md").read_text().splitlines()
    if re.search("snakemake .*-n .*--configfile ", line)
]


def blocks(page, kind):
    """Code blocks of a page that are marked as of this kind."""
    text = (ROOT / f"docs/{page}.md").read_text()
    return re.findall(rf"^```{kind}\n(.*?)^```$", text, re.M | re.S)


def commands(page):
    return [line for block in blocks(page, "sh") for line in block.splitlines()]


def run(line, folder):
    """Run a page's command in a folder, with this Python."""
    program, *rest = shlex.split(line)
    name = Path(program).name
    assert name in ("sonotune", "snakemake")
    found = [word for text in rest for word in (sorted(glob.glob(text, root_dir=folder)) or [text])]
    if name == "snakemake":
        found += ["--snakefile", str(ROOT / "Snakefile"), "--directory", str(folder)]
    command = [warm_python(), "-m", name, *found]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, line + done.stdout + done.stderr
    return done.stdout


def module_of(text, name, folder):
    (folder / f"{name}.py").write_text(text)
    spec = importlib.util.spec_from_file_location(name, folder / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
@pytest.mark.parametrize("line", DRY_RUNS)
def test_what_a_page_shows_without_running_it_is_shown(line, tmp_path):
    for folder in ("config/", "profiles/"):
        line = line.replace(folder, f"{ROOT}/{folder}")
    assert "finetune" in run(line, tmp_path)


@pytest.mark.slow
def test_a_strangers_path_through_own_images_works(tmp_path):
    made = ["--scatterers", "2000", "--pixels", "48", "32"]
    mine = tmp_path / "resources/mine"
    assert main(["simulate", "--images", "20", "--output", str(mine), *made]) == 0
    assert main(["simulate", "--images", "3", "--output", str(tmp_path / "more"), *made]) == 0
    (tmp_path / "more/images").rename(tmp_path / "new")
    first, keep = blocks("own-images", "yaml")
    config = yaml.safe_load(first)  # as on the page, but smaller
    config["datasets"]["natural"] |= {"images": 6, "collage": {"pixels": 32}}
    study = config["studies"]["mine"]
    study |= {"image_size": 16, "network": {"width": 1}, "fractions": [0.8, 0.2]}
    study["training"]["epochs"] = study["pretraining"]["training"]["epochs"] = 25
    study["training"] |= {"patience": 1}
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(config))
    lines = commands("own-images")
    again = lines.index(lines[1], 2)
    for line in lines[:again]:
        said = run(line, tmp_path)
        if "recommend" in line:
            assert "keep_weights: [" in said
    study |= yaml.safe_load(keep)
    study["keep_weights"] = "all"
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(config))
    for line in lines[again:]:
        run(line, tmp_path)
    for folder in ("masks", "masks-best"):
        assert len(list((tmp_path / folder / "masks").glob("*.png"))) == 3
        assert len((tmp_path / folder / "predictions.csv").read_text().splitlines()) == 1 + 3
    assert (tmp_path / "network.pt2").is_file()
    assert (tmp_path / "results/mine/index.html").is_file()


def test_the_network_of_the_page_can_be_tuned_in_part(tmp_path):
    (text,) = blocks("development", "python network")
    network = module_of(text, "plain", tmp_path).build(width=4)
    freeze_all_but(network, ["last"])
    assert count(tuned_parameters(network)) == 5
    assert network(torch.zeros(2, 1, 8, 8)).shape == (2, 1, 8, 8)


def test_the_reader_of_the_page_finds_pairs(tmp_path):
    (text,) = blocks("development", "python reader")
    for name in ("b/image.png", "b/mask.png", "a/image.png", "a/mask.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        cv2.imwrite(str(tmp_path / name), np.zeros((4, 4), np.uint8))
    entries = module_of(text, "patients", tmp_path).find(tmp_path)
    assert [(one.name, one.masks) for one in entries] == [
        ("a", (tmp_path / "a/mask.png",)),
        ("b", (tmp_path / "b/mask.png",)),
    ]


def test_the_metric_of_the_page_measures(tmp_path):
    (text,) = blocks("development", "python metric")
    metric = module_of(text, "metric", tmp_path).relative_area
    assert metric(np.eye(4) > 0, np.ones((4, 4), bool)) == 0.25
    assert np.isnan(metric(np.eye(4) > 0, np.zeros((4, 4), bool)))


def test_strategy_and_claim_of_the_page_are_possible():
    (strategy,) = blocks("development", "yaml strategy")
    assert yaml.safe_load(strategy)["edges"]["tune"] == ["block1", "block9"]
    (claim,) = blocks("development", "yaml claim")
    (declared,) = parse_claims(yaml.safe_load(claim), "own")
    assert declared.id == "M1"
