"""Search in the index of a finished study, by a text or by a picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from bakeoff.errors import BakeoffError, listed
from bakeoff.images import Unreadable, listed_image, read_image
from bakeoff.retrieve import Hit, Kind, VectorIndex, describe
from bakeoff.search_page import write_search_page


@dataclass(frozen=True)
class Found:
    """What was asked for, in which index, and the nearest entries, nearest first."""

    query: str | Image.Image
    index: VectorIndex
    hits: Sequence[Hit]

    def write_page(self, path: Path) -> None:
        """Write the search as one HTML file.

        Raises BakeoffError where an image that was found is gone, or is another one.
        """
        folder = Path(self.index.about["images"])
        write_search_page(
            path,
            query=self.query,
            encoder=self.index.encoder,
            hits=self.hits,
            read=lambda hit: listed_image(folder / hit.path, hit.name),
            about=_said(describe(self.index.parts)),
        )


def search_study(
    study: Path,
    query: str | Image.Image,
    *,
    encoder: str,
    kinds: Sequence[Kind] = ("image",),
    count: int = 10,
) -> Found:
    """The `count` entries nearest to `query`, a text or an RGB picture.

    study: its folder of results. The query is encoded with the weights, resolution and
    arithmetic that the index was made with. Raises BakeoffError where there is no such
    index, where it holds another encoder's vectors or those of other weights, and where
    a text is asked of an encoder without a text tower.
    """
    index = VectorIndex(_existing(study, encoder))
    vector, key = _encoded(query, index)
    (hits,) = index.search(vector, encoder=encoder, key=key, kinds=kinds, count=count)
    return Found(query, index, hits)


def read_query(path: Path) -> Image.Image:
    """The RGB picture to search by; raises BakeoffError where it cannot be read."""
    try:
        return read_image(path)
    except Unreadable as error:
        raise BakeoffError(
            str(path), error.reason, "a picture to search by", "Give another --image."
        ) from error


def _existing(study: Path, encoder: str) -> Path:
    folder = study / "index" / encoder
    if not folder.is_dir():
        there = sorted(path.name for path in folder.parent.glob("*"))
        raise BakeoffError(
            str(folder),
            f"no index (there are: {listed(there)})" if there else "no index",
            "the index of this study and encoder",
            f"Make it with: make index STUDY={study.name} ENCODER={encoder} (and CONFIG=... "
            "if the study was run with one).",
        )
    return folder


def _encoded(
    query: str | Image.Image, index: VectorIndex
) -> tuple[np.ndarray, dict[str, Any]]:
    """(d,) vector of the query, and the key that says which weights made it."""
    from bakeoff.encoders import load_encoder, open_folder
    from bakeoff.encoders.hardware import choose_device

    folder, resolution = index.about["weights"], index.about["resolution"]
    precision = (index.key or {})["precision"]
    encoder = load_encoder(
        folder,
        resolution=resolution,
        device=choose_device("auto"),
        precision=precision,
    )
    if isinstance(query, str):
        vectors = encoder.encode_texts([query])
    else:
        vectors = encoder.encode_images(encoder.collate([encoder.preprocess(query)]))
    key = open_folder(folder).key(precision=precision, resolution=resolution)
    return vectors[0].cpu().numpy(), key


def _said(parts: dict[str, Any]) -> dict[str, str]:
    return {
        f"{kind}s": ", ".join(f"{name} {value}" for name, value in facts.items())
        for kind, facts in parts.items()
    }
