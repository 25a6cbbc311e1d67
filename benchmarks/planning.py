"""CPU seconds and memory to plan many jobs.

    python benchmarks/planning.py --jobs 1000 10000

A configuration with as many encoders as the number of jobs needs is planned from
nothing by `snakemake --dry-run`, over a folder of three small images. User and system
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

import yaml  # noqa: E402
from support.workflow import Workflow, lay_out, small_config  # noqa: E402

RESOLUTIONS = range(16, 100_000, 16)


def main() -> None:
    """Print one JSON line per size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, nargs="+", default=[1000, 10_000])
    options = parser.parse_args()
    for jobs in options.jobs:
        with tempfile.TemporaryDirectory() as folder:
            workflow = lay_out(Path(folder), ROOT, large_config(jobs))
            print(json.dumps(planned(workflow)), flush=True)


def large_config(jobs: int) -> dict:
    """The small study with one encoder at so many resolutions that `jobs` are planned.

    An encoder has 9 jobs: 2 tables of vectors, 6 of predictions, 1 of metrics.
    """
    config = small_config()
    config["encoders"] = [f"tiny-clip@{size}" for size in RESOLUTIONS[: jobs // 9]]
    config["control"] = None
    return config


def planned(workflow: Workflow) -> dict:
    """Jobs, CPU seconds and peak memory of one dry run."""
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
    return {
        "jobs": int(total[1]),
        "cpu_s": round(cpu, 1),
        "peak_mb": round(after.ru_maxrss / 1024),
        "encoders": len(
            yaml.safe_load((workflow.place / "config/config.yaml").read_text())[
                "encoders"
            ]
        ),
    }


if __name__ == "__main__":
    main()
