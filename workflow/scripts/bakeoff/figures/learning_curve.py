"""A metric against the number of training images: learning and few-shot curves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
from matplotlib.figure import Figure

from bakeoff.figures.frames import OVERALL, encoders_in, frame
from bakeoff.figures.style import GRID, WIDTH, log_ticks, looks, say_empty, short
from bakeoff.figures.units import Unit, unit_of
from bakeoff.folds import runs


@dataclass(frozen=True)
class CurveData:
    """curves[encoder]: columns images, mean, low, high, repeats; low, high the range."""

    unit: Unit
    encoders: list[str]
    curves: dict[str, pd.DataFrame]


def data_from(
    *,
    metrics: pa.Table,
    folds: Mapping[str, pa.Table],
    method: str,
    metric: str = "accuracy",
    encoders: Sequence[str] | None = None,
) -> CurveData:
    """Mean and range over the repeats that trained on equally many images.

    `folds` gives the table of folds of every protocol that belongs to the curve: one
    of kind `curve`, or several of kind `fewshot`.
    """
    rows = frame(metrics)
    rows = rows[
        (rows["metric"] == metric)
        & (rows["class"] == "")
        & (rows["method"] == method)
        & (rows["fold"] == OVERALL)
        & (rows["repeat"] != OVERALL)
        & rows["protocol"].isin(list(folds))
    ]
    amount = {key: n for p, table in folds.items() for key, n in _amounts(p, table)}
    keys = zip(rows["protocol"], rows["repeat"], strict=True)
    rows = rows.assign(images=[amount[key] for key in keys])
    known = [e for e in encoders_in(rows, encoders) if e in set(rows["encoder"])]
    curves = {e: _curve(rows[rows["encoder"] == e]) for e in known}
    return CurveData(unit_of(metric), list(encoders or known), curves)


def size(data: CurveData) -> tuple[float, float]:
    """Width and height in inches."""
    return WIDTH, max(3.0, 0.6 + 0.2 * len(data.curves))


def draw(data: CurveData, figure: Figure) -> None:
    """Lines of means, bands from the smallest to the largest repeat, a log axis."""
    if not data.curves:
        return say_empty(figure, "No protocol varies the number of training images.")
    axes, look, scale = figure.subplots(), looks(data.encoders), data.unit.scale
    for encoder, curve in data.curves.items():
        colour, mark, dash = look[encoder]
        axes.fill_between(
            curve["images"],
            curve["low"] * scale,
            curve["high"] * scale,
            color=colour,
            alpha=0.15,
            linewidth=0,
        )
        axes.plot(
            curve["images"],
            curve["mean"] * scale,
            color=colour,
            marker=mark,
            linestyle=dash,
            label=short(encoder),
        )
    ticks = sorted({n for curve in data.curves.values() for n in curve["images"]})
    log_ticks(axes, ticks)
    axes.set(xlabel="Training images", ylabel=data.unit.axis())
    axes.grid(color=GRID)
    figure.legend(loc="outside right center")


def _amounts(protocol: str, folds: pa.Table) -> list[tuple[tuple[str, int], float]]:
    """((protocol, repeat), training images); the mean where folds differ by one or so."""
    sizes: dict[int, list[int]] = {}
    for run in runs(folds):
        sizes.setdefault(run.repeat, []).append(len(run.train_ids))
    return [((protocol, repeat), float(np.mean(n))) for repeat, n in sizes.items()]


def _curve(rows: pd.DataFrame) -> pd.DataFrame:
    grouped = rows.groupby("images")["value"]
    table = grouped.agg(["mean", "min", "max", "size"]).reset_index()
    return table.rename(columns={"min": "low", "max": "high", "size": "repeats"})
