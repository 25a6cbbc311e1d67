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

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from usearch.index import Index

from bakeoff.errors import BakeoffError
from bakeoff.store import digest, files
from bakeoff.tables import origin, strings

Kind = Literal["image", "text"]

_BLOCK = 16_384  # vectors compared at a time
_SPARE = 8  # candidates of the graph per wanted neighbour
_WIDEST = 2048  # of the graph's search
_PROBES = 100  # queries by which recall is measured
_AT = 10  # neighbours by which recall is measured


@dataclass(frozen=True)
class Hit:
    """One neighbour: its kind, its id (an image's) or text, its path, its cosine."""

    kind: str
    name: str
    path: str
    label: str
    cosine: float


@dataclass(frozen=True)
class Part:
    """Rows [start, stop) of one kind; recall@10 of its graph, 1 where exact."""

    kind: str
    start: int
    stop: int
    exact: bool
    recall: float
    width: int


def build_index(
    folder: str | Path,
    *,
    images: pa.Table,
    manifest: pa.Table,
    texts: pa.Table | None = None,
    about: Mapping[str, Any] | None = None,
    exact_below: int = 50_000,
    target: float = 0.95,
    seed: int = 0,
    threads: int = 0,
) -> list[Part]:
    """Write the index of `images` (embeddings) and `texts`, and say how good it is.

    `about` is kept with it: whatever a later search must know, JSON-able.
    The folder appears whole or not at all and takes the place of an older one. Raises
    BakeoffError where the two tables come from different encoders, where vectors are
    zero or not finite, or where an image is missing from the manifest.
    """
    encoder, key = _same_encoder(images, texts)
    tables: dict[str, pa.Table] = {"image": images}
    if texts is not None:
        tables["text"] = texts
    folder = Path(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".index") as temporary:
        new = Path(temporary) / "index"
        new.mkdir()
        dimension = images.column("embedding").type.list_size
        pq.write_table(_entries(images, texts, manifest), new / "entries.parquet")
        _write_vectors(new, tables, dimension, encoder)
        vectors, norms = _map(new)
        parts, start = [], 0
        for kind, table in tables.items():
            stop = start + table.num_rows
            exact = table.num_rows <= exact_below
            part = Part(kind, start, stop, exact, 1.0, 0)
            if not exact:
                part = _graph(new, part, vectors, norms, target, seed, threads)
            parts.append(part)
            start = stop
        note = {
            "encoder": encoder,
            "key": key,
            "dimension": dimension,
            "about": dict(about or {}),
            "parts": [asdict(part) for part in parts],
        }
        (new / "index.json").write_text(json.dumps(note, indent=1, sort_keys=True))
        shutil.rmtree(folder, ignore_errors=True)
        new.replace(folder)
    return parts


