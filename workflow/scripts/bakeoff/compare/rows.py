"""Rows of the table of comparisons, and what is decided from them."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from math import isfinite, nan
from typing import Any, Literal

import numpy as np

from bakeoff.compare.labels import largest_difference
from bakeoff.metrics.interface import Better
from bakeoff.stats.equivalence import tost_p
from bakeoff.stats.multiplicity import holm
from bakeoff.stats.result import Chances, Result

Verdict = Literal["better", "equivalent", "worse", "inconclusive", "refused", ""]


@dataclass(frozen=True)
class Question:
    """Whether a or b is better by one metric; label is a class, or empty."""

    study: str
    method: str
    protocol: str
    metric: str
    label: str
    a: str
    b: str
    better: Better
    band: float
    images: int


@dataclass
class Row:
    """One row; p_adjusted, p_tost and verdict are filled in once its family is complete."""

    question: Question
    test: str
    primary: bool
    result: Result
    confidence: float
    chances: Chances | None = None
    detectable: float = nan
    note: str = ""
    p_adjusted: float = nan
    p_tost: float = nan
    verdict: Verdict = ""

    @property
    def better_is_more(self) -> bool:
        """Whether a positive estimate speaks for a."""
        return self.question.better == "higher"


def decide(rows: Sequence[Row]) -> None:
    """Fill in the adjusted p-values and the verdict of every primary row.

    Families of Holm's adjustment: all pairs of one method, protocol and metric; and,
    for tests class by class, all classes of one pair. Tests of a difference and tests
    of equivalence are adjusted alike. Intervals are cut at the largest possible
    difference, and no difference beyond it is called detectable.
    """
    families: dict[tuple[str, ...], list[Row]] = defaultdict(list)
    for row in rows:
        if row.primary:
            families[_family(row.question)].append(row)
    for family in families.values():
        different = holm(np.array([row.result.p for row in family]))
        alike = holm(np.array([_tost(row) for row in family]))
        for row, *p in zip(family, different.tolist(), alike.tolist(), strict=True):
            row.p_adjusted, row.p_tost = p
            row.verdict = row.verdict or verdict_of(row)
    for row in rows:
        _cut(row)


def verdict_of(row: Row) -> Verdict:
    """Equivalent where the interval, once adjusted, lies within the band; else by p.

    A pair is equivalent where its adjusted two one-sided tests are significant: for one
    pair, where the whole interval lies within the band, even where it excludes zero,
    as such a difference is real and too small to matter. It is better or worse where
    the adjusted p is and the interval excludes zero: test and interval must agree.
    Without an interval nothing is decided.
    """
    r, alpha = row.result, 1 - row.confidence
    if not (isfinite(r.low) and isfinite(r.high)):
        return "inconclusive"
    if row.p_tost <= alpha / 2 + 1e-12:
        return "equivalent"
    if row.p_adjusted <= alpha + 1e-12 and (r.low > 0 or r.high < 0):
        return "better" if (r.estimate > 0) == row.better_is_more else "worse"
    return "inconclusive"


def _tost(row: Row) -> float:
    return tost_p(row.result, row.question.band, row.confidence)


def _cut(row: Row) -> None:
    most, r = largest_difference(row.question.metric), row.result
    row.result = replace(r, low=max(r.low, -most), high=min(r.high, most))
    if row.detectable > most:
        row.detectable = nan


def refusal(question: Question, reason: str, confidence: float) -> Row:
    """A primary row without a test, and the reason in words."""
    row = Row(question, "none", True, Result(0), confidence, note=reason)
    row.verdict = "refused"
    return row


def columns(rows: Sequence[Row]) -> dict[str, list[Any]]:
    """The columns of the table of comparisons."""
    cells = [_cells(row) for row in rows]
    return {name: [row[name] for row in cells] for name in _cells(_EXAMPLE)}


def _family(q: Question) -> tuple[str, ...]:
    return (q.method, q.protocol, q.metric, *((q.a, q.b) if q.label else ()))


def _cells(row: Row) -> dict[str, Any]:
    q, r = row.question, row.result
    chances = row.chances or Chances(nan, nan, nan)
    better, worse = chances.above, chances.below
    if not row.better_is_more:
        better, worse = worse, better
    cells = {f.name: getattr(q, f.name) for f in fields(q) if f.name != "better"}
    cells["class"] = cells.pop("label")
    return cells | {
        "test": row.test,
        "primary": row.primary,
        "n": r.n,
        "estimate": r.estimate,
        "ci_low": r.low,
        "ci_high": r.high,
        "confidence": row.confidence if isfinite(r.low) else nan,
        "statistic": r.statistic if isfinite(r.statistic) else nan,
        "df": r.df,
        "p": r.p,
        "p_adjusted": row.p_adjusted,
        "p_tost": row.p_tost,
        "p_better": better,
        "p_equivalent": chances.inside,
        "p_worse": worse,
        "detectable": row.detectable,
        "verdict": row.verdict,
        "note": row.note or None,
    }


_EXAMPLE = Row(
    Question("", "", "", "", "", "", "", "higher", 0, 0), "", True, Result(0), 0
)
