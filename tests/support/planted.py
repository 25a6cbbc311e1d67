"""Faults of our own, planted in a copy of the library, which the tests must find.

tests/faults/planted/AREA.yaml lists them. Each names a file below workflow/scripts/bakeoff,
a `text` that stands there exactly once, what it `becomes`, what that `breaks`, and the
`tests` that should fail.
"""

import multiprocessing
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import yaml

HERE = Path(__file__).parents[1] / "faults/planted"
LIBRARY = Path("workflow/scripts/bakeoff")

Verdict = Literal["caught", "survived", "no longer applies", "tests cannot run"]

_ELSEWHERE = 99  # exit status where the tests ran on another copy of the library

# What tests import and no fault changes; loaded once, for all of them.
_LOADED = [
    *("pytest", "_pytest.assertion.rewrite", "hypothesis", "pandas", "scipy.stats"),
    *("pyarrow.compute", "pyarrow.parquet", "sklearn.model_selection"),
    *("statsmodels.stats.multitest", "PIL.Image", "tqdm", "huggingface_hub"),
    *("open_clip", "transformers", "torch.distributed"),
]


@dataclass(frozen=True)
class Fault:
    """One fault; `name` is its area and its number there, such as stats-3."""

    name: str
    file: str
    text: str
    becomes: str
    breaks: str
    tests: tuple[str, ...]

    def applies(self, root: Path) -> bool:
        """Whether the text stands exactly once in the file, below this repository."""
        file = root / LIBRARY / self.file
        return file.is_file() and file.read_text("utf-8").count(self.text) == 1

    def plant(self, root: Path) -> str:
        """Put the fault into the repository at `root`; the file's former text."""
        file = root / LIBRARY / self.file
        former = file.read_text("utf-8")
        file.write_text(former.replace(self.text, self.becomes), "utf-8")
        return former

    def remove(self, root: Path, former: str) -> None:
        """Put the file's former text back."""
        (root / LIBRARY / self.file).write_text(former, "utf-8")


def faults(place: Path = HERE) -> list[Fault]:
    """All faults of the lists, by area."""
    found = []
    for path in sorted(place.glob("*.yaml")):
        for number, entry in enumerate(yaml.safe_load(path.read_text("utf-8")), 1):
            tests = tuple(entry.pop("tests"))
            found.append(Fault(f"{path.stem}-{number}", tests=tests, **entry))
    return found


def judged(fault: Fault, root: Path, seconds: float = 300) -> Verdict:
    """What the fault's tests say of it, planted in the copy at `root`.

    Tests that are not over after `seconds` have caught it: it made something endless.
    """
    if not fault.applies(root):
        return "no longer applies"
    former = fault.plant(root)
    try:
        status = status_of(root, fault.tests, seconds)
    finally:
        fault.remove(root, former)
    named: dict[int | None, Verdict] = {0: "survived", 1: "caught", None: "caught"}
    return named.get(status, "tests cannot run")


def status_of(root: Path, tests: Sequence[str], seconds: float) -> int | None:
    """The exit status of pytest on some tests of the copy at `root`; None if it is not over.

    In a process forked from one that has loaded the heavy libraries and nothing of ours.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_LOADED)
    process = context.Process(target=_run, args=(root, tests))
    process.start()
    process.join(seconds)
    if process.is_alive():
        process.kill()
        process.join()
        return None
    return process.exitcode


def _run(root: Path, tests: Sequence[str]) -> None:
    import pytest

    # Bytecode goes by seconds and sizes, which two faults of one file may share.
    sys.dont_write_bytecode = True
    os.environ["OMP_NUM_THREADS"] = "1"
    os.chdir(root)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    status = int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", *tests]))
    import bakeoff

    sys.exit(
        status if Path(bakeoff.__file__).is_relative_to(root.resolve()) else _ELSEWHERE
    )
