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
from functools import cache, lru_cache
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


def fingerprint(
    *roots: str, package: Path = PACKAGE, read: Read = Path.read_bytes, follow: bool = False
) -> str:
    """Hash what some modules compute, with all that they import from the package.

    Parameters
    ----------
    *roots
        Names of modules (``sonotune.training.finetune``).
    package
        The folder of the package whose modules are followed.
    read
        Gives a file's content; for tests that edit it.
    follow
        Whether the closure also enters rooms in `SILENT` and modules in `CHOSEN`.

    Returns
    -------
    str
        Sixteen hexadecimal digits.
    """
    digest = hashlib.sha256()
    for name, file in sorted(closure(*roots, package=package, read=read, follow=follow).items()):
        digest.update(f"{name}\n{_meaning(read(file))}\n".encode())
    return digest.hexdigest()[:16]


def closure(
    *roots: str, package: Path = PACKAGE, read: Read = Path.read_bytes, follow: bool = False
) -> dict[str, Path]:
    """Files of all modules that `fingerprint` covers, by name.

    Parameters
    ----------
    *roots
        Names of modules (``sonotune.training.finetune``).
    package
        Folder of the package.
    read
        Gives a file's content; for tests that edit it.
    follow
        Whether the closure also enters rooms in `SILENT` and modules in `CHOSEN`.
    """
    files: dict[str, Path] = {}
    waiting, seen = list(roots), set()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        if not (file := _file_of(name, package)):
            continue
        if name not in roots and not follow and _is_left_out(name):
            continue
        files[name] = file
        source = read(file)
        _meaning(source)  # while its tree is at hand
        waiting.extend(_imports(source, name, file.name == "__init__.py"))
        # A package's __init__ runs before its modules; the root's holds only the version.
        parent = name.rpartition(".")[0]
        if parent != package.name:
            waiting.append(parent)
    return files


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


# Modules and their imports; more are made by tests that edit sources.
MOST_KEPT = 1000


class _Known:
    """Meanings and imports of modules, kept between starts by their content.

    Every job of a workflow reads it again, so parsing all modules each time would cost seconds.
    """

    def __init__(self, folder: Path) -> None:
        # Another version of this module may find something else.
        own = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:16]
        self.path = folder / f"fingerprints-{own}.json"
        self.changed = False
        try:
            self.known: dict[str, Any] = json.loads(self.path.read_text("utf-8"))
        except (OSError, ValueError):
            self.known = {}

    def get(self, key: str, find: Callable[[], Any]) -> Any:
        if key not in self.known:
            if not self.changed:
                atexit.register(self.save)
            self.known[key], self.changed = find(), True
        return self.known[key]

    def save(self) -> None:
        if len(self.known) > MOST_KEPT:
            return
        try:
            with atomic(self.path) as temporary:
                temporary.write_text(json.dumps(self.known), "utf-8")
        except OSError:
            pass  # a cache


@cache
def _known() -> _Known:
    caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return _Known(Path(caches) / "sonotune")


@cache
def _imports(source: bytes, module: str, is_package: bool) -> tuple[str, ...]:
    key = f"{hashlib.sha256(source).hexdigest()} {module} {is_package}"
    return tuple(_known().get(key, lambda: _imports_of(source, module, is_package)))


def _imports_of(source: bytes, module: str, is_package: bool) -> list[str]:
    names = []
    for node in _walk_code(_tree(source)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            start = ""
            if node.level:
                parts = module.split(".")
                start = ".".join(parts[: len(parts) - node.level + is_package])
            base = ".".join(filter(None, [start, node.module]))
            names += [base, *(f"{base}.{alias.name}" for alias in node.names)]
    return names


def _walk_code(tree: ast.Module) -> Iterator[ast.AST]:
    """All nodes but those that only type checkers see."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if not _is_for_type_checkers(node):
            yield node
            waiting.extend(ast.iter_child_nodes(node))


@cache
def _meaning(source: bytes) -> str:
    def find() -> str:
        parts: list[str] = []
        _write(_tree(source), parts)
        return hashlib.sha256("".join(parts).encode()).hexdigest()

    return str(_known().get(hashlib.sha256(source).hexdigest(), find))


@lru_cache(maxsize=1)
def _tree(source: bytes) -> ast.Module:
    """Asked for twice in a row: imports, and what is computed."""
    return ast.parse(source)


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
