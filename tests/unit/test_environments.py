"""The jobs' environment, the package's own requirements and the pip lock agree."""

import ast
import re
import tomllib
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
CONDA_NAMES = {
    "matplotlib-base": "matplotlib",
    "opencv": "opencv-python-headless",
    "pytorch": "torch",
    "snakemake-minimal": "snakemake",
}
LOCKED = re.compile(r"^(?P<name>[\w.-]+)==(?P<version>[^\s;]+)")


def declared(*extras: str) -> dict[str, Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = [*project["dependencies"]]
    for extra in extras:
        lines += project["optional-dependencies"][extra]
    return {canonicalize_name(Requirement(line).name): Requirement(line) for line in lines}


@cache
def imported(*folders: str) -> set[str]:
    """Distributions whose packages Python files below some folders import."""
    files = [file for folder in folders for file in (ROOT / folder).rglob("*.py")]
    trees = [ast.parse(file.read_text("utf-8")) for file in files]
    modules = set()
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, ast.Import):
            modules |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            modules.add(node.module.partition(".")[0])
    owners = packages_distributions()
    return {canonicalize_name(owner) for module in modules for owner in owners.get(module, [])}


def conda_requirements() -> dict[str, Requirement]:
    environment = yaml.safe_load((ROOT / "envs/sonotune.yaml").read_text())
    found = [Requirement(line) for line in environment["dependencies"] if line != "pip"]
    return {canonicalize_name(CONDA_NAMES.get(one.name, one.name)): one for one in found}


def locked(name: str) -> dict[str, str]:
    lines = (ROOT / f"envs/{name}.lock").read_text().splitlines()
    found = [match for match in map(LOCKED.match, lines) if match]
    return {canonicalize_name(match["name"]): match["version"] for match in found}


def test_conda_environment_has_the_packages_that_jobs_need_in_the_versions_of_the_project():
    conda = {name: str(one.specifier) for name, one in conda_requirements().items()}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = {name: str(one.specifier) for name, one in declared().items()}
    assert conda == {**wanted, "python": project["requires-python"]}


def test_every_imported_package_is_a_requirement():
    known = set(declared("cluster", "export")) | {"sonotune"}
    assert imported("sonotune", "workflow") <= known


@pytest.mark.parametrize(
    ("lock", "extras"),
    [("requirements", ("dev", "docs", "cluster", "export")), ("kubernetes", ("kubernetes",))],
)
def test_locked_versions_are_allowed_by_the_project(lock, extras):
    versions = locked(lock)
    wanted = declared(*extras)
    assert [one for name, one in wanted.items() if not one.specifier.contains(versions[name])] == []


def test_versions_on_kubernetes_are_those_of_other_machines():
    here, there = locked("requirements"), locked("kubernetes")
    assert {name: here[name] for name in here.keys() & there} == {
        name: there[name] for name in here.keys() & there
    }


@pytest.mark.parametrize("lock", ["requirements", "kubernetes", "audit"])
def test_every_locked_package_has_one_exact_version_and_a_hash(lock):
    text = (ROOT / f"envs/{lock}.lock").read_text().replace("\\\n", "")
    for line in filter(None, text.splitlines()):
        assert LOCKED.match(line), line
        assert "--hash=sha256:" in line, line
    assert text.count("==") > 20
    assert lock != "audit" or "\npip-audit==" in text
