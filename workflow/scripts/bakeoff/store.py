"""Vectors kept by what they were made from, so that none is ever made twice.

A store is a folder; below it every key (a dictionary of all that defines the vectors)
has a folder named by the key's hash, with `key.json`, `facts.json` (what the loaded
encoder told of itself) and shards: Parquet tables of the kind `embeddings`. A shard is
written whole or not at all, is never changed, and its name is the hash of its ids:
several jobs may write into one folder, and one that is killed loses one shard.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bakeoff.documents import parse_json
from bakeoff.errors import BakeoffError
from bakeoff.schemas import FACTS, SCHEMAS
from bakeoff.tables import atomic_path, read_table, write_table


class Shelf:
    """The vectors of one key."""

    def __init__(self, store: Path, key: Mapping[str, Any]) -> None:
        self.key = dict(key)
        self.folder = Path(store) / digest(key)[:32]

    def shards(self) -> list[Path]:
        """The shards, in the order of their names."""
        # Hidden ones are half written, or what a killed job left.
        return sorted(self.folder.glob("shards/[!.]*.parquet"))

    def lacks(self, ids: pa.Array) -> np.ndarray:
        """(n,) bool: which of `ids` have no vector."""
        return ~pc.is_in(ids, value_set=_held(self.shards())).to_numpy(False)

    def add(self, ids: Sequence[str], vectors: np.ndarray) -> None:
        """Keep (n, d) float32 vectors as a shard; NaN and inf are refused."""
        if not np.isfinite(vectors).all():
            bad = [
                name
                for name, row in zip(ids, vectors, strict=True)
                if not np.isfinite(row).all()
            ]
            raise BakeoffError(
                str(self.folder),
                f"{len(bad)} vectors that are no finite numbers: {bad[:10]}",
                "finite numbers from any image",
                "Set precision: fp32, or fetch the weights again.",
            )
        self._write_json("key.json", self.key)
        name = digest(list(ids))[:32]
        write_table(
            self.folder / "shards" / f"{name}.parquet",
            "embeddings",
            {"image_id": list(ids), "embedding": vectors},
        )

    def take(self, ids: pa.Array, dimension: int) -> pa.Table:
        """A table of the kind `embeddings`, in the order of `ids`.

        `dimension` is the vectors' length where there are no ids. Raises KeyError for
        an id that has no vector.
        """
        return pa.concat_tables(self.blocks(ids, dimension, max(1, len(ids))))

    def blocks(
        self, ids: pa.Array, dimension: int, rows: int = 8192
    ) -> Iterator[pa.Table]:
        """As `take`, in tables of up to `rows` rows; at least one, perhaps empty.

        Sorted ids are read shard by shard; memory is that of a block and its shards.
        """
        shards = self.shards()
        where = _shard_of(ids, shards)
        for start in range(0, max(1, len(ids)), rows):
            needed = np.unique(where[start : start + rows])
            tables = [_shard(shards[i]) for i in needed]
            vectors = pa.concat_tables([_empty(dimension), *tables])
            block = ids.slice(start, rows)
            yield vectors.take(pc.index_in(block, value_set=vectors["image_id"]))

    def facts(self) -> dict[str, Any] | None:
        """What the encoder told of itself when it was last loaded; None before that.

        None where the file is damaged too: the encoder is then loaded and tells again.
        """
        try:
            facts = parse_json((self.folder / "facts.json").read_text("utf-8"))
        except (FileNotFoundError, ValueError):
            return None
        is_whole = isinstance(facts, dict) and all(name in facts for name in FACTS)
        return facts if is_whole and isinstance(facts["dimension"], int) else None

    def set_facts(self, facts: Mapping[str, Any]) -> None:
        """Keep what the encoder tells of itself."""
        self._write_json("facts.json", facts)

    def _write_json(self, name: str, content: Mapping[str, Any]) -> None:
        path = self.folder / name
        text = json.dumps(content, indent=1, sort_keys=True)
        if not path.exists() or path.read_bytes() != text.encode():
            with atomic_path(path) as temporary:
                temporary.write_bytes(text.encode())


def write_once(path: Path, text: str) -> None:
    """Write `text` to `path` unless another job has written there, even just now."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".") as folder:
        whole = Path(folder) / path.name
        whole.write_text(text)
        try:
            os.link(whole, path)
        except FileExistsError:
            return
        except OSError:  # A file system without links: the last of two jobs counts.
            whole.replace(path)


def digest(content: Any) -> str:
    """SHA-256 of JSON-able content in its canonical form."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _held(shards: Sequence[Path]) -> pa.ChunkedArray:
    """All ids of the shards, a chunk for each.

    As Arrow's strings: ids are what grows with the number of images, and Python's
    strings are twice as large.
    """
    columns = [
        read_table(shard, "embeddings", ["image_id"])["image_id"].combine_chunks()
        for shard in shards
    ]
    return pa.chunked_array(columns, pa.string())


def _shard_of(ids: pa.Array, shards: Sequence[Path]) -> np.ndarray:
    """(n,) which shard to read each vector from: the first, whatever was written first.

    Raises KeyError for an id that none has.
    """
    held = _held(shards)
    places = pc.index_in(ids, value_set=held)
    if places.null_count:
        raise KeyError(ids.filter(places.is_null())[0].as_py())
    ends = np.cumsum([len(chunk) for chunk in held.chunks])
    return np.searchsorted(ends, places.to_numpy(False), side="right")


def _shard(path: Path) -> pa.Table:
    table = read_table(path, "embeddings")
    return table.cast(_schema(table.schema.field("embedding").type.list_size))


def _schema(dimension: int) -> pa.Schema:
    return SCHEMAS["embeddings"].arrow(dimension)


def _empty(dimension: int) -> pa.Table:
    return _schema(dimension).empty_table()


def refuse_mixture(**provenances: Mapping[str, Any]) -> None:
    """Raise BakeoffError unless all vectors come from one encoder.

    provenances: of tables of embeddings or texts, by a name for the message. Vectors of
    two encoders have nothing to do with each other, whatever their lengths: no joining,
    indexing or scoring across them.
    """
    makers = [(p["encoder"], files(p["key"])) for p in provenances.values()]
    if any(maker != makers[0] for maker in makers):
        told = ", ".join(
            f"{name} of {origin['encoder']} (key {digest(origin['key'])[:12]})"
            for name, origin in provenances.items()
        )
        raise BakeoffError(
            "embeddings",
            told,
            "vectors of one encoder with the same weights",
            "Embed all of them with the same encoder.",
        )


def files(key: Mapping[str, Any]) -> Any:
    """Names and hashes of the files behind a key, or behind its parts if derived."""
    return key.get("files") or [files(part) for part in key["parts"]]
