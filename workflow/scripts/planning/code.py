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
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bakeoff.documents import parse_json

# Dotted names of imported modules, and names of files; by a hash of the module.
Mentions = tuple[list[str], list[str]]
Known = dict[str, Mentions]


def code_version(script: str, root: Path, cache: Path | None = None) -> str:
    """`script.py@1a2b3c4d pkg/module.py@...`: every file and a hash of its content.

    `root` is the folder that holds the scripts and the packages. `cache` is a JSON file
    of what modules mention, by their content; it saves parsing them and may be deleted.
    Raises FileNotFoundError for a script that is not there.
    """
    known = _read_known(cache) if cache else {}
    before = len(known)
    files = code_files(script, root, known)
    if cache and len(known) > before:
        _write_known(cache, known)
    return " ".join(
        f"{path.relative_to(root).as_posix()}@{_hash(path)}" for path in files
    )


def imported(script: str, root: Path, cache: Path | None = None) -> set[str]:
    """Top-level names of all that a script and the local code behind it import.

    Local names and those of Python's own library are among them. `cache` as above.
    """
    known = _read_known(cache) if cache else {}
    files = [p for p in code_files(script, root, known) if p.suffix == ".py"]
    modules = (name for path in files for name in _mentioned(path, root, known)[0])
    return {name.partition(".")[0] for name in modules}


def code_files(script: str, root: Path, known: Known | None = None) -> tuple[Path, ...]:
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
            waiting.extend(dependencies(path, root, known))
    return (first, *sorted(seen - {first}))


@functools.cache
def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:8]


def dependencies(
    path: Path, root: Path, known: Known | None = None
) -> tuple[Path, ...]:
    """The local files that one module mentions: modules, packages, data files."""
    modules, names = _mentioned(path, root, {} if known is None else known)
    files = [file for module in modules for file in _module_files(module, root)]
    return (*files, *(file for name in names for file in _data_files(name, path)))


def _mentioned(path: Path, root: Path, known: Known) -> Mentions:
    """What a module mentions; looked up in `known`, and kept there."""
    package, text, key = _read(path, root)
    if key not in known:
        known[key] = _mentions(text, package)
    return known[key]


@functools.cache
def _read(path: Path, root: Path) -> tuple[tuple[str, ...], str, str]:
    """A module's package, its text, and a hash of both."""
    package = path.relative_to(root).parent.parts
    text = path.read_text(encoding="utf-8")
    key = hashlib.sha256("\0".join([*package, text]).encode()).hexdigest()
    return package, text, key


def _mentions(text: str, package: tuple[str, ...]) -> Mentions:
    """Dotted names of what a module imports, and names that may be files beside it."""
    tree = ast.parse(text)
    modules: list[str] = []
    for node in _statements(tree):
        if isinstance(node, ast.Import):
            modules += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = _absolute(node, package)
            modules += [f"{module}.{alias.name}" for alias in node.names]
    # Most modules name no file: looking at every expression would take most of the time.
    if "with_name(" not in text and '/ "' not in text:
        return modules, []
    return modules, [
        n for expression in ast.walk(tree) for n in _named_beside(expression)
    ]


@functools.cache
def _read_known(cache: Path) -> Known:
    try:
        known = parse_json(cache.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return (
        known if isinstance(known, dict) and all(map(_is_known, known.values())) else {}
    )


def _is_known(mentions: Any) -> bool:
    """Whether it is two lists of names, as `_mentions` gives; else the cache is spoilt."""
    return (
        isinstance(mentions, list)
        and len(mentions) == 2
        and all(
            isinstance(n, list) and all(isinstance(x, str) for x in n) for n in mentions
        )
    )


def _write_known(cache: Path, known: Known) -> None:
    # Written aside and put in place: several jobs of a cluster may do so at once.
    aside = cache.with_suffix(f".{os.getpid()}")
    try:
        cache.parent.mkdir(parents=True, exist_ok=True)
        aside.write_text(json.dumps(known), encoding="utf-8")
        aside.replace(cache)
    except OSError:
        return  # a folder that cannot be written to is planned all the same


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


def _absolute(node: ast.ImportFrom, package: tuple[str, ...]) -> str:
    if not node.level:
        return node.module or ""
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
