"""Code versions: what is followed, what is not, and that nothing escapes."""

import ast
import json
from pathlib import Path

import pytest
from planning import code
from planning.code import code_files, code_version

ROOT = Path(__file__).parents[2] / "workflow/scripts"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    files = {
        "job.py": "from lib import near\nimport json\nfrom lib.deep.far import x\n",
        "lib/__init__.py": "",
        "lib/near.py": "from . import style\nfrom .deep import other\nKEY = 'words'\n",
        "lib/style.py": "SHEET = here.with_name('page.css')\nPARTS = here.parent / 'parts'\n",
        "lib/page.css": "a {}",
        "lib/parts/head.html": "<p>",
        "lib/unused.py": "",
        "lib/words/key.txt": "named by no path",
        "lib/deep/__init__.py": "",
        "lib/deep/far.py": "x = 1\n",
        "lib/deep/other.py": "import lib.near\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


CACHED = (code._hash, code._module_files, code._is_local, code._read_known, code._read)


@pytest.fixture(autouse=True)
def _fresh() -> None:
    for cached in CACHED:
        cached.cache_clear()


def version(tree: Path, cache: Path | None = None) -> str:
    """The version as a process that has just begun sees it."""
    for cached in CACHED:
        cached.cache_clear()
    return code_version("job.py", tree, cache)


def test_local_imports_are_followed_through_others_and_circles(tree: Path) -> None:
    names = [path.relative_to(tree).as_posix() for path in code_files("job.py", tree)]
    assert names == [
        "job.py",
        "lib/__init__.py",
        "lib/deep/__init__.py",
        "lib/deep/far.py",
        "lib/deep/other.py",
        "lib/near.py",
        "lib/page.css",
        "lib/parts/head.html",
        "lib/style.py",
    ]


def test_the_version_goes_by_content_alone(tree: Path) -> None:
    before = version(tree)
    (tree / "lib/deep/far.py").touch()
    (tree / "lib/unused.py").write_text("y = 1")
    assert version(tree) == before
    (tree / "lib/deep/far.py").write_text("x = 2\n")
    changed = version(tree)
    assert changed != before
    differing = set(changed.split()) - set(before.split())
    assert [name.split("@")[0] for name in differing] == ["lib/deep/far.py"]
    (tree / "lib/deep/far.py").write_text("x = 1\n")
    assert version(tree) == before


def test_a_data_file_that_a_module_names_counts(tree: Path) -> None:
    before = version(tree)
    (tree / "lib/page.css").write_text("b {}")
    assert version(tree) != before


def test_no_module_of_ours_is_imported_by_a_computed_name() -> None:
    """Such an import would escape `code_version` and leave stale results."""
    computed = {"import_module", "__import__", "exec", "eval", "run_path", "run_module"}
    found = []
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            owner = getattr(getattr(node.func, "value", None), "id", "")
            plain = isinstance(node.func, ast.Name)
            if name in computed and (plain or owner in ("importlib", "runpy")):
                found.append(f"{path.relative_to(ROOT)}:{node.lineno} {name}")
    assert found == []


def test_every_script_of_the_workflow_can_be_read() -> None:
    for script in ROOT.glob("*.py"):
        assert code_version(script.name, ROOT).startswith(f"{script.name}@")


def test_what_modules_mention_is_remembered_by_content(
    tree: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cache = tmp_path_factory.mktemp("cache") / "imports.json"
    plain = version(tree)
    assert version(tree, cache) == plain
    parse, parsed = code._mentions, []
    monkeypatch.setattr(
        code,
        "_mentions",
        lambda text, package: parsed.append(text) or parse(text, package),
    )
    assert version(tree, cache) == plain
    assert parsed == []
    job = tree / "job.py"
    job.write_text(job.read_text() + "\n# changed\n")
    changed = version(tree, cache)
    assert changed != plain
    assert parsed == [job.read_text()]
    cache.write_text("{ damaged")
    assert version(tree, cache) == changed


@pytest.mark.parametrize(
    "spoil",
    [
        lambda known: [],
        lambda known: dict.fromkeys(known, 3),
        lambda known: {key: [["a"], [1]] for key in known},
        lambda known: {key: ["ab", "cd"] for key in known},
        lambda known: 7,
    ],
)
def test_a_cache_of_another_shape_is_made_again(tree, tmp_path_factory, spoil) -> None:
    cache = tmp_path_factory.mktemp("cache") / "imports.json"
    plain = version(tree, cache)
    known = json.loads(cache.read_text())
    cache.write_text(json.dumps(spoil(known)))
    assert version(tree, cache) == plain
    assert json.loads(cache.read_text()) == known
