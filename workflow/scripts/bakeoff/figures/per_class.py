"""Differences class by class with intervals and support, largest gain on top."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bakeoff.figures.frames import frame
from bakeoff.figures.pairs import Pair, primary_pairs, turned
from bakeoff.figures.style import (
    BETTER,
    GRID,
    MUTED,
    PAPER,
    WIDTH,
    WORSE,
    interval,
    rows_axis,
    say_empty,
    short,
)
from bakeoff.figures.units import unit_of


@dataclass(frozen=True)
class PerClassData:
    """Rows of one pair and metric, sorted by difference, the largest first.

    `images` is the number of images of each class in one repetition; `left_out` counts
    classes that were dropped from the middle.
    """

    a: str
    b: str
    metric: str
    alpha: float
    rows: list[Pair]
    images: dict[str, float]
    left_out: int = 0


def data_from(
    *,
    comparisons: pa.Table,
    metrics: pa.Table,
    a: str,
    b: str,
    metric: str = "recall",
    method: str | None = None,
    protocol: str | None = None,
    alpha: float = 0.05,
    most: int = 60,
) -> PerClassData:
    """The per-class rows of the pair (a, b), whichever way round they are stored.

    `metrics` holds the classes' support, which is the same for every encoder. Of more
    than `most` classes, those in the middle of the order are left out. `method` and
    `protocol` are needed where the pair was compared in several settings; ValueError
    else.
    """
    pairs = primary_pairs(comparisons, per_class=True, metrics=[metric])
    mine = [pair for pair in pairs if {pair.a, pair.b} == {a, b}]
    if method is not None:
        mine = [pair for pair in mine if pair.method == method]
    if protocol is not None:
        mine = [pair for pair in mine if pair.protocol == protocol]
    if len({pair.setting for pair in mine}) > 1:
        raise ValueError(f"one setting expected for {a} and {b}")
    rows = [pair if pair.a == a else turned(pair) for pair in mine]
    rows.sort(key=lambda pair: (-np.nan_to_num(pair.estimate), pair.label))
    left_out = max(0, len(rows) - most)
    half = (len(rows) - left_out + 1) // 2
    kept = rows[:half] + rows[half + left_out :]
    images = _support(metrics, kept[0]) if kept else {}
    return PerClassData(a, b, metric, alpha, kept, images, left_out)


def size(data: PerClassData) -> tuple[float, float]:
    """Width and height in inches."""
    return WIDTH, 0.95 + 0.19 * max(3, len(data.rows))


def draw(data: PerClassData, figure: Figure) -> None:
    """A filled dot where the adjusted p-value is below alpha, hollow elsewhere."""
    if not data.rows:
        return say_empty(figure, "The classes of this pair were not compared.")
    unit = unit_of(data.metric)
    axes = figure.subplots()
    rows_axis(axes, [pair.label for pair in data.rows])
    axes.grid(axis="x", color=GRID)
    axes.axvline(0, color=MUTED, linewidth=0.9)
    for height, pair in enumerate(data.rows):
        _row(axes, pair, height, unit.scale, data.alpha)
        _margin(axes, height, f"{data.images[pair.label]:g}")
    _margin(axes, -0.95, "images")
    axes.set_xlabel(unit.difference_axis())
    _ends(axes, data)
    if data.left_out:
        _gap(axes, data)


def _support(metrics: pa.Table, pair: Pair) -> dict[str, float]:
    """Images of every class in one repetition of the pair's setting."""
    rows = frame(metrics)
    rows = rows[
        (rows["metric"] == "support")
        & (rows["method"] == pair.method)
        & (rows["protocol"] == pair.protocol)
    ]
    return dict(zip(rows["class"], rows["value"], strict=True))


def _row(axes: Axes, pair: Pair, height: int, scale: float, alpha: float) -> None:
    colour = BETTER if pair.estimate > 0 else WORSE if pair.estimate < 0 else MUTED
    interval(axes, pair.low * scale, pair.high * scale, height, colour)
    axes.plot(
        pair.estimate * scale,
        height,
        "o",
        markersize=5.5,
        markeredgecolor=colour,
        markeredgewidth=1.1,
        markerfacecolor=colour if pair.p_adjusted < alpha else PAPER,
    )


def _margin(axes: Axes, height: float, text: str) -> None:
    axes.annotate(
        text,
        (1, height),
        xycoords=("axes fraction", "data"),
        xytext=(30, 0),
        textcoords="offset points",
        ha="right",
        va="center",
        fontsize=7,
        color=MUTED,
    )


def _ends(axes: Axes, data: PerClassData) -> None:
    """Symmetric limits, so that lengths compare; who wins on which side."""
    numbers = [abs(x) for x in axes.get_xlim()]
    axes.set_xlim(-max(numbers), max(numbers))
    for side, name in ((0, data.b), (1, data.a)):
        axes.annotate(
            f"{short(name, 34)} →" if side else f"← {short(name, 34)}",
            (side, 1),
            xycoords="axes fraction",
            xytext=(0, 4),
            textcoords="offset points",
            ha="right" if side else "left",
            fontweight="bold",
        )


def _gap(axes: Axes, data: PerClassData) -> None:
    """A line through the middle that says how many classes it stands for."""
    height = (len(data.rows) + 1) // 2 - 0.5
    axes.axhline(height, color=MUTED, linewidth=0.8, linestyle=":")
    axes.text(
        axes.get_xlim()[0],
        height,
        f"  {data.left_out} classes between  ",
        va="center",
        fontsize=7,
        color=MUTED,
        bbox={"facecolor": PAPER, "linewidth": 0, "pad": 0.5},
    )
