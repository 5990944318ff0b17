"""What the Snakemake workflow catalog asks of a repository."""

import venv
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from warm import run_clean

ROOT = Path(__file__).parents[2]


def with_dependencies(*names):
    """Distributions that are there if these are installed."""
    found, waiting = set(), list(names)
    while waiting:
        name = canonicalize_name(waiting.pop())
        if name in found:
            continue
        try:
            lines = distribution(name).requires or []
        except PackageNotFoundError:
            continue
        found.add(name)
        wanted = [Requirement(line) for line in lines]
        waiting += [
            one.name for one in wanted if not one.marker or one.marker.evaluate({"extra": ""})
        ]
    return found


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """The interpreter of an environment with Snakemake, snakefmt and what they need, no more."""
    folder = tmp_path_factory.mktemp("only_snakemake")
    venv.create(folder, with_pip=False, symlinks=True)
    (site,) = folder.glob("lib/python*/site-packages")
    for name in with_dependencies("snakemake", "snakefmt"):
        found = distribution(name)
        for top in {file.parts[0] for file in found.files} - {"..", "__pycache__"}:
            if not (site / top).exists():
                (site / top).symlink_to(found.locate_file(top))
    return folder / "bin/python"


def test_the_catalog_can_read_how_the_workflow_is_used():
    usage = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text())["usage"]
    deployment = usage["software-stack-deployment"]
    assert set(deployment) >= {"conda", "apptainer", "apptainer+conda"}
    assert all(isinstance(value, bool) for value in [*deployment.values(), usage["report"]])
    assert {"desc", "flags"} <= set(usage["mandatory-flags"])


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [
        ["snakemake", "--lint"],
        ["snakefmt", "--check", "-v", "workflow/Snakefile", "workflow/rules", "Snakefile"],
    ],
    ids=lambda command: command[0],
)
def test_checks_of_the_catalog_pass_with_snakemake_alone(command, python):
    done = run_clean([python, "-m", *command], ROOT)
    assert done.returncode == 0, done.stdout


def test_a_study_is_planned_with_snakemake_alone(python, tmp_path):
    command = [python, "-m", "snakemake", "--snakefile", ROOT / "Snakefile", "--cores", "1"]
    done = run_clean(
        [*command, "--configfile", ROOT / "tests/smallest.yaml", "--dry-run"], tmp_path
    )
    assert done.returncode == 0, done.stdout
