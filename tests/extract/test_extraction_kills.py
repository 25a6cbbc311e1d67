"""A few real kills; benchmarks/extraction_kills.py makes as many as wanted."""

from pathlib import Path

from support.extraction_kills import Extraction, kill_and_compare


def test_an_extraction_that_is_killed_ends_with_the_same_bytes(tmp_path: Path) -> None:
    extraction = Extraction.of(tmp_path / "images", n=200, shard_size=16)
    met = kill_and_compare(extraction, tmp_path, kills=2, seed=0)
    assert met.kills == 2 and met.whole >= 1 and met.most_again <= 16
