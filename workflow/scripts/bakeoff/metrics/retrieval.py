"""Retrieval between images and texts, both ways, from their vectors and labels.

A text is relevant to an image, and the image to the text, where their labels are equal.
Queries without anything relevant are left out and counted.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from bakeoff.metrics.ranking import average_precision
from bakeoff.store import refuse_mixture
from bakeoff.tables import origin, strings, vectors

_ROWS = 1024


@dataclass(frozen=True)
class Retrieval:
    """Recall at k, by k, and mean average precision of `n` queries."""

    n: int
    left_out: int
    recall: dict[int, float]
    mean_average_precision: float


def retrieval_rows(
    study: str, manifest: pa.Table, embeddings: pa.Table, texts: pa.Table
) -> dict[str, list[Any]]:
    """Rows of the table of metrics: `image_to_text_recall_1`, ..., `text_to_image_map`.

    One encoder, method `retrieval`; the protocol is `test` where only the test images
    of a divided study are scored, else `all`. A share's numerator and denominator count
    queries. Raises BakeoffError for vectors of two encoders.
    """
    images = origin(embeddings)
    refuse_mixture(embeddings=images, texts=origin(texts))
    place = {name: i for i, name in enumerate(strings(embeddings, "image_id"))}
    ids, labels, splits = (
        strings(manifest, name) for name in ("image_id", "label", "split")
    )
    scored = splits == "test" if (splits == "test").any() else splits == splits
    found = both_ways(
        vectors(embeddings)[[place[name] for name in ids[scored]]],
        vectors(texts),
        labels[scored],
        strings(texts, "class"),
    )
    values = [value for way, said in found.items() for value in _values(way, said)]
    constant = {
        "study": study,
        "encoder": images["encoder"],
        "method": "retrieval",
        "protocol": "all" if scored.all() else "test",
        "repeat": -1,
        "fold": -1,
        "class": "",
    }
    rows: dict[str, list[Any]] = {k: [v] * len(values) for k, v in constant.items()}
    names = ("metric", "value", "numerator", "denominator")
    columns = zip(*values, strict=True)
    return rows | {
        name: list(column) for name, column in zip(names, columns, strict=True)
    }


def _values(way: str, found: Retrieval) -> Iterator[tuple[str, float, float, float]]:
    for k, share in found.recall.items():
        hits = round(share * found.n) if found.n else 0
        yield f"{way}_recall_{k}", share, hits, found.n
    yield f"{way}_map", found.mean_average_precision, np.nan, np.nan


def both_ways(
    images: np.ndarray,
    texts: np.ndarray,
    image_labels: np.ndarray,
    text_labels: np.ndarray,
    ks: Sequence[int] = (1, 5, 10),
) -> dict[str, Retrieval]:
    """`image_to_text` and `text_to_image` retrieval by cosine.

    images: (n, d), texts: (m, d); labels: (n,) and (m,).
    """
    return {
        "image_to_text": retrieval(images, texts, image_labels, text_labels, ks),
        "text_to_image": retrieval(texts, images, text_labels, image_labels, ks),
    }


def retrieval(
    queries: np.ndarray,
    items: np.ndarray,
    query_labels: np.ndarray,
    item_labels: np.ndarray,
    ks: Sequence[int] = (1, 5, 10),
) -> Retrieval:
    """Recall at k: the share of queries with a relevant item among the k nearest.

    Items at equal distance count against the query: a relevant one is taken to come
    after all others. Similarities are computed for some queries at a time, so memory
    does not grow with the number of queries. With no query left, values are NaN.
    """
    first, precision, left_out = [], [], 0
    for row, label in _similarities(queries, items, query_labels):
        relevant = item_labels == label
        if not relevant.any():
            left_out += 1
            continue
        first.append(int((row[~relevant] >= row[relevant].max()).sum()))
        precision.append(average_precision(row, relevant))
    rank = np.asarray(first)
    return Retrieval(
        len(first),
        left_out,
        {k: float((rank < k).mean()) if first else float("nan") for k in ks},
        float(np.mean(precision)) if precision else float("nan"),
    )


def _similarities(
    queries: np.ndarray, items: np.ndarray, labels: np.ndarray
) -> Iterator[tuple[np.ndarray, object]]:
    """(m,) cosines to all items, and the label, of each query."""
    unit = items / np.linalg.norm(items, axis=1, keepdims=True)
    for start in range(0, len(queries), _ROWS):
        block = queries[start : start + _ROWS]
        cosines = block @ unit.T / np.linalg.norm(block, axis=1, keepdims=True)
        yield from zip(cosines, labels[start : start + _ROWS], strict=True)
