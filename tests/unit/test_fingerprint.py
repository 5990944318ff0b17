"""A fingerprint changes with what code computes, and with nothing else."""

import ast
import copy
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from sonotune.config.cells import cells_of
from sonotune.config.check import complete
from sonotune.config.code import (
    NETWORKS,
    audit_code,
    generation_code,
    preparation_code,
    training_code,
)
from sonotune.config.jobs import cell_settings, pretraining_settings
from sonotune.data.readers import MADE_HERE, READERS
from sonotune.runtime.fingerprint import PACKAGE, fingerprint

ROOT = Path(__file__).parents[2]


@pytest.fixture
def package(tmp_path):
    """A package of five modules: a uses b, b uses c and d; other stands alone."""
    folder = tmp_path / "made"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "a.py").write_text(
        '"""A."""\nfrom made.b import twice\n\n\ndef f(x, log=print):\n    """F."""\n'
        '    log("going")\n    if x < 0:\n        raise ValueError(f"{x} is negative")\n'
        "    return twice(x) + 1\n"
    )
    (folder / "b.py").write_text(
        "from typing import TYPE_CHECKING\nfrom made.d import THREE\n"
        "if TYPE_CHECKING:\n    from made.other import ONE\n"
        "def twice(x):\n    from made import c\n    return c.TWO * x + 0 * THREE\n"
    )
    (folder / "c.py").write_text("TWO = 2\n")
    (folder / "d.py").write_text("THREE = 3\n")
    (folder / "other.py").write_text("ONE = 1\n")
    return folder


def edited(package, file, before, after):
    """The fingerprint of module a after an edit, in a copy."""
    copied = package.parent / "copy" / "made"
    shutil.rmtree(copied.parent, ignore_errors=True)
    shutil.copytree(package, copied)
    text = (copied / file).read_text()
    assert before in text
    (copied / file).write_text(text.replace(before, after))
    return fingerprint("made.a", package=copied)


@pytest.mark.parametrize(
    ("file", "before", "after", "counts"),
    [
        ("a.py", '"""F."""', '"""Says more."""', False),
        ("a.py", '"""A."""\n', "", False),
        ("a.py", "return", "# why\n    return", False),
        ("a.py", "twice(x) + 1", "twice( x )+1", False),
        ("a.py", "is negative", "is below zero", False),
        ("a.py", '    log("going")\n', "", False),
        ("b.py", "from made.other import ONE", "from made.other import ONE as TEN", False),
        ("other.py", "1", "2", False),
        ("a.py", "+ 1", "- 1", True),
        ("a.py", "x < 0", "x <= 0", True),
        ("a.py", "ValueError", "TypeError", True),
        ("b.py", "* x", "+ x", True),
        ("c.py", "TWO = 2", "TWO = 3", True),
        ("d.py", "THREE = 3", "THREE = 4", True),
    ],
)
def test_what_is_computed_counts_and_words_and_layout_do_not(package, file, before, after, counts):
    """Also in what is imported."""
    now = edited(package, file, before, after)
    assert (now != fingerprint("made.a", package=package)) == counts


