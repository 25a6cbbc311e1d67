"""Every predicted image as a thumbnail with what each encoder said of it.

The page that shows it must stay small: 10,000 thumbnails of 72 pixels in WebP take
about 10 MB. So an image is stored once, whatever the number of encoders, and each
prediction is one small integer.
"""

import base64
import io
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from PIL import Image

from bakeoff.figures.confusion import one_setting
from bakeoff.figures.frames import classes_of, encoders_in, frame, frames
from bakeoff.tables import origin

_COLUMNS = ["image_id", "y_true", "y_pred", "encoder", "method", "protocol", "repeat"]


@dataclass(frozen=True)
class Gallery:
    """Image i has the true class truth[i] and was called called[i][e] by encoder e.

    `sure` holds, alike, the whole percentage that the encoder gave to that class, or
    None where scores are not probabilities. Class numbers are places in `classes`.
    """

    classes: list[str]
    encoders: list[str]
    paths: list[str]
    truth: list[int]
    called: list[list[int]]
    sure: list[list[int]] | None
    thumbnails: list[str]

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
) -> Gallery:
    """All images that every encoder predicted, in the order of their paths.

    One setting (`method`, `protocol`) and, of several repeats, the first. `read` turns
    a path under `folder` into an RGB picture.
    """
    classes = classes_of(predictions)
    rows = one_setting(_rows(predictions, classes), method, protocol)
    known = [e for e in encoders_in(rows, encoders) if e in set(rows["encoder"])]
    first = rows.sort_values("repeat", kind="stable").drop_duplicates(
        ["encoder", "image_id"]
    )
    called = _wide(first, "called", known)
    images = frame(manifest.select(["image_id", "path"])).set_index("image_id")["path"]
    paths = images.loc[called.index].sort_values()
    called = called.loc[paths.index].astype(int)
    truth = first.drop_duplicates("image_id").set_index("image_id")["truth"]
    sure = _wide(first, "sure", known).loc[paths.index]
    with ThreadPoolExecutor(max_workers=threads) as pool:
        pictures = list(
            pool.map(lambda path: thumbnail(read(folder / path), pixels), paths)
        )
    return Gallery(
        classes,
        known,
        paths.tolist(),
        truth.loc[paths.index].tolist(),
        called.to_numpy().tolist(),
        None if sure.isna().any(axis=None) else sure.astype(int).to_numpy().tolist(),
        pictures,
    )


def thumbnail(picture: Image.Image, pixels: int, quality: int = 50) -> str:
    """The picture within a square of `pixels`, as WebP in base64."""
    small = picture.convert("RGB")
    small.thumbnail((pixels, pixels), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    small.save(out, "WEBP", quality=quality, method=4)
    return base64.b64encode(out.getvalue()).decode("ascii")


def _rows(predictions: Sequence[pa.Table], classes: Sequence[str]) -> pd.DataFrame:
    place = pd.Index(classes)
    rows = frames(predictions, _COLUMNS)
    return rows.assign(
        truth=place.get_indexer(rows["y_true"]),
        called=place.get_indexer(rows["y_pred"]),
        sure=np.concatenate([_sure(table) for table in predictions]),
    )


def _sure(table: pa.Table) -> np.ndarray:
    """(n,) percentage of the highest score; NaN where it is not a probability."""
    scores = table.column("scores").combine_chunks()
    if origin(table).get("scores") != "probability" or scores.null_count:
        return np.full(table.num_rows, np.nan)
    flat = np.asarray(scores.flatten(), dtype=float)
    return np.rint(100 * flat.reshape(table.num_rows, -1).max(axis=1))


def _wide(rows: pd.DataFrame, column: str, encoders: Sequence[str]) -> pd.DataFrame:
    """One row per image that all encoders predicted, one column per encoder."""
    wide = rows.pivot(index="image_id", columns="encoder", values=column)[
        list(encoders)
    ]
    complete = rows.groupby("image_id")["encoder"].nunique() == len(encoders)
    return wide.loc[complete[complete].index]
