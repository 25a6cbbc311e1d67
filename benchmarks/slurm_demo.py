"""Whether the demo comes out of a SLURM of one node as it does here, byte for byte.

    python benchmarks/slurm_demo.py [TARGET ...]

Runs the demo (or some targets of it) twice from nothing, in two copies of the
repository: by Snakemake alone, and through profiles/ci-slurm on a cluster that this
program starts and stops. Prints every table that differs; those that hold times (costs,
training) are left out. Needs root and slurm-wlm; every job takes about ten seconds more
than here.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "workflow/scripts")]

from support.slurm import one_node  # noqa: E402
from support.workflow import Workflow, copy_repository  # noqa: E402


def main() -> int:
    """Print what was compared as JSON; 1 where a table differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="*", help="what to make; without it all")
    targets = parser.parse_args().targets
    with tempfile.TemporaryDirectory() as folder:
        here, there = (copy_repository(ROOT, Path(folder, n)) for n in ("a", "b"))
        here.run("--", *targets, seconds=4 * 3600)
        submitted = _through_slurm(there, Path(folder) / "slurm", targets)
        differing, tables = _differing(here, there)
    report = {"jobs_submitted": submitted, "tables": tables, "differing": differing}
    print(json.dumps(report, indent=1))
    return 1 if differing or not submitted else 0


def _through_slurm(workflow: Workflow, place: Path, targets: list[str]) -> int:
    """Run on a cluster below `place`; how many jobs it was given."""
    place.mkdir()
    with one_node(place) as slurm:
        workflow.environment, workflow.cores = slurm.environment, None
        profile = ("--workflow-profile", "profiles/ci-slurm")
        workflow.run(*profile, "--", *targets, seconds=4 * 3600)
        return len(slurm.jobs())


def _differing(here: Workflow, there: Workflow) -> tuple[list[str], int]:
    """Paths of the tables that differ, and how many there are."""
    a, b = here.tables(), there.tables()
    return sorted(p for p in a.keys() | b.keys() if a.get(p) != b.get(p)), len(a)


if __name__ == "__main__":
    sys.exit(main())
