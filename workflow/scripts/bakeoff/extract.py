"""Embeddings of images and of prompts, each made once and kept in a store.

Nothing heavier than the manifest is read where nothing is new: torch is imported only
when something must be encoded. Memory does not grow with the number of images while
encoding, but for their ids and paths: vectors go to disk shard by shard. What a derived
encoder is composed of is kept as its parts' vectors, all made from one decoding.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from tqdm import tqdm

from bakeoff.encode import BatchSize, encode_shards
from bakeoff.encoders import Encoder, open_folder
from bakeoff.encoders.together import Together
from bakeoff.kept import Kept, Source, image_sources, lacking, text_sources
from bakeoff.tables import vectors, write_batches

Part = tuple[int, int]


def extract_images(
    manifest: pa.Table, images: Path, encoder_folder: Path, **options: Any
) -> tuple[pa.Table, dict[str, Any]]:
    """The `embeddings` of a manifest's images, sorted by id, and their provenance.

    The options are those of `write_embeddings`, which does not hold the whole table.
    """
    found = _encoded(manifest, images, encoder_folder, **options)
    return found.kept.take(found.ids, found.dimension), found.provenance


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
    blocks = found.kept.blocks(found.ids, dimension)
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
    """What now holds all vectors, the sorted ids, and how many of them were new."""

    kept: Kept
    ids: pa.Array
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
    batch_size: BatchSize = "auto",
    threads: int = 1,
    shard_size: int = 1024,
    part: Part = (0, 1),
    progress: bool = True,
) -> _Encoded:
    weights = open_folder(encoder_folder)
    kept, sources = image_sources(weights, store, resolution, precision, device)
    rows = _rows(manifest, part)
    ids = rows["image_id"].combine_chunks()
    missing = list(lacking(sources, ids))
    new = sum(len(places) for _, places in missing)
    if progress:
        tqdm.write(f"{encoder_id}: {len(ids)} images, {new} new")
    for some, places in missing:
        together = Together(_loaded(some, device, threads))
        wanted = rows.take(places)
        files = _files(wanted, Path(images))
        shards = encode_shards(together, files, batch_size, threads, shard_size)
        with tqdm(
            total=len(wanted), desc=encoder_id, unit="image", disable=not progress
        ) as bar:
            for names in _chunks(wanted["image_id"], shard_size):
                found = together.divided(next(shards))
                for source, own in zip(some, found, strict=True):
                    source.shelf.add(names, own)
                bar.update(len(names))
    provenance = {"encoder": encoder_id, "key": kept.key, **(kept.facts() or {})}
    return _Encoded(kept, ids, new, provenance)


def _loaded(sources: Sequence[Source], device: str, threads: int) -> list[Encoder]:
    import torch

    from bakeoff.encoders.hardware import choose_device

    torch.set_num_threads(max(1, threads))
    return [source.load(choose_device(device)) for source in sources]


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
    kept, sources = text_sources(open_folder(encoder_folder), store)
    texts = {_id(str(row["text"])): str(row["text"]) for row in rows}
    ids = pa.array(sorted(texts), pa.string())
    for source in sources:
        missing = ids.filter(pa.array(source.shelf.lacks(ids)))
        if len(missing) or source.shelf.facts() is None:
            (encoder,) = _loaded([source], device, threads)
            for names in _chunks(missing, batch_size):
                found = encoder.encode_texts([texts[name] for name in names])
                source.shelf.add(names, found.cpu().numpy())
    facts = kept.facts() or {}
    order = pa.array([_id(str(row["text"])) for row in rows], pa.string())
    table = kept.take(order, int(facts["dimension"]))
    columns: dict[str, Any] = {
        name: [row[name] for row in rows] for name in ("class", "template", "text")
    }
    columns["embedding"] = vectors(table)
    return columns, {"encoder": encoder_id, "key": kept.key, **facts}


def _rows(manifest: pa.Table, part: Part) -> pa.Table:
    """Ids and paths of a part's images, sorted by id.

    To which part an image falls depends on nothing but its id.
    """
    rows = manifest.select(["image_id", "path"]).sort_by("image_id")
    index, parts = part
    if parts == 1:
        return rows
    ids = chain.from_iterable(_chunks(rows["image_id"], 65_536))
    own = np.fromiter((int(name[:15], 16) % parts == index for name in ids), bool)
    return rows.filter(pa.array(own))


def _files(rows: pa.Table, images: Path) -> Iterator[tuple[Path, str]]:
    """Path and id of each image; as Python's strings only some at a time."""
    for some in rows.to_batches(max_chunksize=4096):
        for name, path in zip(*some.to_pydict().values(), strict=True):
            yield images / path, name


def _chunks(column: pa.Array | pa.ChunkedArray, size: int) -> Iterator[list[str]]:
    for start in range(0, len(column), size):
        yield column.slice(start, size).to_pylist()


def _id(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
