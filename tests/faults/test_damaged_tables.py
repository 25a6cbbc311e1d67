"""No damaged table is ever taken for data: every byte of a file is tried."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from bakeoff import seal, tables
from bakeoff.errors import BakeoffError
from bakeoff.kept import settled_precision
from bakeoff.schemas import FACTS
from bakeoff.store import Shelf
from bakeoff.tables import provenance, read_table, write_batches, write_table


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "table.parquet"
    columns = {"path": ["a.png", "b.png"], "reason": ["empty", "<b>&"]}
    write_table(path, "quarantine", columns, {"classes": ["x", "y"]})
    return path


def refusal(path: Path, kind: str = "quarantine") -> str:
    with pytest.raises(BakeoffError) as caught:
        read_table(path, kind)
    return str(caught.value)


@pytest.mark.parametrize("flip", [0x01, 0x80])
def test_a_flip_in_any_byte_is_found(table: Path, flip: int) -> None:
    whole = table.read_bytes()
    for place in range(len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= flip
        table.write_bytes(damaged)
        assert "table.parquet" in refusal(table)
    table.write_bytes(whole)
    assert read_table(table, "quarantine")["path"].to_pylist() == ["a.png", "b.png"]


def test_what_a_damaged_table_says_of_itself_is_not_believed(table: Path) -> None:
    table.write_bytes(table.read_bytes().replace(b'"x"', b'"z"'))
    with pytest.raises(BakeoffError, match="checksum does not match"):
        provenance(table, "quarantine")


def test_a_file_cut_anywhere_is_found(table: Path) -> None:
    whole = table.read_bytes()
    for length in range(len(whole)):
        table.write_bytes(whole[:length])
        assert "damaged" in refusal(table)


def test_bytes_swapped_or_appended_are_found(table: Path) -> None:
    whole = table.read_bytes()
    for damaged in (whole + b"\0", whole + whole, whole[:40] + whole[36:]):
        table.write_bytes(damaged)
        assert "damaged" in refusal(table)


def test_batches_are_sealed_too(tmp_path: Path) -> None:
    path = tmp_path / "e.parquet"
    rows = pa.table(
        {
            "image_id": ["a", "b"],
            "embedding": pa.FixedSizeListArray.from_arrays(
                pa.array(np.arange(6, dtype="f4")), 3
            ),
        }
    )
    write_batches(path, "embeddings", [rows], dimension=3)
    assert seal.is_whole(path)
    path.write_bytes(path.read_bytes().replace(b"PAR1", b"PAR2", 1))
    assert "checksum does not match" in refusal(path, "embeddings")


def test_the_seal_leaves_the_bytes_deterministic_and_other_readers_content(
    table: Path, tmp_path: Path
) -> None:
    again = tmp_path / "again.parquet"
    columns = {"path": ["a.png", "b.png"], "reason": ["empty", "<b>&"]}
    write_table(again, "quarantine", columns, {"classes": ["x", "y"]})
    assert again.read_bytes() == table.read_bytes()
    assert pq.read_table(table).num_rows == 2


def test_a_table_of_another_version(table: Path, monkeypatch) -> None:
    monkeypatch.setattr(tables, "VERSION", tables.VERSION + 1)
    assert "delete it and run again" in refusal(table)


def test_a_table_of_another_kind(table: Path) -> None:
    assert "of kind 'quarantine'" in refusal(table, "folds")


def test_parquet_files_of_others(tmp_path: Path) -> None:
    path = tmp_path / "other.parquet"
    for note in ({}, {b"bakeoff": b"{"}, {b"bakeoff": b"[]"}, {b"bakeoff": b'{"k":1}'}):
        pq.write_table(pa.table({"a": [1]}).replace_schema_metadata(note), path)
        assert "other.parquet" in refusal(path)


def test_a_table_without_its_seal(table: Path) -> None:
    """As rewritten by another program, metadata and all."""
    pq.write_table(pq.read_table(table), table)
    assert "no checksum" in refusal(table)


@pytest.mark.parametrize(
    "text", [b"", b"{", b"[]", b"\0", b"\xff", b'{"dimension": 2}', b"[" * 5000]
)
def test_damaged_facts_of_the_store_are_told_again(tmp_path: Path, text: bytes) -> None:
    shelf = Shelf(tmp_path, {"a": 1})
    facts = dict.fromkeys(FACTS) | {"dimension": 2}
    shelf.set_facts(facts)
    assert shelf.facts() == facts
    (shelf.folder / "facts.json").write_bytes(text)
    assert shelf.facts() is None
    shelf.set_facts(facts)
    assert shelf.facts() == facts


def test_facts_of_the_store_are_json(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, {"a": 1})
    shelf.set_facts({"b": [1, 2]})
    assert json.loads((shelf.folder / "facts.json").read_text()) == {"b": [1, 2]}


@pytest.mark.parametrize("noted", [b"", b"fp", b"fp32\n", b"\xff\xfe", b"auto"])
def test_a_damaged_note_of_the_precision_is_named(tmp_path: Path, noted: bytes) -> None:
    weights = SimpleNamespace(key=lambda precision: {}, note={"parameters": 1})
    assert settled_precision("auto", weights, tmp_path, "cpu") == "fp32"
    (note,) = tmp_path.glob("precision/*.txt")
    note.write_bytes(noted)
    with pytest.raises(BakeoffError, match=r"precision/\w+\.txt: got a damaged note"):
        settled_precision("auto", weights, tmp_path, "cpu")
    note.unlink()
    assert settled_precision("auto", weights, tmp_path, "cpu") == "fp32"
