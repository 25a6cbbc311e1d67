"""The page of benchmarks is made of what they printed, and leaves none out."""

import shlex
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
KNOWN = yaml.safe_load((ROOT / "benchmarks/benchmarks.yaml").read_text("utf-8"))
# What runs the others; run by targets of their own; parts of the calibration.
APART = {"run.py", "fuzz.py", "ablation.py"} | {
    f"calibration_{part}.py" for part in ("studies", "scenarios", "runs", "fixed")
}


def test_every_benchmark_is_listed_and_every_listed_one_is_there() -> None:
    listed = {Path(shlex.split(entry["command"])[1]) for entry in KNOWN.values()}
    assert all((ROOT / path).is_file() for path in listed)
    there = {path.name for path in (ROOT / "benchmarks").glob("*.py")}
    assert there - APART == {path.name for path in listed}


def test_the_page_holds_what_was_printed() -> None:
    page = (ROOT / "docs/benchmarks.md").read_text(encoding="utf-8")
    for name, entry in KNOWN.items():
        assert f"## {entry['title']}" in page
        kept = ROOT / f"docs/benchmarks/{name}.txt"
        if kept.exists():
            assert kept.read_text("utf-8").rstrip() in page, (
                "run benchmarks/run.py --page"
            )
    assert {path.stem for path in (ROOT / "docs/benchmarks").glob("*.txt")} <= set(
        KNOWN
    )
