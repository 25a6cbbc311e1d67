"""How much of a run's time its jobs do not use, by rule.

    python benchmarks/overhead.py                      the demo, in a fresh copy
    python benchmarks/overhead.py --config study.yaml --cores 4

The workflow runs from nothing in a temporary copy of the repository, and the benchmark
files of its jobs are added up. Three parts of the CPU time are told apart: what jobs
compute, what their scripts load before they begin (measured by loading each script
alone), and what Snakemake itself needs. CPU time is told beside wall time because it
hardly changes with what else the machine does.
"""

import argparse
import csv
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "workflow/scripts")]

from support.workflow import copy_repository  # noqa: E402


@dataclass
class Rule:
    """What the jobs of one rule took in all, in seconds."""

    jobs: int = 0
    wall: float = 0.0
    cpu: float = 0.0
    loading: float = field(default=0.0)

    def row(self) -> dict[str, float]:
        """Rounded, with the share of the CPU time that is no loading."""
        useful = 1 - min(1.0, self.loading / self.cpu) if self.cpu else 0.0
        return {
            "jobs": self.jobs,
            "wall_s": round(self.wall, 1),
            "cpu_s": round(self.cpu, 1),
            "loading_s": round(self.loading, 1),
            "useful": round(useful, 2),
        }


def main() -> None:
    """Print the shares of the whole run and of every rule as JSON."""
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "copy"
        copy_repository(ROOT, place)
        wall, cpu = _run(place, options)
        rules = _rules(place / "benchmarks/results")
    print(json.dumps(report(rules, wall, cpu, options.cores), indent=1))


def report(rules: dict[str, Rule], wall: float, cpu: float, cores: int) -> dict:
    """Shares of overhead, by wall and by CPU time, and the rules, costliest first.

    wall, cpu: seconds of the whole run, Snakemake and all jobs. `idle` is the share of
    the run in which fewer jobs ran than there are cores, counting one core per job;
    `overhead_cpu` is the share of all CPU time that is Snakemake's or loading.
    """
    of_jobs = sum(rule.cpu for rule in rules.values())
    loading = sum(min(rule.loading, rule.cpu) for rule in rules.values())
    busy = min(1.0, sum(rule.wall for rule in rules.values()) / (wall * cores))
    ordered = sorted(rules, key=lambda name: -rules[name].cpu)
    return {
        "wall_s": round(wall, 1),
        "cpu_s": round(cpu, 1),
        "jobs_cpu_s": round(of_jobs, 1),
        "loading_cpu_s": round(loading, 1),
        "idle": round(1 - busy, 3),
        "overhead_cpu": round(1 - (of_jobs - loading) / cpu, 3),
        "rules": {name: rules[name].row() for name in ordered},
    }


def _run(place: Path, options: argparse.Namespace) -> tuple[float, float]:
    """Seconds of wall and of CPU time of one run."""
    command = [sys.executable, "-m", "snakemake", "--cores", str(options.cores)]
    if options.config:
        command += ["--configfile", str(Path(options.config).resolve())]
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    with (place / "run.out").open("w") as out:
        done = subprocess.run(
            [*command, "--", *options.targets],
            cwd=place,
            env=_environment(),
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    wall, after = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit((place / "run.out").read_text()[-4000:])
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, cpu


def _rules(folder: Path) -> dict[str, Rule]:
    """What the benchmark files say, by rule; a figure's rule is named by its folder."""
    rules: dict[str, Rule] = {}
    for path in sorted(folder.rglob("*.tsv")):
        parts = path.relative_to(folder).with_suffix("").parts
        name = f"figure_{parts[2]}" if parts[0] == "figures" else parts[0]
        with path.open(newline="") as file:
            (row,) = csv.DictReader(file, delimiter="\t")
        rule = rules.setdefault(name, Rule())
        rule.jobs += 1
        rule.wall += float(row["s"])
        rule.cpu += _number(row["cpu_time"])
    for name, rule in rules.items():
        rule.loading = rule.jobs * _loading(name)
    return rules


def _number(text: str) -> float:
    """Of a job that ended before it was looked at, psutil says nothing."""
    return float(text) if text not in ("NA", "-", "") else 0.0


def _loading(script: str) -> float:
    """CPU seconds until a script has loaded what it imports, Python's start included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, "-c", f"import {script}"],
        cwd=ROOT / "workflow/scripts",
        env=_environment(),
        check=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _environment() -> dict[str, str]:
    environment = {k: v for k, v in os.environ.items() if "BYTECODE" not in k}
    return environment | {"HF_HUB_OFFLINE": "1"}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cores", type=int, default=os.cpu_count())
    parser.add_argument("--config", help="a configuration; without it the demo's")
    parser.add_argument("targets", nargs="*", help="what to make; without it all")
    return parser.parse_args()


if __name__ == "__main__":
    main()
