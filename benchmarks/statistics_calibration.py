"""How often each test errs, finds and covers, on simulated studies of known truth.

    python benchmarks/statistics_calibration.py [--studies 1000] [--only folds:]

One study: draw images and two encoders that do not differ (`calibration_studies`), fit
the same probe to both over the runs of the design, apply the tests. Prints one row per
scenario, metric and test: rejections at 5 % (type-I error, or power where the name says
so), the share of 95 % intervals that hold the truth, both with their standard errors, and
the mean half width of the interval.

For tests over runs the truth is that of the method: zero. On a fixed test set it is the
difference of the two fitted models on many new images, and rejections are counted after
their predictions were exchanged at random: then no difference exists.

Counts are kept in docs/benchmarks/calibration.json after every block of studies, each
with a digest of the code and the scenario that they come from. A run goes on where the
last one stopped, and counts of other code are drawn again.
"""

import argparse
import ast
import hashlib
import inspect
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

# One thread: the matrices are small, and the machine has other work.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "workflow/scripts"), str(ROOT / "benchmarks")]

import calibration_fixed  # noqa: E402
import calibration_runs  # noqa: E402
import calibration_studies  # noqa: E402
import numpy as np  # noqa: E402
from bakeoff.metrics import influence  # noqa: E402
from bakeoff.probes import refits  # noqa: E402
from bakeoff.stats import over_runs, proportions, resampling, student  # noqa: E402
from calibration_scenarios import scenarios  # noqa: E402
from calibration_studies import Fixed, Scenario  # noqa: E402

KEPT = ROOT / "docs/benchmarks/calibration.json"
BLOCK = 50
OVER_RUNS = (over_runs, student, influence, refits, calibration_studies)
ON_FIXED_SETS = (student, proportions, resampling, calibration_studies)

# Of one test: rejections, intervals that hold the truth, intervals whose truth is known,
# sum of half widths, intervals.
Counts = list[float]
Kept = dict[str, dict]


def main() -> None:
    """Draw what is missing of the chosen scenarios, then print the whole table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, default=1000, help="of each scenario")
    parser.add_argument("--only", default="", help="scenarios whose name starts so")
    parser.add_argument("--print", action="store_true", help="draw nothing")
    options = parser.parse_args()
    kept = json.loads(KEPT.read_text("utf-8")) if KEPT.exists() else {}
    for s in scenarios():
        if s.name.startswith(options.only) and not options.print:
            complete(s, options.studies, kept)
    for line in table(kept):
        print(line)


def complete(s: Scenario, studies: int, kept: Kept) -> None:
    """Draw studies in blocks until there are enough, keeping each block."""
    digest = digest_of(s)
    own = kept.get(s.name, {})
    if own.get("digest") != digest:
        own = {"digest": digest, "studies": 0, "tests": {}}
    while own["studies"] < studies * s.times:
        for number in range(own["studies"], own["studies"] + BLOCK):
            _count(own["tests"], findings(s, number))
        own["studies"] += BLOCK
        kept[s.name] = own
        _write(kept)
        print(f"{s.name}: {own['studies']} studies", file=sys.stderr, flush=True)


def findings(
    s: Scenario, number: int
) -> Iterator[tuple[str, bool, bool | None, float]]:
    """What every test finds in the study of this number."""
    rng = np.random.default_rng([0, number])
    fixed = isinstance(s.design, Fixed)
    return (calibration_fixed if fixed else calibration_runs).findings(s, rng)


def digest_of(s: Scenario) -> str:
    """Of the scenario and of the code that decides its counts, comments left out."""
    modules = ON_FIXED_SETS if isinstance(s.design, Fixed) else OVER_RUNS
    text = repr(s) + "".join(map(_code, modules))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def table(kept: Kept) -> Iterator[str]:
    """The lines of the table, in the order of the scenarios."""
    head = f"{'studies':>8}{'rejected':>16}{'covered':>16}{'half width':>12}"
    yield f"{'':60}{head}"
    for s in scenarios():
        own = kept.get(s.name)
        if own is None or own["digest"] != digest_of(s):
            continue
        yield s.name
        for test, counts in own["tests"].items():
            yield f"  {test:58}{_row(own['studies'], counts)}"


def _row(studies: int, counts: Counts) -> str:
    rejected, covered, known, width, intervals = counts
    share = _with_error(covered, known) if known else "-"
    half = f"{width / intervals:.4f}" if intervals else "-"
    return f"{studies:>8}{_with_error(rejected, studies):>16}{share:>16}{half:>12}"


def _with_error(count: float, n: float) -> str:
    share = count / n
    return f"{100 * share:.1f} % +-{100 * np.sqrt(share * (1 - share) / n):.1f}"


def _count(
    tests: dict[str, Counts], found: Iterator[tuple[str, bool, bool | None, float]]
) -> None:
    for name, rejected, covered, half in found:
        counts = tests.setdefault(name, [0, 0, 0, 0.0, 0])
        finite = bool(np.isfinite(half))
        step = (
            *(rejected, bool(covered), covered is not None),
            *(half if finite else 0.0, finite),
        )
        tests[name] = [float(a) + float(b) for a, b in zip(counts, step, strict=True)]


def _write(kept: Kept) -> None:
    part = KEPT.with_suffix(".part")
    lines = [f"{json.dumps(name)}: {json.dumps(own)}" for name, own in kept.items()]
    part.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    part.replace(KEPT)


def _code(module: ModuleType) -> str:
    """The module's syntax without docstrings: what they say decides nothing."""
    tree = ast.parse(inspect.getsource(module))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if (
            isinstance(body, list)
            and body
            and isinstance(body[0], ast.Expr)
            and isinstance(body[0].value, ast.Constant)
        ):
            node.body = body[1:]
    return ast.dump(tree)


if __name__ == "__main__":
    main()