class VectorIndex:
    """An index on disk, open for search."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        try:
            note = json.loads((self.folder / "index.json").read_text())
        except (OSError, ValueError) as error:
            raise BakeoffError(
                str(folder),
                "no index",
                "a folder that the workflow made",
                "Ask the workflow for the index of this encoder.",
            ) from error
        self.encoder: str = note["encoder"]
        self.key: Mapping[str, Any] | None = note["key"]
        self.dimension: int = note["dimension"]
        self.about: dict[str, Any] = note["about"]
        self.parts = [Part(**part) for part in note["parts"]]
        self._vectors, self._norms = _map(self.folder)
        self._entries = pq.read_table(self.folder / "entries.parquet", memory_map=True)
        self._graphs = {
            part.kind: _opened(self.folder, part)
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
            return _exact(self._vectors, self._norms, part, queries, count)
        graph = self._graphs[part.kind]
        return _approximate(graph, self._vectors, self._norms, part, queries, count)

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


def _same_encoder(
    images: pa.Table, texts: pa.Table | None
) -> tuple[str, Mapping[str, Any] | None]:
    said = origin(images)
    encoder, key = said.get("encoder", "unnamed"), said.get("key")
    if texts is not None and origin(texts).get("encoder", "unnamed") != encoder:
        raise BakeoffError(
            "index",
            f"images of {encoder} and texts of {origin(texts).get('encoder')}",
            "vectors of one encoder",
            "Vectors of two encoders cannot be compared: give the texts of the same.",
        )
    return encoder, key


def _entries(images: pa.Table, texts: pa.Table | None, manifest: pa.Table) -> pa.Table:
    ids = strings(images, "image_id")
    known = {
        image: (path, label)
        for image, path, label in zip(
            *(strings(manifest, c) for c in ("image_id", "path", "label")), strict=True
        )
    }
    missing = [image for image in ids if image not in known]
    if missing:
        raise BakeoffError(
            "index",
            f"{len(missing)} images that the manifest lacks, such as {missing[0][:12]}",
            "embeddings of this manifest",
            "Ask the workflow for the embeddings again.",
        )
    path, label = zip(*(known[i] for i in ids), strict=True) if len(ids) else ((), ())
    columns = {
        "kind": ["image"] * len(ids),
        "name": list(ids),
        "path": list(path),
        "label": list(label),
    }
    if texts is not None:
        columns["kind"] += ["text"] * texts.num_rows
        columns["name"] += list(strings(texts, "text"))
        columns["path"] += [""] * texts.num_rows
        columns["label"] += list(strings(texts, "class"))
    return pa.table({name: pa.array(v, pa.string()) for name, v in columns.items()})


def _write_vectors(
    folder: Path, tables: dict[str, pa.Table], dimension: int, encoder: str
) -> None:
    """vectors.npy (n, d) as given and norms.npy (n,), one block in memory at a time."""
    n = sum(table.num_rows for table in tables.values())
    norms, start = np.empty(n, np.float32), 0
    with (folder / "vectors.npy").open("wb") as file:
        head = {"descr": "<f4", "fortran_order": False, "shape": (n, dimension)}
        np.lib.format.write_array_header_1_0(file, head)
        for kind, table in tables.items():
            for block in _blocks(table):
                stop = start + len(block)
                norms[start:stop] = np.linalg.norm(block, axis=1)
                _need_directions(norms[start:stop], kind, encoder)
                block.astype("<f4", copy=False).tofile(file)
                start = stop
    np.save(folder / "norms.npy", norms)


def _need_directions(norms: np.ndarray, kind: str, encoder: str) -> None:
    bad = ~np.isfinite(norms) | (norms == 0)
    if bad.any():
        raise BakeoffError(
            f"index of {encoder}",
            f"{bad.sum()} {kind} vectors that are zero or not finite",
            "vectors with a direction",
            "Delete the embeddings of this encoder and run again; if they come back, "
            "use `precision: fp32`.",
        )


def _blocks(table: pa.Table) -> Iterator[np.ndarray]:
    """(b, d) float32 arrays of at most `_BLOCK` rows."""
    for batch in table.select(["embedding"]).to_batches(max_chunksize=_BLOCK):
        column = batch.column(0)
        flat = np.asarray(column.flatten(), dtype=np.float32)
        yield flat.reshape(-1, column.type.list_size)


def _map(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    vectors = np.load(folder / "vectors.npy", mmap_mode="r")
    return vectors, np.load(folder / "norms.npy")


def _graph(
    folder: Path,
    part: Part,
    vectors: np.ndarray,
    norms: np.ndarray,
    target: float,
    seed: int,
    threads: int,
) -> Part:
    """Build, measure and save the graph of one part."""
    graph = Index(
        ndim=vectors.shape[1],
        metric="cos",
        dtype="i8",
        connectivity=16,
        expansion_add=128,
        enable_key_lookups=False,
    )
    for start in range(part.start, part.stop, _BLOCK):
        stop = min(start + _BLOCK, part.stop)
        unit = vectors[start:stop] / norms[start:stop, None]
        graph.add(np.arange(start, stop, dtype=np.uint64), unit, threads=threads)
    width, recall = _widen(graph, part, vectors, norms, target, seed)
    graph.save(str(folder / f"{part.kind}.usearch"))
    return Part(part.kind, part.start, part.stop, False, recall, width)


def _widen(
    graph: Index,
    part: Part,
    vectors: np.ndarray,
    norms: np.ndarray,
    target: float,
    seed: int,
) -> tuple[int, float]:
    """The narrowest search whose recall@10 meets the target, and that recall.

    Queries are vectors of all kinds, drawn at random; those outside the part (texts in
    an index of images) are the harder ones.
    """
    rng = np.random.default_rng(seed)
    inside = rng.integers(part.start, part.stop, _PROBES)
    others = np.r_[0 : part.start, part.stop : len(vectors)]
    outside = rng.permutation(others)[:_PROBES]
    places = np.concatenate([inside, outside])
    queries = vectors[places] / norms[places, None]
    truth, _ = _exact(vectors, norms, part, queries, _AT)
    width = 64
    while True:
        graph.expansion_search = width  # type: ignore[misc]
        found, _ = _approximate(graph, vectors, norms, part, queries, _AT)
        hits = [len(np.intersect1d(a, b)) for a, b in zip(truth, found, strict=True)]
        recall = float(np.mean(hits) / _AT)
        if recall >= target or width >= _WIDEST:
            return width, recall
        width *= 2


def _opened(folder: Path, part: Part) -> Index:
    file = folder / f"{part.kind}.usearch"
    graph = Index.restore(str(file), view=True)
    if graph is None:
        raise BakeoffError(
            str(file),
            "a damaged graph",
            "one that the workflow made",
            "Delete the index and ask the workflow for it again.",
        )
    graph.expansion_search = part.width  # type: ignore[misc]
    return graph


def _exact(
    vectors: np.ndarray,
    norms: np.ndarray,
    part: Part,
    queries: np.ndarray,
    count: int,
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Places and cosines of the nearest rows of each query (q, d) of length one."""
    places = np.empty((len(queries), 0), np.int64)
    cosines = np.empty((len(queries), 0), np.float32)
    for start in range(part.start, part.stop, _BLOCK):
        stop = min(start + _BLOCK, part.stop)
        block = queries @ vectors[start:stop].T / norms[start:stop]
        rows = np.broadcast_to(np.arange(start, stop), block.shape)
        places, cosines = _best(
            np.hstack([places, rows]), np.hstack([cosines, block]), count
        )
    return list(places), list(cosines)


def _best(
    places: np.ndarray, cosines: np.ndarray, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """The `count` largest cosines of each row, largest first, first place on ties."""
    if cosines.shape[1] > count:
        keep = np.argpartition(-cosines, count - 1, axis=1)[:, :count]
        places, cosines = (np.take_along_axis(x, keep, 1) for x in (places, cosines))
    order = np.lexsort((places, -cosines), axis=1)
    return np.take_along_axis(places, order, 1), np.take_along_axis(cosines, order, 1)


def _approximate(
    graph: Index,
    vectors: np.ndarray,
    norms: np.ndarray,
    part: Part,
    queries: np.ndarray,
    count: int,
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """As `_exact`, among the graph's candidates only; their cosines are exact."""
    wanted = min(_SPARE * count, part.stop - part.start)
    places, cosines = [], []
    for query in queries:
        rows = np.sort(graph.search(query, wanted).keys.astype(np.int64))
        near = vectors[rows] @ query / norms[rows]
        own, values = _best(rows[None], near[None], count)
        places.append(own[0])
        cosines.append(values[0])
    return places, cosines


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
            f"recall@{_AT}": round(part.recall, 4),
        }
        for part in parts
    }
