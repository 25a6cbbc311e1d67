"""Small studies to be hurt, and disks that refuse."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.workflow import Workflow, lay_out, least_config


@pytest.fixture(scope="session")
def make_workflow(tmp_path_factory: pytest.TempPathFactory, repository: Path):
    """A function that lays out a fresh working directory of five jobs."""

    def make(config: dict | None = None) -> Workflow:
        place = tmp_path_factory.mktemp("faults")
        return lay_out(place, repository, config or least_config())

    return make


@pytest.fixture
def mounted(require_tool) -> Callable:
    """A context manager that mounts; skipped where this user may not."""
    require_tool("mount")

    @contextmanager
    def mount(place: Path, *arguments: str) -> Iterator[None]:
        place.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            ["mount", *arguments, str(place)], capture_output=True, text=True
        )
        if done.returncode:
            pytest.skip(f"this user may not mount: {done.stderr.strip()}")
        try:
            yield
        finally:
            subprocess.run(["umount", "--lazy", str(place)], check=True)

    return mount
