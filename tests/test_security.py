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

ROOT = Path(__file__).parents[1]
SOURCES = sorted([*ROOT.glob("sonotune/**/*.py"), *ROOT.glob("workflow/scripts/*.py")])
# Modules that load or run whatever they are given.
MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
CALLS = {
    "eval",
    "exec",
    "compile",
    "__import__",
    "os.system",
    "os.popen",
    "subprocess.getoutput",
    "subprocess.getstatusoutput",
    "yaml.load",
    "yaml.full_load",
    "yaml.unsafe_load",
    "pd.read_pickle",
    "pandas.read_pickle",
    "tempfile.mktemp",
}
# Calls that are safe with one argument alone.
NEEDS = {
    "np.load": ("allow_pickle", False),
    "numpy.load": ("allow_pickle", False),
    "np.save": ("allow_pickle", False),
    "torch.load": ("weights_only", True),
}


def forbidden(text):
    """What a module does that it must not, with its line."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names = [one.name for one in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        else:
            names = []
        found += [(node.lineno, name) for name in names if name.split(".")[0] in MODULES]
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            given = {one.arg: one.value for one in node.keywords}
            if name in CALLS or (name in NEEDS and not _says(given, *NEEDS[name])):
                found.append((node.lineno, name))
            if "shell" in given and not _says(given, "shell", False):
                found.append((node.lineno, "shell"))
    return found


def _says(given, key, value):
    return key in given and isinstance(given[key], ast.Constant) and given[key].value is value


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_forbidden_is_called(path):
    assert forbidden(path.read_text("utf-8")) == []


@pytest.mark.parametrize(
    "text",
    [
        "import pickle",
        "from joblib import load",
        "np.load(path)",
        "np.load(path, allow_pickle=True)",
        "np.load(path, allow_pickle=wish)",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "yaml.load(file, Loader=yaml.Loader)",
        "subprocess.run(command, shell=True)",
        "os.system(command)",
        "eval(text)",
    ],
)
def test_what_is_forbidden_is_found(text):
    assert forbidden(text)


@pytest.mark.parametrize(
    "text",
    [
        "np.load(path, allow_pickle=False)",
        "torch.load(path, weights_only=True)",
        "yaml.safe_load(file)",
        "subprocess.run([program, name])",
        "network.eval()",
    ],
)
def test_what_is_safe_is_not(text):
    assert forbidden(text) == []


def test_rules_have_no_shell():
    """Names reach a job through Python's own data, never through a command line."""
    rules = [ROOT / "Snakefile", ROOT / "workflow/Snakefile", *ROOT.glob("workflow/rules/*.smk")]
    assert len(rules) > 5
    for path in rules:
        lines = [line.strip() for line in path.read_text("utf-8").splitlines()]
        assert not [line for line in lines if line.startswith(("shell:", "run:", "shell("))]


def test_every_package_of_the_lock_has_a_hash():
    lock = (ROOT / "envs/requirements.lock").read_text("utf-8").replace("\\\n", " ")
    packages = [line for line in lock.splitlines() if "==" in line and not line.startswith(" ")]
    assert len(packages) > 50
    assert [line for line in packages if "--hash=sha256:" not in line] == []


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


def test_what_audits_is_locked_with_digests():
    lock = (ROOT / "envs/audit.lock").read_text("utf-8").replace("\\\n", " ")
    entries = [line for line in lock.splitlines() if "==" in line]
    assert any(entry.startswith("pip-audit==") for entry in entries)
    assert all("--hash=sha256:" in entry for entry in entries)
