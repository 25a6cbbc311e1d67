"""Fine-tuning on a real SLURM: stopped by the time limit, and by several processes."""

from pathlib import Path

import psutil
import pyarrow as pa
import pytest
from bakeoff.tables import read_table
from support.slurm import ON_SLURM, Slurm, on_cluster, submitted_from
from support.workflow import Workflow, small_config

pytestmark = pytest.mark.workflow
MANIFEST = "results/colours/manifest.parquet"
FOLDER = "results/colours/finetuned/tiny-clip+short"
ENCODER = f"{FOLDER}/encoder.json"
TRAINING = "results/colours/training/tiny-clip+short.parquet"


def tuned_config() -> dict:
    """One fine-tuned encoder, sixty steps of a fraction of a second."""
    config = small_config()
    recipe = {"batch": 16, "micro_batch": 8, "epochs": 40, "lr": 1e-4}
    config["recipes"] = {"short": {**recipe, "checkpoint_every": 7}}
    config["encoders"] = ["tiny-clip+short"]
    config["probes"] = {}
    config["studies"]["colours"]["protocols"] = ["test"]
    del config["control"]
    return config


@pytest.fixture(scope="module")
def undisturbed(make_workflow) -> Workflow:
    workflow = make_workflow(tuned_config())
    workflow.run(ENCODER)
    return workflow


@pytest.fixture
def fresh(slurm: Slurm, make_workflow) -> Workflow:
    """A working directory whose manifest is made and whose jobs go to SLURM."""
    workflow = on_cluster(make_workflow(tuned_config()), slurm)
    workflow.run("--cores", "1", MANIFEST)
    return workflow


def weights(workflow: Workflow) -> bytes:
    return (workflow.place / FOLDER / "open_clip_model.safetensors").read_bytes()


def training(workflow: Workflow) -> pa.Table:
    return read_table(workflow.place / TRAINING, "training")


def trainer(workflow: Workflow) -> psutil.Process:
    """The process of the workflow's script, which runs on this machine too."""
    scripts = str(workflow.place / ".snakemake/scripts/")
    (found,) = [
        process
        for process in psutil.process_iter(["cmdline"])
        if any(w.startswith(scripts) for w in process.info["cmdline"] or ())
    ]
    return found


def checkpoint(workflow: Workflow) -> Path | None:
    return next(workflow.place.glob(f"{FOLDER}.state/*/checkpoint.pt"), None)


@pytest.mark.parametrize(
    ("told", "state"),
    [
        pytest.param(
            ("scontrol", "update", "EndTime=now", "JobId={job}"),
            "TIMEOUT",
            id="the time limit",
        ),
        # As `--signal=TERM@120` does it: to the job's steps, some time before.
        pytest.param(
            ("scancel", "--signal=TERM", "{job}"), "FAILED", id="a warning before it"
        ),
    ],
)
def test_a_training_that_must_leave_ends_with_the_same_bytes(
    undisturbed: Workflow,
    fresh: Workflow,
    slurm: Slurm,
    told: tuple[str, ...],
    state: str,
) -> None:
    run = fresh.start(*ON_SLURM, "--", ENCODER)
    slurm.wait_until(lambda: checkpoint(fresh) is not None)
    process = trainer(fresh)
    process.suspend()  # so that it does not end before it is told
    before = checkpoint(fresh).stat().st_mtime_ns
    (job,) = submitted_from(fresh, slurm, "RUNNING")
    slurm.call(*(word.format(job=job) for word in told))
    if state == "FAILED":  # at the limit SLURM itself wakes what it ends
        process.resume()
    slurm.wait_until(lambda: state_of(slurm, job) == state, 90)
    assert checkpoint(fresh).stat().st_mtime_ns > before, "left without a checkpoint"
    assert run.wait(300) == 0, (fresh.place / "run.out").read_text()
    states = [j["JobState"] for j in slurm.jobs() if j["WorkDir"] == str(fresh.place)]
    assert states == [state, "COMPLETED"]
    assert weights(fresh) == weights(undisturbed)
    for column in ("step", "loss", "grad_norm"):
        assert training(fresh)[column] == training(undisturbed)[column]


def state_of(slurm: Slurm, job: str) -> str:
    return next(j["JobState"] for j in slurm.jobs() if j["JobId"] == job)


def test_two_processes_that_srun_starts_train_as_one(
    undisturbed: Workflow, fresh: Workflow, slurm: Slurm
) -> None:
    asked = ("mpi=srun", "tasks=2", "gpu=2", "tasks_per_gpu=1")
    resources = [f"finetune:{resource}" for resource in asked]
    fresh.run(*ON_SLURM, "--set-resources", *resources, "--", ENCODER)
    (job,) = [j for j in slurm.jobs() if j["WorkDir"] == str(fresh.place)]
    assert job["NumTasks"] == "2"
    assert slurm.tasks(job["JobId"])[-2:] == ["0,1", "0,1"]
    losses = [training(w)["loss"].to_pylist() for w in (fresh, undisturbed)]
    assert len(losses[0]) == len(losses[1]) == 60
    # The order of sums differs, and Adam makes steps of rounding errors.
    assert losses[0][:5] == pytest.approx(losses[1][:5], rel=1e-3)
