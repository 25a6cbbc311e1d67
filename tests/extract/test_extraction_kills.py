"""A few real kills; benchmarks/extraction_kills.py makes as many as wanted."""

from dataclasses import replace
from pathlib import Path

import pytest
from support.extraction_kills import Extraction, half_then_rest, kill_and_compare


def test_an_extraction_that_is_killed_ends_with_the_same_bytes(tmp_path: Path) -> None:
    extraction = Extraction.of(tmp_path / "images", n=200, shard_size=16)
    met = kill_and_compare(extraction, tmp_path, kills=2, seed=0)
    assert met.kills == 2 and met.whole >= 1 and met.most_again <= 17


def test_half_a_shard_under_its_final_name_is_noticed(tmp_path: Path) -> None:
    """So that the test above can fail: these kills do fall while something is written."""
    extraction = Extraction.of(tmp_path / "images", n=32, shard_size=16)
    faulty = replace(extraction, plant=half_then_rest)
    with pytest.raises(AssertionError, match=r"could not go on|half written"):
        kill_and_compare(faulty, tmp_path, kills=20, seed=0)
