"""Where two encoders confuse differently: one confusion matrix minus the other."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from bakeoff.figures import confusion
from bakeoff.figures.style import colour_bar, say_empty, short, signed_points


@dataclass(frozen=True)
class DifferenceData:
    """shares: (K, K) of a minus b, NaN rows for classes without images."""

    a: str
    b: str
    classes: list[str]
    shares: np.ndarray | None


def data_from(
    *,
    predictions: Sequence[pa.Table],
    a: str,
    b: str,
    method: str | None = None,
    protocol: str | None = None,
) -> DifferenceData:
    """Row-normalised counts of `a` minus those of `b`, in one setting."""
    both = confusion.data_from(
        predictions=predictions, method=method, protocol=protocol, encoders=[a, b]
    )
    found = a in both.shares and b in both.shares
    shares = both.shares[a] - both.shares[b] if found else None
    return DifferenceData(a, b, both.classes, shares)


def size(data: DifferenceData) -> tuple[float, float]:
    """Width and height in inches."""
    width, height = confusion.extent(data.classes, 1)
    return 0.8 * width, height


def draw(data: DifferenceData, figure: Figure) -> None:
    """Blue: a more often; red: b more often; the scale is symmetric about zero."""
    if data.shares is None:
        return say_empty(figure, "One of the two encoders has no predictions here.")
    most = max(0.05, float(np.nanmax(np.abs(data.shares))))
    colours = ScalarMappable(Normalize(-most, most), "RdBu")
    title = f"{short(data.a)} − {short(data.b)}"
    axes = confusion.matrices(figure, {title: data.shares}, data.classes, colours)
    colour_bar(
        figure,
        axes,
        colours,
        "Difference (points of the true class)",
        format=lambda value, _: signed_points(value),
    )
