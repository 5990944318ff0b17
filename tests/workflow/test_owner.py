"""Two configurations never write into one study unawares."""

import shutil
from pathlib import Path

import pytest
from warm import snakemake

from sonotune.errors import SonotuneError
from sonotune.owner import OWNER, check_owner, claim_folders

ROOT = Path(__file__).parents[2]


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config").mkdir()
    for name in ("mine", "other"):
        shutil.copy(ROOT / "tests/smallest.yaml", tmp_path / f"config/{name}.yaml")
    claim_folders(["smallest"], [tmp_path / "config/mine.yaml"], "results")
    return tmp_path


def check(*files):
    check_owner(["smallest", "new"], files, "results")


def test_an_edited_configuration_goes_on(home):
    with (home / "config/mine.yaml").open("a") as file:
        file.write("seed: 3\n")
    check("config/mine.yaml")
    check(home / "config/mine.yaml")
    check(home / "config/../config/mine.yaml")


def test_another_configuration_is_refused_in_one_line_that_names_both(home):
    with pytest.raises(SonotuneError) as caught:
        check("config/other.yaml")
    said = str(caught.value)
    assert "config/mine.yaml" in said
    assert "config/other.yaml" in said
    assert "\n" not in said


def test_it_takes_over_as_it_is_told(home):
    (home / "results/smallest" / OWNER).unlink()
    check("config/other.yaml")
    claim_folders(["smallest"], ["config/other.yaml"], "results")
    with pytest.raises(SonotuneError):
        check("config/mine.yaml")


def test_a_renamed_configuration_takes_its_studies_along(home):
    (home / "config/mine.yaml").rename(home / "config/new.yaml")
    check("config/new.yaml")


def test_a_study_that_the_first_configuration_no_longer_has_is_free(home):
    path = home / "config/mine.yaml"
    path.write_text(path.read_text().replace("smallest:", "another:"))
    check("config/other.yaml")


def test_a_moved_project_and_one_without_a_file_go_on(home, monkeypatch):
    shutil.copytree(home, home / "moved", ignore=shutil.ignore_patterns("moved"))
    monkeypatch.chdir(home / "moved")
    check("config/mine.yaml")
    check()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"configuration": 3}', "\x00"])
def test_a_damaged_note_refuses_nothing(text, home):
    (home / "results/smallest" / OWNER).write_text(text)
    check("config/other.yaml")


def test_the_workflow_refuses_before_anything_runs(home):
    ends = {}
    for name in ("mine", "other"):
        run = snakemake(home, "-n", "--cores", "1", "--configfile", f"config/{name}.yaml")
        ends[name] = run.returncode, run.stdout + run.stderr
    assert ends["mine"][0] == 0, ends["mine"][1]
    assert ends["other"][0] == 1
    assert "belongs to the study of this name in config/mine.yaml" in ends["other"][1]
    assert "Traceback" not in ends["other"][1]
