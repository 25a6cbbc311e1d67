"""Which part of the library imports which, as a picture: docs/imports.dot.

    python -m planning.import_graph > docs/imports.dot

A part is a module or a package directly below `bakeoff`. An arrow runs from a part to one
that uses it, as the data do; arrows that follow from others are left out of the picture.
`bakeoff.cli`, where commands begin, may import everything and is no part.
"""

from graphlib import TopologicalSorter
from pathlib import Path

from planning.code import dependencies as imported_files

Graph = dict[str, set[str]]

_LIBRARY = "bakeoff"
_ENTRY_POINTS = frozenset({"cli", "__init__"})


def part_imports(root: Path) -> Graph:
    """{part: parts that it imports}, of the library below `root`.

    Imports inside functions count like any other. Raises ValueError for a part that
    imports a local package outside the library.
    """
    graph: Graph = {}
    for path in _modules(root):
        part = _part(path, root)
        found = [file for file in imported_files(path, root) if file.suffix == ".py"]
        strays = [
            file for file in found if _LIBRARY not in file.relative_to(root).parts
        ]
        if strays:
            raise ValueError(
                f"{path} imports {strays[0]}, which is outside the library"
            )
        uses = {_part(file, root) for file in found} - {part, *_ENTRY_POINTS}
        graph.setdefault(part, set()).update(uses)
    return graph


def module_imports(root: Path) -> dict[Path, set[Path]]:
    """{module: modules that it imports itself}, of the library below `root`.

    A package's `__init__.py` stands for the names that it gathers, which Python finds
    in their own modules: it is no module here.
    """
    modules = {path for path in _modules(root) if path.name != "__init__.py"}
    return {
        path: (set(imported_files(path, root)) & modules) - {path} for path in modules
    }


def reduced(graph: Graph) -> Graph:
    """`graph` without the edges that a longer way replaces. Raises CycleError."""
    reach: Graph = {}
    for part in TopologicalSorter(graph).static_order():
        reach[part] = graph[part].union(*(reach[other] for other in graph[part]))
    return {
        part: {o for o in uses if not any(o in reach[via] for via in uses)}
        for part, uses in graph.items()
    }


def as_dot(graph: Graph) -> str:
    """The graph in the language of graphviz; the same graph gives the same text."""
    lines = [
        "digraph imports {",
        '    graph [bgcolor="transparent", rankdir=LR, nodesep=0.15, ranksep=0.4];',
        '    node [shape=box, style=rounded, fontname="sans-serif", fontsize=10];',
        *(f"    {part};" for part in sorted(graph)),
        *(
            f"    {used} -> {part};"
            for part in sorted(graph)
            for used in sorted(graph[part])
        ),
        "}",
    ]
    return "\n".join(lines) + "\n"


def _modules(root: Path) -> list[Path]:
    return [
        path
        for path in sorted((root / _LIBRARY).rglob("*.py"))
        if _part(path, root) not in _ENTRY_POINTS
    ]


def _part(path: Path, root: Path) -> str:
    return path.relative_to(root / _LIBRARY).parts[0].removesuffix(".py")


if __name__ == "__main__":
    print(as_dot(reduced(part_imports(Path(__file__).parents[1]))), end="")
