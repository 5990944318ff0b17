"""`sonotune recommend`: what a finished study says, and where nothing was measured."""

import json

import pytest
from made_up_scores import cells_of_scores, made_up_scores, write_tables

from sonotune.cli import main


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A study as the workflow leaves it, of 64 and 4 images for training and validation."""
    folder = tmp_path_factory.mktemp("study")
    means = {"whole": 0.8, "block_9": 0.6, "scratch": 0.9}
    scores = made_up_scores({("sus", s, p): d for s, d in means.items() for p in (0.8, 0.05)})
    cells = cells_of_scores(scores)
    # The best has a failed run.
    cells.loc[(cells["strategy"] == "scratch") & (cells["fold"] == 0), "failed"] = True
    write_tables(scores, cells, folder)
    splits = [
        {"fraction": fraction, "fold": 0, "training": [0] * n, "validation": [0], "test": [0]}
        for fraction, n in ((0.8, 63), (0.05, 3))
    ]
    content = {"sus": {"source": "sus", "names": ["a"], "splits": splits}}
    (folder / "splits.json").write_text(json.dumps(content))
    return folder


def said(study, capsys, *options):
    assert main(["recommend", str(study), *options]) == 0
    return capsys.readouterr().out


def test_the_best_without_failed_runs_is_recommended(study, capsys):
    assert said(study, capsys).splitlines()[-1].endswith("keep_weights: [whole]")


@pytest.mark.parametrize(
    ("images", "shown"), [("4", {"5%"}), ("20", {"5%", "80%"}), ("2", {"5%"}), ("500", {"80%"})]
)
def test_the_nearest_measured_numbers_of_images_are_shown(study, capsys, images, shown):
    text = said(study, capsys, "--images", images)
    assert {share for share in ("5%", "80%") if f"{share} of the images" in text} == shown


def test_an_unfinished_study_is_one_line(tmp_path, capsys):
    assert main(["recommend", str(tmp_path)]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
