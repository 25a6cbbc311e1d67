"""Differences class by class with intervals and support, largest gain on top."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bakeoff.figures.pairs import Pair, primary_pairs, turned
from bakeoff.figures.style import (
    BETTER,
    GRID,
    MUTED,
    PAPER,
    WIDTH,
    WORSE,
    rows_axis,
    say_empty,
    short,
)
from bakeoff.figures.units import unit_of


@dataclass(frozen=True)
class PerClassData:
    """Rows of one pair and metric, sorted by difference, the largest first."""

    a: str
    b: str
    metric: str
    alpha: float
    rows: list[Pair]


def data_from(
    *,
    comparisons: pa.Table,
    a: str,
    b: str,
    metric: str = "recall",
    setting: str | None = None,
    alpha: float = 0.05,
) -> PerClassData:
    """The per-class rows of the pair (a, b), whichever way round they are stored.

    `setting` is needed where the pair was compared by several methods; ValueError else.
    """
    pairs = primary_pairs(comparisons, per_class=True, metrics=[metric])
    mine = [pair for pair in pairs if {pair.a, pair.b} == {a, b}]
    if setting is not None:
        mine = [pair for pair in mine if pair.setting == setting]
    if len({pair.setting for pair in mine}) > 1:
        raise ValueError(f"one setting expected for {a} and {b}")
    rows = [pair if pair.a == a else turned(pair) for pair in mine]
    rows.sort(key=lambda pair: (-np.nan_to_num(pair.estimate), pair.label))
    return PerClassData(a, b, metric, alpha, rows)


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
    axes.annotate(
        "n",
        (1, -0.6),
        xycoords=("axes fraction", "data"),
        xytext=(24, 3),
        textcoords="offset points",
        ha="right",
        color=MUTED,
        style="italic",
    )
    axes.set_xlabel(unit.difference_axis())
    _ends(axes, data)


def _row(axes: Axes, pair: Pair, height: int, scale: float, alpha: float) -> None:
    colour = BETTER if pair.estimate > 0 else WORSE if pair.estimate < 0 else MUTED
    axes.plot(
        [pair.low * scale, pair.high * scale],
        [height] * 2,
        color=colour,
        linewidth=1.1,
        solid_capstyle="butt",
    )
    axes.plot(
        pair.estimate * scale,
        height,
        "o",
        markersize=5.5,
        markeredgecolor=colour,
        markeredgewidth=1.1,
        markerfacecolor=colour if pair.p_adjusted < alpha else PAPER,
    )
    axes.annotate(
        f"{pair.n}",
        (1, height),
        xycoords=("axes fraction", "data"),
        xytext=(24, 0),
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
    for side, name, colour in ((0, data.b, WORSE), (1, data.a, BETTER)):
        axes.annotate(
            f"{short(name, 34)} →" if side else f"← {short(name, 34)}",
            (side, 1),
            xycoords="axes fraction",
            xytext=(0, 4),
            textcoords="offset points",
            ha="right" if side else "left",
            color=colour,
            fontweight="bold",
        )
