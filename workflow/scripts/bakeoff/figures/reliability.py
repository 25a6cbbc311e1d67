"""Reliability diagrams: whether a confidence of 80 % is right 80 % of the time.

Bins hold equally many images (at most 15 bins, about 20 images or more in each), since
equal widths leave most bins of a good model nearly empty. The grey band is where 95 % of
perfectly calibrated models with these confidences would lie.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.special import softmax

from bakeoff.figures.frames import encoders_in, frame, one_setting
from bakeoff.figures.opinions import score_matrix
from bakeoff.figures.style import EDGE, GRID, WIDTH, looks, panels, say_empty, short
from bakeoff.metrics.probabilistic import perfect_hits
from bakeoff.stats.shares import wilson
from bakeoff.tables import origin

COLUMNS = 3
_DRAWS = 2000


@dataclass(frozen=True)
class ReliabilityData:
    """bins[encoder]: columns confidence, right, low, high, band_low, band_high, n."""

    encoders: list[str]
    bins: dict[str, pd.DataFrame]
    confidences: dict[str, np.ndarray]


def data_from(
    *,
    predictions: Sequence[pa.Table],
    method: str | None = None,
    protocol: str | None = None,
    encoders: Sequence[str] | None = None,
    confidence: float = 0.95,
    seed: int = 0,
) -> ReliabilityData:
    """Bins of the probability given to the predicted class, first repeat only.

    Logits become probabilities by softmax; methods that give other scores, or none,
    have no calibration and are left out.
    """
    found = [rows for table in predictions if (rows := _rows(table)) is not None]
    if not found:
        return ReliabilityData([], {}, {})
    rows = one_setting(pd.concat(found, ignore_index=True), method, protocol)
    rows = rows.sort_values("repeat", kind="stable")
    rows = rows.drop_duplicates(["encoder", "image_id"])
    known = [e for e in encoders_in(rows, encoders) if e in set(rows["encoder"])]
    mine = {e: rows[rows["encoder"] == e] for e in known}
    bins = {
        e: calibration_bins(
            part["sure"].to_numpy(), part["right"].to_numpy(), confidence, seed
        )
        for e, part in mine.items()
    }
    sure = {e: part["sure"].to_numpy() for e, part in mine.items()}
    return ReliabilityData(list(encoders or known), bins, sure)


def calibration_bins(
    sure: np.ndarray, right: np.ndarray, confidence: float, seed: int
) -> pd.DataFrame:
    """One row per bin of equally many images, sorted by confidence.

    sure: (n,) float, probability of the predicted class; right: (n,) bool.
    """
    rng = np.random.default_rng(seed)
    count = int(np.clip(len(sure) // 20, 1, 15))
    table = []
    for places in np.array_split(np.argsort(sure, kind="stable"), count):
        n, p = len(places), sure[places]
        low, high = wilson(float(right[places].sum()), n, confidence)
        perfect = np.concatenate([h.mean(axis=1) for h in perfect_hits(p, _DRAWS, rng)])
        tail = (1 - confidence) / 2
        band = np.quantile(perfect, [tail, 1 - tail])
        table.append((p.mean(), right[places].mean(), low, high, *band, n))
    names = ["confidence", "right", "low", "high", "band_low", "band_high", "n"]
    return pd.DataFrame(table, columns=names)


def size(data: ReliabilityData) -> tuple[float, float]:
    """Width and height in inches."""
    return WIDTH, 0.4 + 2.5 * -(-max(1, len(data.bins)) // COLUMNS)


def draw(data: ReliabilityData, figure: Figure) -> None:
    """One panel per encoder; the histogram at the foot shows the confidences."""
    if not data.bins:
        return say_empty(figure, "No method of this setting gives probabilities.")
    look = looks(data.encoders)
    for axes, (encoder, bins) in zip(
        panels(figure, len(data.bins), COLUMNS), data.bins.items(), strict=True
    ):
        _panel(axes, bins, data.confidences[encoder], look[encoder].colour)
        axes.set_title(short(encoder))
    figure.supxlabel("Confidence (%)", fontsize=8)
    figure.supylabel("Right (%)", fontsize=8)


def _rows(table: pa.Table) -> pd.DataFrame | None:
    scores, kind = score_matrix(table), origin(table).get("scores")
    if scores is None or kind not in ("probability", "logit"):
        return None
    sure = (softmax(scores, axis=1) if kind == "logit" else scores).max(axis=1)
    columns = [
        "image_id",
        "y_true",
        "y_pred",
        "encoder",
        "method",
        "protocol",
        "repeat",
    ]
    rows = frame(table.select(columns))
    return rows.assign(sure=sure, right=rows["y_true"] == rows["y_pred"])


def _panel(axes: Axes, bins: pd.DataFrame, sure: np.ndarray, colour: str) -> None:
    x = bins["confidence"] * 100
    counts, edges = np.histogram(sure, bins=25, range=(0, 1))
    axes.bar(
        edges[:-1] * 100,
        counts / counts.max() * 14,
        width=4,
        align="edge",
        color=GRID,
        linewidth=0,
    )
    axes.fill_between(
        x, bins["band_low"] * 100, bins["band_high"] * 100, color=EDGE, alpha=0.3, lw=0
    )
    axes.plot([0, 100], [0, 100], color=EDGE, linewidth=0.9, dashes=(4, 3))
    axes.vlines(x, bins["low"] * 100, bins["high"] * 100, color=colour, linewidth=1)
    axes.plot(x, bins["right"] * 100, "o", color=colour, markersize=4, clip_on=False)
    axes.set(xlim=(0, 100), ylim=(0, 100))
    axes.set_aspect("equal")
