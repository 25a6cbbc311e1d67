"""Comparison of encoders over several data sets: ranks, and tests of one value each.

Demsar, J. (2006), JMLR 7:1-30: Friedman's test of all encoders, Wilcoxon's signed-rank
test of every pair. The data sets are what is counted, so the result speaks of data sets
like these, not of more images of one of them.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.stats import rankdata

from bakeoff.compare.labels import default_band
from bakeoff.compare.rows import Question, Row, Verdict, columns
from bakeoff.errors import BakeoffError, listed
from bakeoff.metrics.definitions import METRICS
from bakeoff.metrics.interface import Better
from bakeoff.stats.datasets import (
    critical_difference,
    friedman,
    hodges_lehmann,
    wilcoxon_holm,
)
from bakeoff.stats.result import Result
from bakeoff.tables import strings

Columns = dict[str, list[Any]]


def overall_values(
    metrics: pa.Table,
    *,
    studies: Sequence[str],
    encoders: Sequence[str],
    method: str,
    protocol: str,
    metric: str,
) -> np.ndarray:
    """(N, k) overall value of every encoder (column) on every study (row).

    Raises BakeoffError for values that are missing or undefined.
    """
    wanted = {"method": method, "protocol": protocol, "metric": metric, "class": ""}
    rows = metrics.filter((pc.field("fold") == -1) & (pc.field("repeat") == -1))
    for name, word in wanted.items():
        rows = rows.filter(pc.field(name).cast(pa.string()) == word)
    places = zip(strings(rows, "study"), strings(rows, "encoder"), strict=True)
    found = dict(zip(places, rows.column("value").to_pylist(), strict=True))
    missing = [
        f"{encoder} on {study}"
        for study in studies
        for encoder in encoders
        if found.get((study, encoder)) is None
    ]
    if missing:
        raise BakeoffError(
            f"comparison over studies, {method} on {protocol}",
            f"no {metric} of {listed(missing)}",
            "a value of every encoder on every study",
            "Decide by a metric that all of these studies define.",
        )
    return np.array([[found[s, e] for e in encoders] for s in studies], dtype=float)


def goodness(values: np.ndarray, better: Better) -> np.ndarray:
    """`values` turned so that more is better."""
    return {"higher": values, "lower": -values, "zero": -np.abs(values)}[better]


def ranks(
    values: np.ndarray, metric: str, studies: Sequence[str], encoders: Sequence[str]
) -> Columns:
    """Columns of the table of ranks of (N, k) values; 1 is best, equals share a rank."""
    each = rankdata(-goodness(values, METRICS[metric].better), axis=1)
    return {
        "study": [study for study in studies for _ in encoders],
        "encoder": list(encoders) * len(studies),
        "value": values.ravel().tolist(),
        "rank": each.ravel().tolist(),
    }


def rank_tests(
    values: np.ndarray,
    *,
    method: str,
    protocol: str,
    metric: str,
    encoders: Sequence[str],
    bands: Mapping[str, float],
    confidence: float,
) -> Columns:
    """Columns of the table of comparisons of (N, k) values, over all studies.

    One row of Friedman's test of all encoders, and for every pair a row of Wilcoxon's
    test, Holm-adjusted, on which the verdict rests. Its estimate is Hodges and
    Lehmann's, in the metric's own unit.
    """
    better = METRICS[metric].better
    n, scores = len(values), goodness(values, better)
    band = bands.get(metric, default_band(metric))

    def question(a: str, b: str) -> Question:
        return Question("", method, protocol, metric, "", a, b, better, band, 0)

    whole = friedman(scores)
    overall = Result(n, statistic=whole.f, df=len(encoders) - 1.0, p=whole.f_p)
    every = Row(question("", ""), "friedman", False, overall, confidence)
    every.p_adjusted = whole.f_p  # a family of one
    rows = [every]
    note = f"{n} data sets, which allow no p below {2 / 2**n:.3g}"
    sides = np.abs(values) if better == "zero" else values
    for (i, j), (p, adjusted) in wilcoxon_holm(scores).items():
        gain = hodges_lehmann(scores[:, i] - scores[:, j])
        result = Result(n, hodges_lehmann(sides[:, i] - sides[:, j]), p=p)
        row = Row(
            *(question(encoders[i], encoders[j]), "wilcoxon", True, result, confidence),
            note=note,
            p_adjusted=adjusted,
            verdict=_verdict(gain, adjusted, confidence),
        )
        rows.append(row)
    return columns(rows) | {"images": [None] * len(rows)}


def critical(values: np.ndarray, confidence: float) -> float:
    """Nemenyi's critical difference of the mean ranks of (N, k) values."""
    n, k = values.shape
    return critical_difference(k, n, alpha=1 - confidence)


def _verdict(gain: float, p_adjusted: float, confidence: float) -> Verdict:
    # Without an interval nothing can be called equivalent.
    if gain == 0 or p_adjusted > 1 - confidence + 1e-12:
        return "inconclusive"
    return "better" if gain > 0 else "worse"
