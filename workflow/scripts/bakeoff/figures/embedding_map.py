"""Embeddings in two dimensions, coloured by class, one panel per encoder."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from bakeoff.figures.frames import natural
from bakeoff.figures.style import (
    INK,
    PAPER,
    WIDTH,
    colour_bar,
    looks,
    panels,
    say_empty,
    short,
)
from bakeoff.tables import strings, vectors

COLUMNS = 2
_NAMED = 25  # classes whose names stand in the picture
# Width of a letter and height of a line, as shares of the axes.
_LETTER, _LINE = 0.0085, 0.035


@dataclass(frozen=True)
class MapData:
    """points[encoder]: (n, 2); labels: (n,) text; values: (n,) numbers where ordinal.

    axes[encoder]: what the two axes say.
    """

    points: dict[str, np.ndarray]
    labels: np.ndarray
    values: np.ndarray | None
    axes: dict[str, tuple[str, str]]


def data_from(
    *,
    embeddings: Mapping[str, pa.Table],
    manifest: pa.Table,
    kind: Literal["pca", "tsne"] = "pca",
    seed: int = 0,
    most: int = 3000,
) -> MapData:
    """Vectors of length one, projected; `most` images drawn at random, the same for all.

    PCA's signs are fixed (the largest loading is positive), t-SNE starts from PCA with
    `seed`: the same vectors give the same picture.
    """
    ids = strings(manifest, "image_id")
    rng = np.random.default_rng(seed)
    chosen = np.sort(rng.permutation(len(ids))[:most])
    points, axes = {}, {}
    for encoder, table in embeddings.items():
        place = {image: i for i, image in enumerate(strings(table, "image_id"))}
        x = vectors(table)[[place[image] for image in ids[chosen]]].astype(np.float64)
        x /= np.linalg.norm(x, axis=1, keepdims=True)
        points[encoder], axes[encoder] = _projected(x, kind, seed)
    value = np.asarray(manifest.column("value").to_numpy(zero_copy_only=False), float)
    values = value[chosen] if len(value) and np.isfinite(value).all() else None
    return MapData(points, strings(manifest, "label")[chosen], values, axes)


def size(data: MapData) -> tuple[float, float]:
    """Width and height in inches."""
    return WIDTH, 0.5 + 3.5 * -(-max(1, len(data.points)) // COLUMNS)


def draw(data: MapData, figure: Figure) -> None:
    """A dot per image; names of nominal classes at the median of their dots."""
    if not data.points:
        return say_empty(figure, "There are no embeddings.")
    grid = panels(figure, len(data.points), COLUMNS, sharex=False, sharey=False)
    for axes, (encoder, points) in zip(grid, data.points.items(), strict=True):
        if data.values is None:
            _nominal(axes, points, data.labels)
        else:
            axes.scatter(
                points[:, 0], points[:, 1], c=data.values, cmap="viridis", s=7, lw=0
            )
        axes.set(xticks=[], yticks=[], title=short(encoder))
        axes.set_xlabel(data.axes[encoder][0])
        axes.set_ylabel(data.axes[encoder][1])
    if data.values is not None:
        norm = Normalize(data.values.min(), data.values.max())
        colour_bar(figure, grid, ScalarMappable(norm, "viridis"), "Label")


def _projected(
    x: np.ndarray, kind: str, seed: int
) -> tuple[np.ndarray, tuple[str, str]]:
    if kind == "pca":
        points, shares = principal(x)
        names = [
            f"PC {i + 1} ({100 * r:.0f} % of variance)" for i, r in enumerate(shares)
        ]
        return points, (names[0], names[1])
    # Here, as a map by PCA would load scikit-learn for longer than it is drawn.
    from sklearn.manifold import TSNE

    perplexity = min(30.0, (len(x) - 1) / 3)
    tsne = TSNE(2, perplexity=perplexity, init="pca", random_state=seed)
    return tsne.fit_transform(x), ("t-SNE 1", "t-SNE 2")


def principal(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(n, 2) places along the two principal axes, and their shares of the variance.

    x: (n >= 2, d >= 2) float64; NaN shares where all rows are equal. Of each axis the
    largest loading is positive.
    """
    centred = x - x.mean(axis=0)
    _, widths, axes = np.linalg.svd(centred, full_matrices=False)
    axes = axes[:2]
    axes *= np.sign(axes[[0, 1], np.abs(axes).argmax(axis=1)])[:, None]
    with np.errstate(invalid="ignore"):
        return centred @ axes.T, widths[:2] ** 2 / np.sum(widths**2)


def _nominal(axes: Axes, points: np.ndarray, labels: np.ndarray) -> None:
    classes = natural(set(labels))
    look = looks(classes)
    for name in classes:
        mine = points[labels == name]
        colour, mark, _ = look[name]
        axes.plot(*mine.T, mark, color=colour, markersize=2.6, alpha=0.75, mew=0)
    if len(classes) <= _NAMED:
        _names(axes, {c: np.median(points[labels == c], axis=0) for c in classes})


def _names(axes: Axes, middles: Mapping[str, np.ndarray]) -> None:
    """The name of every class as near to its middle as the other names allow."""
    names = [short(name, 20) for name in middles]
    low, high = np.transpose([axes.get_xlim(), axes.get_ylim()])
    shown = (np.array(list(middles.values())) - low) / (high - low)
    for name, (x, y) in zip(names, apart(shown, names), strict=True):
        axes.text(
            x,
            y,
            name,
            transform=axes.transAxes,
            ha="center",
            va="center",
            fontsize=6.5,
            color=INK,
            bbox={"facecolor": PAPER, "alpha": 0.7, "linewidth": 0, "pad": 1},
        )


def apart(places: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """(n, 2) places of the middles of names, moved up or down until none overlap.

    In shares of the axes' width and height. Names that never come free of each other
    stay as near as they have come.
    """
    moved = places.copy()
    wide = np.array([_LETTER * len(name) for name in names]) / 2
    near = np.abs(moved[:, None, 0] - moved[None, :, 0]) < wide[:, None] + wide
    rank = np.arange(len(names))
    order = np.sign(rank - rank[:, None])  # at one height the first goes up
    for _ in range(200):
        gap = moved[:, None, 1] - moved[None, :, 1]
        side = np.where(gap == 0, order, np.sign(gap))
        push = np.where(near, side * np.maximum(0, _LINE - np.abs(gap)), 0)
        if not push.any():
            break
        moved[:, 1] += push.sum(axis=1) / 4
    return moved
