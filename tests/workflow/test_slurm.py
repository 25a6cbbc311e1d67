"""The workflow on a real SLURM of one node: what it asks for, and the same bytes.

Each job costs about ten seconds of start, so there are few of them.
"""

import os
import signal
import subprocess

import pytest
from support.slurm import ON_SLURM, Slurm, on_cluster, submitted_from
from support.workflow import LEAST_TARGET, Workflow, least_config

pytestmark = pytest.mark.workflow
MANIFEST = "results/colours/manifest.parquet"
# Its job runs for seconds, long enough to be interrupted.
EMBEDDINGS = "results/colours/embeddings/tiny-random.parquet"


@pytest.fixture
def fresh(slurm: Slurm, make_workflow) -> Workflow:
    """A working directory whose jobs go to SLURM."""
    return on_cluster(make_workflow(least_config()), slurm)


@pytest.fixture(scope="module")
def submitted(slurm: Slurm, make_workflow) -> Workflow:
    """One table of metrics, every job of which went through SLURM; one asks for a GPU."""
    workflow = on_cluster(make_workflow(least_config()), slurm)
    workflow.run(*ON_SLURM, "--set-resources", "embed_images:gpu=1", "--", LEAST_TARGET)
    return workflow


def jobs_of(workflow: Workflow, slurm: Slurm) -> dict[str, dict[str, str]]:
    """The last job of each rule that was submitted from the workflow's folder."""
    return {
        job["Comment"].removeprefix("rule_").split("_wildcards_")[0]: job
        for job in slurm.jobs()
        if job["WorkDir"] == str(workflow.place)
    }


def test_the_tables_are_those_of_a_local_run(
    submitted: Workflow, make_workflow
) -> None:
    local = make_workflow(least_config())
    local.run(LEAST_TARGET)
    assert LEAST_TARGET in local.tables()
    assert submitted.tables() == local.tables()


def test_jobs_ask_for_what_their_rules_say(submitted: Workflow, slurm: Slurm) -> None:
    jobs = jobs_of(submitted, slurm)
    asked = {
        rule: (job["NumCPUs"], job["MinMemoryNode"], job["TimeLimit"])
        for rule, job in jobs.items()
    }
    assert asked == {
        "manifest": ("4", "2000M", "02:00:00"),
        "folds": ("1", "1000M", "00:30:00"),
        "embed_images": ("1", "8000M", "04:00:00"),
        "probe": ("1", "4000M", "02:00:00"),
        "metrics": ("1", "2000M", "01:00:00"),
    }


def test_a_gpu_is_visible_to_the_rule_that_asks_for_one(
    submitted: Workflow, slurm: Slurm
) -> None:
    seen = slurm.seen_gpus()
    of_rules = {
        rule: seen[job["JobId"]] for rule, job in jobs_of(submitted, slurm).items()
    }
    assert of_rules.pop("embed_images") in ("0", "1")
    assert set(of_rules.values()) == {""}


def test_a_cancelled_job_runs_again_with_twice_the_memory(
    fresh: Workflow, slurm: Slurm
) -> None:
    run = start_embedding(fresh, slurm)
    slurm.call("scancel", *submitted_from(fresh, slurm, "RUNNING"))
    assert run.wait(300) == 0, (fresh.place / "run.out").read_text()
    memory = [
        job["MinMemoryNode"]
        for job in slurm.jobs()
        if job["WorkDir"] == str(fresh.place)
    ]
    assert memory == ["8000M", "16000M"]
    assert EMBEDDINGS in fresh.tables()


def test_a_job_whose_node_dies_begins_again(
    submitted: Workflow, fresh: Workflow, slurm: Slurm
) -> None:
    run = start_embedding(fresh, slurm)
    (job,) = submitted_from(fresh, slurm, "RUNNING")
    node = next(j["NodeList"] for j in slurm.jobs() if j["JobId"] == job)
    slurm.call("scontrol", "update", f"NodeName={node}", "State=DOWN", "Reason=test")
    # Begun again where its first try still runs, it would be refused and the node drained.
    slurm.wait_until(lambda: not slurm.has_processes(job))
    # Both are refused where SLURM was quicker: the node back, the job begun again.
    slurm.ask("scontrol", "update", f"NodeName={node}", "State=RESUME")
    slurm.ask("scontrol", "update", f"JobId={job}", "StartTime=now")
    assert run.wait(300) == 0, (fresh.place / "run.out").read_text()
    restarts = [j["Restarts"] for j in slurm.jobs() if j["JobId"] == job]
    assert restarts == ["1"]
    assert fresh.tables()[EMBEDDINGS] == submitted.tables()[EMBEDDINGS]


def test_an_interrupted_run_leaves_no_job(fresh: Workflow, slurm: Slurm) -> None:
    run = start_embedding(fresh, slurm)
    run.send_signal(signal.SIGINT)
    assert run.wait(120) != 0
    slurm.wait_until(lambda: submitted_from(fresh, slurm, "") == [])


def test_a_killed_run_is_recovered_by_one_command(
    submitted: Workflow, fresh: Workflow, slurm: Slurm
) -> None:
    run = start_embedding(fresh, slurm)
    os.kill(run.pid, signal.SIGKILL)
    run.wait(120)
    orphans = submitted_from(fresh, slurm, "")
    assert len(orphans) == 1, "without a controller, jobs go on"
    assert f"cancelled job {orphans[0]}" in fresh.recover()
    assert submitted_from(fresh, slurm, "") == []
    fresh.run(*ON_SLURM, EMBEDDINGS)
    assert fresh.tables()[EMBEDDINGS] == submitted.tables()[EMBEDDINGS]


def start_embedding(workflow: Workflow, slurm: Slurm) -> subprocess.Popen:
    """A run whose job has begun on its node; the manifest was made before.

    SLURM calls a job running from when it has a node: what kills it a moment later may
    come to the node before the job does, and the job goes on for nobody.
    """
    workflow.run("--cores", "1", MANIFEST)
    run = workflow.start(*ON_SLURM, EMBEDDINGS)
    slurm.wait_until(
        lambda: any(map(slurm.tasks, submitted_from(workflow, slurm, "RUNNING")))
    )
    return run


# `default` is what all other tests of the workflow load.
@pytest.mark.parametrize("profile", ["local", "slurm", "ci-slurm"])
def test_every_profile_loads(make_workflow, profile: str) -> None:
    workflow = make_workflow(least_config())
    planned = workflow.planned(
        "--workflow-profile", f"profiles/{profile}", LEAST_TARGET
    )
    assert len(planned) == 5
