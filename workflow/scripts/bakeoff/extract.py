"""Embeddings of images and of prompts, each made once and kept in a store.

Nothing heavier than the manifest is read where nothing is new: torch is imported only
when something must be encoded. Memory does not grow with the number of images while
encoding; pictures are decoded by threads ahead of the encoder and go to disk shard by
shard.
"""

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow as pa
from tqdm import tqdm

from bakeoff.encoders import Encoder, WeightsFolder, load_encoder, open_folder
from bakeoff.errors import BakeoffError
from bakeoff.images import listed_image
from bakeoff.store import Shelf, digest, write_once
from bakeoff.tables import vectors, write_batches

if TYPE_CHECKING:
    from torch import Tensor

Part = tuple[int, int]
BATCH = {"cpu": 32, "cuda": 256}


def extract_images(
    manifest: pa.Table, images: Path, encoder_folder: Path, **options: Any
) -> tuple[pa.Table, dict[str, Any]]:
    """The `embeddings` of a manifest's images, sorted by id, and their provenance.

    The options are those of `write_embeddings`, which does not hold the whole table.
    """
    found = _encoded(manifest, images, encoder_folder, **options)
    return found.shelf.take(found.ids, found.dimension), found.provenance


def write_embeddings(
    path: Path, manifest: pa.Table, images: Path, encoder_folder: Path, **options: Any
) -> None:
    """Write the `embeddings` of a manifest's images to `path`, sorted by id.

    Only images that this (weights, preprocessing, resolution, precision) has never
    seen are encoded; a job that is killed encodes at most one shard again. Memory does
    not grow with the number of images, but for their ids and paths.

    Options, by keyword:
    encoder_id: name in the provenance; store: folder of the store of vectors;
    resolution: another than the encoder's own, or None; device: `auto`, `cpu`, `cuda`;
    precision: `fp32`, `bf16`, `fp16`, or `auto`: what the machine does best when the
    encoder is first used with this store, then kept, so that vectors never mix;
    batch_size: `auto` starts at 32 (CPU) or 256 (GPU) and is halved where memory ends;
    threads: of the encoder, and as many that decode; shard_size: images per shard;
    part: (i, n) encodes the i-th of n parts of the images and writes these alone;
    progress: whether a bar shows images/s and the time left.
    Raises BakeoffError where an image is gone or differs from its id.
    """
    found = _encoded(manifest, images, encoder_folder, **options)
    dimension = found.dimension
    blocks = found.shelf.blocks(found.ids, dimension)
    write_batches(path, "embeddings", blocks, found.provenance, dimension=dimension)


def fill_store(
    manifest: pa.Table, images: Path, encoder_folder: Path, **options: Any
) -> dict[str, int]:
    """How many `images` a part of the manifest has, and how many of them were `new`.

    Their vectors are in the store afterwards, where `write_embeddings` finds them: jobs
    on several machines, one for each part of the same n, share the work of one. They
    may run at once, and in any order. Options and errors are those of
    `write_embeddings`.
    """
    found = _encoded(manifest, images, encoder_folder, **options)
    return {"images": len(found.ids), "new": found.new}


@dataclass(frozen=True)
class _Encoded:
    """The shelf that now holds all vectors, the sorted ids, and how many were new."""

    shelf: Shelf
    ids: list[str]
    new: int
    provenance: dict[str, Any]

    @property
    def dimension(self) -> int:
        return int(self.provenance["dimension"])


def _encoded(
    manifest: pa.Table,
    images: Path,
    encoder_folder: Path,
    *,
    encoder_id: str,
    store: Path,
    resolution: int | None = None,
    device: str = "auto",
    precision: str = "auto",
    batch_size: int | Literal["auto"] = "auto",
    threads: int = 1,
    shard_size: int = 1024,
    part: Part = (0, 1),
    progress: bool = True,
) -> _Encoded:
    weights = open_folder(encoder_folder)
    precision = settled_precision(precision, weights, store, device)
    shelf = Shelf(store, weights.key(precision=precision, resolution=resolution))
    paths = _paths(manifest, part)
    missing = shelf.missing(paths)
    if progress:
        tqdm.write(f"{encoder_id}: {len(paths)} images, {len(missing)} new")
    if missing or shelf.facts() is None:
        encoder = _load(weights, resolution, device, precision, threads)
        shelf.set_facts(_facts(encoder))
        files = ((Path(images) / paths[name], name) for name in missing)
        shards = _encode(encoder, files, batch_size, threads, shard_size)
        with tqdm(
            total=len(missing), desc=encoder_id, unit="image", disable=not progress
        ) as bar:
            for ids in _chunks(missing, shard_size):
                shelf.add(ids, next(shards))
                bar.update(len(ids))
    provenance = {"encoder": encoder_id, "key": shelf.key, **(shelf.facts() or {})}
    return _Encoded(shelf, sorted(paths), len(missing), provenance)


