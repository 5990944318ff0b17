"""After an edit only the invalidated cells run: real `snakemake -n` on a finished tiny study."""

import os
import re
import shutil
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import yaml
from faulty import copy_project
from warm import planned_jobs, run_through, snakemake

from sonotune.data.splits import Resampling, kfold_test_rows, split_seed
from sonotune.evaluation.scores import load_predictions
from sonotune.runtime.files import read_json, write_json
from sonotune.runtime.run_record import seal

ROOT = Path(__file__).parents[2]
PROFILES = sorted((ROOT / "profiles").glob("*/config.yaml"))
TRAININGS = 2 * 3 * 2  # data sets x trained strategies x fractions
# What is made of scores.
SHOWN = {"table2", "fig4", "fig5", "statistics", "intervals", "ranks", "claims", "metrics", "page"}
DRAWN = {"fig3", "fig7", "pareto", "table3", "curves", "distributions"}
SHOWN |= {"provenance", "learning", "more_images", "tukey", "tukey_fractions", *DRAWN}
TRAINED = ("results/tiny/splits.json", "results/tiny/figures/fig4.png")
ADVICE = "copy rerun-triggers and max-checksum-file-size"
CELLS = TRAININGS + 2  # and the unchanged network, once a data set


class Project:
    """A copy of the project in which the tiny study has been run."""

    def __init__(self, folder, targets=()):
        self.folder, self.warm = folder, ""
        self.options = ["--configfile", "tiny.yaml"]
        # Files that are made, if not all.
        self.targets = ["--", *targets] if targets else []

    def snakemake(self, *options):
        return snakemake(self.folder, *self.options, *options, root=self.folder, WARM=self.warm)

    def run(self):
        """Make the targets; with ``device: cpu`` also where there is no GPU to give."""
        run = self.snakemake("--cores", "2", "--resources", "gpu=0", *self.targets)
        assert run.returncode == 0, run.stdout + run.stderr
        return self.folder

    def stale(self):
        """Number of jobs of each rule, figure and table that would run, and their cells."""
        run = self.snakemake("-n", "--cores", "2", *self.targets)
        assert run.returncode == 0, run.stdout + run.stderr
        text = run.stdout + run.stderr
        assert ADVICE not in text
        jobs = planned_jobs(text)
        views = re.findall(r"(?:Figure|Table) (\w+) of tiny$", text, re.M)
        assert len(views) == jobs["figure"] + jobs["table"]
        jobs.update(views)
        del jobs["total"], jobs["report"], jobs["figure"], jobs["table"]
        cells = re.findall(r"tiny: (\w+) on (\S+) of (\w+), fold 0", text)
        assert len(cells) == jobs["finetune"]
        return jobs, set(cells)

    def edit(self, file, before, after, count=1):
        path = self.folder / file
        text = path.read_text()
        assert before in text, f"{file} has no {before!r}"
        path.write_text(text.replace(before, after, count))


@pytest.fixture(scope="module")
def with_cells(tmp_path_factory):
    """The study with all its cells, but of what is made of their scores only Fig. 4."""
    folder = tmp_path_factory.mktemp("with_cells")
    copy_project(folder, "pyproject.toml")
    shutil.copy2(ROOT / "tests/tiny.yaml", folder / "tiny.yaml")
    return Project(folder, TRAINED).run()


@pytest.fixture(scope="module")
def finished(with_cells, tmp_path_factory):
    """The study with all that it shows."""
    folder = tmp_path_factory.mktemp("finished") / "clone"
    shutil.copytree(with_cells, folder, symlinks=True)  # copies with copy2, which keeps times
    return Project(folder).run()


@pytest.fixture
def project(request, tmp_path):
    """A fresh clone with results and Snakemake's own records copied in, times kept.

    Slow tests get one of the whole study.
    """
    is_slow = request.node.get_closest_marker("slow")
    folder = tmp_path / "clone"
    source = request.getfixturevalue("finished" if is_slow else "with_cells")
    shutil.copytree(source, folder, symlinks=True)
    return Project(folder, () if is_slow else TRAINED)


