"""CPU seconds and memory to plan many jobs.

    python benchmarks/planning.py --jobs 1000 10000
    python benchmarks/planning.py --jobs 1193 --against v0.1.0    beside another revision

A configuration with as many studies of twenty encoders as the number of jobs needs is
planned from nothing by `snakemake --dry-run`, over a folder of small images. User and system
time are told, not wall time, since they hardly change with what else the machine does.
"""

import argparse
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "workflow/scripts")]

from support.workflow import Workflow, lay_out, small_config  # noqa: E402

RESOLUTIONS = range(16, 336, 16)


def main() -> None:
    """Print one JSON line per size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, nargs="+", default=[1000, 10_000])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--against", help="a revision to plan the same jobs with, in turns"
    )
    options = parser.parse_args()
    for jobs in options.jobs:
        with tempfile.TemporaryDirectory() as folder:
            roots = {"now": ROOT}
            if options.against:
                roots[options.against] = checked_out(
                    options.against, Path(folder, "code")
                )
            workflows = {
                name: lay_out(made(Path(folder, f"run-{i}")), root, large_config(jobs))
                for i, (name, root) in enumerate(roots.items())
            }
            print(json.dumps(planned(workflows, options.rounds)), flush=True)


def made(folder: Path) -> Path:
    """The new, empty folder."""
    folder.mkdir()
    return folder


def checked_out(revision: str, folder: Path) -> Path:
    """The repository's files at a revision, in the new folder `folder`."""
    archive = ["git", "archive", "--format=tar", revision]
    files = subprocess.run(archive, cwd=ROOT, capture_output=True, check=True).stdout
    subprocess.run(["tar", "-x", "-C", made(folder)], input=files, check=True)
    return folder


def large_config(jobs: int) -> dict:
    """The small study, so often and with so many encoders that `jobs` are planned.

    Twenty encoders a study, each with 10 jobs of its own; and some 20 more that gather.
    """
    config = small_config()
    config["encoders"] = [f"tiny-clip@{size}" for size in RESOLUTIONS]
    config["control"] = None
    (study,) = config["studies"].values()
    count = max(1, round(jobs / 210))
    config["studies"] = {f"study{i}": dict(study) for i in range(count)}
    return config


def planned(workflows: dict[str, Workflow], rounds: int) -> dict:
    """Jobs, CPU seconds (least, median and most of the rounds) and peak memory.

    With another revision also its seconds, and the ratio of the medians.
    """
    runs = [{n: dry_run(w) for n, w in workflows.items()} for _ in range(rounds)]
    jobs = {count for run in runs for _, count in run.values()}
    assert len(jobs) == 1, jobs
    seconds = {n: sorted(round(run[n][0], 1) for run in runs) for n in workflows}
    summary = {n: [s[0], s[rounds // 2], s[-1]] for n, s in seconds.items()}
    medians = [s[1] for s in summary.values()]
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "jobs": jobs.pop(),
        "cpu_s": summary.pop("now"),
        **{f"cpu_s {name}": values for name, values in summary.items()},
        **({"ratio": round(medians[0] / medians[1], 2)} if summary else {}),
        "peak_mb": round(children.ru_maxrss / 1024),
    }


def dry_run(workflow: Workflow) -> tuple[float, int]:
    """CPU seconds of one dry run, and how many jobs it planned."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {k: v for k, v in os.environ.items() if "BYTECODE" not in k}
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--dry-run", "--quiet", "rules"],
        cwd=workflow.place,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    total = re.search(r"^total +(\d+)", done.stdout + done.stderr, re.MULTILINE)
    assert total, done.stdout[-2000:] + done.stderr[-2000:]
    cpu = (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)
    return cpu, int(total[1])


if __name__ == "__main__":
    main()