class Jobs:
    """Codes of all kinds of jobs whose results take long, of a package with edited files."""

    def __init__(self):
        asked = [("finetune", network, "cpu", True) for network in NETWORKS]
        asked += [("finetune", "unet", device, True) for device in ("cuda", "auto")]
        asked += [("finetune", "unet", "cpu", False)]
        asked += [("pretrain", "unet", "cpu", False), ("pretrain", "smp_unet", "cuda", False)]
        trainings = {
            (kind, network, device, augment): (
                lambda read, k=kind, n=network, d=device, a=augment: training_code(
                    k, {"name": n}, d, augment=a, monitor=a, read=read
                )
            )
            for kind, network, device, augment in asked
        }
        preparations = {
            ("prepare", reader): lambda read, r=reader: preparation_code(r, read=read)
            for reader in READERS
        }
        makings = {
            ("make", reader): lambda read, r=reader: generation_code(r, read=read)
            for reader in MADE_HERE
        }
        self.of = trainings | preparations | makings
        self._contents = {}
        self.read = {}
        self.before = {job: self._code(job, {}) for job in self.of}

    def _code(self, job, edits):
        read = set()

        def content(path):
            read.add(path)
            if path in edits:
                return edits[path]
            if path not in self._contents:
                self._contents[path] = path.read_bytes()
            return self._contents[path]

        code = self.of[job](content)
        if not edits:
            self.read[job] = read
        return code

    def stale(self, path, tree):
        """Jobs that become stale if a file holds this tree."""
        return self.stale_after({path: ast.unparse(tree).encode()})

    def stale_after(self, edits):
        """Jobs that become stale if files hold these texts; what a job never reads is left out."""
        return {
            job
            for job in self.of
            if self.read[job] & set(edits) and self._code(job, edits) != self.before[job]
        }


@pytest.fixture(scope="module")
def jobs():
    return Jobs()


@contextmanager
def changed(node, new):
    """The tree with one node changed in place, for a while."""
    before = dict(node.__dict__)
    node.__dict__.update(new.__dict__)
    yield
    node.__dict__.clear()
    node.__dict__.update(before)


def another_text(node):
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return ast.Constant(node.value + " changed")
    return None


def another_body(node):
    if isinstance(node, ast.FunctionDef):
        other = copy.copy(node)
        other.body = ast.parse("raise RuntimeError('changed')").body
        return other
    return None


def another_number(node):
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return ast.Constant(node.value + 1)
    return None


def another_operator(node):
    swapped = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult}
    if isinstance(node, ast.BinOp) and type(node.op) in swapped:
        return ast.BinOp(node.left, swapped[type(node.op)](), node.right)
    return None


def spoken(tree):
    """Nodes of exceptions' texts and of calls of ``log``."""
    found = set()
    for node in ast.walk(tree):
        logs = (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Call)
            and getattr(node.value.func, "id", getattr(node.value.func, "attr", "")) == "log"
        )
        if isinstance(node, ast.Raise) or logs:
            found |= set(ast.walk(node))
    return found


def test_nothing_in_rooms_that_run_show_or_judge_counts(jobs):
    """Each text and each function of every file that no training or preparation reads."""
    numerics = set.union(*jobs.read.values())
    edits = {}
    for path in set(PACKAGE.rglob("*.py")) - numerics:
        tree = ast.parse(path.read_bytes())
        for kind in (another_text, another_body):
            for node in list(ast.walk(tree)):
                if new := kind(node):
                    node.__dict__.update(new.__dict__)
        edits[path] = ast.unparse(ast.fix_missing_locations(tree)).encode()
        assert not jobs.stale_after({path: edits[path]})
    assert len(edits) > 80
    # Taken together, and read by whoever wants to.
    assert all(jobs._code(job, edits) == jobs.before[job] for job in jobs.of)


def test_no_text_of_an_exception_or_log_in_the_numerics_counts(jobs):
    edits = 0
    for path in sorted(set.union(*jobs.read.values())):
        tree = ast.parse(path.read_bytes())
        for node in spoken(tree):
            if new := another_text(node):
                node.__dict__.update(new.__dict__)
                edits += 1
        assert not jobs.stale(path, tree), path
    assert edits > 100


