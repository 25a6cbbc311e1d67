"""Every command of the documents does something: each is run here, on stand-ins.

A command is a line of a fenced block of `sh`, or a line of an unlabelled block that begins
with a program's name. The first pattern below that fits decides how it is run; a command
that fits none fails, so that no page can promise what nobody has tried.
"""

import re
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from bakeoff.cli import main
from bakeoff.schemas import SCHEMAS
from bakeoff.tables import write_table
from support.workflow import Workflow, small_config, write_images

ROOT = Path(__file__).parents[2]
PAGES = [
    *ROOT.glob("*.md"),
    *(p for p in (ROOT / "docs").rglob("*.md") if "site" not in p.parts),
    ROOT / "config/README.md",
    ROOT / "profiles/README.md",
]
_BLOCK = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_PROGRAM = re.compile(r"(\.venv/bin/\w+|make|snakemake|bakeoff|python3?|cp|git) ")


def commands_of(text: str) -> Iterator[str]:
    """The commands in the fenced blocks of a page, without their comments."""
    for language, body in _BLOCK.findall(text):
        if language not in ("", "sh"):
            continue
        for line in body.replace("\\\n", " ").splitlines():
            command = re.sub(r"(^|\s+)#.*", "", line).strip()
            if command and (language == "sh" or _PROGRAM.match(line)):
                yield " ".join(command.split())


def make(work: Workflow, command: str) -> None:
    """The target is there, and make knows how to get to it."""
    target = shlex.split(command)[1]
    assert target in re.findall(
        r"^([a-z]+):.*##", (ROOT / "Makefile").read_text(), re.M
    )
    plan = subprocess.run(
        ["make", "--dry-run", "--assume-old=.venv/synced", *shlex.split(command)[1:]],
        cwd=work.place,
        capture_output=True,
        text=True,
    )
    assert plan.returncode == 0, plan.stderr
    options = {"CONFIG": "--configfile", "PROFILE": "--workflow-profile"}
    for name, value in re.findall(r" ([A-Z]+)=(\S+)", command):
        assert f"{options[name]} {value}" in plan.stdout


def bakeoff(work: Workflow, command: str) -> None:
    assert main(shlex.split(command)[1:]) == 0
    if " init " in command:
        assert (work.place / "images.yaml").is_file()


def snakemake(work: Workflow, command: str) -> None:
    """Planned in full, not run: the workflow's own tests run it."""
    arguments = shlex.split(command)[1:]
    told = work.run("--dry-run", *arguments)
    assert "total" in told.stdout + told.stderr


def pytest_paths(work: Workflow, command: str) -> None:
    """Tests that the suite runs anyway."""
    for path in shlex.split(command)[1:]:
        assert path.startswith("tests/")
        assert (ROOT / path).exists(), path


def shell(work: Workflow, command: str) -> None:
    subprocess.run(shlex.split(command), cwd=work.place, check=True)


def script(work: Workflow, command: str) -> None:
    """A script that another test runs on a finished study."""
    path = shlex.split(command)[1]
    name = Path(path).name
    tests = (ROOT / "tests").rglob("test_*.py")
    assert any(name in test.read_text(encoding="utf-8") for test in tests)


WAYS: dict[str, Callable[[Workflow, str], None]] = {
    r"make [a-z]+( (PROFILE|CONFIG)=\S+)*$": make,
    r"\.venv/bin/bakeoff (init|power|audit) ": bakeoff,
    r"(\.venv/bin/)?snakemake ": snakemake,
    r"\.venv/bin/pytest tests/": pytest_paths,
    r"\.venv/bin/python docs/examples/\w+\.py ": script,
    r"cp config/studies/\S+ [\w-]+\.yaml$": shell,
}


def way_of(command: str) -> Callable[[Workflow, str], None] | None:
    return next((way for form, way in WAYS.items() if re.match(form, command)), None)


def all_commands() -> list[str]:
    found = {c for page in PAGES for c in commands_of(page.read_text(encoding="utf-8"))}
    return sorted(found)


@pytest.fixture
def stand_ins(workplace, monkeypatch: pytest.MonkeyPatch) -> Workflow:
    """A working folder that has what the pages speak of: path/to/images, NAME.yaml."""
    work = workplace()
    images = work.place / "path/to/images"
    write_images(images, {"cat": 2, "dog": 2})
    (work.place / "labels.csv").write_text("path,label\ncat/0.png,cat\ncat/1.png,cat\n")
    config = small_config()
    study = config["studies"]["colours"] | {"images": str(images), "prompts": None}
    config["studies"] = {"NAME": study | {"protocols": ["cv"]}}
    (work.place / "NAME.yaml").write_text(yaml.safe_dump(config))
    _write_comparisons(work.place / "results/NAME/comparisons.parquet")
    monkeypatch.chdir(work.place)
    return work


def _write_comparisons(path: Path) -> None:
    """One row of a finished study, all that a plan for the next one needs."""
    path.parent.mkdir(parents=True)
    row = {
        column.name: None if column.nullable else ""
        for column in SCHEMAS["comparisons"].columns
    }
    row |= {"study": "NAME", "method": "ridge", "protocol": "cv", "metric": "accuracy"}
    row |= {"a": "x", "b": "y", "test": "corrected_t", "primary": True, "n": 20}
    row |= {"images": 100, "detectable": 0.05, "verdict": "inconclusive"}
    write_table(path, "comparisons", {k: [v] for k, v in row.items()}, {})


@pytest.mark.parametrize("command", all_commands())
def test_every_command_of_the_documents_works(
    stand_ins: Workflow, command: str
) -> None:
    way = way_of(command)
    assert way, f"no way to try {command!r}: add one to WAYS in this file"
    way(stand_ins, command)


def test_commands_are_found_and_unknown_ones_have_no_way() -> None:
    page = "```sh\nrm -rf / # no\n```\n```\nlog K\nmake demo  # yes\n```\n```python\nx\n```"
    assert list(commands_of(page)) == ["rm -rf /", "make demo"]
    assert way_of("rm -rf /") is None
    assert way_of("make demo") is make
    assert way_of("make demo && rm -rf /") is None
    assert len(all_commands()) >= 15


def test_make_targets_named_in_the_text_are_there() -> None:
    targets = re.findall(r"^([a-z]+):.*##", (ROOT / "Makefile").read_text(), re.M)
    named = {
        word
        for page in PAGES
        for words in re.findall(r"`make ([a-z ]+)[`A-Z]", page.read_text("utf-8"))
        for word in words.split()
    }
    assert named <= set(targets), named - set(targets)


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_alone_lists_the_targets() -> None:
    told = subprocess.run(
        ["make"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert {"demo", "run", "docs", "test"} <= set(
        re.findall(r"^\w+", told.stdout, re.M)
    )
