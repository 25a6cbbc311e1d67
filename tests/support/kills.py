"""Runs and jobs that are killed at random moments, and what is left of them."""

import base64
import contextlib
import os
import random
import re
import shutil
import signal
import sys
import time
from collections import Counter
from dataclasses import dataclass, field

import psutil

from support.moments import wait_for_moment
from support.workflow import Workflow


@dataclass
class Soak:
    """What a series of kills did: how many there were, and which rules they met."""

    kills: int = 0
    studies: int = 0
    rules: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Durations:
    """Seconds of an undisturbed run, and of the slowest job of each of its rules."""

    run: float
    rules: dict[str, float]

    def draw(self, rng: random.Random) -> str:
        """A rule, the likelier the longer it takes."""
        (rule,) = rng.choices(list(self.rules), list(self.rules.values()))
        return rule


def measured(workflow: Workflow, targets: tuple[str, ...]) -> Durations:
    """How long an undisturbed run and its jobs take."""
    start, rules = time.monotonic(), dict[str, float]()
    run = workflow.start("--", *targets)
    while run.poll() is None:
        for rule, script in running_scripts(run.pid):
            with contextlib.suppress(psutil.NoSuchProcess):
                age = time.time() - script.create_time()
                rules[rule] = max(age, rules.get(rule, 0))
        time.sleep(0.02)
    assert run.returncode == 0, said(workflow)[-4000:]
    return Durations(time.monotonic() - start, rules)


def soak(
    workflow: Workflow,
    targets: tuple[str, ...],
    expected: dict[str, bytes],
    done: Soak,
    *,
    kills: int,
    durations: Durations,
    seed: int,
    together: float = 0.2,
) -> None:
    """Kill and go on until there were `kills`, told in `done`; compare what ends.

    together: share of the attempts that end with Snakemake and all its jobs killed, at
    any moment of a run's duration or when a file appears, and with `make recover`. In
    the others single jobs are killed, at any moment of their rule's duration or when a
    file appears, until the run ends. The next attempt goes on from what the last one
    left. A study that ends is compared with `expected` byte by byte, and started again
    from nothing. Raises AssertionError where a table differs, or where a run that is
    left alone does not end well.
    """
    rng = random.Random(seed)
    while done.kills < kills:
        if rng.random() < together:
            ended = not kill_run(workflow, targets, durations.run, rng)
            if not ended:
                done.kills += 1
                done.rules.update(unfinished(workflow))
                workflow.recover()
        else:
            left = kills - done.kills
            killed, ended = kill_jobs(workflow, targets, left, durations, rng)
            done.kills += len(killed)
            done.rules.update(killed)
        if ended:
            _compare(workflow, expected, done)
            forget(workflow)
        print(f"{done.kills} of {kills} kills", file=sys.stderr, flush=True)
    last = workflow.snakemake("--", *targets)
    assert last.returncode == 0, f"after {done.kills} kills: {last.stdout[-4000:]}"
    _compare(workflow, expected, done)


def kill_jobs(
    workflow: Workflow,
    targets: tuple[str, ...],
    most: int,
    durations: Durations,
    rng: random.Random,
) -> tuple[list[str], bool]:
    """The rules of the jobs killed during one run, and whether it ended well.

    Rules are drawn one after the other, those that take long more often, and the next
    job of each is killed at a moment of its own: up to `most`, or until the run ends.
    Raises AssertionError where more jobs failed than were killed.
    """
    killed: list[str] = []
    tried: set[int] = set()
    before = len(said(workflow))
    run = workflow.start("--keep-going", "--", *targets)
    wanted = durations.draw(rng)
    while len(killed) < most and run.poll() is None:
        for rule, script in running_scripts(run.pid):
            if rule == wanted and script.pid not in tried:
                tried.add(script.pid)
                if kill_script(workflow, script, durations.rules[rule], rng):
                    killed.append(rule)
                wanted = durations.draw(rng)
                break
        time.sleep(0.02)
    ended = run.wait() == 0
    told = said(workflow)[before:]
    failed = told.count("Error in rule ")
    assert (ended or killed) and failed <= len(killed), told[-4000:]
    return killed, ended


def kill_script(
    workflow: Workflow, script: psutil.Process, seconds: float, rng: random.Random
) -> bool:
    """Whether a job was killed before it ended by itself."""

    def alive() -> bool:
        return script.is_running() and script.status() != psutil.STATUS_ZOMBIE

    with contextlib.suppress(psutil.NoSuchProcess):
        left = max(0.0, seconds - (time.time() - script.create_time()))
        if wait_for_moment(workflow.place / "results", left, rng, alive):
            script.kill()
            return True
    return False


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


def kill_run(
    workflow: Workflow, targets: tuple[str, ...], seconds: float, rng: random.Random
) -> bool:
    """Whether a run, and all that it started, was killed before it ended by itself."""
    run = workflow.start("--", *targets)
    place = workflow.place / "results"
    if wait_for_moment(place, seconds, rng, lambda: run.poll() is None):
        os.killpg(run.pid, signal.SIGKILL)
        run.wait()
        return True
    assert run.wait() == 0, said(workflow)[-4000:]
    return False


def said(workflow: Workflow) -> str:
    """What all runs that were started printed."""
    out = workflow.place / "run.out"
    return out.read_text() if out.exists() else ""


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
    assert found.keys() == expected.keys(), sorted(found.keys() ^ expected.keys())
    differing = [path for path in expected if found[path] != expected[path]]
    assert not differing, f"after {done.kills} kills: {differing}"
    done.studies += 1
