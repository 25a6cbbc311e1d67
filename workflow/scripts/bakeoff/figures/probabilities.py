"""Stacked bars: how probable it is that a is better, equivalent or worse than b.

On a fixed test set the bars are shares of bootstrap samples, and are called so.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bakeoff.compare.labels import bootstrapped
from bakeoff.figures.pairs import FILL, Pair, primary_pairs
from bakeoff.figures.style import LIGHT, WIDTH, say_empty, short
from bakeoff.figures.units import lower_first, unit_of

_TEXT = {"better": LIGHT, "equivalent": "#1f2327", "worse": LIGHT}


@dataclass(frozen=True)
class ProbabilityData:
    """Pairs of one metric by setting; only those that have probabilities."""

    metric: str
    pairs: dict[str, list[Pair]]


def data_from(
    *,
    comparisons: pa.Table,
    metric: str = "accuracy",
    reference: str | None = None,
    method: str | None = None,
    protocol: str | None = None,
    control: str | None = None,
) -> ProbabilityData:
    """The three probabilities of each primary row of `metric`.

    The others choose among the rows, as in `primary_pairs`.
    """
    pairs: dict[str, list[Pair]] = {}
    for pair in primary_pairs(
        comparisons,
        metrics=[metric],
        reference=reference,
        method=method,
        protocol=protocol,
        control=control,
    ):
        if np.isfinite(pair.p_better):
            pairs.setdefault(pair.setting, []).append(pair)
    return ProbabilityData(metric, dict(sorted(pairs.items())))


def size(data: ProbabilityData) -> tuple[float, float]:
    """Width and height in inches."""
    rows = sum(len(pairs) for pairs in data.pairs.values())
    return WIDTH, 0.75 + 0.3 * len(data.pairs) + 0.34 * max(1, rows)


def draw(data: ProbabilityData, figure: Figure) -> None:
    """One panel per setting, below each other; the numbers stand in the bars."""
    if not data.pairs:
        return say_empty(figure, "No comparison came with probabilities.")
    heights = [len(pairs) for pairs in data.pairs.values()]
    column = figure.subplots(
        len(heights), 1, sharex=True, squeeze=False, height_ratios=heights
    )
    for axes, (setting, pairs) in zip(column.flat, data.pairs.items(), strict=True):
        _bars(axes, pairs)
        axes.set_title(f"{short(setting)}{_kind(pairs)}")
    last = column.flat[-1]
    metric = lower_first(unit_of(data.metric).label)
    last.set_xlabel(f"For the first of the pair, in {metric} (%)")
    handles, labels = last.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper right", ncols=3)


def _bars(axes: Axes, pairs: list[Pair]) -> None:
    left = np.zeros(len(pairs))
    for verdict, colour in FILL.items():
        share = np.array([getattr(pair, f"p_{verdict}") for pair in pairs]) * 100
        axes.barh(
            range(len(pairs)),
            share,
            left=left,
            height=0.66,
            color=colour,
            label=verdict,
        )
        for row in np.flatnonzero(share >= 6).tolist():
            axes.text(
                left[row] + share[row] / 2,
                row,
                _percent(share[row]),
                ha="center",
                va="center",
                fontsize=7,
                color=_TEXT[verdict],
            )
        left = left + share
    names = [f"{short(pair.a, 28)}\n− {short(pair.b, 28)}" for pair in pairs]
    axes.set_yticks(range(len(pairs)), names, fontsize=7, linespacing=1.05)
    axes.set_ylim(len(pairs) - 0.5, -0.5)
    axes.set_xlim(0, 100)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)


def _kind(pairs: list[Pair]) -> str:
    """What the numbers of a setting are; its pairs share their test."""
    shares = any(bootstrapped(pair.test, pair.label) for pair in pairs)
    return ": shares of bootstrap samples" if shares else ": probabilities"


def _percent(share: float) -> str:
    """Never 100: no probability of a continuous posterior is certain."""
    return ">99" if share >= 99.5 else f"{share:.0f}"
