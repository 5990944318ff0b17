"""A fingerprint changes with what code means, and with nothing else."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sonotune.runtime.fingerprint import fingerprint, imported_modules

ROOT = Path(__file__).parents[1]


@pytest.fixture
def package(tmp_path):
    """A package of four modules: a uses b, b uses c; other stands alone."""
    folder = tmp_path / "made"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "a.py").write_text(
        '"""A."""\nfrom made.b import twice\n\n\ndef f(x):\n    """F."""\n    return twice(x) + 1\n'
    )
    (folder / "b.py").write_text("def twice(x):\n    from made import c\n    return c.TWO * x\n")
    (folder / "c.py").write_text("TWO = 2\n")
    (folder / "other.py").write_text("ONE = 1\n")
    return folder


def edited(package, file, before, after):
    """The fingerprint of module a after an edit, in a copy."""
    copy = package.parent / "copy" / "made"
    shutil.rmtree(copy.parent, ignore_errors=True)
    shutil.copytree(package, copy)
    text = (copy / file).read_text()
    assert before in text
    (copy / file).write_text(text.replace(before, after))
    return fingerprint("made.a", package=copy)


@pytest.mark.parametrize(
    ("file", "before", "after"),
    [
        ("a.py", '"""F."""', '"""Says more."""'),
        ("a.py", '"""A."""\n', ""),
        ("a.py", "return", "# why\n    return"),
        ("a.py", "twice(x) + 1", "twice( x )+1"),
        ("other.py", "1", "2"),
    ],
)
def test_comments_docstrings_layout_and_other_modules_do_not_count(package, file, before, after):
    assert edited(package, file, before, after) == fingerprint("made.a", package=package)


@pytest.mark.parametrize(
    ("file", "before", "after"),
    [("a.py", "+ 1", "- 1"), ("b.py", "* x", "+ x"), ("c.py", "TWO = 2", "TWO = 3")],
)
def test_a_change_of_meaning_counts_also_in_what_is_imported(package, file, before, after):
    assert edited(package, file, before, after) != fingerprint("made.a", package=package)


def test_imports_inside_functions_are_followed(package):
    assert imported_modules("made.a", package=package) == ["made.a", "made.b", "made.c"]


def test_a_script_counts_by_its_code_and_not_by_where_it_lies(package, tmp_path):
    found = {}
    for folder, call in (("x", "f(1)"), ("y", "f(1)"), ("z", "f(2)")):
        (tmp_path / folder).mkdir()
        door = tmp_path / folder / "door.py"
        door.write_text(f"from made.a import f\n{call}\n")
        found[folder] = fingerprint(str(door), package=package)
    assert found["x"] == found["y"] != found["z"]


def test_training_code_leaves_out_figures_scores_and_configuration():
    modules = imported_modules("sonotune.training.finetune", "sonotune.networks.unet")
    assert "sonotune.training.loop" in modules
    assert "sonotune.training.augment" in modules
    rooms = {name.split(".")[1] for name in modules}
    assert not rooms & {"analysis", "evaluation", "configuration"}
    assert not {name for name in modules if name.startswith("sonotune.data.simul")}


def test_the_packages_root_holds_nothing_that_a_fingerprint_would_miss():
    lines = (ROOT / "sonotune/__init__.py").read_text().splitlines()
    assert [line for line in lines if line and not line.startswith(('"""', "__version__"))] == []


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
