"""Whether a verdict depends on the setting of its probe, in sentences."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from bakeoff.errors import listed
from bakeoff.figures.frames import frame
from bakeoff.figures.units import unit_of
from bakeoff.stats.shares import wilson

_MOST_TOLD = 4  # stretches of the grid that are named one by one


def lead_by_setting(sensitivity: pa.Table, run: tuple[str, str], leader: str) -> str:
    """Over which values of the probe's setting the leader leads; where the lead turns.

    run: protocol and method. Where several encoders are equally good at a value, the
    leader counts as leading. Empty without a setting or with a single encoder.
    """
    rows = _of_run(sensitivity, run).dropna(subset=["value", "score"])
    if rows["encoder"].nunique() < 2:
        return ""
    name = str(rows["setting"].iloc[0])
    stretches = _stretches(rows, leader)
    if [encoder for encoder, _ in stretches] == [leader]:
        return f"The lead holds for {_range(name, stretches[0][1])}."
    used = _used(rows, name)
    if len(stretches) > _MOST_TOLD:
        return f"The lead turns {len(stretches) - 1} times: {_shares(stretches)}{used}."
    told = [f"{e} leads for {_range(name, values)}" for e, values in stretches]
    turns = [values[0] for _, values in stretches[1:]]
    at = f" at {name} {listed(map(_number, turns), 4)}" if turns else ""
    return f"The lead turns with the setting{at}: {', '.join(told)}{used}."


def instability(
    sensitivity: pa.Table,
    run: tuple[str, str],
    *,
    nested: bool,
    confidence: float = 0.95,
) -> list[str]:
    """A sentence for every encoder whose probe stands at an edge, and none if all is well.

    Two things are reported: the accuracy leaves its own interval (Wilson's) when a single
    training image is left out; or, where the setting is chosen inside the training
    images, more than half of the runs choose the first or the last value of the grid,
    and the next value predicts another number of images right. Where it does not, nothing
    changes any more towards that edge.
    """
    rows = _of_run(sensitivity, run)
    found = []
    for encoder, own in rows.groupby("encoder", sort=False):
        found += _moved_by_one_image(str(encoder), own, confidence)
        found += _at_the_edge(str(encoder), own) if nested else []
    return found


def _of_run(sensitivity: pa.Table, run: tuple[str, str]) -> pd.DataFrame:
    rows = frame(sensitivity)
    return rows[(rows["protocol"] == run[0]) & (rows["method"] == run[1])]


def _stretches(rows: pd.DataFrame, leader: str) -> list[tuple[str, list[float]]]:
    """Who leads, and the neighbouring values at which it does, in ascending order."""
    stretches: list[tuple[str, list[float]]] = []
    for value, here in rows.groupby("value"):
        first = _first(here, stretches[-1][0] if stretches else leader, leader)
        if stretches and stretches[-1][0] == first:
            stretches[-1][1].append(float(value))
        else:
            stretches.append((first, [float(value)]))
    return stretches


def _first(rows: pd.DataFrame, before: str, leader: str) -> str:
    """The best encoder; among equals the leader, then the one that led before."""
    badness = {"higher": -1.0, "lower": 1.0, "zero": 1.0}
    better = unit_of(str(rows["metric"].iloc[0])).better
    score = rows["score"].abs() if better == "zero" else rows["score"]
    worse = score * badness[better]
    best = sorted(rows["encoder"][worse <= worse.min() + 1e-12])
    return next((e for e in (leader, before) if e in best), best[0])


def _shares(stretches: Sequence[tuple[str, list[float]]]) -> str:
    """At how many of the values each encoder leads, most first."""
    led: Counter[str] = Counter()
    for encoder, values in stretches:
        led[encoder] += len(values)
    total = sum(led.values())
    return ", ".join(
        f"{encoder} leads for {count} of {total} values"
        for encoder, count in led.most_common()
    )


def _range(name: str, values: Sequence[float]) -> str:
    if len(values) == 1:
        return f"{name} {_number(values[0])}"
    return f"{name} from {_number(values[0])} to {_number(values[-1])}"


def _used(rows: pd.DataFrame, name: str) -> str:
    used = rows["value"][rows["runs"] > 0]
    return f" (used: {_range(name, sorted(set(used)))})" if len(used) else ""


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def _moved_by_one_image(
    encoder: str, rows: pd.DataFrame, confidence: float
) -> list[str]:
    configured: Mapping[str, float] = rows[rows["value"].isna()].iloc[0].to_dict()
    n, hits = configured["n"], configured["hits"]
    if not np.isfinite(configured["left_out"]):
        return []
    low, high = wilson(hits, n, confidence)
    worst = max(("fewest", "most"), key=lambda end: abs(configured[end] - hits))
    moved = configured[worst] / n
    if low <= moved <= high:
        return []
    percent = (f"{100 * share:.1f}" for share in (moved, hits / n, low, high))
    text = (
        "{0} is unstable with this probe: without a single training image its accuracy "
        "is {1} % instead of {2} %, outside of its interval ({3} to {4}). Choose the "
        "setting inside the training images (`nested`), on vectors scaled to fit "
        "(`rescale: true`)."
    )
    return [text.format(encoder, *percent)]


def _at_the_edge(encoder: str, rows: pd.DataFrame) -> list[str]:
    grid = rows.dropna(subset=["value"]).sort_values("value")
    if grid.empty or not grid["runs"].sum():
        return []
    name = str(grid["setting"].iloc[0])
    for end, beside, word in ((0, 1, "first"), (-1, -2, "last")):
        row = grid.iloc[end]
        flat = row["hits"] == grid.iloc[beside]["hits"]
        if row["runs"] > grid["runs"].sum() / 2 and not flat:
            return [
                f"{encoder} is unstable with this probe: {row['runs']:.0f} of "
                f"{grid['runs'].sum():.0f} runs choose the {word} value that was tried, "
                f"{name} {_number(row['value'])}; a better one may lie beyond. Give "
                f"`{name}s` more values."
            ]
    return []
