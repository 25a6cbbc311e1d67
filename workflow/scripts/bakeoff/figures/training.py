"""What happened in fine-tuning: loss, temperature, drift, and seconds per epoch."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bakeoff.figures.frames import frame
from bakeoff.figures.style import GRID, INK, WIDTH, looks, rows_axis, say_empty, short

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
    return WIDTH, 4.4 + 0.17 * -(-len(data.steps) // 2)


def draw(data: TrainingData, figure: Figure) -> None:
    """Four panels over the same epochs; one colour per run."""
    if not data.steps:
        return say_empty(figure, "Nothing was fine-tuned.")
    (loss, temperature), (drift, seconds) = figure.subplots(2, 2)
    look = looks(list(data.steps))
    for run, rows in data.steps.items():
        colour, _, dash = look[run]
        thin = rows.iloc[:: max(1, len(rows) // _MOST)]
        x = thin["epoch"]
        loss.plot(x, thin["loss"], color=colour, linewidth=0.5, alpha=0.3)
        loss.plot(x, thin["smooth"], color=colour, linestyle=dash, label=short(run))
        if thin["floor"].notna().any():
            loss.plot(x, thin["floor"], color=colour, linewidth=0.9, linestyle=":")
        temperature.plot(x, thin["temperature"], color=colour, linestyle=dash)
        seen = thin[thin["drift"].notna()]
        drift.plot(seen["epoch"], seen["drift"], color=colour, linestyle=dash)
    _name(loss, "Loss", "Loss")
    _name(temperature, "Temperature", "Multiplier of the cosines")
    _name(drift, "Drift of queued features", "Cosine, queued and fresh")
    if all(rows["drift"].isna().all() for rows in data.steps.values()):
        drift.text(
            0.5, 0.5, "no queue was used", transform=drift.transAxes, ha="center"
        )
        drift.set_yticks([])
    _bars(seconds, data, look)
    handles, labels = loss.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2)


def _smoothed(rows: pd.DataFrame) -> pd.DataFrame:
    window = max(1, round(_SMOOTH * len(rows)))
    return rows.assign(smooth=rows["loss"].rolling(window, min_periods=1).mean())


def _name(axes: Axes, title: str, label: str) -> None:
    axes.set(title=title, ylabel=label, xlabel="Epoch")
    axes.grid(color=GRID)


def _bars(axes: Axes, data: TrainingData, look: Mapping) -> None:
    """Mean seconds per epoch, with a dot for each epoch."""
    rows_axis(axes, list(data.seconds), length=22)
    for row, (run, seconds) in enumerate(data.seconds.items()):
        if len(seconds):
            axes.barh(
                row, seconds.mean(), height=0.6, color=look[run].colour, alpha=0.75
            )
            axes.plot(seconds, [row] * len(seconds), "|", color=INK, markersize=6)
    axes.set(title="Time per epoch", xlabel="Seconds")
    axes.set_xlim(left=0)
    axes.grid(axis="x", color=GRID)
