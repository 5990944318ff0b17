"""What a study takes, told before it starts."""

from pathlib import Path

import pytest

from sonotune.cli import main
from sonotune.config.cells import cells_of
from sonotune.config.check import read_configuration
from sonotune.errors import SonotuneError
from sonotune.plan.estimate import estimate_hours, images_of, plan_study
from sonotune.plan.speed import Meter
from sonotune.plan.words import no_gpu_warning
from sonotune.runtime.run_record import write_record
from sonotune.training.device import choose

ROOT = Path(__file__).parents[2]
TINY = ROOT / "tests/tiny.yaml"


def finish(config, results, number, epochs):
    """Write the records of some trainings."""
    cells = [cell for cell in cells_of(config, "tiny", "sus_a") if cell.strategy != "unchanged"]
    for cell in cells[:number]:
        folder = results / cell.folder
        folder.mkdir(parents=True)
        write_record(folder, {"epochs": epochs, "settings": {"tune": ["block9"]}}, [])


def test_a_plan_counts_cells_and_gives_a_range_of_hours(tmp_path):
    config = read_configuration(TINY)
    config["studies"]["tiny"]["training"] |= {"epochs": 50, "patience": 4}
    plan = plan_study(config, "tiny", tmp_path)
    assert (plan.cells, plan.done) == (14, 0)
    least, typical, most = plan.seconds
    assert 0 < least < most
    assert typical is None
    # Arrays of 8 + 8 images, and 7 cells of each with 4 test images of 16 x 16 pixels.
    assert plan.bytes == 256 * (2 * 16 + 14 * 4)


def test_what_is_done_is_not_planned_again_and_says_how_many_epochs_are_usual(tmp_path):
    config = read_configuration(TINY)
    config["studies"]["tiny"]["training"] |= {"epochs": 5000, "patience": 4}
    finish(config, tmp_path, 3, epochs=100)
    plan = plan_study(config, "tiny", tmp_path)
    assert (plan.cells, plan.done) == (14, 3)
    least, typical, most = plan.seconds
    assert least < typical < most


def test_a_plan_is_told_in_words(tmp_path, capsys):
    asked = ["plan", "--configfile", str(TINY), "--results", str(tmp_path), "--cores", "2"]
    assert main(asked) == 0
    told = capsys.readouterr().out
    assert told.startswith("tiny: ")
    assert "14 trainings and evaluations, 0 done, 2 at a time" in told


def test_a_plan_of_a_large_network_takes_seconds():
    config = read_configuration(ROOT / "config/config.yaml")
    study = config["studies"]["amiri2020"] | {"device": "cpu", "precision": "fp32"}
    meter = Meter(0.0)
    processor = choose("cpu", "fp32", 1)
    speeds = [
        meter.measure(study, study["network"], one["tune"], study["training"], processor)
        for one in study["strategies"].values()
        if one["tune"]
    ]
    # One is measured; the others are taken to be as slow.
    assert len({speed.step for speed in speeds}) == 1
    assert sum(speeds[0].parameters.values()) == 31_031_685  # the paper's network


def test_images_that_nobody_can_count_are_said_to_be_missing(tmp_path):
    own = {"reader": "folder", "folder": {"images": f"{tmp_path}/*.png", "masks": "none"}}
    with pytest.raises(SonotuneError, match=r"mine: .*no file matches"):
        images_of({"datasets": {"mine": own}}, "mine", 16, tmp_path)


def test_a_rough_reckoning_grows_with_epochs(tmp_path):
    config = read_configuration(TINY)
    config["studies"]["tiny"]["training"] |= {"patience": 4, "epochs": 500}
    least, most = estimate_hours(config, tmp_path, 1)
    # Of a hundred times the epochs; a pre-training and the starts of jobs are the same in both.
    assert 2 * least < most < 101 * least


def test_a_long_configuration_is_told_where_there_is_no_gpu(tmp_path):
    config = read_configuration(TINY)
    assert no_gpu_warning(config, tmp_path, 1) == ""
    config["studies"]["tiny"]["training"] |= {"epochs": 10**9}
    said = no_gpu_warning(config, tmp_path, 1)
    assert "no GPU" in said
    assert "years if each takes all its epochs" in said
