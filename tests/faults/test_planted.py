"""The list of planted faults fits the code; `make mutate` plants them."""

import ast
from collections import Counter
from pathlib import Path

from support.planted import LIBRARY, faults

FAULTS = faults()


def test_a_hundred_faults_over_seven_areas() -> None:
    areas = Counter(fault.name.rpartition("-")[0] for fault in FAULTS)
    expected = {"compare", "stats", "folds", "metrics", "finetune", "store", "fetch"}
    assert areas.keys() == expected and areas.total() == 100
    assert min(areas.values()) >= 14


def test_every_fault_still_applies(repository: Path) -> None:
    stale = [fault.name for fault in FAULTS if not fault.applies(repository)]
    assert not stale, "their text does not stand exactly once in their file"


def test_no_two_faults_are_one() -> None:
    changes = {(fault.file, fault.text, fault.becomes) for fault in FAULTS}
    assert len(changes) == len(FAULTS)
    assert all(fault.text != fault.becomes for fault in FAULTS)


def test_faults_are_code_and_their_tests_exist(repository: Path) -> None:
    for fault in FAULTS:
        code = (repository / LIBRARY / fault.file).read_text("utf-8")
        ast.parse(code.replace(fault.text, fault.becomes))
        for test in fault.tests:
            path, _, name = test.partition("::")
            assert (repository / path).exists(), fault.name
            assert f"def {name}" in (repository / path).read_text() if name else True


def test_a_planted_fault_can_be_removed(tmp_path: Path, repository: Path) -> None:
    fault = FAULTS[0]
    copy = tmp_path / LIBRARY / fault.file
    copy.parent.mkdir(parents=True)
    copy.write_text((repository / LIBRARY / fault.file).read_text())
    former = fault.plant(tmp_path)
    assert not fault.applies(tmp_path) and fault.becomes in copy.read_text()
    fault.remove(tmp_path, former)
    assert fault.applies(tmp_path)
