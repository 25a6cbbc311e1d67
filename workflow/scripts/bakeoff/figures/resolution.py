"""Accuracy against the resolution at which images were encoded."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
from matplotlib.figure import Figure

from bakeoff.figures.frames import frame, natural, one_setting
from bakeoff.figures.intervals import overall
from bakeoff.figures.style import GRID, WIDTH, log_ticks, looks, say_empty, short
from bakeoff.figures.units import Unit, unit_of


@dataclass(frozen=True)
class ResolutionData:
    """lines[family]: columns pixels, value, low, high, sorted by pixels."""

    unit: Unit
    lines: dict[str, pd.DataFrame]


def data_from(
    *,
    metrics: pa.Table,
    resolutions: Mapping[str, tuple[str, int]],
    method: str | None = None,
    protocol: str | None = None,
    metric: str = "accuracy",
) -> ResolutionData:
    """The metric of one setting by family and resolution.

    `resolutions` says of each encoder its family (the model apart from its resolution)
    and its pixels. Families with a single resolution are left out.
    """
    rows = frame(metrics)
    rows = rows[(rows["metric"] == metric) & (rows["class"] == "")]
    rows = one_setting(rows[rows["encoder"].isin(list(resolutions))], method, protocol)
    points = []
    for encoder, part in rows.groupby("encoder"):
        family, pixels = resolutions[str(encoder)]
        found = overall(part)
        points.append((family, pixels, found.value, found.low, found.high))
    table = pd.DataFrame(points, columns=["family", "pixels", "value", "low", "high"])
    lines = {
        family: table[table["family"] == family].sort_values("pixels")
        for family in natural(set(table["family"]))
    }
    several = {f: line for f, line in lines.items() if line["pixels"].nunique() > 1}
    return ResolutionData(unit_of(metric), several)


def size(data: ResolutionData) -> tuple[float, float]:
    """Width and height in inches."""
    return WIDTH, max(3.0, 0.6 + 0.2 * len(data.lines))


def draw(data: ResolutionData, figure: Figure) -> None:
    """One line per family, intervals as thin bars, moved apart by a little."""
    if not data.lines:
        return say_empty(figure, "No model was run at more than one resolution.")
    axes, look, scale = figure.subplots(), looks(list(data.lines)), data.unit.scale
    shifts = 1 + 0.012 * (np.arange(len(data.lines)) - (len(data.lines) - 1) / 2)
    for shift, (family, line) in zip(shifts, data.lines.items(), strict=True):
        colour, mark, dash = look[family]
        x = line["pixels"] * shift
        axes.vlines(x, line["low"] * scale, line["high"] * scale, color=colour, lw=1)
        axes.plot(
            x,
            line["value"] * scale,
            color=colour,
            marker=mark,
            linestyle=dash,
            label=short(family),
        )
    ticks = sorted({p for line in data.lines.values() for p in line["pixels"]})
    log_ticks(axes, ticks)
    axes.set(xlabel="Resolution (pixels)", ylabel=data.unit.axis())
    axes.grid(color=GRID)
    figure.legend(loc="outside right center")
