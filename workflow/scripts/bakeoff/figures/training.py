"""What happened in fine-tuning: loss, temperature, drift, and seconds per epoch."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from bakeoff.figures.frames import frame
from bakeoff.figures.style import (
    GRID,
    INK,
    WIDTH,
    Look,
    looks,
    rows_axis,
    say_empty,
    short,
)

_SMOOTH = 0.02  # window of the running mean, as a share of all steps
_MOST = 2000  # points drawn of one curve


@dataclass(frozen=True)
class TrainingData:
    """steps[run]: the rows of `training`; seconds[run]: (epochs,) wall-clock seconds."""

    steps: dict[str, pd.DataFrame]
    seconds: dict[str, np.ndarray]


def data_from(*, training: Mapping[str, pa.Table]) -> TrainingData:
    """The steps of every run, with its running mean of the loss, and whole epochs."""
    steps = {run: _smoothed(frame(table)) for run, table in training.items()}
    return TrainingData(
        steps, {run: epoch_seconds(rows) for run, rows in steps.items()}
    )


def epoch_seconds(rows: pd.DataFrame) -> np.ndarray:
    """(epochs,) seconds that each epoch took; a last epoch cut short is left out.

    An epoch ends with the first step that has seen all of its images.
    """
    epoch, clock = rows["epoch"].to_numpy(), rows["seconds"].to_numpy()
    last = int(np.floor(epoch.max(initial=0.0) + 1e-9))
    ends = clock[np.searchsorted(epoch, np.arange(1, last + 1) - 1e-9)]
    return np.diff(ends, prepend=0.0)


def size(data: TrainingData) -> tuple[float, float]:
    """Width and height in inches."""
    rows = 2 if _queued(data) else 1
    return WIDTH, 2.15 * rows + 0.1 + 0.17 * -(-len(data.steps) // 2)


def draw(data: TrainingData, figure: Figure) -> None:
    """Panels over the same epochs, one colour per run; drift only where it was measured."""
    if not data.steps:
        return say_empty(figure, "Nothing was fine-tuned.")
    look, queued = looks(list(data.steps)), _queued(data)
    panels = list(figure.subplots(*((2, 2) if queued else (1, 3))).flat)
    _loss(panels[0], data, look)
    _curves(panels[1], data, look, "temperature")
    _name(panels[1], "Temperature", "Multiplier of the cosines")
    if queued:
        _curves(panels[2], data, look, "drift")
        _name(panels[2], "Drift of queued features", "Cosine, queued and fresh")
    _bars(panels[-1], data, look)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2)


def _queued(data: TrainingData) -> bool:
    return any(rows["drift"].notna().any() for rows in data.steps.values())


def _loss(axes: Axes, data: TrainingData, look: Mapping[str, Look]) -> None:
    """Every step thin, the running mean thick, what the targets allow dotted."""
    for run, rows in data.steps.items():
        colour, _, dash = look[run]
        thin = _thinned(rows)
        x = thin["epoch"]
        axes.plot(x, thin["loss"], color=colour, linewidth=0.5, alpha=0.3)
        axes.plot(x, thin["smooth"], color=colour, linestyle=dash, label=short(run))
        if thin["floor"].notna().any():
            axes.plot(x, thin["floor"], color=colour, linewidth=0.9, linestyle=":")
    _name(axes, "Loss", "Loss")


def _curves(
    axes: Axes, data: TrainingData, look: Mapping[str, Look], column: str
) -> None:
    for run, rows in data.steps.items():
        seen = _thinned(rows[rows[column].notna()])
        colour, _, dash = look[run]
        axes.plot(seen["epoch"], seen[column], color=colour, linestyle=dash)


def _thinned(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.iloc[:: max(1, len(rows) // _MOST)]


def _smoothed(rows: pd.DataFrame) -> pd.DataFrame:
    window = max(1, round(_SMOOTH * len(rows)))
    return rows.assign(smooth=rows["loss"].rolling(window, min_periods=1).mean())


def _name(axes: Axes, title: str, label: str) -> None:
    axes.set(title=title, ylabel=label, xlabel="Epoch")
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.grid(color=GRID)


def _bars(axes: Axes, data: TrainingData, look: Mapping[str, Look]) -> None:
    """Mean seconds per epoch in colour and in print, with a tick for each epoch."""
    rows_axis(axes, [""] * len(data.seconds))
    for row, (run, seconds) in enumerate(data.seconds.items()):
        if len(seconds):
            axes.barh(
                row, seconds.mean(), height=0.6, color=look[run].colour, alpha=0.75
            )
            axes.plot(seconds, [row] * len(seconds), "|", color=INK, markersize=6)
            axes.annotate(
                f"{seconds.mean():.3g} s",
                (0, row),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
                fontsize=7.5,
            )
    axes.set(title="Time per epoch", xlabel="Seconds")
    axes.set_xlim(left=0)
    axes.grid(axis="x", color=GRID)
