"""Search by text or by image in one index of one encoder's vectors.

An index is a folder that holds image and prompt vectors as they left the encoder. Raw
vectors stay on disk and are mapped, never loaded; distances are cosines, so vectors are
normalised as they are compared. Each kind (image, text) is a part:

- up to `exact_below` vectors it is compared exactly, block by block;
- above, an HNSW graph over 8-bit copies proposes candidates, whose cosines are then
  computed exactly from the raw vectors. Its recall is measured against the exact answer
  when it is built, and widened until it meets the target or its limit.

Vectors of two encoders are never compared: an index refuses others by name.

Malkov, Y. A. and Yashunin, D. A. (2020), IEEE TPAMI 42:824-836; the graph is usearch's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from bakeoff.documents import read_json
from bakeoff.errors import BakeoffError, listed
from bakeoff.neighbours import (
    AT,
    Kind,
    Part,
    map_vectors,
    nearest_by_graph,
    nearest_exactly,
    open_graph,
)
from bakeoff.store import digest, files

_NOTED = ("encoder", "key", "dimension", "about", "parts")


@dataclass(frozen=True)
class Hit:
    """One neighbour: its kind, its id (an image's) or text, its path, its cosine."""

    kind: str
    name: str
    path: str
    label: str
    cosine: float


class VectorIndex:
    """An index on disk, open for search."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        note = _note(self.folder)
        self.encoder: str = note["encoder"]
        self.key: Mapping[str, Any] | None = note["key"]
        self.dimension: int = note["dimension"]
        self.about: dict[str, Any] = note["about"]
        self.parts = [Part(**part) for part in note["parts"]]
        self._vectors, self._norms = map_vectors(self.folder)
        self._entries = pq.read_table(self.folder / "entries.parquet", memory_map=True)
        self._graphs = {
            part.kind: open_graph(self.folder, part)
            for part in self.parts
            if not part.exact
        }

    def search(
        self,
        queries: np.ndarray,
        *,
        encoder: str,
        key: Mapping[str, Any] | None = None,
        kinds: Sequence[Kind] = ("image",),
        count: int = 10,
    ) -> list[list[Hit]]:
        """The `count` nearest entries of each query, the nearest first.

        queries: (q, d) float, vectors of `encoder`; its `key`, where given, must name
        the files that the index was made with: the same weights.
        """
        queries = self._checked(np.atleast_2d(queries), encoder, key)
        found: list[list[tuple[float, int]]] = [[] for _ in queries]
        for part in self.parts:
            if part.kind in kinds:
                places, cosines = self._neighbours(part, queries, count)
                for own, rows, values in zip(found, places, cosines, strict=True):
                    own += zip((-values).tolist(), rows.tolist(), strict=True)
        return [
            [self._hit(place, -score) for score, place in sorted(own)[:count]]
            for own in found
        ]

    def _neighbours(
        self, part: Part, queries: np.ndarray, count: int
    ) -> tuple[list[np.ndarray], list[np.ndarray]]:
        if part.exact:
            return nearest_exactly(self._vectors, self._norms, part, queries, count)
        graph = self._graphs[part.kind]
        return nearest_by_graph(graph, self._vectors, self._norms, part, queries, count)

    def _checked(
        self, queries: np.ndarray, encoder: str, key: Mapping[str, Any] | None
    ) -> np.ndarray:
        here, where = f"vectors of {self.encoder}", f"search in {self.folder}"
        remedy = f"Encode the query with {self.encoder}, or search its own index."
        if encoder != self.encoder:
            raise BakeoffError(where, f"vectors of {encoder}", here, remedy)
        if key is not None and self.key is not None and files(key) != files(self.key):
            raise BakeoffError(
                where,
                f"vectors of {encoder} with other weights ({digest(key)[:12]})",
                f"{here} as it was indexed ({digest(self.key)[:12]})",
                "The weights have changed since: ask the workflow for the index again.",
            )
        if queries.shape[1] != self.dimension:
            received = f"vectors of length {queries.shape[1]}"
            raise BakeoffError(where, received, f"length {self.dimension}", remedy)
        return _unit(queries, where)

    def _hit(self, place: int, cosine: float) -> Hit:
        row = self._entries.slice(place, 1).to_pylist()[0]
        return Hit(row["kind"], row["name"], row["path"], row["label"], cosine)


def _note(folder: Path) -> dict[str, Any]:
    """What `index.json` says of an index; raises BakeoffError where it is none."""
    if not (folder / "index.json").is_file():
        raise BakeoffError(
            str(folder),
            "no index",
            "a folder that the workflow made",
            "Make the index of this encoder: make index STUDY=... ENCODER=...",
        )
    note = read_json(folder / "index.json", "the description of an index")
    lacking = set(_NOTED) - set(note if isinstance(note, dict) else ())
    if lacking:
        raise BakeoffError(
            str(folder / "index.json"),
            f"a description without {listed(sorted(lacking))}",
            "an index that the workflow made",
            "Delete its folder and make it again: make index STUDY=... ENCODER=...",
        )
    return note


def _unit(queries: np.ndarray, where: str) -> np.ndarray:
    length = np.linalg.norm(queries, axis=1, keepdims=True)
    if not (np.isfinite(length).all() and (length > 0).all()):
        raise BakeoffError(
            where,
            "a query that is zero or not finite",
            "vectors with a direction",
            "Look at the picture or the text of the query.",
        )
    return np.asarray(queries / length, dtype=np.float32)


def describe(parts: Sequence[Part]) -> dict[str, Any]:
    """What a page may say of an index: size, method and measured recall of each part."""
    return {
        part.kind: {
            "vectors": part.stop - part.start,
            "method": "exact" if part.exact else f"HNSW, width {part.width}",
            f"recall@{AT}": round(part.recall, 4),
        }
        for part in parts
    }
