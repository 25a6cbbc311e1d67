"""Runs and jobs that are killed at random moments, and what is left of them."""

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

import psutil

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
    pause: float,
    seed: int,
    together: float = 0.2,
) -> Soak:
    """Kill and go on until there were `kills`, comparing each study that ends.

    together: share of the attempts that end with Snakemake and all its jobs killed, at a
    moment drawn from the first `seconds`, and with `make recover`. In the others single
    jobs are killed, about `pause` seconds apart, until the run ends. The next attempt
    goes on from what the last one left. A study that ends is compared with `expected`
    byte by byte, and begun anew from nothing. Raises AssertionError where a table
    differs, or where a run that is left alone does not end well.
    """
    rng = random.Random(seed)
    done = Soak()
    while done.kills < kills:
        if rng.random() < together:
            ended = not kill_after(workflow, targets, rng.uniform(0, seconds))
            if not ended:
                done.kills += 1
                done.rules.update(unfinished(workflow))
                workflow.recover()
        else:
            left = kills - done.kills
            killed, ended = kill_jobs(workflow, targets, left, pause, rng)
            done.kills += len(killed)
            done.rules.update(killed)
        if ended:
            _compare(workflow, expected, done)
            forget(workflow)
        print(f"{done.kills} of {kills} kills", file=sys.stderr, flush=True)
    workflow.run("--", *targets)
    _compare(workflow, expected, done)
    return done


def kill_jobs(
    workflow: Workflow,
    targets: tuple[str, ...],
    most: int,
    pause: float,
    rng: random.Random,
) -> tuple[list[str], bool]:
    """The rules of the jobs killed during one run, and whether it ended well.

    Of the scripts that run after a random while one is killed, up to `most` in all.
    Raises AssertionError where more jobs failed than were killed.
    """
    killed: list[str] = []
    out = workflow.place / "run.out"
    before = len(out.read_text()) if out.exists() else 0
    run = workflow.start("--keep-going", "--", *targets)
    while len(killed) < most:
        with contextlib.suppress(subprocess.TimeoutExpired):
            run.wait(rng.uniform(0, 2 * pause))
            break
        if scripts := running_scripts(run.pid):
            rule, script = rng.choice(scripts)
            with contextlib.suppress(psutil.NoSuchProcess):
                script.kill()
                killed.append(rule)
    ended = run.wait() == 0
    said = out.read_text()[before:]
    failed = said.count("Error in rule ")
    assert (ended or killed) and failed <= len(killed), said[-4000:]
    return killed, ended


def running_scripts(pid: int) -> list[tuple[str, psutil.Process]]:
    """Rule and process of every script that runs below a process.

    Snakemake gives the script of a rule the name tmp?.RULE.py.
    """
    found = []
    with contextlib.suppress(psutil.NoSuchProcess):
        for process in psutil.Process(pid).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                name = " ".join(process.cmdline()[1:2])
                if ".snakemake/scripts/" in name:
                    found.append((name.split(".")[-2], process))
    return found


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
