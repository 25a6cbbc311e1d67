"""Where an encoder's vectors are kept, and what must still be encoded for them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from bakeoff.composed import Composed
from bakeoff.encoders import Encoder, WeightsFolder, load_encoder, open_folder
from bakeoff.errors import BakeoffError, listed
from bakeoff.store import Shelf, digest, write_once

Kept = Shelf | Composed
PRECISIONS = ("fp32", "bf16", "fp16")


@dataclass(frozen=True, eq=False)
class Source:
    """An encoder with weights, and the shelf that keeps its vectors."""

    weights: WeightsFolder
    resolution: int | None
    precision: str
    shelf: Shelf

    def load(self, device: str) -> Encoder:
        """The encoder, which is from then on known by the shelf."""
        encoder = load_encoder(
            self.weights.path,
            resolution=self.resolution,
            device=device,
            precision=self.precision,
        )
        self.shelf.set_facts(encoder.facts())
        return encoder


def image_sources(
    weights: WeightsFolder,
    store: Path,
    resolution: int | None,
    precision: str,
    device: str,
) -> tuple[Kept, list[Source]]:
    """Where an encoder's vectors are kept, and what they all come from, each once."""
    if not weights.is_composed:
        precision = settled_precision(precision, weights, store, device)
        shelf = Shelf(store, weights.key(precision=precision, resolution=resolution))
        return shelf, [Source(weights, resolution, precision, shelf)]
    pairs = [
        image_sources(open_folder(path), store, own or resolution, precision, device)
        for path, own in weights.parts
    ]
    return _joined(weights, pairs)


def text_sources(weights: WeightsFolder, store: Path) -> tuple[Kept, list[Source]]:
    """The same of texts: always fp32, and of no resolution."""
    if not weights.is_composed:
        shelf = Shelf(store, {**weights.key(precision="fp32"), "tower": "text"})
        return shelf, [Source(weights, None, "fp32", shelf)]
    pairs = [text_sources(open_folder(path), store) for path, _ in weights.parts]
    return _joined(weights, pairs)


def _joined(
    weights: WeightsFolder, pairs: Sequence[tuple[Kept, list[Source]]]
) -> tuple[Kept, list[Source]]:
    sources = {source.shelf.folder: source for _, own in pairs for source in own}
    kept = [kept for kept, _ in pairs]
    return Composed(weights.note["kind"], kept), list(sources.values())


def lacking(
    sources: Sequence[Source], ids: pa.Array
) -> Iterator[tuple[tuple[Source, ...], np.ndarray]]:
    """Sources, and the places of the ids that just these have no vector of.

    So each image is decoded once. A source that was never loaded is there too, with no
    places if need be.
    """
    lacks = np.stack([source.shelf.lacks(ids) for source in sources])
    for pattern in np.unique(lacks, axis=1).T:
        some = tuple(
            source for source, is_in in zip(sources, pattern, strict=True) if is_in
        )
        if some:
            yield some, np.flatnonzero((lacks == pattern[:, None]).all(axis=0))
    for source, own in zip(sources, lacks, strict=True):
        if not own.any() and source.shelf.facts() is None:
            yield (source,), np.arange(0)


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
    return _noted_precision(path)


def _noted_precision(path: Path) -> str:
    """What a note of the store says; raises BakeoffError where it is damaged."""
    noted = path.read_bytes()
    for precision in PRECISIONS:
        if noted == precision.encode():
            return precision
    raise BakeoffError(
        str(path),
        f"a damaged note ({noted[:40]!r})",
        f"one of {listed(PRECISIONS)}",
        "Delete this file and run again: the precision is then found again.",
    )
