"""What accuracy costs: the metric against latency, size and memory, with the front."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bakeoff.figures.frames import encoders_in, frame, one_setting
from bakeoff.figures.intervals import overall
from bakeoff.figures.style import (
    EDGE,
    GRID,
    PAPER,
    WIDTH,
    Look,
    looks,
    plain_log,
    say_empty,
    short,
)
from bakeoff.figures.units import Unit, unit_of

# Column of `costs`: label of the axis, and the factor from stored to printed units.
COSTS = {
    "latency_ms": ("Latency of one image (ms)", 1.0),
    "bytes": ("Weights on disk (MB)", 1e-6),
    "peak_memory_mb": ("Peak memory (MB)", 1.0),
    "gflops": ("GFLOPs per image", 1.0),
}


_LEAST = 2.0  # largest over smallest cost of an axis


@dataclass(frozen=True)
class TradeoffData:
    """points: index encoder; columns value, low, high and one per cost."""

    unit: Unit
    encoders: list[str]
    points: pd.DataFrame
    costs: list[str]


def data_from(
    *,
    metrics: pa.Table,
    costs: pa.Table,
    method: str | None = None,
    protocol: str | None = None,
    metric: str = "accuracy",
    which: Sequence[str] = ("latency_ms", "bytes", "peak_memory_mb"),
    encoders: Sequence[str] | None = None,
) -> TradeoffData:
    """The metric of one setting beside the costs of every encoder that has both."""
    rows = frame(metrics)
    rows = rows[(rows["metric"] == metric) & (rows["class"] == "")]
    rows = one_setting(rows, method, protocol)
    found = {str(e): overall(part) for e, part in rows.groupby("encoder")}
    values = pd.DataFrame(
        {e: {"value": x.value, "low": x.low, "high": x.high} for e, x in found.items()}
    ).T
    price = frame(costs).set_index("encoder")[list(which)]
    points = values.join(price, how="inner")
    known = encoders_in(rows, encoders)
    return TradeoffData(
        unit_of(metric), known, points.reindex([e for e in known if e in points.index]),
        list(which),
    )  # fmt: skip


def size(data: TradeoffData) -> tuple[float, float]:
    """Width and height in inches."""
    return WIDTH, 2.7 + 0.17 * -(-len(data.points) // 3)


def draw(data: TradeoffData, figure: Figure) -> None:
    """One panel per cost on a log axis; filled marks and the line are the front."""
    if data.points.empty:
        return say_empty(figure, "No encoder has both a result and measured costs.")
    look = looks(data.encoders)
    row = figure.subplots(1, len(data.costs), sharey=True, squeeze=False)[0]
    for axes, cost in zip(row, data.costs, strict=True):
        _panel(axes, data, cost, look)
    row[0].set_ylabel(data.unit.axis())
    handles = [_handle(encoder, look[encoder]) for encoder in data.points.index]
    figure.legend(handles=handles, loc="outside lower center", ncols=3)


def pareto(cost: np.ndarray, value: np.ndarray, *, higher: bool = True) -> np.ndarray:
    """(n,) bool: whether no other point is at least as good in both and better in one."""
    gain = value if higher else -value
    dominated = [
        ((cost <= c) & (gain >= g) & ((cost < c) | (gain > g))).any()
        for c, g in zip(cost, gain, strict=True)
    ]
    return ~np.array(dominated, dtype=bool)


def _panel(axes: Axes, data: TradeoffData, cost: str, look: dict[str, Look]) -> None:
    label, factor = COSTS[cost]
    points, scale = data.points, data.unit.scale
    price, value = points[cost].to_numpy(float) * factor, points["value"].to_numpy()
    best = pareto(price, value, higher=data.unit.better == "higher")
    front = np.flatnonzero(best)[np.argsort(price[best], kind="stable")]
    axes.plot(
        price[front],
        value[front] * scale,
        color=EDGE,
        linewidth=1,
        drawstyle="steps-post",
        zorder=1,
    )
    for place, encoder in enumerate(points.index):
        low, high = points.loc[encoder, ["low", "high"]] * scale
        colour, mark, _ = look[encoder]
        axes.plot([price[place]] * 2, [low, high], color=colour, linewidth=1)
        axes.plot(
            price[place],
            value[place] * scale,
            marker=mark,
            markersize=6,
            color=colour,
            markerfacecolor=colour if best[place] else PAPER,
        )
    _widen(axes)
    plain_log(axes)
    axes.set_xlabel(label)
    axes.grid(color=GRID)


def _widen(axes: Axes) -> None:
    """An axis from one cost to at least its double: a difference of 1 % is none."""
    low, high = axes.get_xlim()
    if 0 < low < high < _LEAST * low:
        middle = (low * high) ** 0.5
        axes.set_xlim(middle / _LEAST**0.5, middle * _LEAST**0.5)


def _handle(encoder: str, look: Look) -> Line2D:
    return Line2D(
        [], [], linestyle="", marker=look.mark, color=look.colour, label=short(encoder)
    )
