"""Bars of one metric with intervals: a row per encoder, a panel per method."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bakeoff.baseline import baseline_values
from bakeoff.figures.frames import encoders_in, frame, setting_names
from bakeoff.figures.intervals import Estimate, overall
from bakeoff.figures.style import (
    GRID,
    INK,
    MUTED,
    WIDTH,
    interval,
    looks,
    panels,
    rows_axis,
    say_empty,
    short,
)
from bakeoff.figures.units import Unit, unit_of

COLUMNS = 3


@dataclass(frozen=True)
class AccuracyData:
    """bars[setting][encoder]; `order` is the order of rows, best first.

    baseline[setting]: value of the commonest class, where it is known.
    """

    unit: Unit
    encoders: list[str]
    order: list[str]
    bars: dict[str, dict[str, Estimate]]
    confidence: float
    baseline: dict[str, float]


def data_from(
    *,
    metrics: pa.Table,
    baseline: pa.Table | None = None,
    metric: str = "accuracy",
    encoders: Sequence[str] | None = None,
    confidence: float = 0.95,
) -> AccuracyData:
    """The overall value of every encoder and setting with its interval.

    A share gets Wilson's interval for the images of one repetition: repeating the
    division does not make more images. Other metrics get no interval here; that of
    their difference is in the forest plot.
    """
    rows = frame(metrics)
    rows = rows[(rows["metric"] == metric) & (rows["class"] == "")]
    names = setting_names(zip(rows["method"], rows["protocol"], strict=True))
    by_protocol = sorted(names, key=lambda run: (run[1], run[0]))
    bars: dict[str, dict[str, Estimate]] = {names[run]: {} for run in by_protocol}
    for (method, protocol, encoder), runs in rows.groupby(
        ["method", "protocol", "encoder"]
    ):
        bars[names[method, protocol]][encoder] = overall(runs, confidence)
    unit, known = unit_of(metric), encoders_in(rows, encoders)
    order = _best_first(bars, known, unit)
    without = {} if baseline is None else baseline_values(baseline, metric)
    lines = {names[run]: without[run[1]] for run in names if run[1] in without}
    return AccuracyData(unit, known, order, bars, confidence, lines)


def size(data: AccuracyData) -> tuple[float, float]:
    """Width and height in inches."""
    rows = -(-max(1, len(data.bars)) // COLUMNS)
    return WIDTH, 0.55 + rows * (0.42 + 0.23 * max(2, len(data.order)))


def draw(data: AccuracyData, figure: Figure) -> None:
    """Bars from zero, black intervals, the value in print at the end of each row."""
    if not data.order:
        return say_empty(figure, f"No {data.unit.label.lower()} was computed.")
    for axes, (setting, bars) in zip(
        panels(figure, len(data.bars), COLUMNS), data.bars.items(), strict=True
    ):
        _panel(axes, data, bars)
        if setting in data.baseline:
            at = data.baseline[setting] * data.unit.scale
            axes.axvline(at, color=INK, linewidth=0.9, linestyle=":")
        axes.set_title(short(setting))
    figure.supxlabel(data.unit.axis(), fontsize=8)


def _best_first(
    bars: dict[str, dict[str, Estimate]], encoders: Sequence[str], unit: Unit
) -> list[str]:
    """By the mean over settings, so that a row is the same encoder in every panel."""

    def badness(encoder: str) -> float:
        values = [b[encoder].value for b in bars.values() if encoder in b]
        mean = float(np.nanmean(values)) if np.isfinite(values).any() else np.inf
        return {"higher": -mean, "lower": mean, "zero": abs(mean)}[unit.better]

    present = [e for e in encoders if any(e in b for b in bars.values())]
    return sorted(present, key=badness)


def _panel(axes: Axes, data: AccuracyData, bars: dict[str, Estimate]) -> None:
    look, scale = looks(data.encoders), data.unit.scale
    rows_axis(axes, data.order)
    axes.grid(axis="x", color=GRID)
    axes.axvline(0, color=MUTED, linewidth=0.7)
    for row, encoder in enumerate(data.order):
        if encoder not in bars:
            axes.text(0, row, " not run", va="center", color=MUTED, fontsize=7)
            continue
        bar = bars[encoder]
        axes.barh(
            row, bar.value * scale, height=0.62, color=look[encoder].colour, alpha=0.75
        )
        interval(axes, bar.low * scale, bar.high * scale, row)
        axes.annotate(
            f"{bar.value * scale:.1f}" if scale > 1 else f"{bar.value:.2f}",
            (1.0, row),
            xycoords=("axes fraction", "data"),
            xytext=(3, 0),
            textcoords="offset points",
            va="center",
            fontsize=7.5,
        )
    if scale > 1:
        axes.set_xlim(0, 100)
