"""The store: what is kept, in which order it comes back, and how much is held."""

import errno
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa
import pytest
from bakeoff.errors import BakeoffError
from bakeoff.schemas import FACTS
from bakeoff.store import Shelf, digest, refuse_mixture, write_once
from bakeoff.tables import describe, read_table, vectors, write_batches


@pytest.fixture
def shelf(tmp_path) -> Shelf:
    """Twenty vectors (i, -i) in shards of seven, in no order."""
    shelf = Shelf(tmp_path, {"model": "x"})
    order = np.random.default_rng(0).permutation(20)
    for start in range(0, 20, 7):
        rows = order[start : start + 7]
        shelf.add([f"{i:02}" for i in rows], np.stack([rows, -rows], 1).astype("f4"))
    return shelf


def ids_of(*names: str) -> pa.Array:
    return pa.array(names, pa.string())


EVERY = ids_of(*(f"{i:02}" for i in range(20)))


def test_rows_come_in_the_order_asked_for(shelf):
    ids = ids_of("13", "02", "19")
    table = shelf.take(ids, 2)
    assert table["image_id"].combine_chunks().equals(ids)
    np.testing.assert_array_equal(vectors(table), [[13, -13], [2, -2], [19, -19]])


@pytest.mark.parametrize("rows", [1, 6, 20, 100])
def test_blocks_are_the_whole(shelf, rows):
    blocks = list(shelf.blocks(EVERY, 2, rows))
    assert max(block.num_rows for block in blocks) <= rows
    assert pa.concat_tables(blocks).equals(shelf.take(EVERY, 2))


def test_what_is_lacking(shelf):
    assert shelf.lacks(ids_of("25", "03", "21")).tolist() == [True, False, True]
    with pytest.raises(KeyError, match="21"):
        shelf.take(ids_of("03", "21"), 2)


def test_of_two_shards_the_first_by_name_is_read(shelf):
    """Two jobs may have encoded the same image, each with other last bits."""
    ids = ["03", "04", "11"]
    shelf.add(ids, np.full((3, 2), 0.5, np.float32))
    for name in ids:
        first, _ = (path for path in shelf.shards() if name in shard_ids(path))
        place = shard_ids(first).index(name)
        expected = vectors(read_table(first, "embeddings"))[[place]]
        assert (vectors(shelf.take(ids_of(name), 2)) == expected).all()


def shard_ids(path) -> list[str]:
    return read_table(path, "embeddings")["image_id"].to_pylist()


def test_what_a_killed_job_was_writing_is_no_shard(shelf):
    (shelf.folder / "shards/.ab.parquet.12345.parquet").write_bytes(b"PAR1 half")
    assert len(shelf.shards()) == 3 and shelf.take(ids_of("03"), 2).num_rows == 1


def test_the_same_rows_are_the_same_shard(shelf):
    before = sorted(shelf.folder.rglob("*.parquet"))
    content = [path.read_bytes() for path in before]
    order = np.random.default_rng(0).permutation(20)[:7]
    shelf.add([f"{i:02}" for i in order], np.stack([order, -order], 1).astype("f4"))
    assert sorted(shelf.folder.rglob("*.parquet")) == before
    assert [path.read_bytes() for path in before] == content


def test_keys_are_apart(tmp_path, shelf):
    assert Shelf(tmp_path, {"model": "y"}).lacks(EVERY).all()
    assert digest({"a": 1, "b": [2]}) == digest({"b": [2], "a": 1})
    assert shelf.facts() is None
    facts = dict.fromkeys(FACTS) | {"dimension": 2}
    shelf.set_facts(facts)
    assert Shelf(tmp_path, {"model": "x"}).facts() == facts


def test_batches_must_ascend(tmp_path, shelf):
    path = tmp_path / "t.parquet"
    write_batches(path, "embeddings", shelf.blocks(EVERY, 2, 6), dimension=2)
    first = path.read_bytes()
    assert read_table(path, "embeddings").num_rows == 20
    write_batches(path, "embeddings", shelf.blocks(EVERY, 2, 6), dimension=2)
    assert path.read_bytes() == first
    for places in (range(19, -1, -1), [*range(20), 19]):
        wrong = EVERY.take(pa.array(places))
        with pytest.raises(ValueError, match="ascend"):
            write_batches(path, "embeddings", shelf.blocks(wrong, 2, 6), dimension=2)
    assert path.read_bytes() == first


def test_vectors_of_different_encoders_are_not_mixed():
    images = {"encoder": "a", "key": {"files": {"w": "1"}, "precision": "bf16"}}
    texts = {"encoder": "a", "key": {"files": {"w": "1"}, "precision": "fp32"}}
    refuse_mixture(images=images, texts=texts)
    refuse_mixture()
    both = ({"key": {"parts": [o["key"]]}, "encoder": "c"} for o in (images, texts))
    refuse_mixture(**dict(zip(("images", "texts"), both, strict=True)))
    retrained = {"encoder": "a", "key": {"files": {"w": "2"}}}
    other = {"encoder": "b", "key": {"files": {"w": "1"}}}
    for wrong in (retrained, other):
        with pytest.raises(BakeoffError, match=r"images of a .*, texts of"):
            refuse_mixture(images=images, texts=wrong)


def test_the_first_of_two_jobs_decides(tmp_path):
    for text in ("bf16", "fp32"):
        write_once(tmp_path / "new/precision.txt", text)
    assert (tmp_path / "new/precision.txt").read_text() == "bf16"
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["precision.txt"]


def test_without_links_the_text_is_written_all_the_same(tmp_path, monkeypatch):
    def refuse(*paths):
        raise OSError(errno.EOPNOTSUPP, "no links here")

    monkeypatch.setattr(os, "link", refuse)
    write_once(tmp_path / "precision.txt", "fp32")
    assert (tmp_path / "precision.txt").read_text() == "fp32"


def test_no_reader_ever_sees_half_a_shard(tmp_path):
    """Another job reads whatever stands under a shard's name, while shards are added."""
    shelf, seen, over = Shelf(tmp_path, {"model": "x"}), [], threading.Event()

    def read():
        while not over.is_set():
            seen.extend(describe(path) for path in shelf.shards())

    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(read)
        for i in range(2):
            shelf.add([f"{i:02}"], np.zeros((1, 2), np.float32))
        over.set()
        reading.result()
    assert {table and table.kind for table in seen} <= {"embeddings"}
