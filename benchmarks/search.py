"""The vector index: memory and time of the build, time of a query, recall@10.

    python benchmarks/search.py --vectors 1000000 --dimension 1152

Vectors are random and clustered: a centre per thousand, with noise of its length about
it. Queries are new vectors of the same clusters. Memory is what the process holds of its
own (RssAnon, sampled), the table of embeddings included; mapped files are not, as the
system can drop their pages. Recall is measured against the exact answer.
"""

import argparse
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
from bakeoff.indexing import build_index
from bakeoff.retrieve import VectorIndex

AT = 10
_BLOCK = 16_384


def clustered(n: int, d: int) -> tuple[np.ndarray, np.ndarray]:
    """Vectors (n, d) float32 and the centres (clusters, d) that they lie about."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(max(1, n // 1000), d))
    x = np.empty((n, d), np.float32)
    for start in range(0, n, _BLOCK):
        own = centres[rng.integers(len(centres), size=min(_BLOCK, n - start))]
        x[start : start + _BLOCK] = own + rng.normal(size=own.shape)
    return x, centres


def tables(x: np.ndarray) -> tuple[pa.Table, pa.Table]:
    """Embeddings and manifest of images that are numbered."""
    names = pa.array([f"{i:09d}" for i in range(len(x))])
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(x.reshape(-1)), x.shape[1])
    embeddings = pa.table({"image_id": names, "embedding": vectors})
    manifest = pa.table({"image_id": names, "path": names, "label": names})
    return embeddings, manifest


@contextmanager
def peak_memory() -> Iterator[list[float]]:
    """A list whose only item is the most memory held so far, in bytes."""
    peak, done = [0.0], threading.Event()

    def watch() -> None:
        while not done.wait(0.05):
            status = Path("/proc/self/status").read_text()
            own = next(x for x in status.splitlines() if x.startswith("RssAnon"))
            peak[0] = max(peak[0], 1024.0 * int(own.split()[1]))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield peak
    finally:
        done.set()
        watcher.join()


def main(n: int, d: int, queries: int, threads: int, folder: Path) -> None:
    """Build, ask and print."""
    x, centres = clustered(n, d)
    embeddings, manifest = tables(x)
    raw = x.nbytes
    start = time.perf_counter()
    with peak_memory() as peak:
        (part,) = build_index(
            folder / "index", images=embeddings, manifest=manifest, threads=threads
        )
    seconds = time.perf_counter() - start
    print(f"{n:,} x {d} clustered float32 vectors, {raw / 1e9:.2f} GB")
    print(
        f"build: {seconds:.0f} s, peak {peak[0] / 1e9:.2f} GB, "
        f"{peak[0] / raw:.2f} times the vectors"
    )
    how = "exact" if part.exact else f"graph, width {part.width}"
    print(f"{how}; recall@{AT} when built {part.recall:.3f}")
    index = VectorIndex(folder / "index")
    rng = np.random.default_rng(1)
    asked = centres[rng.integers(len(centres), size=queries)]
    asked = (asked + rng.normal(size=asked.shape)).astype(np.float32)
    _ask(index, asked)  # once, so that pages are where they will be
    found, taken = _ask(index, asked)
    recall = np.mean(
        [
            len(own & best) / AT
            for own, best in zip(found, _exact(x, asked), strict=True)
        ]
    )
    p50, p95 = np.percentile(1000 * np.array(taken), [50, 95])
    print(f"query: p50 {p50:.2f} ms, p95 {p95:.2f} ms, recall@{AT} {recall:.3f}")


def _ask(index: VectorIndex, asked: np.ndarray) -> tuple[list[set[str]], list[float]]:
    found, taken = [], []
    for query in asked:
        start = time.perf_counter()
        (hits,) = index.search(query, encoder=index.encoder, count=AT)
        taken.append(time.perf_counter() - start)
        found.append({hit.name for hit in hits})
    return found, taken


def _exact(x: np.ndarray, asked: np.ndarray) -> list[set[str]]:
    """Names of the nearest by cosine, block by block."""
    cosines = np.concatenate(
        [
            asked @ x[s : s + _BLOCK].T / np.linalg.norm(x[s : s + _BLOCK], axis=1)
            for s in range(0, len(x), _BLOCK)
        ],
        axis=1,
    )
    best = np.argpartition(-cosines, AT, axis=1)[:, :AT]
    return [{f"{i:09d}" for i in row} for row in best]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--vectors", type=int, default=100_000)
    parser.add_argument("--dimension", type=int, default=1152)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--folder", type=Path, help="with room for twice the vectors")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as temporary:
        main(
            given.vectors,
            given.dimension,
            given.queries,
            given.threads,
            Path(temporary),
        )
