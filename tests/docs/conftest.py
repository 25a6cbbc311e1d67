"""Working folders with the code and stand-in images, for what the documents say."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from support.workflow import CODE, Workflow


@pytest.fixture
def workplace(tmp_path: Path, repository: Path) -> Callable[[], Workflow]:
    """A function that lays out the repository's own files in an empty folder."""

    def make() -> Workflow:
        for name in (*CODE, "config", "docs", "benchmarks"):
            (tmp_path / name).symlink_to(repository / name)
        (tmp_path / "resources").mkdir()
        weights = repository / "resources/encoders"
        shutil.copytree(weights, tmp_path / "resources/encoders")
        return Workflow(tmp_path)

    return make
