"""Compared pairs as the figures need them: the primary rows, one way round."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import pyarrow as pa

from bakeoff.figures.frames import frame, setting_names
from bakeoff.figures.style import BETTER, EQUIVALENT, PAPER, WORSE, short

FILL = {"better": BETTER, "equivalent": EQUIVALENT, "worse": WORSE}

_SWAPPED = {"better": "worse", "worse": "better"}


@dataclass(frozen=True)
class Pair:
    """a minus b in stored units; NaN where the table has no number."""

    setting: str
    metric: str
    label: str  # class, or empty
    a: str
    b: str
    n: int
    estimate: float
    low: float
    high: float
    p_adjusted: float
    p_better: float
    p_equivalent: float
    p_worse: float
    verdict: str
    confidence: float = 0.95

    @property
    def name(self) -> str:
        """The pair in words."""
        return f"{short(self.a, 26)} − {short(self.b, 26)}"


def primary_pairs(
    comparisons: pa.Table,
    *,
    per_class: bool = False,
    metrics: Sequence[str] | None = None,
    reference: str | None = None,
) -> list[Pair]:
    """The rows that verdicts rest on, in the order of the table.

    With a `reference`, only pairs with it are kept, turned so that it is b.
    """
    rows = frame(comparisons)
    names = setting_names(zip(rows["method"], rows["protocol"], strict=True))
    rows = rows[rows["primary"] & ((rows["class"] != "") == per_class)]
    if metrics is not None:
        rows = rows[rows["metric"].isin(list(metrics))]
    if reference is not None:
        rows = rows[(rows["a"] == reference) | (rows["b"] == reference)]
    pairs = [
        _pair(row, names[row["method"], row["protocol"]])
        for row in rows.to_dict("records")
    ]
    return [turned(pair) if pair.a == reference else pair for pair in pairs]


def turned(pair: Pair) -> Pair:
    """The same comparison as b minus a."""
    return Pair(
        pair.setting,
        pair.metric,
        pair.label,
        pair.b,
        pair.a,
        pair.n,
        -pair.estimate,
        -pair.high,
        -pair.low,
        pair.p_adjusted,
        pair.p_worse,
        pair.p_equivalent,
        pair.p_better,
        _SWAPPED.get(pair.verdict, pair.verdict),
        pair.confidence,
    )


def face(verdict: str) -> str:
    """Filled for a decided verdict, hollow for an undecided one."""
    return FILL.get(verdict, PAPER)


def edge(verdict: str) -> str:
    """Outline of a mark; grey where nothing was decided."""
    return FILL.get(verdict, "#57606a")


def printed_p(p: float) -> str:
    """A p-value in the form p = .02, never p = 0."""
    if pd.isna(p):
        return ""
    if p < 0.001:
        return "p < .001"
    return "p = 1" if p >= 0.9995 else f"p = {p:.3f}".replace("0.", ".", 1)


def _pair(row: dict, setting: str) -> Pair:
    number = {key: float("nan") if pd.isna(v) else v for key, v in row.items()}
    return Pair(
        setting,
        row["metric"],
        row["class"],
        row["a"],
        row["b"],
        int(row["n"]),
        number["estimate"],
        number["ci_low"],
        number["ci_high"],
        number["p_adjusted"],
        number["p_better"],
        number["p_equivalent"],
        number["p_worse"],
        row["verdict"],
        number["confidence"],
    )
