"""Forest plot: differences with intervals, zero, and the band of equivalence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bakeoff.figures.pairs import Pair, edge, face, primary_pairs, printed_p
from bakeoff.figures.style import GRID, MUTED, WIDTH, interval, say_empty, short
from bakeoff.figures.units import Unit, unit_of

_MEANING = {
    "better": "better",
    "equivalent": "equivalent",
    "worse": "worse",
    "inconclusive": "inconclusive",
}


@dataclass(frozen=True)
class ForestData:
    """cells[setting, a, b][metric]; `bands` are half widths in stored units."""

    metrics: list[str]
    cells: dict[tuple[str, str, str], dict[str, Pair]]
    bands: dict[str, float]


def data_from(
    *,
    comparisons: pa.Table,
    metrics: Sequence[str] | None = None,
    reference: str | None = None,
    bands: Mapping[str, float] | None = None,
    method: str | None = None,
    protocol: str | None = None,
    control: str | None = None,
) -> ForestData:
    """The primary rows of `comparisons`: a row per setting and pair.

    `metrics` become columns (all of the table by default); `bands` gives the half
    width of the equivalence band of each metric where it is not the one with which the
    table was made. The others choose among the rows, as in `primary_pairs`.
    """
    pairs = primary_pairs(
        comparisons,
        metrics=metrics,
        reference=reference,
        method=method,
        protocol=protocol,
        control=control,
    )
    cells: dict[tuple[str, str, str], dict[str, Pair]] = {}
    for pair in pairs:
        cells.setdefault((pair.setting, pair.a, pair.b), {})[pair.metric] = pair
    present = dict.fromkeys(pair.metric for pair in pairs)
    columns = [m for m in (metrics or present) if m in present]
    ordered = {key: cells[key] for key in sorted(cells, key=lambda key: key[0])}
    compared = {pair.metric: pair.band for pair in pairs}
    return ForestData(columns, ordered, compared | dict(bands or {}))


def size(data: ForestData) -> tuple[float, float]:
    """Width and height in inches."""
    settings = len({key[0] for key in data.cells})
    return max(WIDTH, 1.4 + 1.95 * len(data.metrics)), 1.2 + 0.36 * len(
        data.cells
    ) + 0.3 * settings


def draw(data: ForestData, figure: Figure) -> None:
    """A column per metric, a row per pair, grouped by setting."""
    if not data.cells:
        return say_empty(figure, "There was no pair to compare.")
    columns = figure.subplots(1, len(data.metrics), sharey=True, squeeze=False)[0]
    places = _places(data)
    for axes, metric in zip(columns, data.metrics, strict=True):
        _column(axes, metric, data, places)
    _names(columns[0], data, places)
    _legend(figure)


def _places(data: ForestData) -> dict[tuple[str, str, str], float]:
    """Heights of the rows: a gap for the heading where a setting begins."""
    places, height, before = {}, 0.0, None
    for key in data.cells:
        height += 0.8 if key[0] != before else 0.0
        places[key], before = height, key[0]
        height += 1.0
    return places


def _names(axes: Axes, data: ForestData, places: dict) -> None:
    pairs = [f"{short(a, 28)}\n− {short(b, 28)}" for _, a, b in data.cells]
    axes.set_yticks(list(places.values()), pairs, linespacing=1.05, fontsize=7)
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(max(places.values()) + 0.6, -0.15)
    for setting in dict.fromkeys(key[0] for key in data.cells):
        first = min(h for key, h in places.items() if key[0] == setting)
        axes.annotate(
            short(setting),
            (0, first - 0.68),
            xycoords=("axes fraction", "data"),
            xytext=(-5, 0),
            textcoords="offset points",
            ha="right",
            va="center",
            fontweight="bold",
        )


def _column(axes: Axes, metric: str, data: ForestData, places: dict) -> None:
    unit = unit_of(metric)
    half = data.bands[metric] * unit.scale
    if half > 0:
        axes.axvspan(-half, half, color=GRID, alpha=0.8, linewidth=0, zorder=0)
    axes.axvline(0, color=MUTED, linewidth=0.8, zorder=1)
    for key, row in data.cells.items():
        if metric in row:
            _interval(axes, row[metric], places[key], unit)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    # On lines of their own, so that the labels of narrow columns keep apart.
    label = unit.difference_axis().replace(" (", "\n(")
    axes.set_xlabel(f"{label}\n{_direction(unit)}")
    _widen(axes, half)


def _interval(axes: Axes, pair: Pair, height: float, unit: Unit) -> None:
    scale = unit.scale
    interval(axes, pair.low * scale, pair.high * scale, height)
    axes.plot(
        pair.estimate * scale,
        height,
        "o",
        markersize=6,
        markerfacecolor=face(pair.verdict),
        markeredgecolor=edge(pair.verdict),
        markeredgewidth=1.2,
    )
    axes.annotate(
        f"{_numbers(pair, scale)}\n{printed_p(pair.p_adjusted)}",
        (1, height),
        xycoords=("axes fraction", "data"),
        xytext=(3, 0),
        textcoords="offset points",
        va="center",
        fontsize=6.5,
        linespacing=1.2,
    )


def _numbers(pair: Pair, scale: float) -> str:
    """The difference and its interval, or the verdict where there is no number."""
    if not np.isfinite(pair.estimate):
        return pair.verdict
    digits = 1 if scale > 1 else 3
    estimate, low, high = (x * scale for x in (pair.estimate, pair.low, pair.high))
    printed = f"{estimate:+.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"
    return printed.replace("-", "−")


def _direction(unit: Unit) -> str:
    return {
        "higher": "first of the pair better  →",
        "lower": "←  first of the pair better",
        "zero": "nearer to zero is better",
    }[unit.better]


def _widen(axes: Axes, half: float) -> None:
    """Zero and the whole band are always in the picture."""
    low, high = axes.get_xlim()
    margin = 0.05 * (high - low)
    axes.set_xlim(min(low, -1.4 * half - margin), max(high, 1.4 * half + margin))


def _legend(figure: Figure) -> None:
    handles = [
        Line2D(
            [],
            [],
            linestyle="",
            marker="o",
            markersize=6,
            markerfacecolor=face(verdict),
            markeredgecolor=edge(verdict),
            label=words,
        )
        for verdict, words in _MEANING.items()
    ]
    figure.legend(handles=handles, loc="outside upper right", ncols=4)
