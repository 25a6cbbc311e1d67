"""Confusion matrices on one scale: of each true class, the share predicted as each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import pandas as pd
import pyarrow as pa
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize, PowerNorm
from matplotlib.figure import Figure

from bakeoff.figures.frames import classes_of, encoders_in, frames, one_setting
from bakeoff.figures.style import (
    INK,
    LIGHT,
    MUTED,
    WIDTH,
    colour_bar,
    panels,
    say_empty,
    short,
)

# Rare confusions matter: a square-root scale keeps 2 % visible beside 90 %.
SCALE = PowerNorm(0.5, 0, 1)
_NAMED = 40  # classes up to which rows and columns carry names
_PRINTED = 16  # classes up to which cells carry numbers
_LONGEST = 20  # letters of a name


@dataclass(frozen=True)
class ConfusionData:
    """shares[encoder]: (K, K) float, rows sum to 1, NaN for a class without images."""

    classes: list[str]
    shares: dict[str, np.ndarray]


def data_from(
    *,
    predictions: Sequence[pa.Table],
    method: str | None = None,
    protocol: str | None = None,
    encoders: Sequence[str] | None = None,
) -> ConfusionData:
    """Row-normalised counts of every encoder, over all repeats and folds.

    `method` and `protocol` choose one setting; needed where the tables hold several.
    """
    rows = frames(predictions, ["encoder", "method", "protocol", "y_true", "y_pred"])
    rows = one_setting(rows, method, protocol)
    classes = classes_of(predictions)
    mine = {str(name): part for name, part in rows.groupby("encoder")}
    known = [e for e in encoders_in(rows, encoders) if e in mine]
    return ConfusionData(classes, {e: row_shares(mine[e], classes) for e in known})


def row_shares(rows: pd.DataFrame, classes: Sequence[str]) -> np.ndarray:
    """(K, K) of true by predicted class, each row divided by its sum."""
    k, index = len(classes), pd.Index(classes)
    cell = index.get_indexer(rows["y_true"]) * k + index.get_indexer(rows["y_pred"])
    counts = np.bincount(cell, minlength=k * k).reshape(k, k).astype(float)
    total = counts.sum(axis=1, keepdims=True)
    return np.divide(counts, total, out=np.full_like(counts, np.nan), where=total > 0)


def columns_for(k: int, n: int) -> int:
    """How many of n matrices of k classes stand side by side."""
    return min(n, 2 if _PRINTED < k <= _NAMED else 3)


def size(data: ConfusionData) -> tuple[float, float]:
    """Width and height in inches."""
    return extent(data.classes, max(1, len(data.shares)))


def extent(classes: Sequence[str], n: int) -> tuple[float, float]:
    """Width and height in inches of n matrices."""
    columns, names = columns_for(len(classes), n), _room(classes)
    side = min((WIDTH - names - 0.3) / columns, 4.2)
    return WIDTH, 0.8 + names + -(-n // columns) * (side + 0.22)


def _room(classes: Sequence[str]) -> float:
    """Inches that the longest printed name of a class takes."""
    if len(classes) > _NAMED:
        return 0.1
    letter = 0.055 if len(classes) <= _PRINTED else 0.043
    return 0.15 + letter * max(len(short(name, _LONGEST)) for name in classes)


def draw(data: ConfusionData, figure: Figure) -> None:
    """One matrix per encoder, one colour scale for all."""
    if not data.shares:
        return say_empty(figure, "There are no predictions of this setting.")
    colours = ScalarMappable(SCALE, "Blues")
    axes = matrices(
        figure,
        {short(e): shares for e, shares in data.shares.items()},
        data.classes,
        colours,
    )
    colour_bar(
        figure,
        axes,
        colours,
        "Images of the true class (%)",
        ticks=[0, 0.05, 0.2, 0.5, 1],
        format=lambda value, _: f"{100 * value:.0f}",
    )


def matrices(
    figure: Figure,
    cells: Mapping[str, np.ndarray],
    classes: Sequence[str],
    colours: ScalarMappable,
) -> list[Axes]:
    """Titled matrices that share their names: rows on the left, columns on top."""
    columns = columns_for(len(classes), len(cells))
    axes = panels(figure, len(cells), columns)
    for place, (panel, title) in enumerate(zip(axes, cells, strict=True)):
        matrix(panel, cells[title], classes, colours)
        panel.tick_params(labelbottom=False, labeltop=place < columns)
        # Unlike a title, a label above the names on top is given room.
        panel.xaxis.set_label_position("top")
        panel.set_xlabel(title, loc="left", fontsize=9, fontweight="bold")
        if place % columns == 0:
            panel.set_ylabel("True class", color=MUTED)
    figure.suptitle("Predicted class", fontsize=8, color=MUTED)
    return axes


def matrix(
    axes: Axes, cells: np.ndarray, classes: Sequence[str], colours: ScalarMappable
) -> None:
    """Cells in the given colours, with names and numbers where there is room."""
    k = len(classes)
    axes.pcolormesh(
        np.ma.masked_invalid(cells),
        norm=cast(Normalize, colours.norm),
        cmap=colours.get_cmap(),
        rasterized=k > _PRINTED,
        edgecolors="face" if k > _PRINTED else LIGHT,
        linewidth=0 if k > _PRINTED else 0.4,
    )
    axes.set_aspect("equal")
    axes.set(xlim=(0, k), ylim=(k, 0))
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    named = classes if k <= _NAMED else []
    places = np.arange(len(named)) + 0.5
    names = [short(name, _LONGEST) for name in named]
    small = 6.5 if k <= _PRINTED else 5.0
    upright = max(map(len, names), default=0) <= 3
    axes.set_yticks(places, names, fontsize=small)
    axes.set_xticks(places, names, fontsize=small, rotation=0 if upright else 90)
    if k <= _PRINTED:
        _numbers(axes, cells, colours)


def _numbers(axes: Axes, cells: np.ndarray, colours: ScalarMappable) -> None:
    """Whole percentages of all cells of at least 1 %, readable on their colour."""
    for row, column in np.argwhere(np.abs(np.nan_to_num(cells)) >= 0.01):
        red, green, blue, _ = colours.to_rgba(cells[row, column])
        dark = 0.3 * red + 0.59 * green + 0.11 * blue < 0.55
        axes.text(
            column + 0.5,
            row + 0.52,
            f"{100 * cells[row, column]:.0f}".replace("-", "−"),
            ha="center",
            va="center",
            fontsize=5 if len(cells) > 10 else 6,
            color=LIGHT if dark else INK[:-1] + "7",
        )
