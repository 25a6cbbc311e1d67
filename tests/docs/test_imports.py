"""Imports run one way: no circle, and the order of docs/architecture.md."""

import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from planning.import_graph import as_dot, module_imports, part_imports, reduced

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "workflow/scripts"


@pytest.fixture
def tree(tmp_path: Path):
    def write(**modules: str) -> Path:
        (tmp_path / "bakeoff").mkdir()
        (tmp_path / "bakeoff/__init__.py").touch()
        (tmp_path / "other").mkdir()
        (tmp_path / "other/__init__.py").touch()
        for name, text in modules.items():
            (tmp_path / f"bakeoff/{name}.py").write_text(text)
        return tmp_path

    return write


def test_parts_and_edges_of_a_small_library(tree) -> None:
    root = tree(
        a="import json\n",
        b="from bakeoff.a import x\n",
        c="def f():\n    from bakeoff import a, b\n",
        cli="from bakeoff import c\nimport other\n",
    )
    graph = part_imports(root)
    assert graph == {"a": set(), "b": {"a"}, "c": {"a", "b"}}
    assert reduced(graph) == {"a": set(), "b": {"a"}, "c": {"b"}}
    assert "    b -> c;\n" in as_dot(reduced(graph))
    assert "a -> c" not in as_dot(reduced(graph))


def test_a_circle_is_found_in_parts_and_in_modules(tree) -> None:
    root = tree(a="import bakeoff.b\n", b="def f():\n    import bakeoff.a\n")
    with pytest.raises(CycleError):
        reduced(part_imports(root))
    with pytest.raises(CycleError):
        TopologicalSorter(module_imports(root)).prepare()


def test_an_import_from_outside_the_library_is_refused(tree) -> None:
    with pytest.raises(ValueError, match="outside the library"):
        part_imports(tree(a="import other\n"))


def test_no_two_modules_of_the_library_import_each_other() -> None:
    TopologicalSorter(module_imports(SCRIPTS)).prepare()


def rows_of_the_architecture_page() -> list[list[str]]:
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    table = page.split("| module | makes | from |")[1].split("\n\n")[0]
    cells = re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
    return [re.findall(r"`([a-z_]+)/?`", cell) for cell in cells]


def test_imports_follow_the_order_of_the_architecture_page() -> None:
    rows = rows_of_the_architecture_page()
    rank = {part: row for row, parts in enumerate(rows) for part in parts}
    graph = part_imports(SCRIPTS)
    assert rank.keys() == graph.keys(), "docs/architecture.md names other parts"
    backwards = [
        f"{part} imports {used}"
        for part, uses in graph.items()
        for used in uses
        if rank[used] > rank[part]
    ]
    assert backwards == []


def test_the_committed_picture_is_that_of_the_code() -> None:
    committed = (ROOT / "docs/imports.dot").read_text(encoding="utf-8")
    assert as_dot(reduced(part_imports(SCRIPTS))) == committed, "run `make graph`"


@pytest.mark.parametrize("name", ["imports", "rulegraph"])
def test_the_committed_drawing_shows_the_graph(name: str) -> None:
    """Every node and edge of the dot file is drawn, and no other: graphviz names them."""
    dot = (ROOT / f"docs/{name}.dot").read_text(encoding="utf-8")
    drawn = (ROOT / f"docs/images/{name}.svg").read_text(encoding="utf-8")
    titles = re.findall(r"<title>(.*?)</title>", drawn)
    titles = {title.replace("&#45;", "-").replace("&gt;", ">") for title in titles}
    nodes = re.findall(r"^\s+(\w+)(?:;|\[label)", dot, re.MULTILINE)
    edges = re.findall(r"^\s+(\w+) -> (\w+)", dot, re.MULTILINE)
    wanted = {*nodes, *(f"{a}->{b}" for a, b in edges)}
    assert len(edges) > 10
    assert wanted == titles - {"imports", "rules"}, "run `make graph`"
