"""Every predicted image as a thumbnail with what each encoder said of it.

The page that shows it must stay small: 10,000 thumbnails of 72 pixels in WebP take
about 10 MB. So an image is stored once, whatever the number of encoders, each
prediction is one small integer, and of very many images there is a sample.
"""

import base64
import io
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from PIL import Image

from bakeoff.figures.opinions import opinions
from bakeoff.figures.qualitative import paths


@dataclass(frozen=True)
class Gallery:
    """Image i has the true class truth[i] and was called called[i][e] by encoder e.

    `sure` holds, alike, the whole percentage that the encoder gave to that class, or
    None where scores are not probabilities. Class numbers are places in `classes`.
    `left_out` counts the images that the sample does not hold.
    """

    classes: list[str]
    encoders: list[str]
    paths: list[str]
    truth: list[int]
    called: list[list[int]]
    sure: list[list[int]] | None
    thumbnails: list[str]
    left_out: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Plain lists and words, for JSON."""
        return asdict(self)


def make_gallery(
    *,
    manifest: pa.Table,
    predictions: Sequence[pa.Table],
    folder: Path,
    read: Callable[[Path], Image.Image],
    method: str | None = None,
    protocol: str | None = None,
    encoders: Sequence[str] | None = None,
    pixels: int = 72,
    threads: int = 1,
    most: int = 20_000,
) -> Gallery:
    """Up to `most` images that every encoder predicted, in the order of their paths.

    One setting (`method`, `protocol`) and, of several repeats, the first. `read` turns
    a path under `folder` into an RGB picture. Of more images, those whose ids come
    first are taken: ids are hashes of the content, so this is a random sample, and the
    same one whatever else is in the study.
    """
    said = opinions(predictions, method=method, protocol=protocol, encoders=encoders)
    path = paths(manifest)
    place = {path[image]: i for i, image in enumerate(said.image_ids[:most])}
    ordered = sorted(place)
    order = [place[name] for name in ordered]
    sure = np.rint(100 * said.probability[order])
    with ThreadPoolExecutor(max_workers=threads) as pool:
        pictures = list(
            pool.map(lambda name: thumbnail(read(folder / name), pixels), ordered)
        )
    return Gallery(
        said.classes,
        said.encoders,
        ordered,
        said.truth[order].tolist(),
        said.called[order].tolist(),
        None if np.isnan(sure).any() else sure.astype(int).tolist(),
        pictures,
        left_out=len(said.image_ids) - len(order),
    )


def thumbnail(picture: Image.Image, pixels: int, quality: int = 50) -> str:
    """The picture within a square of `pixels`, as WebP in base64."""
    small = picture.convert("RGB")
    small.thumbnail((pixels, pixels), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    small.save(out, "WEBP", quality=quality, method=4)
    return base64.b64encode(out.getvalue()).decode("ascii")
