"""What all tests share: the repository, and tools that must be there in CI."""

import os
import shutil
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files that take minutes first: then no process waits for the other at the end."""
    slow = {"workflow", "faults"}
    items.sort(key=lambda item: item.path.parent.name not in slow)


@pytest.fixture(scope="session")
def repository() -> Path:
    return REPOSITORY


@pytest.fixture(scope="session")
def require_tool():
    """Skip without a system program; in CI, where none may be missing, fail."""

    def require(name: str) -> str:
        if found := shutil.which(name):
            return found
        if os.environ.get("BAKEOFF_NO_SKIP"):
            pytest.fail(f"{name} is not installed, and no test may be skipped here")
        pytest.skip(f"{name} is not installed")

    return require
