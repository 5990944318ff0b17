"""Names and labels that try to be more than text, through a whole study and its report."""

import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml
from tiny_files import write_pairs
from warm import run_config

ROOT = Path(__file__).parents[2]
ATTACK = '<img src=x onerror="alert(1)"><marquee>bold</marquee>'
LATEX = r"50 % of A_1 & B # $x$ {y} ~z ^2 \input{/etc/passwd}"
NAMES = (
    "<SCRIPT>alert(1)<|SCRIPT>",
    "a b",
    "$(touch pwned)",
    "'; touch pwned;'",
    '"><img src=x onerror=alert(1)>',
    "=1+1",
)
STUDY = yaml.safe_load((ROOT / "tests/smallest.yaml").read_text("utf-8"))
FOLDER = {"images": "images/*.png", "masks": "masks/*.png"}
STUDY["datasets"] = {"mine": {"reader": "folder", "folder": FOLDER, "source": "=HYPERLINK(1)"}}
STUDY["datasets"]["mine"]["label"] = f'">{ATTACK}'
CLAIM = {"id": "O1", "says": ATTACK, "kind": "better", "pairs": [["scratch", "last"]]}
STUDY["studies"] = {
    "odd": STUDY["studies"]["smallest"]
    | {
        "datasets": ["mine"],
        "resampling": {"folds": 2, "run_folds": [0, 1], "validation_fraction": 0.3},
        "strategies": {
            "scratch": {"label": ATTACK, "init": "random", "tune": "all"},
            "last": {"label": LATEX, "init": "random", "tune": ["block9"]},
        },
        "training": {"epochs": 1, "patience": 1},
        "claims": {"own": [CLAIM]},
    }
}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    write_pairs(folder, [*NAMES, "p1", "p2", "p3", "p4"])
    for more in ([], ["--report", "report.zip"]):
        run_config(folder, STUDY, *more)
    return folder


class Page(HTMLParser):
    """What a browser would take for elements, and for handlers of events."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes = set(), set()
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.attributes |= dict(attributes).keys()
        self.tags.add((tag, dict(attributes).get("src")))


def test_no_page_and_no_report_takes_a_name_for_code(home):
    shutil.unpack_archive(home / "report.zip", home / "report")
    pages = {path: path.read_text("utf-8") for path in home.rglob("*.html")}
    assert len(pages) > 8
    for path, text in pages.items():
        page = Page(text)
        assert not {("img", "x"), ("marquee", None)} & page.tags, path
        if not path.is_relative_to(home / "report"):
            assert not [key for key in page.attributes if key.startswith("on")], path
            assert ATTACK not in text, path
    told = [text for text in pages.values() if "&lt;marquee&gt;bold" in text]
    assert told, "the label stands nowhere"


def test_nothing_was_run_or_written_elsewhere(home):
    assert not list(home.rglob("pwned"))
    known = {"images", "masks", "study.yaml", "results", "report.zip", "report", ".snakemake"}
    assert {path.name for path in home.iterdir()} <= known


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="no LaTeX here")
def test_labels_stand_in_latex_as_they_are(home, tmp_path):
    tables = sorted((home / "results/odd/tables").glob("table*.tex"))
    assert len(tables) == 3
    inputs = "".join(f"\\input{{{path}}}" for path in tables)
    (tmp_path / "all.tex").write_text(
        "\\documentclass{article}\\usepackage{booktabs}\\usepackage[table]{xcolor}"
        f"\\begin{{document}}{inputs}\\end{{document}}"
    )
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "all.tex"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace")
    assert run.returncode == 0, run.stdout[-2000:]
    assert "/etc/passwd" not in "".join(run.stdout.split())
