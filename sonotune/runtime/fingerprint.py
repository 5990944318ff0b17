"""A hash of what code computes, so that only a change of that makes results stale.

It is taken over the syntax trees of a function's module and of all modules of this package that it
imports, directly or not. These do not enter it:

- comments, layout and docstrings;
- the texts of exceptions, and calls of ``log``;
- imports for type checkers, and the rooms in `SILENT`, which only run jobs and report on them;
- modules in `CHOSEN`, from which jobs choose: they count only where they are named as roots.

The walk over the trees leaves out empty fields, so that every Python version gives the same hash.
"""

from __future__ import annotations

import ast
import atexit
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from sonotune.runtime.files import atomic

PACKAGE = Path(__file__).parents[1]
# Rooms that decide no number: what surrounds jobs, configuration, commands.
SILENT = ("runtime", "jobs", "config", "cli", "errors", "layout")
# Modules that a job uses only if its settings name them.
CHOSEN = (
    *("networks.unet", "networks.unet_bn", "networks.smp"),
    *("training.cpu", "training.cuda", "training.augment", "training.test_monitor"),
    *(f"data.readers.{name}" for name in ("busi", "hc18", "own_folder", "scr", "two_folders")),
    *("simulation.simulate", "simulation.collage"),
)

Read = Callable[[Path], bytes]


def fingerprint(*roots: str, package: Path = PACKAGE, read: Read = Path.read_bytes) -> str:
    """Hash what some modules compute, with all that they import from the package.

    Parameters
    ----------
    *roots
        Names of modules (``sonotune.training.finetune``).
    package
        The folder of the package whose modules are followed.
    read
        Gives a file's content; for tests that edit it.

    Returns
    -------
    str
        Sixteen hexadecimal digits.
    """
    meanings: dict[str, str] = {}
    waiting, seen = list(roots), set()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        file = _file_of(name, package)
        if file and (name in roots or not _is_left_out(name)):
            meanings[name], imported = _read_module(read(file))
            # A package's __init__ runs before its modules; the root's holds only the version.
            waiting += [*imported, name.rpartition(".")[0]]
    texts = (f"{name}\n{meaning}\n" for name, meaning in sorted(meanings.items()))
    return hashlib.sha256("".join(texts).encode()).hexdigest()[:16]


def _is_left_out(module: str) -> bool:
    inner = module.split(".", 1)[1]
    return inner.split(".")[0] in SILENT or inner in CHOSEN


def _file_of(module: str, package: Path) -> Path | None:
    first, *rest = module.split(".")
    if first != package.name or not rest:
        return None
    path = os.path.join(package, *rest)
    files = (f"{path}.py", os.path.join(path, "__init__.py"))
    return next((Path(file) for file in files if os.path.isfile(file)), None)


@cache
def _read_module(source: bytes) -> tuple[str, list[str]]:
    """Hash of what a module computes, and the names that it imports."""
    known, content = _known(), hashlib.sha256(source).hexdigest()
    if content not in known:
        tree = ast.parse(source)
        parts: list[str] = []
        _write(tree, parts)
        meaning = hashlib.sha256("".join(parts).encode()).hexdigest()
        known[content] = meaning, _imports(tree)
    meaning, imported = known[content]
    return meaning, imported


# Modules; more are made by tests that edit sources.
MOST_KEPT = 1000


@cache
def _known() -> dict[str, Any]:
    """What `_read_module` found in earlier starts, by the content of modules.

    Every job of a workflow reads it again, so parsing all modules each time would cost seconds.
    """
    # Another version of this module may find something else.
    own = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:16]
    caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    path = Path(caches) / f"sonotune/fingerprints-{own}.json"
    try:
        known: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        known = {}
    atexit.register(_keep, path, known, len(known))
    return known


def _keep(path: Path, known: dict[str, Any], before: int) -> None:
    if before < len(known) <= MOST_KEPT:
        with suppress(OSError), atomic(path) as temporary:  # a cache
            temporary.write_text(json.dumps(known), "utf-8")


def _imports(tree: ast.Module) -> list[str]:
    """Names of modules, and of what is in them; no import of this package is relative."""
    names = []
    for node in _walk_code(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names += [str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)]
    return names


def _walk_code(tree: ast.Module) -> Iterator[ast.AST]:
    """All nodes but those that only type checkers see."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if not _is_for_type_checkers(node):
            yield node
            waiting.extend(ast.iter_child_nodes(node))


def _write(node: object, parts: list[str]) -> None:
    """Append a text for a tree, with a part for every field that is neither empty nor None."""
    if isinstance(node, ast.Raise):
        parts.append(f"Raise({_name_of(node.exc)})")
    elif isinstance(node, ast.AST):
        parts.append(f"{type(node).__name__}(")
        for field in node._fields:
            value = getattr(node, field, None)
            if type(value) is list:
                value = _computing(node, field, value)
            if value is None or value == []:
                continue
            parts.append(f"{field}=")
            _write(value, parts)
        parts.append(")")
    elif type(node) is list:
        parts.append("[")
        for item in node:
            _write(item, parts)
            parts.append(",")
        parts.append("]")
    else:
        parts.append(repr(node))


def _computing(node: ast.AST, field: str, values: list[ast.AST]) -> list[ast.AST]:
    """A list of a node without docstring, calls of ``log`` and imports for type checkers."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    if field == "body" and isinstance(node, documented) and values and _is_text(values[0]):
        values = values[1:]
    return [
        statement
        for statement in values
        if not (_is_log(statement) or _is_for_type_checkers(statement))
    ]


def _is_text(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _is_log(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Call)
        and _name_of(node.value) in ("log", "_log")
    )


def _is_for_type_checkers(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and _name_of(node.test) == "TYPE_CHECKING"


def _name_of(node: ast.AST | None) -> str:
    """The last name of what is called or named, such as ``ValueError`` of ``ValueError("...")``."""
    if isinstance(node, ast.Call):
        node = node.func
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