def test_times_messages_and_what_a_cell_does_not_use_rerun_nothing(project):
    """Messages neither in what runs jobs nor in what trains them."""
    project.edit("sonotune/runtime/locks.py", "is in use by", "is used by")
    project.edit("sonotune/runtime/job.py", "make space", "free some space")
    project.edit("sonotune/training/loop.py", "best epoch", "best so far")
    project.edit("sonotune/networks/weights.py", "is missing", "is not there")
    with (project.folder / "workflow/scripts/finetune.py").open("a") as file:
        file.write('print("ended")\n')
    project.edit("sonotune/training/cuda.py", "benchmark = False", "benchmark = True")
    project.edit("sonotune/networks/unet_bn.py", "return self.norm(", "return 2 * self.norm(")
    (project.folder / "sonotune/training/new.py").write_text("RATE = 0.1\n")
    for path in project.folder.rglob("*"):
        if ".snakemake" not in path.parts:
            os.utime(path)
    assert project.stale() == (Counter(), set())


def test_one_figures_code_reruns_only_that_figure(project):
    with (project.folder / "sonotune/report/figures/fig4.py").open("a") as file:
        file.write("\nNEW = 1\n")
    assert project.stale()[0] == Counter(fig4=1)


@pytest.mark.slow
def test_captions_environments_and_versions_rerun_nothing(project):
    """Captions are read when the report is made."""
    project.edit("sonotune/report/views.yaml", "Dice score against", "Dice against")
    captions = project.folder / "workflow/report/claims.rst"
    for path in (captions, *(project.folder / "envs").iterdir()):
        path.write_text(path.read_text("utf-8") + "\n# more words\n", "utf-8")
    project.edit("sonotune/__init__.py", "0.1.0", "0.2.0")
    assert project.stale() == (Counter(), set())


@pytest.mark.slow
def test_two_settings_that_swap_values_are_noticed(project):
    """Snakemake compares params as a set of values: the names have to be inside them."""
    project.edit("tiny.yaml", "{epochs: 2, patience: 1, l", "{epochs: 1, patience: 2, l")
    assert len(project.stale()[1]) == CELLS
    assert len(with_own_profile(project, OWN_PROFILE).stale()[1]) == CELLS


LABELLED = {"table2", "metrics", "page", "fig1", "fig4", "fig5", "intervals", "ranks", "figs2"}
LABELLED |= {"learning", "more_images", "tukey", "tukey_fractions", *DRAWN}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "before", "after", "shown"),
    [
        ("sonotune/report/claims/amiri2020.yaml", "are the best", "are the top", "claims page"),
        ("sonotune/data/audit.py", "TINY = 0.001", "TINY = 0.002", "audit table1 page"),
        ("sonotune/overlap.py", "2 * true_p", "3 * true_p", {"score", "aggregate", *SHOWN}),
        ("tiny.yaml", "    device:", "    averages: {ddof: 0}\n    device:", {"aggregate", *SHOWN}),
        ("tiny.yaml", "whole: {tune: all}", "whole: {tune: all, label: Everything}", LABELLED),
    ],
)
def test_an_edit_reruns_what_shows_it_and_trains_nothing(project, file, before, after, shown):
    project.edit(file, before, after)
    jobs, cells = project.stale()
    assert not cells
    assert set(jobs) == (set(shown.split()) if isinstance(shown, str) else shown)


OWN_PROFILE = """
cores: 2
rerun-triggers: [mtime, params, input]
max-checksum-file-size: 1000000000000
"""


def with_own_profile(project, text):
    """A user's own profile, which replaces the default one."""
    folder = project.folder / "profiles/mine"
    folder.mkdir()
    (folder / "config.yaml").write_text(text)
    project.options = [*project.options, "--workflow-profile", "profiles/mine"]
    return project


@pytest.mark.slow
def test_with_a_users_own_profile_neither_times_nor_comments_count(project):
    own = with_own_profile(project, OWN_PROFILE)
    for path in own.folder.rglob("*"):
        if ".snakemake" not in path.parts:
            os.utime(path)
    own.edit("workflow/scripts/finetune.py", "Train one cell", "Train exactly one cell")
    own.edit("workflow/scripts/figure.py", "Draw a figure", "Draw one figure")
    assert own.stale() == (Counter(), set())


