"""A hash of what code means, so that only a change of meaning makes results stale.

It is taken over the syntax trees, without docstrings, of some modules and of all modules of this
package that they import, directly or not. Comments and layout do not enter it, and the walk over
the trees leaves out empty fields, so that every Python version gives the same hash.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parent


@cache
def fingerprint(*roots: str, package: Path = PACKAGE) -> str:
    """Hash the meaning of some modules or scripts and of all they import from the package.

    Parameters
    ----------
    roots
        Names of modules (``sonotune.training.finetune``) or paths of scripts that end in ``.py``.
    package
        The folder of the package whose modules are followed.

    Returns
    -------
    str
        Sixteen hexadecimal digits.
    """
    digest = hashlib.sha256()
    for name, file in sorted(_closure(roots, package).items()):
        digest.update(f"{name}\n{_meaning(file)}\n".encode())
    return digest.hexdigest()[:16]


def imported_modules(*roots: str, package: Path = PACKAGE) -> list[str]:
    """Names of all modules that `fingerprint` covers."""
    return sorted(_closure(roots, package))


def _closure(roots: Iterable[str], package: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        # A script's name, not its folder: the same code in another clone is the same code.
        key = Path(name).name if name.endswith(".py") else name
        if key in found:
            continue
        file = Path(name) if name.endswith(".py") else _file_of(name, package)
        if file is None:
            continue
        found[key] = file
        waiting.extend(_imports(file, package.name))
        # A package's __init__ runs before its modules; the root's holds only the version.
        parent = name.rpartition(".")[0]
        if not name.endswith(".py") and parent and parent != package.name:
            waiting.append(parent)
    return found


def _file_of(module: str, package: Path) -> Path | None:
    first, *rest = module.split(".")
    if first != package.name or not rest:
        return None
    path = package.joinpath(*rest)
    return next((f for f in (path.with_suffix(".py"), path / "__init__.py") if f.is_file()), None)


@cache
def _tree(file: Path) -> ast.Module:
    return ast.parse(file.read_bytes())


@cache
def _imports(file: Path, package: str) -> tuple[str, ...]:
    names = []
    for node in ast.walk(_tree(file)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return tuple(name for name in names if name.split(".")[0] == package)


@cache
def _meaning(file: Path) -> str:
    return "".join(_walk(_tree(file)))


def _walk(node: object) -> Iterator[str]:
    """A text for a tree that has a part for every field that is neither empty nor None."""
    if isinstance(node, ast.AST):
        yield f"{type(node).__name__}("
        for field, value in ast.iter_fields(node):
            if field == "body" and isinstance(value, list):
                value = _without_docstring(node, value)
            if value is None or value == []:
                continue
            yield f"{field}="
            yield from _walk(value)
        yield ")"
    elif isinstance(node, list):
        yield "["
        for item in node:
            yield from _walk(item)
            yield ","
        yield "]"
    else:
        yield repr(node)


def _without_docstring(node: ast.AST, body: list[ast.stmt]) -> list[ast.stmt]:
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    if (
        isinstance(node, documented)
        and body
        and isinstance(body[0], ast.Expr)
        and isinstance(body[0].value, ast.Constant)
        and isinstance(body[0].value.value, str)
    ):
        return body[1:]
    return body
