"""The wheel in an environment of its own, and the workflow as a part of another one."""

import os
import re
import shutil
import sys
import sysconfig
import tarfile
import tomllib
import venv
import zipfile
from datetime import date
from pathlib import Path

import pytest
import yaml
from tiny_files import write_pairs
from warm import run_clean

import sonotune

ROOT = Path(__file__).parents[2]
CONFIG = (ROOT / "tests/smallest.yaml").read_text()
STUDY = "results/smallest"
CELLS = {f"cells/sus/{strategy}/0.5/0/run.json" for strategy in ("scratch", "block_9")}
TABLE = f"{STUDY}/tables/table2.html"
REMOTE = {"originals", "finetune"}

pytestmark = pytest.mark.slow  # `make test-install` runs them


def succeed(command, folder, **variables):
    done = run_clean(command, folder, **variables)
    assert done.returncode == 0, done.stdout[-5000:]
    return done.stdout


@pytest.fixture(scope="session")
def distributions(tmp_path_factory):
    """Folder of the wheel and the source archive: those of `make release`, or made here."""
    if made := os.getenv("SONOTUNE_DIST"):
        return Path(made).resolve()
    folder = tmp_path_factory.mktemp("distributions")
    copy = copy_of_checkout(folder / "copy")
    succeed([sys.executable, "-m", "hatchling", "build", "-d", folder / "dist"], copy)
    shutil.rmtree(copy)
    return folder / "dist"


@pytest.fixture(scope="session")
def wheel(distributions):
    (found,) = distributions.glob("*.whl")
    return found


@pytest.fixture(scope="session")
def fresh(wheel, tmp_path_factory):
    """Folder of programs of an environment with the wheel; dependencies are those of this one."""
    folder = tmp_path_factory.mktemp("environment")
    succeed([sys.executable, "-m", "venv", "--without-pip", folder], folder)
    pip = [sys.executable, "-m", "pip", "--python", folder / "bin/python", "install", "--quiet"]
    succeed([*pip, "--no-deps", "--no-index", wheel], folder)
    (site,) = folder.glob("lib/python*/site-packages")
    # A folder on the path, whose own .pth files (the link to the checkout) are not read.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    script = "import sonotune, sys; print(sonotune.__file__, *sys.path, *sys.meta_path, sep='\\n')"
    where, *paths = succeed([folder / "bin/python", "-c", script], folder).splitlines()
    assert Path(where).is_relative_to(site)
    assert not [path for path in paths if path in (str(ROOT), str(ROOT / "sonotune"))]
    assert not [finder for finder in paths if "editable" in finder]
    return folder / "bin"


def copy_of_checkout(target):
    """The files that a commit of the checkout would hold, but for stored results."""
    left = (".git", ".venv", ".snakemake", "results", "resources", "dist", "__pycache__")
    ignored = shutil.ignore_patterns(*left, "*.egg-info", "*_cache")
    return shutil.copytree(ROOT, target, ignore=ignored, symlinks=True)


