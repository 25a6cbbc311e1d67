"""Nearest vectors of one part of an index: exactly, or along a graph."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from usearch.index import Index

from bakeoff.errors import BakeoffError

Kind = Literal["image", "text"]

AT = 10  # neighbours by which recall is measured
BLOCK = 16_384  # vectors compared at a time
_SPARE = 8  # candidates of the graph per wanted neighbour


@dataclass(frozen=True)
class Part:
    """Rows [start, stop) of one kind; recall@10 of its graph, 1 where exact."""

    kind: str
    start: int
    stop: int
    exact: bool
    recall: float
    width: int


def map_vectors(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Raw vectors (n, d), left on disk, and their norms (n,)."""
    vectors = np.load(folder / "vectors.npy", mmap_mode="r")
    return vectors, np.load(folder / "norms.npy")


def open_graph(folder: Path, part: Part) -> Index:
    """The graph of one part, read as it is needed; BakeoffError where it is damaged."""
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


def nearest_exactly(
    vectors: np.ndarray,
    norms: np.ndarray,
    part: Part,
    queries: np.ndarray,
    count: int,
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Places and cosines of the nearest rows of each query (q, d) of length one."""
    places = np.empty((len(queries), 0), np.int64)
    cosines = np.empty((len(queries), 0), np.float32)
    for start in range(part.start, part.stop, BLOCK):
        stop = min(start + BLOCK, part.stop)
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


def nearest_by_graph(
    graph: Index,
    vectors: np.ndarray,
    norms: np.ndarray,
    part: Part,
    queries: np.ndarray,
    count: int,
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """As `nearest_exactly`, among the graph's candidates only; their cosines are exact."""
    wanted = min(_SPARE * count, part.stop - part.start)
    places, cosines = [], []
    for query in queries:
        rows = np.sort(graph.search(query, wanted).keys.astype(np.int64))
        near = vectors[rows] @ query / norms[rows]
        own, values = _best(rows[None], near[None], count)
        places.append(own[0])
        cosines.append(values[0])
    return places, cosines
