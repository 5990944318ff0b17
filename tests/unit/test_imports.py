"""Data flow downwards: a module imports from its own rooms and from rooms above them."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

from sonotune.runtime.fingerprint import PACKAGE

ROOT = Path(__file__).parents[2]
ORDER = (
    ("errors", "layout", "seeds", "ratios", "overlap"),
    ("runtime",),
    ("config", "data", "simulation", "networks"),
    ("training",),
    ("jobs",),
    ("evaluation",),
    ("statistics",),
    ("report", "inference", "studies"),
    ("owner", "stale", "verify", "plan"),
    ("cli",),
)
LINE = {room: number for number, rooms in enumerate(ORDER) for room in rooms}


def name_of(file: Path) -> str:
    parts = file.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {name_of(file): file for file in PACKAGE.rglob("*.py") if file.name != "__main__.py"}


def imports(file: Path) -> set[str]:
    """Modules of the package that a file imports, also inside functions and for type checkers."""
    found = set()
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{file}: a relative import"
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= names & set(FILES) or {str(node.module)}
    return (found & set(FILES)) - {"sonotune"}


IMPORTS = {name: imports(file) for name, file in FILES.items() if name != "sonotune"}


def test_every_room_has_its_place():
    assert {name.split(".")[1] for name in IMPORTS} == set(LINE)


def test_rooms_import_only_from_rooms_above():
    wrong = {
        (module, other)
        for module, others in IMPORTS.items()
        for other in others
        if LINE[other.split(".")[1]] > LINE[module.split(".")[1]]
    }
    assert sum(map(len, IMPORTS.values())) > 300
    assert not wrong


def test_no_imports_form_a_circle():
    TopologicalSorter(IMPORTS).prepare()
