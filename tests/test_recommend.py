"""`sonotune recommend`: what a finished study says, and where nothing was measured."""

import json

import pytest
from test_summary import write

from sonotune.cli import main


@pytest.fixture
def study(tmp_path):
    """A study as the workflow leaves it, of 64 and 4 images for training and validation."""
    _, differences, ranks = write(tmp_path, percents=(80, 5))
    (tmp_path / "statistics").mkdir()
    for file in (differences, ranks):
        file.rename(tmp_path / "statistics" / file.name)
    splits = [
        {"percent": percent, "fold": 0, "training": [0] * n, "validation": [0], "test": [0]}
        for percent, n in ((80, 63), (5, 3))
    ]
    content = {"sus": {"source": "sus", "names": ["a"], "splits": splits}}
    (tmp_path / "splits.json").write_text(json.dumps(content))
    return tmp_path


def said(study, capsys, *options):
    assert main(["recommend", str(study), *options]) == 0
    return capsys.readouterr().out


def test_strategy_cost_and_sureness_are_said_for_every_percent(study, capsys):
    text = said(study, capsys)
    assert "80% of the images (64): whole: Dice 0.800 (95% interval 0.750 to 0.850)" in text
    assert "5% of the images (4): whole" in text
    assert "parameters (100%), 1.5 min a training" in text
    assert "sure: the best in 96% of bootstrap draws" in text
    assert "fewer parameters and about as good: block_9" in text
    assert "nothing marked): scratch (1 of 2)" in text


def test_the_line_that_keeps_the_weights_is_printed(study, capsys):
    assert said(study, capsys).splitlines()[-1].endswith("keep_weights: [whole]")


def test_a_number_of_images_that_was_measured_gets_its_row_alone(study, capsys):
    text = said(study, capsys, "--images", "4")
    assert "5% of the images" in text
    assert "80% of the images" not in text


@pytest.mark.parametrize(
    ("images", "words", "shown"),
    [
        ("20", "20 images were not measured; the nearest are 4 and 64", {"5%", "80%"}),
        ("2", "fewer than 4 images were not measured", {"5%"}),
        ("500", "more than 64 images were not measured", {"80%"}),
    ],
)
def test_what_was_not_measured_is_said(study, capsys, images, words, shown):
    text = said(study, capsys, "--images", images)
    assert words in text
    assert {percent for percent in ("5%", "80%") if f"{percent} of the images" in text} == shown


def test_an_unfinished_study_is_one_line(tmp_path, capsys):
    assert main(["recommend", str(tmp_path)]) == 1
    assert "is no finished study; run it first" in capsys.readouterr().err