def extract_texts(
    rows: Sequence[Mapping[str, Any]],
    encoder_folder: Path,
    *,
    encoder_id: str,
    store: Path,
    device: str = "auto",
    batch_size: int = 256,
    threads: int = 1,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The `texts` of a prompt bank: its rows (class, template, text) with embeddings.

    Always fp32: a bank is a few hundred prompts, and every image is compared with them.
    Raises BakeoffError where the encoder has no text tower.
    """
    weights = open_folder(encoder_folder)
    key = {**weights.key(precision="fp32"), "tower": "text"}
    shelf = Shelf(store, key)
    texts = {_id(str(row["text"])): str(row["text"]) for row in rows}
    missing = shelf.missing(texts)
    if missing or shelf.facts() is None:
        encoder = _load(weights, None, device, "fp32", threads)
        shelf.set_facts(_facts(encoder))
        for ids in _chunks(missing, batch_size):
            found = encoder.encode_texts([texts[name] for name in ids])
            shelf.add(ids, found.cpu().numpy())
    facts = shelf.facts() or {}
    order = [_id(str(row["text"])) for row in rows]
    table = shelf.take(order, int(facts["dimension"]))
    columns: dict[str, Any] = {
        name: [row[name] for row in rows] for name in ("class", "template", "text")
    }
    columns["embedding"] = vectors(table)
    return columns, {"encoder": encoder_id, "key": key, **facts}


def encode_files(
    encoder: Encoder,
    files: Sequence[Path],
    *,
    batch_size: int | Literal["auto"] = "auto",
    threads: int = 1,
) -> np.ndarray:
    """(n, d) float32 vectors of n >= 1 image files, in their order, kept nowhere.

    Raises BakeoffError where a file cannot be read.
    """
    jobs = ((file, None) for file in files)
    return next(_encode(encoder, jobs, batch_size, threads, len(files)))


def _paths(manifest: pa.Table, part: Part) -> dict[str, str]:
    """Path by image id; which part an id falls to depends on nothing but the id."""
    index, parts = part
    ids = manifest.column("image_id").to_pylist()
    files = manifest.column("path").to_pylist()
    return {
        name: file
        for name, file in zip(ids, files, strict=True)
        if int(name[:15], 16) % parts == index
    }


def settled_precision(
    precision: str, weights: WeightsFolder, store: Path, device: str
) -> str:
    """The precision itself, `auto` replaced by what was found on first use."""
    if precision != "auto":
        return precision
    name = digest(weights.key(precision="auto"))[:32]
    path = Path(store) / "precision" / f"{name}.txt"
    if not path.exists():
        from bakeoff.encoders.hardware import choose_device, probe_precision

        parameters = int(weights.note.get("parameters", 0))
        write_once(path, probe_precision(choose_device(device), parameters))
    return path.read_text()


def _load(
    weights: WeightsFolder,
    resolution: int | None,
    device: str,
    precision: str,
    threads: int,
) -> Encoder:
    import torch

    from bakeoff.encoders.hardware import choose_device

    torch.set_num_threads(max(1, threads))
    return load_encoder(
        weights.path,
        resolution=resolution,
        device=choose_device(device),
        precision=precision,
    )


def _facts(encoder: Encoder) -> dict[str, Any]:
    names = ("dimension", "resolution", "has_text", "logit_scale", "logit_bias")
    return {name: getattr(encoder, name) for name in names}


def _encode(
    encoder: Encoder,
    files: Iterable[tuple[Path, str | None]],
    batch_size: int | Literal["auto"],
    threads: int,
    shard_size: int,
) -> Iterator[np.ndarray]:
    """Vectors of one shard of files after the other, decoding ahead of the encoder.

    files: each with the image id that its bytes must have, or None.
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

    def __init__(self, encoder: Encoder, size: int) -> None:
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
            raise BakeoffError(
                self.encoder.id,
                f"too little memory on {self.encoder.device} for one image",
                "memory for one image",
                "Free memory, choose a smaller encoder, or set device: cpu.",
            )
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


def _input(encoder: Encoder, path: Path, image_id: str | None) -> Any:
    return encoder.preprocess(listed_image(path, image_id))


def _chunks(items: Sequence[str], size: int) -> Iterator[list[str]]:
    for start in range(0, len(items), size):
        yield list(items[start : start + size])


def _id(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
