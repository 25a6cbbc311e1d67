"""Whether the audit accuses, or overstates, tables that are free of contradictions.

    python benchmarks/audit_tables.py --tables 20000 --seed 1

Each table states two models' recalls, accuracy, macro recall, precision and F1, computed
from predictions and rounded to 2 to 4 digits each. Counted are contradictions that the
audit reports, and tests of the predictions themselves (McNemar's mid-p and the unpaired
z test; of all images and of each class) that lie outside the audit's bounds: all must be
0.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "workflow/scripts")]

from bakeoff.audit import audit  # noqa: E402
from support.published import made_table, outside_bounds  # noqa: E402


def main() -> int:
    """Print the counts as JSON; 1 where one is not 0."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    accused, outside, tests = 0, 0, 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        for number in range(options.tables):
            made = made_table(np.random.default_rng([options.seed, number]))
            path.write_text(made.text)
            report = audit(path)
            accused += bool(report.contradictions)
            wrong, all_tests = outside_bounds(report.pairs[0], made)
            outside, tests = outside + len(wrong), tests + all_tests
    found = {"tables": options.tables, "with_contradictions": accused}
    found |= {"tests": tests, "tests_outside_their_bounds": outside}
    print(json.dumps(found, indent=1))
    return int(accused + outside > 0)


if __name__ == "__main__":
    sys.exit(main())
