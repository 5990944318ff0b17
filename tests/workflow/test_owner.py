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


def edit(before, after):
    return lambda path: path.write_text(path.read_text().replace(before, after))


@pytest.mark.parametrize(
    ("change", "asked"),
    [
        (edit("seed: ", "seed: 1"), "mine"),
        (lambda path: path.rename(path.with_name("new.yaml")), "new"),
        (edit("smallest:", "another:"), "other"),
    ],
    ids=["edited", "renamed", "another study"],
)
def test_a_folder_goes_on_with_its_configuration_or_is_free(change, asked, home):
    change(home / "config/mine.yaml")
    check(f"config/{asked}.yaml")
    check(home / f"config/../config/{asked}.yaml")


def test_another_configuration_is_refused_in_one_line_and_takes_over_as_it_is_told(home):
    with pytest.raises(SonotuneError, match=r"^.*config/mine\.yaml.*config/other\.yaml.*$"):
        check("config/other.yaml")
    (home / "results/smallest" / OWNER).unlink()
    check("config/other.yaml")
    claim_folders(["smallest"], ["config/other.yaml"], "results")
    with pytest.raises(SonotuneError):
        check("config/mine.yaml")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"configuration": 3}', "\x00"])
def test_a_damaged_note_refuses_nothing(text, home):
    (home / "results/smallest" / OWNER).write_text(text)
    check("config/other.yaml")


def test_a_moved_project_and_one_without_a_file_go_on(home, monkeypatch):
    shutil.copytree(home, home / "moved", ignore=shutil.ignore_patterns("moved"))
    monkeypatch.chdir(home / "moved")
    check("config/mine.yaml")
    check()


def test_the_workflow_refuses_before_anything_runs(home):
    run = snakemake(home, "-n", "--cores", "1", "--configfile", "config/other.yaml")
    said = run.stdout + run.stderr
    assert run.returncode == 1
    assert "belongs to the study of this name in config/mine.yaml" in said
    assert "Traceback" not in said
