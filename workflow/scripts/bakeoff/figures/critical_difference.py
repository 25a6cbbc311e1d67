"""Critical-difference diagram: mean ranks over data sets, and what cannot be told apart.

Demsar, J. (2006), JMLR 7:1-30, figure 1. Folds of one data set are not data sets: with
fewer than five data sets there is no diagram.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bakeoff.figures.frames import frame
from bakeoff.figures.style import EDGE, INK, WIDTH, looks, say_empty, short
from bakeoff.tables import origin


@dataclass(frozen=True)
class RanksData:
    """Mean rank of every encoder, best (lowest) first, and the critical difference.

    `encoders` in the order of the studies gives each its colour.
    """

    ranks: dict[str, float]
    critical: float
    datasets: int
    encoders: list[str]


def data_from(*, ranks: pa.Table) -> RanksData:
    """Mean ranks over the studies, and Nemenyi's critical difference as it was tested."""
    rows = frame(ranks)
    means = rows.groupby("encoder", sort=False)["rank"].mean()
    ordered = sorted(means.items(), key=lambda item: (item[1], item[0]))
    return RanksData(
        {str(encoder): float(rank) for encoder, rank in ordered},
        origin(ranks)["critical_difference"],
        rows["study"].nunique(),
        list(means.index),
    )


def cliques(ranks: Mapping[str, float], critical: float) -> list[tuple[float, float]]:
    """Longest runs of ranks within the critical difference, as (best, worst)."""
    values = sorted(ranks.values())
    spans = [
        (low, max(v for v in values if v - low <= critical))
        for low in sorted(set(values))
    ]
    longest: list[tuple[float, float]] = []
    for low, high in spans:
        if high > low and (not longest or high > longest[-1][1]):
            longest.append((low, high))
    return longest


def size(data: RanksData) -> tuple[float, float]:
    """Width and height in inches."""
    bars = len(cliques(data.ranks, data.critical))
    return WIDTH, 1.1 + 0.12 * bars + 0.22 * -(-len(data.ranks) // 2)


def draw(data: RanksData, figure: Figure) -> None:
    """Ranks on a line, best left; names to the nearer side; bars join the equal."""
    if len(data.ranks) < 2:
        return say_empty(figure, "Ranks need at least two encoders.")
    axes = figure.subplots()
    k, bars = len(data.ranks), cliques(data.ranks, data.critical)
    axes.set_axis_off()
    axes.set(xlim=(1 - 0.45 * k, k + 0.45 * k))
    foot = 0.7 + 0.55 * len(bars)
    axes.set_ylim(foot + -(-k // 2) + 0.3, -2.2)
    _scale(axes, data, k)
    for row, (low, high) in enumerate(bars):
        height = 0.6 + 0.55 * row
        axes.plot([low, high], [height] * 2, color=INK, linewidth=3)
    _names(axes, data, foot, k)


def _scale(axes: Axes, data: RanksData, k: int) -> None:
    axes.plot([1, k], [0, 0], color=INK, linewidth=1)
    for rank in range(1, k + 1):
        axes.plot([rank] * 2, [0, -0.25], color=INK, linewidth=0.8)
        axes.text(rank, -0.4, f"{rank}", ha="center", va="bottom", fontsize=7.5)
    axes.plot([1, 1 + data.critical], [-1.5] * 2, color=INK, linewidth=1.6)
    axes.text(
        1 + data.critical + 0.1,
        -1.5,
        f"critical difference {data.critical:.2f}, {data.datasets} data sets",
        va="center",
        fontsize=7.5,
    )


def _names(axes: Axes, data: RanksData, foot: float, k: int) -> None:
    half, look = -(-k // 2), looks(data.encoders)
    for place, (encoder, rank) in enumerate(data.ranks.items()):
        left = place < half
        height = foot + (place if left else k - 1 - place) + 0.4
        edge = 1 - 0.08 * k if left else k + 0.08 * k
        axes.plot(
            [rank, rank, edge], [0, height, height], color=EDGE, linewidth=0.8, zorder=0
        )
        axes.plot(rank, 0, "o", color=look[encoder].colour, markersize=5)
        words = (f"{short(encoder)}  {rank:.2f}", f"{rank:.2f}  {short(encoder)}")
        axes.text(
            edge - 0.06 if left else edge + 0.06,
            height,
            words[not left],
            ha="right" if left else "left",
            va="center",
            fontsize=7.5,
        )
