"""Images whose label every encoder disputes: all name one and the same other class."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from matplotlib.figure import Figure
from PIL import Image

from bakeoff.figures.opinions import Opinions, opinions
from bakeoff.figures.qualitative import Shown, cell, paths, shown
from bakeoff.figures.style import WIDTH, panels, say_empty

COLUMNS = 6


@dataclass(frozen=True)
class DisputeData:
    """The most confidently disputed images first; `found` counts all of them."""

    found: int
    images: list[Shown]


def data_from(
    *,
    predictions: Sequence[pa.Table],
    manifest: pa.Table,
    folder: Path,
    read: Callable[[Path], Image.Image],
    method: str | None = None,
    protocol: str | None = None,
    encoders: Sequence[str] | None = None,
    most: int = 18,
) -> DisputeData:
    """Disputed images of one setting; none where fewer than two encoders were run."""
    said = opinions(predictions, method=method, protocol=protocol, encoders=encoders)
    order = disputed(said)
    path = paths(manifest)
    images = [shown(said, i, folder, path, read) for i in order[:most]]
    return DisputeData(len(order), [_once(image) for image in images])


def disputed(said: Opinions) -> list[int]:
    """Places of the disputed images, the highest mean confidence first."""
    if len(said.encoders) < 2:
        return []
    agree = (said.called == said.called[:, :1]).all(axis=1)
    places = np.flatnonzero(agree & ~said.right[:, 0]).tolist()
    return sorted(places, key=lambda i: (-said.confidence[i].mean(), i))


def size(data: DisputeData) -> tuple[float, float]:
    """Width and height in inches."""
    rows = -(-max(1, len(data.images)) // COLUMNS)
    return WIDTH, 0.05 + rows * (WIDTH / COLUMNS + 0.3)


def draw(data: DisputeData, figure: Figure) -> None:
    """The label in black, what all encoders say instead in red."""
    if not data.images:
        return say_empty(figure, "No label is disputed by every encoder.")
    grid = panels(figure, len(data.images), COLUMNS, sharex=False, sharey=False)
    for axes, image in zip(grid, data.images, strict=True):
        cell(axes, image, [""])


def _once(image: Shown) -> Shown:
    return Shown(image.picture, image.label, image.said[:1])
