"""Fixtures of the fine-tuning tests."""

import sys
from pathlib import Path

import pytest

# Helpers beside the tests, also imported by the processes that a test starts.
sys.path.insert(0, str(Path(__file__).parent))

from toy_towers import Toy, ToyData


@pytest.fixture
def toy_data() -> ToyData:
    return ToyData(37)


@pytest.fixture
def toy() -> Toy:
    return Toy()
