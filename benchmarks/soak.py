"""Kills at random moments across the rules of a small study, and what they leave.

    python benchmarks/soak.py --kills 200 --seed 1

A study is run to its end once. Then the same study is run again and again: of some runs
Snakemake is killed with all its jobs at a random moment, and `make recover` follows; of
the others one job after the other is. Each time the study comes to its end its tables
are compared byte by byte. Prints the number of kills, and what they met: the rules of
single jobs, or the outputs that were being made.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "workflow/scripts")]

from support.kills import soak, timed  # noqa: E402
from support.workflow import (  # noqa: E402
    LEAST_TARGET,
    lay_out,
    least_config,
    small_config,
)


def main() -> None:
    """Print what the kills met, as JSON; an AssertionError where one left a trace."""
    options = _options()
    whole = options.study == "small"
    config = small_config() if whole else least_config()
    targets = ("results/colours/summary.html",) if whole else (LEAST_TARGET,)
    with tempfile.TemporaryDirectory() as folder:
        places = [Path(folder) / name for name in ("undisturbed", "killed")]
        for place in places:
            place.mkdir()
        undisturbed, killed = (lay_out(place, ROOT, config) for place in places)
        seconds = timed(undisturbed, targets)
        done = soak(
            killed,
            targets,
            undisturbed.tables(),
            kills=options.kills,
            seconds=seconds / 4,
            pause=options.pause,
            seed=options.seed,
        )
    report = {"kills": done.kills, "right_ends": done.studies, "met": done.rules}
    print(json.dumps(report | {"undisturbed_s": round(seconds, 1)}, indent=1))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--study", choices=("least", "small"), default="small")
    parser.add_argument(
        "--pause", type=float, default=4, help="mean seconds between single jobs' kills"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