@pytest.mark.parametrize("kind", [another_number, another_operator])
def test_numbers_and_operators_count_for_the_jobs_that_compute_with_them(jobs, kind):
    edits = 0
    for path in sorted(set.union(*jobs.read.values())):
        tree = ast.parse(path.read_bytes())
        words = spoken(tree)
        computing = [n for n in ast.walk(tree) if n not in words and kind(n) is not None]
        for node in computing[len(computing) // 2 :][:1]:
            with changed(node, kind(node)):
                edits += 1
                asked = {job for job, read in jobs.read.items() if path in read}
                assert jobs.stale(path, tree) == asked, (path, ast.unparse(node))
    assert edits > 20


def test_numerics_import_only_numerics(jobs):
    """So nothing has to be hidden from the fingerprint: what it leaves out computes nothing."""
    rooms = {"data", "networks", "training", "simulation"}
    for path in set.union(*jobs.read.values()):
        assert path.relative_to(PACKAGE).parts[0] in {*rooms, "seeds.py", "overlap.py", "ratios.py"}
    trained = set.union(*(jobs.read[job] for job in jobs.of if job[0] in ("finetune", "pretrain")))
    for path in trained:
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sonotune."):
                room = node.module.split(".")[1]
                assert room in {*rooms, "seeds", "overlap", "ratios", "errors"}, (path, node.module)


def test_what_a_job_does_not_use_is_not_read(jobs):
    def names(job):
        return {str(path.relative_to(PACKAGE)) for path in jobs.read[job]}

    cpu = names(("finetune", "unet", "cpu", True))
    assert "training/cpu.py" in cpu
    assert not cpu & {"training/cuda.py", "networks/smp.py", "networks/unet_bn.py"}
    cuda = names(("finetune", "unet", "cuda", True))
    assert "training/cuda.py" in cuda
    assert "training/cpu.py" not in cuda
    assert "training/augment.py" not in names(("pretrain", "unet", "cpu", False))
    assert "data/splits.py" not in names(("pretrain", "unet", "cpu", False))
    assert "data/readers/busi.py" not in names(("prepare", "hc18"))


def test_the_settings_of_jobs_hold_these_codes():
    config = complete(yaml.safe_load((ROOT / "config/config.yaml").read_text()))
    for name, study in config["studies"].items():
        cells = cells_of(config, name, study["datasets"][0])
        for cell in {cell.strategy: cell for cell in cells}.values():
            strategy = study["strategies"][cell.strategy]
            network = strategy.get("network", study["network"])
            assert cell_settings(config, cell)["code"] == training_code(
                "finetune",
                network,
                study["device"],
                augment=bool(study["augmentation"]),
                monitor=bool(study.get("log_test_metrics")),
            )
    settings = pretraining_settings(config, "amiri2020")
    assert settings["code"] == training_code("pretrain", {"name": "unet"}, "auto")


def test_the_packages_root_holds_nothing_that_a_fingerprint_would_miss():
    tree = ast.parse((PACKAGE / "__init__.py").read_bytes())
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.FunctionDef)]


def other_pythons():
    names = [f"python3.{minor}" for minor in range(11, 16)]
    found = [path for name in names if (path := shutil.which(name))]
    found += [
        str(path)
        for path in Path.home().glob(".pyenv/versions/3.1[1-9]*/bin/python3")
        if path.exists()
    ]
    return found


def test_every_python_version_gives_the_same_fingerprint():
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]);"
        "from sonotune.runtime.fingerprint import fingerprint;"
        "print(sys.version_info[1], fingerprint('sonotune.training.finetune',"
        " 'sonotune.networks.unet', 'sonotune.report.table2', 'sonotune.simulation.simulate'))"
    )
    printed = {}
    for python in [sys.executable, *other_pythons()]:
        run = subprocess.run([python, "-c", code, str(ROOT)], capture_output=True, text=True)
        if run.returncode == 0:
            minor, value = run.stdout.split()
            printed[minor] = value
    if len(printed) < 2:
        pytest.skip("only one Python version of 3.11 or later is here")
    assert len(set(printed.values())) == 1, printed


@pytest.mark.parametrize("name", ["audit", "audit_files", "copies", "duplicates", "findings"])
def test_an_audit_rests_on_what_looks_at_images_and_on_what_writes_its_page(name):
    def content(path):
        more = b"\nadded = 1\n" if path == PACKAGE / f"data/{name}.py" else b""
        return path.read_bytes() + more

    assert audit_code("folder", content) != audit_code("folder")
