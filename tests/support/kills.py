"""Runs that are killed at random moments, and what is left of them."""

import base64
import contextlib
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field

from support.workflow import Workflow


@dataclass
class Soak:
    """What a series of kills did: how many there were, and which rules they met."""

    kills: int = 0
    studies: int = 0
    rules: Counter[str] = field(default_factory=Counter)


def soak(
    workflow: Workflow,
    targets: tuple[str, ...],
    expected: dict[str, bytes],
    *,
    kills: int,
    seconds: float,
    seed: int,
) -> Soak:
    """Kill and go on until `kills` runs have died, comparing each study that ends.

    seconds: of an undisturbed run; a run dies after a uniformly random part of it, and
    the next goes on from what it left, until one ends. Then the study is compared with
    `expected` byte by byte, and begun anew from nothing. Raises AssertionError where a
    table differs, or where a run that is left alone does not end well.
    """
    rng = random.Random(seed)
    done = Soak()
    while done.kills < kills:
        if kill_after(workflow, targets, rng.uniform(0, seconds)):
            done.kills += 1
            done.rules.update(unfinished(workflow))
            workflow.recover()
            print(f"{done.kills} of {kills} kills", file=sys.stderr, flush=True)
        else:
            _compare(workflow, expected, done)
            forget(workflow)
    workflow.run("--", *targets)
    _compare(workflow, expected, done)
    return done


def kill_after(workflow: Workflow, targets: tuple[str, ...], seconds: float) -> bool:
    """Whether a run, and all that it started, was killed before it ended by itself."""
    run = workflow.start("--", *targets)
    try:
        assert run.wait(seconds) == 0, (workflow.place / "run.out").read_text()[-4000:]
    except subprocess.TimeoutExpired:
        os.killpg(run.pid, signal.SIGKILL)
        run.wait()
        return True
    return False


def timed(workflow: Workflow, targets: tuple[str, ...]) -> float:
    """Seconds of an undisturbed run."""
    start = time.monotonic()
    workflow.run("--", *targets)
    return time.monotonic() - start


def unfinished(workflow: Workflow) -> list[str]:
    """Kinds of the outputs whose jobs were under way, as Snakemake's marks say.

    A mark's name is the output's path in base 64.
    """
    kinds = []
    for mark in (workflow.place / ".snakemake/incomplete").glob("*"):
        with contextlib.suppress(ValueError):
            path = base64.b64decode(mark.name, validate=True).decode()
            kinds.append(re.sub(r"^results/[^/]+/([^/.]+).*", r"\1", path))
    return kinds


def forget(workflow: Workflow) -> None:
    """Everything that runs have made, removed: results, logs, Snakemake's notes."""
    for name in ("results", "logs", "benchmarks/results", ".snakemake"):
        shutil.rmtree(workflow.place / name, ignore_errors=True)


def _compare(workflow: Workflow, expected: dict[str, bytes], done: Soak) -> None:
    found = workflow.tables()
    assert found.keys() == expected.keys()
    differing = [path for path in expected if found[path] != expected[path]]
    assert not differing, f"after {done.kills} kills: {differing}"
    done.studies += 1
