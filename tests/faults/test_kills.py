"""Killed at any moment and started again, the same bytes."""

import os
import signal

import pytest
from support.kills import Soak, measured, soak
from support.workflow import LEAST_TARGET, Workflow

pytestmark = pytest.mark.workflow


def test_kills_at_random_moments(make_workflow) -> None:
    """First of a whole run, which this seed draws, then of single jobs."""
    undisturbed: Workflow = make_workflow()
    durations, done = measured(undisturbed, (LEAST_TARGET,)), Soak()
    soak(
        make_workflow(),
        (LEAST_TARGET,),
        undisturbed.tables(),
        done,
        kills=3,
        durations=durations,
        seed=1,
        together=0.5,
    )
    assert done.kills == 3
    assert done.studies >= 1


def test_a_script_that_outlives_its_controller_is_ended(make_workflow) -> None:
    workflow: Workflow = make_workflow()
    run = workflow.start("--", "results/colours/manifest.parquet")
    scripts = workflow.place / ".snakemake/scripts"
    while not list(scripts.glob("*.py")):
        assert run.poll() is None, (workflow.place / "run.out").read_text()
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    workflow.recover()
    assert workflow.run("--", "results/colours/manifest.parquet").returncode == 0


def test_a_second_run_and_a_recovery_refuse_a_run_that_is_alive(make_workflow) -> None:
    workflow: Workflow = make_workflow()
    run = workflow.start("--", "results/colours/manifest.parquet")
    locks = workflow.place / ".snakemake/locks"
    try:
        while not list(locks.glob("*")):
            assert run.poll() is None, (workflow.place / "run.out").read_text()
        os.killpg(run.pid, signal.SIGSTOP)  # so that it cannot end meanwhile
        second = workflow.snakemake("--", "results/colours/manifest.parquet")
        assert second.returncode == 1
        assert "cannot be locked" in second.stdout + second.stderr
        with pytest.raises(AssertionError, match="a run that is alive"):
            workflow.recover()
    finally:
        os.killpg(run.pid, signal.SIGKILL)
        run.wait()
