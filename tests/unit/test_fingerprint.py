"""A fingerprint changes with what code computes, and with nothing else."""

import ast
import shutil
import subprocess
import sys
from functools import partial
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
from sonotune.runtime.fingerprint import PACKAGE, _walk_code, fingerprint

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


def training(kind, network, device, augment):
    return lambda read: training_code(
        kind, {"name": network}, device, augment=augment, monitor=augment, read=read
    )


# All kinds of jobs whose results take long, with their codes from files as `read` gives them.
JOBS = {
    one: training(*one)
    for one in (
        *(("finetune", network, "cpu", True) for network in NETWORKS),
        *(("finetune", "unet", device, True) for device in ("cuda", "auto")),
        *(("finetune", "unet", "cpu", False), ("pretrain", "unet", "cpu", False)),
        ("pretrain", "smp_unet", "cuda", False),
    )
}
TRAININGS = set(JOBS)
JOBS |= {("prepare", reader): partial(preparation_code, reader) for reader in READERS}
JOBS |= {("make", reader): partial(generation_code, reader) for reader in MADE_HERE}


@pytest.fixture(scope="module")
def codes():
    """Of each job its code, and the files that it is made from."""
    found = {}
    for job, code in JOBS.items():
        read = set()

        def content(path, read=read):
            read.add(path)
            return path.read_bytes()

        found[job] = code(content), read
    return found


def test_an_edit_of_the_numerics_counts_for_each_job_that_computes_with_it(codes):
    for job, (before, read) in codes.items():
        for edited in read:

            def content(path, edited=edited):
                return path.read_bytes() + (b"\nNEW = 1\n" if path == edited else b"")

            assert JOBS[job](content) != before, (job, edited)


def test_numerics_import_only_numerics(codes):
    """So nothing has to be hidden from the fingerprint: what it leaves out computes nothing."""
    numerics = {"data", "networks", "training", "simulation", "seeds", "overlap", "ratios"}
    for job, (_, read) in codes.items():
        for path in read:
            assert path.relative_to(PACKAGE).with_suffix("").parts[0] in numerics
            for node in _walk_code(ast.parse(path.read_bytes())) if job in TRAININGS else ():
                if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sonotune."):
                    assert node.module.split(".")[1] in {*numerics, "errors"}, (path, node.module)


@pytest.mark.parametrize(
    ("job", "used", "unused"),
    [
        (
            ("finetune", "unet", "cpu", True),
            "training/cpu",
            "training/cuda networks/smp networks/unet_bn",
        ),
        (("finetune", "unet", "cuda", True), "training/cuda", "training/cpu"),
        (("pretrain", "unet", "cpu", False), "training/cpu", "training/augment data/splits"),
        (("prepare", "hc18"), "data/readers/hc18", "data/readers/busi"),
    ],
)
def test_what_a_job_does_not_use_is_not_read(codes, job, used, unused):
    names = {path.relative_to(PACKAGE).with_suffix("").as_posix() for path in codes[job][1]}
    assert used in names
    assert not names & set(unused.split())


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


def test_every_python_version_gives_the_same_fingerprint():
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]);"
        "from sonotune.runtime.fingerprint import fingerprint;"
        "print(sys.version_info[1], fingerprint('sonotune.training.finetune',"
        " 'sonotune.networks.unet', 'sonotune.report.table2', 'sonotune.simulation.simulate'))"
    )
    printed = {}
    others = filter(None, (shutil.which(f"python3.{minor}") for minor in range(11, 16)))
    for python in [sys.executable, *others]:
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
