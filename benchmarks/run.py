"""Run the benchmarks one after the other and put what they print into the documents.

    python benchmarks/run.py [NAME ...]

Without a name all of benchmarks.yaml run, which takes hours; nothing else should run on
the machine meanwhile. What a benchmark printed is kept, with the machine, the versions
and the day, in docs/benchmarks/NAME.txt; docs/benchmarks.md is made of these files.
"""

import argparse
import datetime
import os
import platform
import shlex
import shutil
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import psutil
import yaml

ROOT = Path(__file__).parents[1]
KEPT = ROOT / "docs/benchmarks"
PEERS = (
    "torch",
    "scikit-learn",
    "open-clip-torch",
    "transformers",
    "snakemake",
    "usearch",
)


def main() -> None:
    """Measure what is asked for, then write the page."""
    known = yaml.safe_load((ROOT / "benchmarks/benchmarks.yaml").read_text("utf-8"))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--page", action="store_true", help="only make the page anew")
    options = parser.parse_args()
    if unknown := set(options.names) - set(known):
        parser.error(f"unknown: {', '.join(unknown)}; known: {', '.join(known)}")
    KEPT.mkdir(exist_ok=True)
    for name in [] if options.page else options.names or possible(known):
        print(f"{name}: {known[name]['command']}", flush=True)
        kept = measured(known[name]["command"])
        (KEPT / f"{name}.txt").write_text(kept, encoding="utf-8")
    (ROOT / "docs/benchmarks.md").write_text(page(known), encoding="utf-8")


def possible(known: dict) -> list[str]:
    """All benchmarks but those that need a program which is not here."""
    lacking = {
        name: benchmark["needs"]
        for name, benchmark in known.items()
        if "needs" in benchmark and not shutil.which(benchmark["needs"])
    }
    for name, program in lacking.items():
        print(f"{name}: left out, as {program} is not installed")
    return [name for name in known if name not in lacking]


def measured(command: str) -> str:
    """What a command prints, below a line that says where, when and how long it ran."""
    program, *arguments = shlex.split(command)
    assert program == "python", command
    environment = os.environ | {"PYTHONPATH": str(ROOT / "workflow/scripts")}
    begin = time.monotonic()
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    minutes = (time.monotonic() - begin) / 60
    return f"# {machine()}; {minutes:.1f} minutes\n{done.stdout}"


def machine() -> str:
    """Processor, cores, memory, versions and day, in one line."""
    memory = psutil.virtual_memory().total / 2**30
    versions = ", ".join(f"{name} {version(name)}" for name in PEERS)
    day = datetime.date.today().isoformat()
    return (
        f"{processor()}, {os.cpu_count()} cores, {memory:.0f} GiB, "
        f"Python {platform.python_version()}, {versions}; {day}"
    )


def processor() -> str:
    """The processor's name as the system gives it."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":")[1].strip()
    return platform.processor() or platform.machine()


def page(known: dict) -> str:
    """The page of all benchmarks, from what is kept of each."""
    text = (ROOT / "benchmarks/introduction.md").read_text(encoding="utf-8")
    for name, benchmark in known.items():
        text += f"\n## {benchmark['title']}\n\n{benchmark['shows']}\n\n"
        path = KEPT / f"{name}.txt"
        printed = path.read_text("utf-8") if path.exists() else "# not run yet\n"
        text += f"```text\n$ {benchmark['command']}\n{printed.rstrip()}\n```\n"
        if (ROOT / f"docs/benchmarks/{name}.svg").exists():
            text += f"\n![{benchmark['title']}](benchmarks/{name}.svg)\n"
    return text


if __name__ == "__main__":
    main()
