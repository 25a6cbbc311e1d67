"""Whether any sentence contradicts the numbers that it stands for.

    python benchmarks/verdict_sentences.py --rows 20000 --seed 1

Random comparisons are decided in families of 1 to 10 and their sentences read back:
verdict, size, interval, p, chances and power, as printed, must agree with each other and
with the row.
"""

import argparse
import json
import sys
from collections import Counter
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "workflow/scripts")]

from bakeoff.verdict import sentence  # noqa: E402
from support.sentences import contradictions, random_family  # noqa: E402


def main() -> int:
    """Print verdicts and contradictions as JSON; 1 where there is one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    verdicts: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    family = 0
    while verdicts.total() < options.rows:
        for row in random_family(np.random.default_rng([options.seed, family])):
            verdicts[row["verdict"]] += 1
            wrong.update(contradictions(row, sentence(row)))
        family += 1
    report = {"rows": verdicts.total(), "verdicts": verdicts, "contradictions": wrong}
    print(json.dumps(report, indent=1, sort_keys=True))
    return int(wrong.total() > 0)


if __name__ == "__main__":
    sys.exit(main())
