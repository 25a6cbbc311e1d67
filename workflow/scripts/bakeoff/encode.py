"""Image files to vectors: pictures are decoded by threads, ahead of the encoder.

Memory is that of the pictures under way and of one shard of vectors, however many files
there are.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from bakeoff.encoders import Encoder
from bakeoff.encoders.check import too_little_memory
from bakeoff.encoders.together import Together
from bakeoff.images import listed_image

if TYPE_CHECKING:
    from torch import Tensor

BatchSize = int | Literal["auto"]
BATCH = {"cpu": 32, "cuda": 256}


def encode_files(
    encoder: Encoder,
    files: Sequence[Path],
    *,
    batch_size: BatchSize = "auto",
    threads: int = 1,
) -> np.ndarray:
    """(n, d) float32 vectors of n >= 1 image files, in their order, kept nowhere.

    Raises BakeoffError where a file cannot be read.
    """
    jobs = ((file, None) for file in files)
    return next(encode_shards(encoder, jobs, batch_size, threads, len(files)))


def encode_shards(
    encoder: Encoder | Together,
    files: Iterable[tuple[Path, str | None]],
    batch_size: BatchSize,
    threads: int,
    shard_size: int,
) -> Iterator[np.ndarray]:
    """(n, d) float32 vectors of one shard of files after the other.

    files: each with the image id that its bytes must have, or None. The next shard's
    pictures are decoded while this one's are encoded.
    Raises BakeoffError where a file is gone, unreadable, or differs from its id.
    """
    device = encoder.device.split(":")[0]
    size = BATCH.get(device, BATCH["cpu"]) if batch_size == "auto" else batch_size
    forward = _Forward(encoder, size)
    with ThreadPoolExecutor(max(1, threads)) as pool:
        inputs = _ahead(pool, (partial(_input, encoder, *f) for f in files), 2 * size)
        for first in inputs:
            yield forward(chain([first], islice(inputs, shard_size - 1)))


class _Forward:
    """Vectors of a stream of inputs, in batches that fit into memory."""

    def __init__(self, encoder: Encoder | Together, size: int) -> None:
        self.encoder = encoder
        self.size = size

    def __call__(self, inputs: Iterator[Any]) -> np.ndarray:
        """(n, d) float32; what is computed on a GPU is fetched once, at the end."""
        import torch

        found: list[Tensor] = []
        while batch := list(islice(inputs, self.size)):
            found.extend(self._batch(batch))
        return torch.cat(found).cpu().numpy()

    def _batch(self, batch: list[Any]) -> "list[Tensor]":
        import torch

        try:
            return [self.encoder.encode_images(self._collated(batch))]
        except torch.OutOfMemoryError:
            pass  # Left first: the traceback would keep the batch's memory.
        if len(batch) == 1:
            raise too_little_memory(self.encoder.id, self.encoder.device)
        if self.encoder.device.startswith("cuda"):
            torch.cuda.empty_cache()
        self.size = half = (len(batch) + 1) // 2
        return self._batch(batch[:half]) + self._batch(batch[half:])

    def _collated(self, batch: Sequence[Any]) -> Any:
        collated = self.encoder.collate(batch)
        return _pinned(collated) if self.encoder.device.startswith("cuda") else collated


def _pinned(batch: Any) -> Any:
    """A batch that is copied while the GPU still computes the one before."""
    if isinstance(batch, list):
        return [_pinned(part) for part in batch]
    return batch.pin_memory()


def _ahead(
    pool: ThreadPoolExecutor, jobs: Iterator[partial[Any]], depth: int
) -> Iterator[Any]:
    """Results in order, with `depth` jobs under way or waiting at any time."""
    waiting: deque[Future[Any]] = deque()
    try:
        for job in jobs:
            waiting.append(pool.submit(job))
            if len(waiting) >= depth:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()


def _input(encoder: Encoder | Together, path: Path, image_id: str | None) -> Any:
    return encoder.preprocess(listed_image(path, image_id))
