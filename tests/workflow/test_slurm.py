"""The workflow on a real SLURM of one node: what it asks for, and the same bytes."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.slurm import Slurm, one_node
from support.workflow import Workflow

pytestmark = pytest.mark.workflow


@pytest.fixture(scope="module")
def slurm(
    tmp_path_factory: pytest.TempPathFactory, require_tool: object
) -> Iterator[Slurm]:
    for tool in ("munged", "slurmctld", "slurmd", "sbatch"):
        require_tool(tool)  # type: ignore[operator]
    with one_node(tmp_path_factory.mktemp("slurm")) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def submitted(slurm: Slurm, make_workflow) -> Workflow:
    """One table of metrics, every job of which went through SLURM."""
    workflow = make_workflow()
    workflow.environment = slurm.environment
    workflow.run(
        "--workflow-profile",
        "profiles/ci-slurm",
        "results/colours/metrics/tiny-random.parquet",
    )
    return workflow


def test_the_tables_are_those_of_a_local_run(
    submitted: Workflow, finished: Workflow
) -> None:
    for path in sorted((submitted.place / "results/colours").rglob("*.parquet")):
        local = finished.place / path.relative_to(submitted.place)
        assert path.read_bytes() == local.read_bytes(), path.name


def test_jobs_ask_for_what_their_rules_say(submitted: Workflow, slurm: Slurm) -> None:
    jobs = slurm.call("scontrol", "--oneliner", "show", "jobs").splitlines()
    asked = {}
    for job in jobs:
        comment = re.search(r"Comment=rule_(\w+)", job)
        if comment:
            memory = re.search(r"MinMemoryNode=(\d+)([MG])", job)
            assert memory, job
            megabytes = int(memory[1]) * (1024 if memory[2] == "G" else 1)
            asked[comment[1]] = megabytes
    assert any(name.startswith("embed_images") for name in asked)
    embed = next(v for name, v in asked.items() if name.startswith("embed_images"))
    assert embed == 8000
