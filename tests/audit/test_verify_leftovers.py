"""What killed jobs leave behind is not taken for a damaged table."""

from pathlib import Path

from bakeoff.verify import verify


def test_a_table_that_was_being_written_is_none(tmp_path: Path) -> None:
    folder = tmp_path / "results/store/shards"
    folder.mkdir(parents=True)
    (folder / ".ab.parquet.x1y2.parquet").write_bytes(b"PAR1 half")
    found = verify(tmp_path / "results")
    assert (found.tables, found.problems) == (0, [])
    (folder / "ab.parquet").write_bytes(b"PAR1 half")
    assert len(verify(tmp_path / "results").problems) == 1
