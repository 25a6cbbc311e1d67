"""A short, fixed sample of what `make fuzz` does at length."""

from pathlib import Path

import pytest
from support.hostile import NEVER_REFUSED, TARGETS, attack


# Pillow's and numpy's warnings about damaged content are what is wanted here.
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", TARGETS)
def test_a_parser_refuses_in_words_or_accepts(name: str, tmp_path: Path) -> None:
    found = {attack(name, seed, tmp_path) for seed in range(150)}
    assert "refused" in found or name in NEVER_REFUSED
