"""Weights that an encoder starts from: what runs again when they change."""

import os

import pytest
import torch
import yaml
from faulty import copy_project
from segmentation_models_pytorch.encoders import get_encoder
from test_staleness import Project

STUDY = yaml.safe_load("""
seed: 1
datasets:
  sus: {reader: simulate, images: 8, simulate: {scatterers: 2000, pixels: [48, 32], elements: 8}}
studies:
  tiny:
    image_size: 32
    network: {name: smp_unet, encoder: resnet18, encoder_weights: encoder.pth}
    datasets: [sus]
    fractions: [0.5]
    resampling: {folds: 2, run_folds: [0], validation_fraction: 0}
    strategies:
      encoder: {tune: [encoder]}
      scratch: {init: random, tune: [head]}
    training: {epochs: 1, patience: false, select_weights: last}
    device: cpu
    precision: fp32
""")


def make_weights(folder, seed):
    torch.manual_seed(seed)
    encoder = get_encoder("resnet18", weights=None)
    torch.save(encoder.state_dict(), folder / "encoder.pth")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    copy_project(folder, "pyproject.toml")
    (folder / "tiny.yaml").write_text(yaml.safe_dump(STUDY, sort_keys=False))
    make_weights(folder, 1)
    project = Project(folder)
    project.warm = "segmentation_models_pytorch"
    names = STUDY["studies"]["tiny"]["strategies"]
    project.targets = [f"results/tiny/cells/sus/{name}/0.5/0/run.json" for name in names]
    run = project.snakemake("--cores", "2", "--resources", "gpu=0", "--", *project.targets)
    assert run.returncode == 0, run.stdout + run.stderr
    return project


def trained_again(project):
    """Strategies that a dry run would train."""
    run = project.snakemake("-n", "--cores", "1", "--", *project.targets)
    assert run.returncode == 0, run.stdout + run.stderr
    return {
        name
        for name in STUDY["studies"]["tiny"]["strategies"]
        if f": {name} on 0.5" in run.stdout + run.stderr
    }


def test_other_encoder_weights_rerun_what_starts_from_them(project):
    assert trained_again(project) == set()
    os.utime(project.folder / "encoder.pth")
    assert trained_again(project) == set()
    make_weights(project.folder, 2)
    assert trained_again(project) == {"encoder"}
