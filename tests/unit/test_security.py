"""Nothing that was read can run code: no pickle, no unsafe YAML, no shell."""

import copy
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from sonotune.config.check import complete
from sonotune.errors import SonotuneError

ROOT = Path(__file__).parents[2]


def test_the_linter_refuses_what_runs_what_it_reads():
    dangerous = [
        "import pickle",
        "from joblib import load",
        "yaml.load(file, Loader=yaml.Loader)",
        "yaml.full_load(file)",
        "pd.read_pickle(path)",
        "subprocess.run(command, shell=True)",
        "subprocess.getoutput(command)",
        "os.system(command)",
        "eval(text)",
        "exec(text)",
    ]
    text = "import os, subprocess, yaml\nimport pandas as pd\n" + "\n".join(dangerous)
    command = [sys.executable, "-m", "ruff", "check", "--output-format", "concise"]
    command += ["--stdin-filename", "sonotune/module.py", "-"]
    run = subprocess.run(command, input=text, text=True, cwd=ROOT, capture_output=True)
    lines = {int(line) for line in re.findall(r":(\d+):\d+: (?:S\d+|TID251)", run.stdout)}
    assert lines >= set(range(3, 3 + len(dangerous)))


def test_arrays_and_weights_are_read_and_written_without_pickle():
    """No rule of the linter asks for this."""
    texts = [path.read_text("utf-8") for path in ROOT.glob("sonotune/**/*.py")]
    pattern = r"\b(?:np\.load|np\.save|torch\.load)\(.*"
    calls = [call for text in texts for call in re.findall(pattern, text)]
    assert len(calls) > 3
    safe = ("allow_pickle=False", "weights_only=True")
    assert [call for call in calls if not any(words in call for words in safe)] == []


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


@pytest.mark.parametrize("name", NAMES, ids=ascii)
@pytest.mark.parametrize("kind", ["data set", "study", "strategy"])
def test_a_name_that_is_more_than_a_name_is_refused(kind, name):
    """Names stand in paths, in patterns of Snakemake and in pages."""
    config = yaml.safe_load((ROOT / "tests/tiny.yaml").read_text("utf-8"))
    study = config["studies"]["tiny"]
    holder = {"data set": config["datasets"], "study": config["studies"]}
    holder["strategy"] = study["strategies"]
    some = {"data set": "sus_b", "study": "tiny", "strategy": "whole"}[kind]
    holder[kind]["good_1"] = copy.deepcopy(holder[kind][some])
    complete(copy.deepcopy(config))
    holder[kind][name] = copy.deepcopy(holder[kind][some])
    with pytest.raises(SonotuneError):
        complete(config)


def test_locked_packages_tell_their_licences():
    script = ROOT / "envs/licences.py"
    run = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    told = dict(line.split(": ", 1) for line in run.stdout.splitlines())
    assert len(told) > 50
    assert sum(licence == "unknown" for licence in told.values()) < 3
    assert next(told[name] for name in told if name.startswith("numpy ")).startswith("BSD")
