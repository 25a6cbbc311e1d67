"""Age-bias plot: mean predicted value at each reference value, against agreement.

Campana, S. E., Annand, M. C. and McMillan, J. I. (1995), Transactions of the American
Fisheries Society 124:131-138. Reference values with fewer than three images get no
interval.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import stats

from bakeoff.figures.frames import encoders_in, frames, one_setting
from bakeoff.figures.style import (
    EDGE,
    GRID,
    INK,
    MUTED,
    WIDTH,
    looks,
    panels,
    say_empty,
    short,
)

COLUMNS = 3


@dataclass(frozen=True)
class AgeBiasData:
    """rows[encoder]: columns age, mean, low, high (label units), n; one row per age."""

    encoders: list[str]
    rows: dict[str, pd.DataFrame]


def data_from(
    *,
    predictions: Sequence[pa.Table],
    method: str | None = None,
    protocol: str | None = None,
    encoders: Sequence[str] | None = None,
    confidence: float = 0.95,
) -> AgeBiasData:
    """Mean prediction before rounding, with its t-interval, at every reference value.

    An image predicted in several repeats counts once, with its mean prediction. Methods
    without a raw prediction count with their label.
    """
    columns = ["encoder", "method", "protocol", "image_id", "y_true", "y_pred", "y_raw"]
    rows = one_setting(frames(predictions, columns), method, protocol)
    rows = rows.assign(
        age=rows["y_true"].astype(float),
        predicted=rows["y_raw"].fillna(rows["y_pred"].astype(float)),
    )
    images = rows.groupby(["encoder", "image_id", "age"], as_index=False)["predicted"]
    means = images.mean()
    known = [e for e in encoders_in(rows, encoders) if e in set(means["encoder"])]
    table = {e: _by_age(means[means["encoder"] == e], confidence) for e in known}
    return AgeBiasData(list(encoders or known), table)


def size(data: AgeBiasData) -> tuple[float, float]:
    """Width and height in inches."""
    return WIDTH, 0.4 + 2.55 * -(-max(1, len(data.rows)) // COLUMNS)


def draw(data: AgeBiasData, figure: Figure) -> None:
    """One panel per encoder on shared axes; the number of images stands on top."""
    if not data.rows:
        return say_empty(figure, "There are no ordinal predictions of this setting.")
    look = looks(data.encoders)
    low, high = _limits(data)
    for axes, (encoder, rows) in zip(
        panels(figure, len(data.rows), COLUMNS), data.rows.items(), strict=True
    ):
        axes.plot([low, high], [low, high], color=EDGE, linewidth=0.9, dashes=(4, 3))
        _means(axes, rows, look[encoder].colour)
        axes.set(xlim=(low, high), ylim=(low, high + 0.09 * (high - low)))
        axes.set_aspect("equal", adjustable="box")
        axes.grid(color=GRID)
        axes.set_title(short(encoder))
        _counts(axes, rows, high)
    figure.supxlabel("Reference value", fontsize=8)
    figure.supylabel("Mean predicted value", fontsize=8)


def _by_age(rows: pd.DataFrame, confidence: float) -> pd.DataFrame:
    table = rows.groupby("age")["predicted"].agg(["mean", "sem", "size"]).reset_index()
    half = stats.t.ppf((1 + confidence) / 2, table["size"] - 1) * table["sem"]
    half = half.where(table["size"] >= 3)
    return pd.DataFrame(
        {
            "age": table["age"],
            "mean": table["mean"],
            "low": table["mean"] - half,
            "high": table["mean"] + half,
            "n": table["size"],
        }
    )


def _limits(data: AgeBiasData) -> tuple[float, float]:
    every = pd.concat(data.rows.values())
    low = min(every["age"].min(), np.nanmin(every[["mean", "low"]]))
    high = max(every["age"].max(), np.nanmax(every[["mean", "high"]]))
    return low - 0.7, high + 0.7


def _means(axes: Axes, rows: pd.DataFrame, colour: str) -> None:
    axes.vlines(rows["age"], rows["low"], rows["high"], color=INK, linewidth=1.0)
    axes.plot(rows["age"], rows["mean"], "o", color=colour, markersize=4)


def _counts(axes: Axes, rows: pd.DataFrame, high: float) -> None:
    crowded = len(rows) > 12 or rows["n"].max() >= 100
    for age, n in zip(rows["age"], rows["n"], strict=True):
        axes.text(
            age,
            high,
            f"{n}",
            ha="center",
            va="bottom",
            fontsize=6,
            rotation=90 if crowded else 0,
            color=MUTED,
        )