def test_a_profile_that_forgets_staleness_is_told_so(project):
    assert ADVICE in with_own_profile(project, "cores: 2\n").snakemake("-n").stderr


@pytest.mark.parametrize("profile", PROFILES, ids=lambda path: path.parent.name)
def test_every_profile_says_what_makes_results_stale(profile):
    settings = yaml.safe_load(profile.read_text())
    assert settings["rerun-triggers"] == ["mtime", "params", "input"]
    assert settings["max-checksum-file-size"] >= 10**12


@pytest.mark.slow
def test_other_versions_of_packages_train_nothing_and_are_told_where_they_are_averaged(project):
    study = project.folder / "results/tiny"
    now = read_json(study / "pretrained/1/run.json")["processor"]
    for strategy, package in (("whole", "torch"), ("block_9", "numpy")):
        path = study / f"cells/sus_a/{strategy}/0.5/0/run.json"
        content = read_json(path)
        del content["sha256"]
        content["processor"][package] = "0.1"
        write_json(path, {**content, "sha256": seal(content)})
    jobs, cells = project.stale()
    assert not cells
    assert jobs["score"] == jobs["table2"] == jobs["page"] == jobs["provenance"] == 1
    shown = [study / name for name in ("index.html", "tables/table2.html")]
    project.targets = ["--", *(str(path.relative_to(project.folder)) for path in shown)]
    project.run()
    for path in shown:
        for package in ("torch", "numpy"):
            both = rf"{package}[^<]*\b0\.1\b[^<]*{re.escape(now[package])}"
            assert re.search(both, path.read_text()), (path, package)
    runs = pd.read_csv(study / "tables/provenance.csv").query("run == 'cells'")
    assert sorted(runs["runs"]) == [1, 1, CELLS - 2]


def lose_snakemakes_records(project):
    shutil.rmtree(project.folder / ".snakemake")


def put_a_table_in_the_place_of_another(project):
    scores = project.folder / "results/tiny/scores"
    shutil.copy2(scores / "sus_a.csv", scores / "sus_b.csv")


def lose_our_records(project):
    shutil.rmtree(project.folder / "results/records")
    project.edit("results/tiny/cells.csv", "0.", "1.")


def touch_settings_away(project):
    project.edit("tiny.yaml", "    device: cpu", "    averages: {ddof: 0}\n    device: cpu")
    assert project.snakemake("--touch", "--cores", "1", *project.targets).returncode == 0


@pytest.mark.parametrize(
    ("change", "made"),
    [
        (lose_snakemakes_records, {"score": 2, "fig4": 1}),
        (put_a_table_in_the_place_of_another, {"score": 1, "aggregate": 1}),
        (lose_our_records, {"score": 2, "aggregate": 1, "fig4": 1}),
        (touch_settings_away, {"fig4": 1}),
    ],
)
def test_what_is_shown_is_made_again_where_nothing_tells_what_from_and_nothing_is_trained(
    project, change, made
):
    change(project)
    jobs, cells = project.stale()
    assert not cells
    assert not set(jobs) & {"originals", "preprocess", "pretrain", "finetune", "features"}
    assert {name: jobs[name] for name in made} == made


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "rule"),
    [("tiny/features/sus_a.npz", "features"), ("tiny/statistics/tukey.csv", "statistics")],
)
def test_a_file_that_a_study_rests_on_is_missed(project, file, rule):
    """Also where a job that failed has left nothing, and what was made from it is still there."""
    (path,) = (project.folder / "results").glob(file)
    project.targets = []
    assert not project.stale()[0][rule]
    path.unlink()
    assert project.stale()[0][rule] >= 1


