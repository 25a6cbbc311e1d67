"""Kills at random moments across the rules of a small study, and what they leave.

    python benchmarks/soak.py --kills 200 --seed 1

A study is run to its end once, and its jobs are timed. Then the same study is run again
and again: of some runs Snakemake is killed with all its jobs at a random moment, and
`make recover` follows; of the others one job after the other is. A moment is any of the
run's or job's duration, or the next one at which a file appears. Each time the study
comes to its end its tables are compared byte by byte. Prints the number of kills, and
what they met: the rules of single jobs, or the outputs that were being made.

With --planted NAME the code that is killed holds a fault of tests/faults/planted, such as
a shard that stands half written under its final name. The soak must then end with an
error: it prints after how many kills, and fails where none was noticed.
"""

import argparse
import contextlib
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "workflow/scripts")]

from support.kills import Soak, measured, soak  # noqa: E402
from support.planted import faults  # noqa: E402
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
        if options.planted:
            for workflow in (undisturbed, killed):
                plant(options.planted, workflow.place)
        durations, done = measured(undisturbed, targets), Soak()
        with expecting(AssertionError if options.planted else None):
            soak(
                killed,
                targets,
                undisturbed.tables(),
                done,
                kills=options.kills,
                durations=durations,
                seed=options.seed,
            )
    report = {"kills": done.kills, "right_ends": done.studies, "met": done.rules}
    if options.planted:
        report |= {"planted": options.planted, "noticed": True}
    print(json.dumps(report | {"undisturbed_s": round(durations.run, 1)}, indent=1))


def plant(name: str, place: Path) -> None:
    """Put the planted fault of this name into the copy of the code in `place`."""
    next(fault for fault in faults() if fault.name == name).plant(place)


@contextlib.contextmanager
def expecting(error: type[Exception] | None) -> Iterator[None]:
    """A block that must raise `error`, or nothing where there is none."""
    try:
        yield
    except Exception as found:
        if error is None or not isinstance(found, error):
            raise
        print(f"noticed: {str(found)[-900:]}", file=sys.stderr)
        return
    if error is not None:
        sys.exit("Error: the planted fault was not noticed")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--study", choices=("least", "small"), default="small")
    names = [fault.name for fault in faults()]
    parser.add_argument("--planted", choices=names, metavar="NAME", help="as store-2")
    return parser.parse_args()


if __name__ == "__main__":
    main()
