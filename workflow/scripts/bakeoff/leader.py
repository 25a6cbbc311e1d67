"""What a reader asks next of the encoder that leads: which images, classes, and cost."""

import math

import pandas as pd
import pyarrow as pa

from bakeoff.baseline import baseline_values
from bakeoff.cells import significant
from bakeoff.figures.frames import OVERALL, frame
from bakeoff.figures.intervals import Estimate, overall
from bakeoff.figures.units import Unit, lower_first, unit_of

_WEAKEST = 3  # classes that are named


def about_leader(
    leader: str, *, method: str, protocol: str, metrics: pa.Table, costs: pa.Table
) -> list[str]:
    """One sentence each, in this order; what the tables do not know is not said."""
    rows = frame(metrics)
    rows = rows[
        (rows["encoder"] == leader)
        & (rows["method"] == method)
        & (rows["protocol"] == protocol)
        & (rows["class"] != "")
    ]
    return [*_classes(rows, leader), *_cost(frame(costs), leader)]


def no_better_than_baseline(
    leader: str,
    *,
    method: str,
    protocol: str,
    metric: str,
    metrics: pa.Table,
    baseline: pa.Table,
    confidence: float = 0.95,
) -> str:
    """A sentence where the leader is no better than the commonest class, else nothing.

    A share must exceed it with its whole interval (Wilson's); any other metric with its
    value.
    """
    guess = baseline_values(baseline, metric).get(protocol)
    pairs = _pairs(metrics, protocol, metric, confidence)
    if guess is None or (leader, method) not in pairs:
        return ""
    unit, own = unit_of(metric), pairs[leader, method]
    low = own.low if math.isfinite(own.low) else own.value
    if _badness(low, unit) < _badness(guess, unit):
        return ""
    return (
        f"Nothing was learned that always answering with the commonest class does not "
        f"know: its {lower_first(unit.label)} is {_told(Estimate(guess), unit)}, that of "
        f"{leader}, which leads, {_told(own, unit, confidence)}."
    )


def best_pair(
    leader: str,
    *,
    method: str,
    protocol: str,
    metric: str,
    metrics: pa.Table,
    confidence: float = 0.95,
) -> list[str]:
    """Which encoder is best with which method under a protocol; nothing for one method.

    `leader` and `method` are the pair that the verdict speaks of.
    """
    pairs = _pairs(metrics, protocol, metric, confidence)
    pairs = {pair: own for pair, own in pairs.items() if math.isfinite(own.value)}
    if len({method for _, method in pairs}) < 2:
        return []
    unit = unit_of(metric)
    best = min(pairs, key=lambda pair: (_badness(pairs[pair].value, unit), pair))
    text = (
        f"Of {len(pairs)} pairs of encoder and method on {protocol}, {best[0]} with "
        f"{best[1]} has the best {lower_first(unit.label)}: "
        f"{_told(pairs[best], unit, confidence)}"
    )
    if best != (leader, method) and (leader, method) in pairs:
        text += (
            f", against {_told(pairs[leader, method], unit)} of {leader} with {method}"
        )
    return [f"{text}. The best of many is flattered, and methods are not tested here."]


def _pairs(
    metrics: pa.Table, protocol: str, metric: str, confidence: float
) -> dict[tuple[str, str], Estimate]:
    """The overall metric by encoder and method."""
    rows = frame(metrics)
    rows = rows[
        (rows["protocol"] == protocol)
        & (rows["metric"] == metric)
        & (rows["class"] == "")
        & (rows["fold"] == OVERALL)
    ]
    return {
        (str(encoder), str(method)): overall(own, confidence)
        for (encoder, method), own in rows.groupby(["encoder", "method"])
    }


def _badness(value: float, unit: Unit) -> float:
    return {"higher": -value, "lower": value, "zero": abs(value)}[unit.better]


def _told(found: Estimate, unit: Unit, confidence: float = 0.95) -> str:
    places = 1 if unit.scale > 1 else 3
    value, low, high = (
        f"{unit.scale * x:.{places}f}" for x in (found.value, found.low, found.high)
    )
    told = f"{value} {unit.value}".rstrip()
    if not math.isfinite(found.low):
        return told
    return f"{told} ({100 * confidence:g} % interval {low} to {high})"


def _classes(rows: pd.DataFrame, leader: str) -> list[str]:
    """How many images were tested, and where the leader is weakest."""
    images = rows[rows["metric"] == "support"]["value"].sum()
    recall = rows[rows["metric"] == "recall"].dropna(subset=["value"])
    if recall.empty:
        return []
    weakest = recall.sort_values("value", kind="stable")[:_WEAKEST]
    named = ", ".join(
        f"{label} ({100 * value:.0f} %)"
        for label, value in zip(weakest["class"], weakest["value"], strict=True)
    )
    return [
        f"Tested on {images:,.0f} images of {len(recall)} classes. {leader} recognises "
        f"these least often: {named}."
    ]


def _cost(costs: pd.DataFrame, leader: str) -> list[str]:
    rows = costs[costs["encoder"] == leader].to_dict("records")
    return [
        f"{leader} takes {significant(row['latency_ms']).text} ms for one image, "
        f"{significant(row['bytes'], 1e-6).text} MB of weights and "
        f"{significant(row['peak_memory_mb']).text} MB of memory (measured on "
        f"{row['device']})."
        for row in rows
    ]
