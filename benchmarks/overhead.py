"""How much of a run's time its jobs do not use, by rule.

    python benchmarks/overhead.py                      the demo, in a fresh copy
    python benchmarks/overhead.py --config study.yaml --cores 4

The workflow runs from nothing in a temporary copy of the repository, and the benchmark
files of its jobs are added up. Of the cores' time, three parts are told apart: what
Snakemake needs, with cores that wait for it or for each other's jobs (`workflow`); what
scripts load before they begin, measured by loading each of them alone (`loading`); and
the jobs' own work (`work`). What an encoder loads is part of its jobs' work.
"""

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "workflow/scripts")]

from support.workflow import copy_repository  # noqa: E402


@dataclass
class Rule:
    """What the jobs of one rule took in all, in seconds of one core."""

    jobs: int = 0
    seconds: float = 0.0
    loading: float = 0.0

    def row(self) -> dict[str, float]:
        """Rounded, with the share that is work."""
        return {
            "jobs": self.jobs,
            "seconds": round(self.seconds, 1),
            "loading": round(self.loading, 1),
            "work": round(1 - self.loading / self.seconds, 2),
        }


def main() -> None:
    """Print the shares of the whole run and of every rule as JSON."""
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "copy"
        copy_repository(ROOT, place)
        seconds = _run(place, options)
        rules = _rules(place / "benchmarks/results")
    print(json.dumps(report(rules, seconds, options.cores), indent=1))


def report(rules: dict[str, Rule], seconds: float, cores: int) -> dict:
    """Shares of the cores' time, and the rules, costliest first.

    seconds: of the whole run. Every job counts as one core, as it is in the demo but
    for the jobs of costs, which hold all cores.
    """
    everything = seconds * cores
    jobs = sum(rule.seconds for rule in rules.values()) / everything
    loading = sum(rule.loading for rule in rules.values()) / everything
    ordered = sorted(rules, key=lambda name: -rules[name].seconds)
    return {
        "seconds": round(seconds, 1),
        "cores": cores,
        "workflow": round(1 - jobs, 3),
        "loading": round(loading, 3),
        "work": round(jobs - loading, 3),
        "rules": {name: rules[name].row() for name in ordered},
    }


def _run(place: Path, options: argparse.Namespace) -> float:
    """Seconds of one run."""
    command = [sys.executable, "-m", "snakemake", "--cores", str(options.cores)]
    if options.config:
        command += ["--configfile", str(Path(options.config).resolve())]
    start = time.monotonic()
    with (place / "run.out").open("w") as out:
        done = subprocess.run(
            [*command, "--", *options.targets],
            cwd=place,
            env=_environment(),
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    if done.returncode:
        sys.exit((place / "run.out").read_text()[-4000:])
    return time.monotonic() - start


def _rules(folder: Path) -> dict[str, Rule]:
    """What the benchmark files say, by rule; a figure's rule is named by its folder."""
    rules: dict[str, Rule] = defaultdict(Rule)
    for path in sorted(folder.rglob("*.tsv")):
        parts = path.relative_to(folder).with_suffix("").parts
        name = f"figure_{parts[2]}" if parts[0] == "figures" else parts[0]
        with path.open(newline="") as file:
            (row,) = csv.DictReader(file, delimiter="\t")
        rules[name].jobs += 1
        rules[name].seconds += float(row["s"])
    for name, rule in rules.items():
        rule.loading = min(rule.jobs * _loading(name), rule.seconds)
    return rules


def _loading(script: str) -> float:
    """Seconds until a script has loaded what it imports, Python's start included."""
    command = [sys.executable, "-c", f"import {script}"]
    times = []
    for _ in range(2):  # The first may read from the disk what the run had in memory.
        start = time.monotonic()
        subprocess.run(
            command, cwd=ROOT / "workflow/scripts", env=_environment(), check=True
        )
        times.append(time.monotonic() - start)
    return min(times)


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
