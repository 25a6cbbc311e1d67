"""The deciding metric of every encoder against the setting of a probe."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import pyarrow as pa
from matplotlib.figure import Figure

from bakeoff.figures.frames import encoders_in, frame, one_setting
from bakeoff.figures.style import GRID, WIDTH, looks, say_empty, short
from bakeoff.figures.units import Unit, unit_of


@dataclass(frozen=True)
class SettingsData:
    """lines[encoder]: columns value, score and runs, sorted by value."""

    setting: str
    unit: Unit
    encoders: list[str]
    lines: dict[str, pd.DataFrame]


def data_from(
    *,
    sensitivity: pa.Table,
    method: str,
    protocol: str,
    encoders: Sequence[str] | None = None,
) -> SettingsData:
    """The scores of one probe by encoder and value; runs: that used this value."""
    rows = one_setting(frame(sensitivity), method, protocol)
    grid = rows.dropna(subset=["value", "score"])
    known = [e for e in encoders_in(rows, encoders) if e in set(grid["encoder"])]
    lines = {
        e: grid[grid["encoder"] == e].sort_values("value")[["value", "score", "runs"]]
        for e in known
    }
    unit = unit_of(str(rows["metric"].iloc[0]) if len(rows) else "accuracy")
    name = str(grid["setting"].iloc[0]) if len(grid) else ""
    return SettingsData(name, unit, list(encoders or known), lines)


def size(data: SettingsData) -> tuple[float, float]:
    """Width and height in inches."""
    return WIDTH, max(3.0, 0.6 + 0.2 * len(data.lines))


def draw(data: SettingsData, figure: Figure) -> None:
    """One line per encoder over a log axis; marks where the probe used the value."""
    if not data.lines:
        return say_empty(figure, "The probe has no setting that was varied.")
    axes, look, scale = figure.subplots(), looks(data.encoders), data.unit.scale
    for encoder, line in data.lines.items():
        colour, mark, dash = look[encoder]
        y = line["score"] * scale
        used = line["runs"] > 0
        axes.plot(line["value"], y, color=colour, linestyle=dash)
        axes.plot(line["value"][used], y[used], color=colour, marker=mark, linestyle="")
        axes.plot(
            [], [], color=colour, marker=mark, linestyle=dash, label=short(encoder)
        )
    axes.set_xscale("log")
    axes.set(xlabel=f"{data.setting} (log scale)", ylabel=data.unit.axis())
    axes.grid(color=GRID)
    figure.legend(loc="outside right center")