@pytest.fixture(scope="module")
def own_images(tmp_path_factory):
    """A cell of a user's own images: six patients with two each, 11 a brighter copy of 2."""
    folder = tmp_path_factory.mktemp("own")
    rows = ["image,mask,group"]
    for kind in ("images", "masks"):
        (folder / kind).mkdir()
    for number in range(12):
        mask = np.zeros((24, 24), np.uint8)
        mask[4 : 12 + number, 6:18] = 255
        seed, brighter = (2, 60) if number == 11 else (number, 0)
        image = np.random.default_rng(seed).integers(0, 180, (24, 24), dtype=np.uint8) + brighter
        cv2.imwrite(str(folder / f"masks/{number}.png"), mask)
        cv2.imwrite(str(folder / f"images/{number}.png"), image)
        rows.append(f"images/{number}.png,masks/{number}.png,P{number // 2}")
    (folder / "table.csv").write_text("\n".join(rows))
    config = yaml.safe_load((ROOT / "tests/tiny.yaml").read_text())
    config["datasets"]["mine"] = {"reader": "folder", "folder": {"csv": "table.csv"}}
    study = config["studies"]["tiny"]
    study |= {"datasets": ["mine"], "fractions": [0.5]}
    study["resampling"] = {"folds": 2, "run_folds": [0], "validation_fraction": 0.4}
    study["resampling"]["grouped"] = "both"
    (folder / "mine.yaml").write_text(yaml.safe_dump(config))
    target = "results/tiny/cells/mine/scratch/0.5/0/run.json"
    run_through(folder, "--configfile", "mine.yaml", "--cores", "1", "--", target)
    return folder, ["--configfile", "mine.yaml", "--cores", "1", "-n", "--", target]


@pytest.fixture
def own_copy(own_images, tmp_path):
    folder, options = own_images
    copied = tmp_path / "own"
    shutil.copytree(folder, copied, symlinks=True)

    def planned(*target):
        command = [*options[:-1], *target] if target else options
        return "Nothing to be done" not in run_through(copied, *command)

    assert not planned()
    return copied, planned


def test_no_patient_and_no_copy_is_in_training_and_test(own_images):
    folder, options = own_images
    tested, _ = load_predictions((folder / options[-1]).with_name("predictions.npz"))
    sides = np.isin(np.arange(12), tested)
    assert sides.sum() == 6
    joined = [[0, 1], [2, 3, 10, 11], [4, 5], [6, 7], [8, 9]]
    assert all(len(set(sides[rows])) == 1 for rows in joined)
    # By patients alone, the copy would have been on the other side.
    groups = [f"P{number // 2}" for number in range(12)]
    resampling = Resampling(folds=2, grouped=True)
    alone, _ = kfold_test_rows(12, resampling, split_seed(1, "mine", resampling), groups)
    assert (2 in alone) != (11 in alone)


def test_a_corrected_table_of_duplicates_is_noticed_whatever_its_date(own_copy, own_images):
    folder, planned = own_copy
    (found,) = folder.glob("results/datasets/mine-*/audit_duplicates.csv")
    header, *pairs = found.read_text().splitlines()
    assert pairs
    (folder / "near.csv").write_text(found.read_text())
    config = yaml.safe_load((folder / "mine.yaml").read_text())
    config["datasets"]["mine"]["duplicates"] = "near.csv"
    (folder / "mine.yaml").write_text(yaml.safe_dump(config))
    run_through(folder, *(option for option in own_images[1] if option != "-n"))
    assert not planned()
    (folder / "near.csv").write_text(header + "\n")
    os.utime(folder / "near.csv", (10**9, 10**9))
    assert planned()


def test_other_groups_are_noticed_though_the_images_are_the_same(own_copy, own_images):
    """Also where only the arrays were made since, and Snakemake has forgotten what ran."""
    folder, planned = own_copy
    table = folder / "table.csv"
    table.write_text(table.read_text().replace("P1", "P0"))
    os.utime(table, (10**9, 10**9))
    (audit,) = folder.glob("results/datasets/mine-*/audit.csv")
    arrays = audit.relative_to(folder).parent / "16/images.npy"
    options = [option for option in own_images[1][:-1] if option != "-n"]
    run_through(folder, *options, str(arrays))
    assert not planned(str(arrays))
    assert planned(str(audit.relative_to(folder)))
    shutil.rmtree(folder / ".snakemake")
    assert planned()
