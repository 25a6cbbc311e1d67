"""What killed jobs leave behind is not taken for a damaged table."""

from pathlib import Path

from bakeoff.store import Shelf
from bakeoff.verify import verify
from support.tables import columns_of


def test_a_table_that_was_being_written_is_none(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "results/store", {"files": "a"})
    shelf.add(["i"], columns_of("embeddings", {})["embedding"])
    shards = shelf.folder / "shards"
    (shards / ".ab.parquet.x1y2.parquet").write_bytes(b"PAR1 half")
    found = verify(tmp_path / "results")
    assert (found.tables, found.problems) == (1, [])
    (shards / "ab.parquet").write_bytes(b"PAR1 half")
    assert len(verify(tmp_path / "results").problems) == 1
