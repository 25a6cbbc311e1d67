"""Small studies laid out with their own copy of the code."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.slurm import Slurm, one_node
from support.workflow import Workflow, lay_out, small_config


@pytest.fixture(scope="session")
def make_workflow(tmp_path_factory: pytest.TempPathFactory, repository: Path):
    """A function that lays out a fresh working directory."""

    def make(config: dict | None = None) -> Workflow:
        place = tmp_path_factory.mktemp("workflow")
        return lay_out(place, repository, config or small_config())

    return make


@pytest.fixture(scope="module")
def slurm(
    tmp_path_factory: pytest.TempPathFactory, require_tool: Callable
) -> Iterator[Slurm]:
    """A real SLURM of one node."""
    for tool in ("munged", "slurmctld", "slurmd", "sbatch"):
        require_tool(tool)
    with one_node(tmp_path_factory.mktemp("slurm")) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def finished(make_workflow) -> Workflow:
    """The small study, run to its end. Tests that change it must change it back."""
    workflow = make_workflow()
    workflow.run()
    return workflow


@pytest.fixture
def restored(finished: Workflow, tmp_path: Path) -> Iterator[Workflow]:
    """`finished`, with its code, configuration and images put back after the test."""
    kept = ("workflow", "rules", "config", "images", "resources", "prompts.yaml")
    for name in kept:
        source = finished.place / name
        if source.is_dir():
            shutil.copytree(source, tmp_path / name)
        else:
            shutil.copy2(source, tmp_path / name)
    yield finished
    for name in kept:
        target = finished.place / name
        if target.is_dir():
            shutil.rmtree(target)
            shutil.copytree(tmp_path / name, target)
        else:
            shutil.copy2(tmp_path / name, target)
