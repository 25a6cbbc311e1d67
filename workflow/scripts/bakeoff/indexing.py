"""The vector index of an encoder: raw vectors, their norms, and a graph where it pays."""

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from usearch.index import Index

from bakeoff.errors import BakeoffError
from bakeoff.neighbours import (
    AT,
    BLOCK,
    Part,
    map_vectors,
    nearest_by_graph,
    nearest_exactly,
)
from bakeoff.store import refuse_mixture
from bakeoff.tables import origin, strings

_WIDEST = 2048  # of the graph's search
_PROBES = 100  # queries by which recall is measured


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
        vectors, norms = map_vectors(new)
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


def _same_encoder(
    images: pa.Table, texts: pa.Table | None
) -> tuple[str, Mapping[str, Any] | None]:
    said = origin(images)
    encoder, key = said.get("encoder", "unnamed"), said.get("key")
    if texts is None:
        return encoder, key
    other = origin(texts)
    if other.get("encoder", "unnamed") != encoder:
        raise BakeoffError(
            "index",
            f"images of {encoder} and texts of {other.get('encoder')}",
            "vectors of one encoder",
            "Vectors of two encoders cannot be compared: give the texts of the same.",
        )
    if key and other.get("key"):
        refuse_mixture(images=said, texts=other)
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
    """(b, d) float32 arrays of at most `BLOCK` rows."""
    for batch in table.select(["embedding"]).to_batches(max_chunksize=BLOCK):
        column = batch.column(0)
        flat = np.asarray(column.flatten(), dtype=np.float32)
        yield flat.reshape(-1, column.type.list_size)


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
    for start in range(part.start, part.stop, BLOCK):
        stop = min(start + BLOCK, part.stop)
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
    truth, _ = nearest_exactly(vectors, norms, part, queries, AT)
    width = 64
    while True:
        graph.expansion_search = width  # type: ignore[misc]
        found, _ = nearest_by_graph(graph, vectors, norms, part, queries, AT)
        hits = [len(np.intersect1d(a, b)) for a, b in zip(truth, found, strict=True)]
        recall = float(np.mean(hits) / AT)
        if recall >= target or width >= _WIDEST:
            return width, recall
        width *= 2
