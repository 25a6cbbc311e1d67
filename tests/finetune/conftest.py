"""Fixtures of the fine-tuning tests."""

import sys
from pathlib import Path

import pytest

# Helpers beside the tests, also imported by the processes that a test starts.
sys.path.insert(0, str(Path(__file__).parent))

from study import Study
from toy_towers import Toy, ToyData


@pytest.fixture
def toy_data() -> ToyData:
    return ToyData(37)


@pytest.fixture
def toy() -> Toy:
    return Toy()


@pytest.fixture(scope="session")
def study(tmp_path_factory) -> Study:
    """An untrained encoder and 13 pictures of each of three classes."""
    return Study(tmp_path_factory.mktemp("study"), per_class=13)
