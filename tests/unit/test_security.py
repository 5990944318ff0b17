"""Nothing that was read can run code: no pickle, no unsafe YAML, no shell."""

import ast
import copy
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from sonotune.config.check import complete
from sonotune.errors import SonotuneError

ROOT = Path(__file__).parents[2]
SOURCES = sorted([*ROOT.glob("sonotune/**/*.py"), *ROOT.glob("workflow/scripts/*.py")])
# Calls that run no code with one argument alone; ruff's rules of `pyproject.toml` see the others.
NEEDS = {
    "np.load": ("allow_pickle", False),
    "np.save": ("allow_pickle", False),
    "torch.load": ("weights_only", True),
}


def unsafe(text):
    """Lines of the calls that lack the argument."""
    calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    found = []
    for call in calls:
        key, value = NEEDS.get(ast.unparse(call.func), (None, None))
        given = {one.arg: one.value for one in call.keywords}
        if key and getattr(given.get(key), "value", None) is not value:
            found.append(call.lineno)
    return found


def test_nothing_that_was_read_can_run_code():
    assert len(SOURCES) > 100
    assert [path for path in SOURCES if unsafe(path.read_text("utf-8"))] == []


@pytest.mark.parametrize(
    "call", ["np.load(a, allow_pickle=wish)", "torch.load(a)", "np.save(a, b)"]
)
def test_a_call_that_could_is_found(call):
    assert unsafe(f"import os\n{call}") == [2]


def test_rules_have_no_shell():
    """Names reach a job through Python's own data, never through a command line."""
    rules = [ROOT / "Snakefile", ROOT / "workflow/Snakefile", *ROOT.glob("workflow/rules/*.smk")]
    assert len(rules) > 5
    for path in rules:
        lines = [line.strip() for line in path.read_text("utf-8").splitlines()]
        assert not [line for line in lines if line.startswith(("shell:", "run:", "shell("))]


NAMES = (
    *("../up", "..", "/tmp/x", "a/b", "a b", "a;b", "$(id)", "`id`", "a'b", 'a"b', "a|b"),
    *("<script>", "a\n", "a\x00", "é", "", "A", "1", "{a}", "a*", "~", "-rf"),
)


@pytest.mark.parametrize("kind", ["data set", "study", "strategy"])
def test_a_name_that_is_more_than_a_name_is_refused(kind):
    """Names stand in paths, in patterns of Snakemake and in pages."""
    config = yaml.safe_load((ROOT / "tests/tiny.yaml").read_text("utf-8"))
    study = config["studies"]["tiny"]
    holder = {"data set": config["datasets"], "study": config["studies"]}
    holder["strategy"] = study["strategies"]
    some = {"data set": "sus_b", "study": "tiny", "strategy": "whole"}[kind]
    holder[kind]["good_1"] = copy.deepcopy(holder[kind][some])
    complete(copy.deepcopy(config))
    for name in NAMES:
        holder[kind][name] = copy.deepcopy(holder[kind][some])
        with pytest.raises(SonotuneError):
            complete(copy.deepcopy(config))
        del holder[kind][name]


def test_locked_packages_tell_their_licences():
    script = ROOT / "envs/licences.py"
    run = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    told = dict(line.split(": ", 1) for line in run.stdout.splitlines())
    assert len(told) > 50
    assert sum(licence == "unknown" for licence in told.values()) < 3
    assert next(told[name] for name in told if name.startswith("numpy ")).startswith("BSD")
