"""The workflow as a person meets it: one clear message, nothing run in vain."""

import re
from pathlib import Path

import numpy as np
import pytest
import warm
import yaml
from builders import dataset_place, write_cell
from made_up_cells import table_of

from sonotune.config.check import complete
from sonotune.errors import SonotuneError
from sonotune.layout import Cell
from sonotune.report.provenance import changed_packages
from sonotune.studies.study import Study

ROOT = Path(__file__).parents[2]
TINY = (ROOT / "tests/tiny.yaml").read_text()


def snakemake(folder, *options):
    return warm.snakemake(folder, "--cores", "1", *options)


def with_tiny(folder):
    (folder / "tiny.yaml").write_text(TINY)
    return ["--configfile", "tiny.yaml"]


def test_a_cell_that_a_study_does_not_have_is_refused_in_one_line(tmp_path):
    file = "results/tiny/cells/sus_a/whole/0.3/0/run.json"
    run = snakemake(tmp_path, "-n", *with_tiny(tmp_path), "--", file)
    assert run.returncode == 1
    (line,) = [line for line in run.stderr.splitlines() if "sonotune: " in line]
    assert line.startswith("sonotune: tiny has no cell sus_a/whole/0.3/0")
    assert not re.search(r"Traceback|Error|File \"|line \d", run.stdout + run.stderr)


def tiny(text=TINY):
    return Study(complete(yaml.safe_load(text)), "tiny", lambda *asked: [])


@pytest.mark.parametrize(
    ("kind", "name", "there"),
    [
        ("figure", "wang2023_fig1b", "fig1"),
        ("table", "leakage", "table1"),
        ("pretraining", "7", "1"),
        ("dataset", "collage", "sus_a"),
        ("strategy", "block_8", "whole"),
    ],
)
def test_what_a_study_does_not_have_is_refused(kind, name, there):
    with pytest.raises(SonotuneError, match=f"^tiny has no {kind} {name}; there are: {there}"):
        tiny().check({kind: name})


def test_a_study_without_feature_maps_is_asked_for_them():
    study = tiny(TINY.replace("figures: {pairs", "figures: {features: scratch, pairs"))
    with pytest.raises(SonotuneError, match="tiny has no feature maps"):
        study.files("weights")


def test_the_full_study_is_planned(tmp_path):
    run = snakemake(tmp_path, "-n", "--resources", "gpu=1")
    assert run.returncode == 0, run.stdout + run.stderr
    assert re.search("^finetune +972$", run.stdout, re.M)


def run_json(folder, name, torch="2.2", code="aa", network="unet"):
    settings = {"code": code, "dataset": "sus", "network": {"name": network}}
    processor = {"name": "<b>fast</b>", "torch": torch, "numpy": "2.0", "python": "3.11"}
    processor |= {"device": "cpu", "precision": "fp32", "threads": 1, "sonotune": "0.1"}
    home = folder / Cell("s", "sus", name, 0.8, 0).folder
    none = np.zeros(0, np.uint8)
    return write_cell(home, none, none, settings, processor=processor) / "run.json"


def provenance(folder, runs):
    """The table of provenance of these runs: its CSV, and its page."""
    rows = [f"sus,{Cell.of(run).strategy},0.8,0\n" for run in runs]
    (folder / "s/cells.csv").write_text("dataset,strategy,fraction,fold\n" + "".join(rows))
    texts = table_of("provenance", folder, cells=folder / "s/cells.csv", pretrained=[])
    return texts["csv"], texts["html"]


def test_a_mixture_of_versions_is_noted_and_counted(tmp_path):
    cells = [run_json(tmp_path, name, "2.1") for name in "ab"] + [run_json(tmp_path, "c", "2.2")]
    table, page = provenance(tmp_path, cells)
    assert [line.rsplit(",", 1)[1] for line in table.splitlines()] == ["runs", "2", "1"]
    assert "The cells differ in PyTorch." in page
    assert "<b>fast</b>" not in page
    assert "&lt;b&gt;fast&lt;/b&gt;" in page


def test_two_networks_run_other_code_and_one_network_does_not(tmp_path):
    cells = [run_json(tmp_path, "a", code="aa"), run_json(tmp_path, "b", code="bb", network="smp")]
    assert "The cells differ" not in provenance(tmp_path, cells)[1]
    cells.append(run_json(tmp_path, "c", code="cc"))
    assert "The cells differ in Code." in provenance(tmp_path, cells)[1]


def test_packages_that_changed_since_are_noted(tmp_path):
    cells = [run_json(tmp_path, "a", "2.1"), run_json(tmp_path, "b", "2.2")]
    note = changed_packages([*cells, tmp_path / "none.json"], {"torch": "2.2", "numpy": "2.0"})
    assert note == "1 of 2 cells ran with torch 2.1, not 2.2 as installed now"
    assert changed_packages(cells[1:], {"torch": "2.2"}) == ""


def with_lesions(folder, datasets):
    """The tiny study with published images, from a mirror that holds nothing."""
    (folder / "empty").mkdir()
    lesions = "  lesions: {catalogue: busi}\n  collage:\n    reader"
    text = TINY.replace("  collage:\n    reader", lesions).replace("[sus_a, sus_b]", datasets)
    (folder / "tiny.yaml").write_text(f"data_mirror: empty\n{text}")


def test_a_data_set_that_cannot_be_fetched_stops_the_run_before_it_starts(tmp_path):
    with_lesions(tmp_path, "[lesions]")
    run = snakemake(tmp_path, "--configfile", "tiny.yaml")
    assert run.returncode != 0
    said = run.stdout + run.stderr
    assert "These data sets cannot be downloaded now" in said
    assert "lesions: empty/busi/Dataset_BUSI.zip" in said
    assert "Traceback" not in said
    assert "Without lesions: leave out `studies: tiny`" in said
    assert not list((tmp_path / "results").glob("datasets/*/original"))
    dry = snakemake(tmp_path, "--configfile", "tiny.yaml", "-n")
    assert dry.returncode == 0, dry.stderr
    assert "lesions: BUSI, breast lesions (253 MB) from empty" in dry.stderr


def test_a_data_set_that_cannot_be_fetched_stops_only_what_needs_it(tmp_path):
    with_lesions(tmp_path, "[lesions, sus_a]")
    places = [dataset_place(tmp_path / "tiny.yaml", name) for name in ("lesions", "sus_a")]
    files = [f"{place}/16/images.npy" for place in places]
    run = snakemake(tmp_path, "--configfile", "tiny.yaml", "--", *files)
    said = run.stdout + run.stderr
    assert run.returncode != 0
    assert "needs none of them" in said
    assert "Without lesions: write `studies: tiny: datasets: [sus_a]`" in said
    assert [(tmp_path / file).is_file() for file in files] == [False, True]