def test_the_wheel_carries_the_workflow_and_every_file_of_the_library(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    wanted = {"sonotune/py.typed"}
    folders = dict.fromkeys(("workflow", "config", "profiles"), "sonotune/_workflow/")
    for folder, below in {**folders, "sonotune": ""}.items():
        files = [path for path in (ROOT / folder).rglob("*") if path.is_file()]
        wanted |= {f"{below}{path.relative_to(ROOT)}" for path in files if path.suffix != ".pyc"}
    for name in ("sonotune.yaml", "sonotune.post-deploy.sh"):
        wanted.add(f"sonotune/_workflow/envs/{name}")
    assert wanted <= names
    assert {name.split("/")[0] for name in names} == {
        "sonotune",
        f"sonotune-{sonotune.__version__}.dist-info",
    }


def test_the_source_archive_builds_the_same_wheel(distributions, wheel, tmp_path):
    (archive,) = distributions.glob("*.tar.gz")
    with tarfile.open(archive) as file:
        file.extractall(tmp_path, filter="data")
    (source,) = tmp_path.iterdir()
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path / "dist"]
    succeed(command, source)
    (again,) = (tmp_path / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as first, zipfile.ZipFile(again) as second:
        assert {item.filename: item.CRC for item in first.infolist()} == {
            item.filename: item.CRC for item in second.infolist()
        }


def test_conda_environments_get_the_library_from_the_wheel(wheel, tmp_path):
    script = ROOT / "envs/sonotune.post-deploy.sh"
    assert (ROOT / "envs/sonotune.yaml").with_suffix(".post-deploy.sh") == script
    venv.create(tmp_path / "environment", with_pip=True)
    path = f"{tmp_path / 'environment/bin'}:{os.environ['PATH']}"
    without = run_clean(["bash", script], tmp_path, PATH=path)
    assert without.returncode == 1
    assert "sonotune-*.whl" in without.stdout
    shutil.copy(wheel, tmp_path)
    succeed(["bash", script], tmp_path, PATH=path, PIP_NO_INDEX="1")
    python = tmp_path / "environment/bin/python"
    assert sonotune.__version__ in succeed([python, "-m", "sonotune", "--version"], tmp_path)


def test_every_place_that_names_the_version_names_the_same(wheel):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert "version" not in project
    assert wheel.name.startswith(f"sonotune-{sonotune.__version__}-")
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"] == sonotune.__version__
    headings = re.findall(r"^## \[([\d.]+)\] - (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert headings[0][0] == sonotune.__version__
    # What was released before has a date, and so has what `make release` is to publish.
    for _, day in headings if "SONOTUNE_DIST" in os.environ else headings[1:]:
        date.fromisoformat(day)


def test_commands_work_without_a_checkout(fresh, tmp_path):
    version = succeed([fresh / "sonotune", "--version"], tmp_path)
    assert version == f"sonotune {sonotune.__version__}\n"
    bare = succeed([fresh / "sonotune"], tmp_path)
    assert bare == succeed([fresh / "sonotune", "--help"], tmp_path)
    assert "busi" in succeed([fresh / "sonotune", "data", "list"], tmp_path)
    write_pairs(tmp_path, range(10))
    init = ["init", "--images", "images/*.png", "--masks", "masks/*.png"]
    succeed([fresh / "sonotune", *init], tmp_path)
    assert run_clean([fresh / "sonotune", *init], tmp_path).returncode == 1
    check = ["data", "check", "mine", "--configfile", "my.yaml"]
    run_clean([fresh / "sonotune", *check], tmp_path)
    assert (tmp_path / "audits/mine/audit.html").is_file()
    plan = succeed(
        [fresh / "sonotune", "run", "--configfile", "my.yaml", "--cores", "2", "--", "--dry-run"],
        tmp_path,
    )
    assert re.search(r"^finetune +\d+$", plan, re.M)
    missing = run_clean([fresh / "sonotune", "run", "--configfile", "no.yaml"], tmp_path)
    assert missing.returncode == 1
    assert len(missing.stdout.splitlines()) == 1


def test_a_study_runs_from_the_wheel(fresh, tmp_path):
    (tmp_path / "my.yaml").write_text(CONFIG)
    command = [fresh / "sonotune", "run", "--configfile", "my.yaml", "--cores", "2"]
    succeed(command, tmp_path)
    assert (tmp_path / STUDY / "index.html").is_file()
    assert "Nothing to be done" in succeed([*command, "--", "--dry-run"], tmp_path)
    succeed([fresh / "sonotune", "verify"], tmp_path)
    succeed([fresh / "sonotune", "recommend", STUDY], tmp_path)
    succeed([*command, "--", "--report", "report.zip"], tmp_path)
    assert (tmp_path / "report.zip").is_file()


def host(snakefile, prefix, after=""):
    """A workflow with a rule of its own, which deploys ours."""
    line = f'    prefix: "{prefix}"\n' if prefix else ""
    table = f"{prefix}/{TABLE}" if prefix else TABLE
    return f"""
configfile: "config.yaml"

rule all:
    input: "mine.txt"

rule mine:
    input: "{table}"
    output: "mine.txt"
    shell: "cp {{input}} {{output}}"

module sonotune:
    snakefile: "{snakefile}"
{line}    config: config

use rule * from sonotune as seg_*

onstart:
    sonotune.onstart()
{after}"""


@pytest.mark.parametrize("prefix", ["", "seg"])
def test_another_workflow_uses_it_as_a_module(prefix, fresh, tmp_path):
    (carried,) = fresh.parent.glob("lib/python*/site-packages/sonotune/_workflow")
    # Once that of a checkout, which has the library beside it, and once that of the wheel.
    snakefile = carried / "workflow/Snakefile" if prefix else ROOT / "workflow/Snakefile"
    (tmp_path / "Snakefile").write_text(host(snakefile, prefix))
    (tmp_path / "config.yaml").write_text(CONFIG)
    snakemake = [fresh / "python", "-m", "snakemake"]
    succeed(
        [*snakemake, "--executor", "diary", "--jobs", "2"],
        tmp_path,
        PYTHONPATH=str(ROOT / "tests/executor"),
    )
    assert "Nothing to be done" in succeed([*snakemake, "--cores", "1", "--dry-run"], tmp_path)
    # The host's first rule is still the target, and its rules are still no local ones.
    sent = set((tmp_path / "diary.txt").read_text().splitlines())
    assert sent == {"mine", *(f"seg_{name}" for name in REMOTE)}
    below = tmp_path / prefix
    assert (tmp_path / "mine.txt").read_bytes() == (below / TABLE).read_bytes()
    assert {str(path.relative_to(below / STUDY)) for path in below.rglob("run.json")} == CELLS
    assert (below / "results/.lock").is_file()
    tops = {path.name for path in tmp_path.iterdir() if path.name != ".snakemake"}
    assert tops == {"Snakefile", "config.yaml", "diary.txt", "mine.txt", prefix or "results"}


def test_snakedeploy_deploys_a_tag(fresh, tmp_path):
    # An address with this name in it is cloned with git, as those of hosted repositories are.
    repository = copy_of_checkout(tmp_path / "github/sonotune")
    tag = f"v{sonotune.__version__}"
    git = ["git", "-c", "user.name=test", "-c", "user.email=test@localhost"]
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "A release"], ["tag", tag]):
        succeed([*git, *command], repository)
    # What comes after the tag is not deployed.
    (repository / "workflow/Snakefile").write_text("broken after the release")
    succeed([*git, "commit", "-qam", "After it"], repository)
    deploy = [Path(sys.executable).with_name("snakedeploy"), "deploy-workflow"]
    succeed([*deploy, repository.as_uri(), "deployed", "--tag", tag], tmp_path)
    deployed = tmp_path / "deployed"
    snakefile = deployed / "workflow/Snakefile"
    text = snakefile.read_text()
    assert f'github("github/sonotune", path="workflow/Snakefile", tag="{tag}")' in text
    # The same repository at the same tag, from this disk.
    snakefile.write_text(text.replace('github("github/sonotune"', f'gitfile("{repository}"'))
    (deployed / "config/config.yaml").write_text(CONFIG)
    snakemake = [fresh / "python", "-m", "snakemake", "--cores", "2"]
    plan = succeed([*snakemake, "--dry-run"], deployed)
    assert re.search("^report +1$", plan, re.M)
    succeed([*snakemake, TABLE], deployed)
    assert {str(path.relative_to(deployed / STUDY)) for path in deployed.rglob("run.json")} == CELLS
