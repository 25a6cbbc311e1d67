"""Compared pairs as the figures need them: the primary rows, one way round."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd
import pyarrow as pa

from bakeoff.figures.frames import frame, setting_names
from bakeoff.figures.style import BETTER, EQUIVALENT, PAPER, WORSE, short

MOST = 45  # pairs of one setting that a figure shows: all of ten encoders

FILL = {"better": BETTER, "equivalent": EQUIVALENT, "worse": WORSE}

_SWAPPED = {"better": "worse", "worse": "better"}


@dataclass(frozen=True)
class Pair:
    """a minus b in stored units; NaN where the table has no number."""

    setting: str
    method: str
    protocol: str
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
    band: float = 0.0
    test: str = ""

    @property
    def name(self) -> str:
        """The pair as text."""
        return f"{short(self.a, 26)} − {short(self.b, 26)}"


def primary_pairs(
    comparisons: pa.Table,
    *,
    per_class: bool = False,
    metrics: Sequence[str] | None = None,
    reference: str | None = None,
    method: str | None = None,
    protocol: str | None = None,
    control: str | None = None,
) -> list[Pair]:
    """The rows that verdicts rest on, in the order of the table.

    `method` and `protocol` choose among the settings. Pairs with the `control` are left
    out as long as others remain: so large are their differences that no other could be
    seen beside them, and the page says in words whether every encoder beats it. With a
    `reference`, only pairs with it are kept, turned so that it is b. Without
    one, and with more than MOST pairs, the first encoder of the table is taken: the
    table of tests beside the figure has all pairs.
    """
    rows = frame(comparisons)
    names = setting_names(zip(rows["method"], rows["protocol"], strict=True))
    rows = rows[rows["primary"] & ((rows["class"] != "") == per_class)]
    if metrics is not None:
        rows = rows[rows["metric"].isin(list(metrics))]
    for column, wanted in (("method", method), ("protocol", protocol)):
        if wanted is not None:
            rows = rows[rows[column] == wanted]
    informed = rows[(rows["a"] != control) & (rows["b"] != control)]
    rows = informed if len(informed) else rows
    pairs_of_encoders = rows[["a", "b"]].drop_duplicates()
    if reference is None and len(pairs_of_encoders) > MOST and not per_class:
        reference = str(rows["a"].iloc[0])
    if reference is not None:
        rows = rows[(rows["a"] == reference) | (rows["b"] == reference)]
    pairs = [
        _pair(row, names[row["method"], row["protocol"]])
        for row in rows.to_dict("records")
    ]
    return [turned(pair) if pair.a == reference else pair for pair in pairs]


def turned(pair: Pair) -> Pair:
    """The same comparison as b minus a."""
    return replace(
        pair,
        a=pair.b,
        b=pair.a,
        estimate=-pair.estimate,
        low=-pair.high,
        high=-pair.low,
        p_better=pair.p_worse,
        p_worse=pair.p_better,
        verdict=_SWAPPED.get(pair.verdict, pair.verdict),
    )


def face(verdict: str) -> str:
    """Filled for a decided verdict, hollow for an undecided one."""
    return FILL.get(verdict, PAPER)


def edge(verdict: str) -> str:
    """Outline of a mark; grey where nothing was decided."""
    return FILL.get(verdict, "#57606a")


def printed_p(p: float) -> str:
    """A p-value in three decimals, never 0; empty where there is none."""
    if pd.isna(p):
        return ""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def _pair(row: dict, setting: str) -> Pair:
    number = {key: float("nan") if pd.isna(v) else v for key, v in row.items()}
    return Pair(
        setting,
        row["method"],
        row["protocol"],
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
        0.0 if pd.isna(row["band"]) else row["band"],
        row["test"],
    )
