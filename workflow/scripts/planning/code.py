"""What a script's results depend on in this repository's code, by content.

A script depends on itself, on every local module that it imports, directly or through
others, and on the data files that those modules name (a style sheet, a template).
Time stamps play no part: a fresh checkout changes nothing, an edit that is taken back
leaves nothing behind.

Only `import` statements are followed. A module that is imported by a computed name
would escape; a test of the suite forbids it.
"""

import ast
import functools
import hashlib
from collections.abc import Iterator
from pathlib import Path


def code_version(script: str, root: Path) -> str:
    """`script.py@1a2b3c4d pkg/module.py@...`: every file and a hash of its content.

    `root` is the folder that holds the scripts and the packages. Raises
    FileNotFoundError for a script that is not there.
    """
    return " ".join(
        f"{path.relative_to(root).as_posix()}@{_hash(path)}"
        for path in code_files(script, root)
    )


@functools.cache
def code_files(script: str, root: Path) -> tuple[Path, ...]:
    """The script first, then all that it depends on, sorted."""
    first = root / script
    seen: set[Path] = set()
    waiting = [first]
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        if path.suffix == ".py":
            waiting.extend(_dependencies(path, root))
    return (first, *sorted(seen - {first}))


@functools.cache
def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:8]


@functools.cache
def _dependencies(path: Path, root: Path) -> tuple[Path, ...]:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text, filename=str(path))
    found: list[Path] = []
    for node in _statements(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                found.extend(_module_files(alias.name, root))
        elif isinstance(node, ast.ImportFrom):
            module = _absolute(node, path, root)
            for alias in node.names:
                found.extend(_module_files(f"{module}.{alias.name}", root))
    # Most modules name no file: looking at every expression would take most of the time.
    if "with_name(" in text or '/ "' in text:
        for expression in ast.walk(tree):
            for name in _named_beside(expression):
                found.extend(_data_files(name, path))
    return tuple(found)


def _statements(tree: ast.AST) -> Iterator[ast.AST]:
    """Every statement, those inside others included; no expressions."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        for name in ("body", "orelse", "finalbody", "handlers", "cases"):
            inner = getattr(node, name, None)
            if isinstance(inner, list):
                waiting.extend(inner)


def _absolute(node: ast.ImportFrom, path: Path, root: Path) -> str:
    if not node.level:
        return node.module or ""
    package = path.relative_to(root).parent.parts
    package = package[: len(package) - node.level + 1]
    return ".".join([*package, *filter(None, [node.module])])


@functools.cache
def _module_files(name: str, root: Path) -> tuple[Path, ...]:
    """The files of a local module and of the packages around it; none if not local."""
    return tuple(_places(name.split("."), root))


def _places(parts: list[str], root: Path) -> Iterator[Path]:
    if not _is_local(parts[0], root):
        return
    for depth in range(1, len(parts) + 1):
        place = root.joinpath(*parts[:depth])
        if (place / "__init__.py").is_file():
            yield place / "__init__.py"
        elif place.with_suffix(".py").is_file():
            yield place.with_suffix(".py")


@functools.cache
def _is_local(top: str, root: Path) -> bool:
    return (root / top).is_dir() or (root / f"{top}.py").is_file()


def _named_beside(node: ast.AST) -> Iterator[str]:
    """`name` of `....with_name("name")` and of `... / "name"`."""
    parts: list[ast.expr] = []
    if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "with_name":
        parts = node.args
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        parts = [node.right]
    for part in parts:
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield part.value


def _data_files(name: str, path: Path) -> Iterator[Path]:
    """The file of that name beside the module, or all files of that folder."""
    place = path.parent / name
    if place.is_file() and place.suffix != ".py":
        yield place
    elif place.is_dir() and not (place / "__init__.py").exists():
        yield from (
            file
            for file in sorted(place.rglob("*"))
            if file.is_file() and "__pycache__" not in file.parts
        )
