"""Faults planted in a copy of the library, one at a time, and whether the tests find them.

    python benchmarks/mutate.py [NAME ...]

tests/faults/planted lists the faults and, for each, the tests that should fail. NAME is an
area (`stats`) or one fault (`stats-3`); without a name all are planted. First the tests
run on the copy as it is. Prints a line for each fault, the command that repeats it where
it was not caught, and the total; exit status 1 where fewer than 95 % are caught, or where
a fault's text is not in the code any more.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from support.planted import Fault, faults, judged, status_of  # noqa: E402
from support.workflow import copy_repository  # noqa: E402

LEAST = 0.95


def main() -> None:
    """Plant what is asked for, and tell."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME")
    chosen = chosen_of(parser.parse_args().names)
    with tempfile.TemporaryDirectory() as folder:
        copy_repository(ROOT, Path(folder))
        check_tests(chosen, Path(folder))
        told = Counter(told_of(fault, Path(folder)) for fault in chosen)
    parts = [f"{number} {verdict}" for verdict, number in told.most_common()]
    print(f"{len(chosen)} planted faults: {', '.join(parts)}")
    stale = told["no longer applies"] + told["tests cannot run"]
    sys.exit(bool(stale or told["caught"] < LEAST * len(chosen)))


def chosen_of(names: list[str]) -> list[Fault]:
    """The faults of these names or areas; all of them without any."""
    every = faults()
    known = {part for fault in every for part in (fault.name, area(fault))}
    if unknown := sorted(set(names) - known):
        areas = ", ".join(dict.fromkeys(map(area, every)))
        sys.exit(f"Error: no fault named {', '.join(unknown)}; areas: {areas}")
    return [f for f in every if not names or {f.name, area(f)} & set(names)]


def area(fault: Fault) -> str:
    """The name of the list that holds the fault."""
    return fault.name.rpartition("-")[0]


def check_tests(chosen: list[Fault], copy: Path) -> None:
    """Stop where a test fails on the code as it is: it could not tell a fault."""
    tests = sorted({test for fault in chosen for test in fault.tests})
    start = time.monotonic()
    if status_of(copy, tests, seconds=1800):
        sys.exit(f"Error: these fail without any fault: pytest {' '.join(tests)}")
    seconds = time.monotonic() - start
    print(f"{'without':12} {'pass':18} {seconds:6.1f} s  no fault", flush=True)


def told_of(fault: Fault, copy: Path) -> str:
    """The verdict on a fault, printed."""
    start = time.monotonic()
    verdict = judged(fault, copy)
    seconds = time.monotonic() - start
    print(f"{fault.name:12} {verdict:18} {seconds:6.1f} s  {fault.breaks}", flush=True)
    if verdict != "caught":
        print(f"{'':12} {fault.file}: make mutate ONLY={fault.name}", flush=True)
    return verdict


if __name__ == "__main__":
    main()
