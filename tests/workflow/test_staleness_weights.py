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
    cells = [f"results/tiny/cells/sus/{name}/0.5/0/run.json" for name in ("encoder", "scratch")]
    project = Project(folder, cells)
    project.warm = "segmentation_models_pytorch"
    project.run()
    return project


def test_other_encoder_weights_rerun_what_starts_from_them(project):
    assert project.stale()[1] == set()
    os.utime(project.folder / "encoder.pth")
    assert project.stale()[1] == set()
    make_weights(project.folder, 2)
    assert project.stale()[1] == {("encoder", "0.5", "sus")}
