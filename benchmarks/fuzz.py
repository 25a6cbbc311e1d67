"""Whether hostile input makes any parser fail with a traceback.

    python benchmarks/fuzz.py --cases 100000 --seed 1

Configurations, prompt banks, labels files, tables, pictures, notes of weights and
records, each spoilt in a way that its number repeats. A parser accepts or refuses in
words; everything else is a failure, listed with the number that repeats it. Everything
is written to one temporary folder; what lies around it is compared before and after.
"""

import argparse
import json
import os
import sys
import tempfile
import warnings
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "workflow/scripts")]

from support.hostile import TARGETS, attack  # noqa: E402


def main() -> int:
    """Print outcomes by parser as JSON; 1 where one failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # Pillow's, about damaged metadata
    outcomes: Counter[str] = Counter()
    failures: list[str] = []
    with tempfile.TemporaryDirectory() as outside:
        folder = Path(outside) / "inside"
        os.chdir(outside)
        for case in range(options.cases // len(TARGETS)):
            for name in TARGETS:
                folder.mkdir(exist_ok=True)
                try:
                    found = attack(name, options.seed * 10**9 + case, folder)
                    outcomes[f"{name} {found}"] += 1
                except AssertionError as error:
                    failures.append(f"{error} {error.__cause__}"[:300])
        strangers = sorted({path.name for path in Path(outside).iterdir()} - {"inside"})
    report = {"cases": sum(outcomes.values()) + len(failures), "outcomes": outcomes}
    report |= {"failures": failures[:50], "written_outside": strangers}
    print(json.dumps(report, indent=1, sort_keys=True))
    return 1 if failures or strangers else 0


if __name__ == "__main__":
    sys.exit(main())
