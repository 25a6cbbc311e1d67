"""What a reader asks next of the encoder that leads: which images, classes, and cost."""

import pandas as pd
import pyarrow as pa

from bakeoff.cells import significant
from bakeoff.figures.frames import frame

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
